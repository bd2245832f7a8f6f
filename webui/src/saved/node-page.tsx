/** The saved client's own pages: which node it is for, and the line that says what it is. */
import { useState } from "preact/hooks";
import { ErrorSummary, type Mistake, TextField } from "../parts/field.tsx";
import { t } from "../state/language.ts";
import { nodeAddress } from "./node-address.ts";

export interface Asked {
  /** Base address of the node, without a slash at its end. */
  readonly node: string;
}

/** Milliseconds. For a node to answer. */
const PATIENCE = 15_000;

/** Whether a Hedgerow node answers there. */
export async function answers(node: string): Promise<boolean> {
  try {
    const answer = await fetch(`${node}/api/v1/status`, { credentials: "omit", signal: AbortSignal.timeout(PATIENCE) });
    const said = (await answer.json()) as { node_id?: unknown };
    return answer.ok && typeof said.node_id === "string";
  } catch {
    return false;
  }
}

export function NodePage({ onChosen }: { onChosen: (asked: Asked) => void }) {
  const [mistakes, setMistakes] = useState<readonly Mistake[]>([]);
  const [busy, setBusy] = useState(false);
  const wrong = (text: string): void => setMistakes([{ field: "node", text }]);
  const choose = async (typed: string): Promise<void> => {
    const node = nodeAddress(typed);
    if (!node) return wrong(t("secure.copy.wrong"));
    setMistakes([]);
    setBusy(true);
    const there = await answers(node);
    setBusy(false);
    if (there) onChosen({ node });
    else wrong(t("secure.copy.silent"));
    return undefined;
  };
  return (
    <main class="wrap view narrow" id="main" tabIndex={-1}>
      <h1>{t("secure.copy.title")}</h1>
      <p class="lead">{t("secure.copy.lead")}</p>
      <p>{t("secure.copy.compare")}</p>
      <ErrorSummary mistakes={mistakes} />
      <form
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          if (!busy) void choose(String(new FormData(event.currentTarget).get("node") ?? ""));
        }}
      >
        <TextField
          name="node"
          label={t("secure.copy.address")}
          hint={t("secure.copy.address_hint")}
          mistakes={mistakes}
          inputMode="url"
          autocomplete="off"
          spellcheck={false}
          dir="ltr"
        />
        <button class="button" type="submit" aria-disabled={busy ? "true" : undefined}>
          {t("secure.copy.go")}
        </button>
      </form>
    </main>
  );
}

/** A second tab of the same file. */
export function TwicePage() {
  return (
    <main class="wrap view narrow" id="main" tabIndex={-1}>
      <h1>{t("secure.copy.twice")}</h1>
      <p>{t("secure.copy.twice_text")}</p>
      <p>
        <button class="button" type="button" onClick={() => location.reload()}>
          {t("app.again")}
        </button>
      </p>
    </main>
  );
}

interface LineProps {
  words: string;
  hex: string;
  node: string;
  onOther: () => void;
}

/** What this copy is: always in sight, so that two people can compare. */
export function CopyLine({ words, hex, node, onOther }: LineProps) {
  return (
    <div class="wrap">
      <dl class="facts">
        <div>
          <dt>{t("secure.copy.words")}</dt>
          <dd>
            <strong dir="ltr" lang="en" title={hex}>
              {words}
            </strong>
          </dd>
        </div>
        {node && (
          <div>
            <dt>{t("secure.copy.site")}</dt>
            <dd>
              <bdi dir="ltr">{node}</bdi>{" "}
              <button class="as-link" type="button" onClick={onOther}>
                {t("secure.copy.other")}
              </button>
            </dd>
          </div>
        )}
      </dl>
    </div>
  );
}
