/** Looking for one's own and others' words, on this device only: nothing that is typed here is sent. */
import { useEffect, useRef, useState } from "preact/hooks";
import type { SearchHit } from "../client/types.ts";
import { TextField } from "../parts/field.tsx";
import { Go } from "../parts/link.tsx";
import { PageFrame } from "../parts/page.tsx";
import { Time } from "../parts/time.tsx";
import { call, sentenceFor, state } from "../state/client.ts";
import { t } from "../state/language.ts";
import { orSomebody, summaryName } from "../state/names.ts";

const PAUSE_MS = 250;
const HITS = 50;

export function SearchPage() {
  const [text, setText] = useState("");
  const [hits, setHits] = useState<readonly SearchHit[] | null>(null);
  const [failed, fail] = useState("");
  const ticket = useRef(0);
  useEffect(() => {
    ticket.current += 1;
    const own = ticket.current;
    if (!text.trim()) {
      setHits(null);
      return undefined;
    }
    const timer = setTimeout(async () => {
      try {
        const found = await call("search", { text: text.trim(), limit: HITS });
        if (own === ticket.current) setHits(found);
        fail("");
      } catch (error) {
        fail(sentenceFor(error));
      }
    }, PAUSE_MS);
    return () => clearTimeout(timer);
  }, [text]);
  return (
    <PageFrame
      title={t("app.search.title")}
      heading={t("app.search.title")}
      back={{ to: { page: "home" }, label: t("app.home.title") }}
    >
      <search>
        <TextField
          name="search"
          type="search"
          label={t("app.search.label")}
          hint={t("app.search.hint")}
          value={text}
          autocomplete="off"
          onInput={(event) => setText(event.currentTarget.value)}
        />
      </search>
      <p role="status">{failed || (hits && t("app.search.found", { count: hits.length }))}</p>
      <ol class="hits">
        {hits?.map((hit) => (
          <li key={`${hit.room} ${hit.message}`}>
            <Hit hit={hit} />
          </li>
        ))}
      </ol>
    </PageFrame>
  );
}

function Hit({ hit }: { hit: SearchHit }) {
  const room = state.value?.rooms.find((each) => each.room === hit.room);
  return (
    <Go class="hit" to={{ page: "room", room: hit.room, at: hit.message }}>
      <span class="hint">
        <strong dir="auto">{hit.mine ? t("app.you") : orSomebody(hit.name)}</strong> ·{" "}
        <span dir="auto">{room ? summaryName(room) : hit.roomTitle}</span> · <Time at={hit.time} style="short" />
      </span>
      <span dir="auto">{hit.excerpt}</span>
    </Go>
  );
}
