/** Writing: one's words are kept while one writes, and are only taken away when they are safely stored. */
import type { RoomView } from "../../client/types.ts";
import { Wrong } from "../../parts/action.tsx";
import { Icon } from "../../parts/icon.tsx";
import { t } from "../../state/language.ts";
import { orSomebody, viewName } from "../../state/names.ts";
import { preferences } from "../../state/preferences.ts";
import { plainLine } from "../../state/rich.ts";
import { answering, changing } from "../../state/room.ts";
import { Files } from "./files.tsx";
import { useWriting, type Writing } from "./writing.ts";

export function Composer({ view }: { view: RoomView }) {
  const writing = useWriting(view);
  const { action, files, left } = writing;
  const label = t("app.write.label", { name: viewName(view) });
  return (
    <form
      class="composer"
      aria-label={label}
      onSubmit={(event) => {
        event.preventDefault();
        writing.send();
      }}
    >
      <Waiting view={view} />
      <About onStop={writing.stop} />
      <Files files={files} />
      <Wrong action={action} />
      {left !== null && (
        <p class={left < 0 ? "field-error" : "hint"} role="status">
          {left < 0 ? t("app.write.too_long", { count: -left }) : t("app.write.left", { count: left })}
        </p>
      )}
      <Row writing={writing} label={label} />
      <p class="hint keys" id="composer-hint">
        {t(preferences.value.enterSends ? "app.write.keys_enter" : "app.write.keys")}
      </p>
    </form>
  );
}

function Row({ writing, label }: { writing: Writing; label: string }) {
  const { action, files } = writing;
  return (
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
        {label}
      </label>
      <textarea
        id="field-message"
        ref={writing.field}
        rows={1}
        dir="auto"
        placeholder={t("app.write.placeholder")}
        aria-describedby="composer-hint"
        onInput={writing.typed}
        onKeyDown={writing.key}
      />
      <button class="button send" type="submit" aria-disabled={action.busy || files.busy ? "true" : undefined}>
        <Icon name="send" />
        <span>{t(changing.value ? "app.write.save" : "app.write.send")}</span>
      </button>
    </div>
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
function About({ onStop }: { onStop: () => void }) {
  const answer = answering.value;
  const about = answer ?? changing.value;
  if (!about) return null;
  return (
    <div class="about-line">
      <p>
        <strong>
          {answer ? t("app.write.answering", { name: orSomebody(answer.name) }) : t("app.write.changing")}
        </strong>
        <span dir="auto">{plainLine(about.text)}</span>
      </p>
      <button class="button quiet small" type="button" onClick={onStop}>
        {t("app.cancel")}
      </button>
    </div>
  );
}
