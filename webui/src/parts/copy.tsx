/** A link to hand over: shown whole, selected by a touch, copied by a button. */
import { useState } from "preact/hooks";
import { t } from "../state/language.ts";

interface Props {
  name: string;
  label: string;
  text: string;
  /** The button's words, for text that is no link. */
  act?: string;
}

async function copyText(text: string, field: HTMLInputElement | null): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    field?.select();
    return document.execCommand("copy"); // where the clipboard is not to be had
  }
}

export function CopyLink({ name, label, text, act }: Props) {
  const [said, say] = useState("");
  const copy = async (): Promise<void> => {
    const field = document.querySelector<HTMLInputElement>(`#field-${name}`);
    say(t((await copyText(text, field)) ? "app.copy.done" : "app.copy.failed"));
  };
  return (
    <div class="copy">
      <div class="field">
        <label for={`field-${name}`}>{label}</label>
        <input id={`field-${name}`} readOnly value={text} dir="ltr" onFocus={(event) => event.currentTarget.select()} />
      </div>
      <p class="buttons">
        <button class="button" type="button" onClick={copy}>
          {act ?? t("app.copy.link")}
        </button>
        {!act && "share" in navigator && (
          <button
            class="button quiet"
            type="button"
            onClick={() => navigator.share({ url: text }).catch(() => undefined)}
          >
            {t("app.copy.share")}
          </button>
        )}
      </p>
      <p role="status" class="said">
        {said}
      </p>
    </div>
  );
}
