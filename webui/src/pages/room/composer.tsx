/** Writing: one's words are kept while one writes, and are only taken away when they are safely stored. */
import type { RefObject } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { BOUNDS, type RoomView } from "../../client/types.ts";
import { useAction, Wrong } from "../../parts/action.tsx";
import { Icon } from "../../parts/icon.tsx";
import { call, tell } from "../../state/client.ts";
import { t } from "../../state/language.ts";
import { orSomebody, viewName } from "../../state/names.ts";
import { preferences } from "../../state/preferences.ts";
import { plainLine } from "../../state/rich.ts";
import { answering, changing } from "../../state/room.ts";
import { Files, type Pending, useFiles } from "./files.tsx";

const DRAFT_PAUSE_MS = 600;
/** From here on the number of letters left is shown. */
const NEAR_LIMIT = 500;

export function Composer({ view }: { view: RoomView }) {
  const field = useRef<HTMLTextAreaElement>(null);
  const action = useAction();
  const files = useFiles(view.room);
  const [left, setLeft] = useState<number | null>(null);
  const draft = useDraft(view, field);
  const change = changing.value;
  const answer = answering.value;

  const send = (): void => {
    const text = field.current?.value.trim() ?? "";
    const ready = files.pending.filter((each) => each.token);
    if ((!text && ready.length === 0) || text.length > BOUNDS.textCharacters || files.busy) return;
    if (change) action.run(() => saveChange(view.room, change.id, text)).then((went) => went && clear());
    else action.run(() => sendNew(view.room, text, ready)).then((went) => went && clear());
  };
  const clear = (): void => {
    if (field.current) field.current.value = "";
    answering.value = null;
    changing.value = null;
    files.clear();
    draft.forget();
    setLeft(null);
    field.current?.focus();
  };
  const typed = (): void => {
    const rest = BOUNDS.textCharacters - (field.current?.value.length ?? 0);
    const shown = rest < NEAR_LIMIT ? rest : null;
    if (shown !== left) setLeft(shown);
    draft.later();
  };
  const key = (event: KeyboardEvent): void => {
    if (event.key === "Escape" && (change || answer)) stop();
    const enter = event.key === "Enter" && !event.isComposing && !event.shiftKey;
    if (enter && (event.ctrlKey || event.metaKey || preferences.value.enterSends)) {
      event.preventDefault();
      send();
    }
  };
  const stop = (): void => {
    if (change && field.current) field.current.value = "";
    answering.value = null;
    changing.value = null;
    draft.later();
  };

  return (
    <form
      class="composer"
      aria-label={t("app.write.label", { name: viewName(view) })}
      onSubmit={(event) => {
        event.preventDefault();
        send();
      }}
    >
      <Waiting view={view} />
      <About name={answer && orSomebody(answer.name)} text={answer?.text ?? change?.text ?? ""} onStop={stop} />
      <Files files={files} />
      <Wrong action={action} />
      {left !== null && (
        <p class={left < 0 ? "field-error" : "hint"} role="status">
          {left < 0 ? t("app.write.too_long", { count: -left }) : t("app.write.left", { count: left })}
        </p>
      )}
      <div class="composer-row">
        <label class="attach">
          <Icon name="clip" />
          <span class="unseen">{t("app.write.attach")}</span>
          <input
            class="unseen"
            type="file"
            multiple
            onChange={(event) => {
              files.add([...(event.currentTarget.files ?? [])]);
              event.currentTarget.value = "";
            }}
          />
        </label>
        <label class="unseen" for="field-message">
          {t("app.write.label", { name: viewName(view) })}
        </label>
        <textarea
          id="field-message"
          ref={field}
          rows={1}
          dir="auto"
          placeholder={t("app.write.placeholder")}
          aria-describedby="composer-hint"
          onInput={typed}
          onKeyDown={key}
        />
        <button class="button send" type="submit" aria-disabled={action.busy || files.busy ? "true" : undefined}>
          <Icon name="send" />
          <span>{t(change ? "app.write.save" : "app.write.send")}</span>
        </button>
      </div>
      <p class="hint keys" id="composer-hint">
        {t(preferences.value.enterSends ? "app.write.keys_enter" : "app.write.keys")}
      </p>
    </form>
  );
}

/** People ask to join, far above: a quiet way there. */
function Waiting({ view }: { view: RoomView }) {
  const count = view.asks.filter((ask) => !ask.mine).length;
  if (count === 0) return null;
  const lead = (): void => {
    const heading = document.getElementById("asks-heading");
    heading?.scrollIntoView({ block: "center" });
    heading?.focus({ preventScroll: true });
  };
  return (
    <p class="waiting">
      <button class="as-link" type="button" onClick={lead}>
        {t("app.ask.heading", { count })}
      </button>
    </p>
  );
}

/** The line that says what is being answered or changed. */
function About({ name, text, onStop }: { name: string | null; text: string; onStop: () => void }) {
  if (!answering.value && !changing.value) return null;
  return (
    <div class="about-line">
      <p>
        <strong>{name ? t("app.write.answering", { name }) : t("app.write.changing")}</strong>
        <span dir="auto">{plainLine(text)}</span>
      </p>
      <button class="button quiet small" type="button" onClick={onStop}>
        {t("app.cancel")}
      </button>
    </div>
  );
}

async function sendNew(room: string, text: string, files: readonly Pending[]): Promise<void> {
  const attachments = files.map((each) => each.token);
  const answer = answering.peek();
  await call("send", {
    room,
    text,
    ...(answer ? { replyTo: answer.id } : {}),
    ...(attachments.length > 0 ? { attachments } : {}),
  });
}

async function saveChange(room: string, id: string, text: string): Promise<void> {
  if (text) await call("edit", { room, id, text });
}

/** Puts the kept draft into the field, and keeps what is typed after each pause and when the page goes away. */
function useDraft(view: RoomView, field: RefObject<HTMLTextAreaElement | null>) {
  const timer = useRef(0);
  const kept = useRef(view.draft.text);
  // The field is gone before the page says goodbye, so what it held is remembered here.
  const typed = useRef(view.draft.text);
  const keep = (): void => {
    clearTimeout(timer.current);
    timer.current = 0;
    // While an old message is changed, the field does not hold the draft.
    if (changing.peek() || typed.current === kept.current) return;
    kept.current = typed.current;
    tell("draft", { room: view.room, text: kept.current, replyTo: answering.peek()?.id ?? null });
  };
  const later = (): void => {
    if (!changing.peek() && field.current) typed.current = field.current.value;
    clearTimeout(timer.current);
    timer.current = window.setTimeout(keep, DRAFT_PAUSE_MS);
  };

  useEffect(() => {
    if (field.current && !field.current.value) field.current.value = view.draft.text;
    const reply = view.timeline.find((item) => item.id === view.draft.replyTo);
    if (reply?.kind === "message") answering.value = reply;
    const hidden = (): void => {
      if (document.hidden) keep();
    };
    addEventListener("visibilitychange", hidden);
    addEventListener("pagehide", keep);
    return () => {
      removeEventListener("visibilitychange", hidden);
      removeEventListener("pagehide", keep);
      if (timer.current) keep();
    };
  }, [view.room]);

  const change = changing.value;
  useEffect(() => {
    if (!field.current || !change) return undefined;
    const written = field.current;
    const before = written.value;
    written.value = change.text;
    // Whatever was half written before comes back afterwards.
    return () => {
      written.value = before;
    };
  }, [change?.id]);

  return {
    later,
    forget: () => {
      clearTimeout(timer.current);
      timer.current = 0;
      kept.current = "";
      typed.current = "";
      tell("draft", { room: view.room, text: "", replyTo: null });
    },
  };
}
