/** In the saved client: nothing is kept before a passphrase closes it, because other files could look into its storage. */
import { useState } from "preact/hooks";
import { BOUNDS } from "../client/types.ts";
import { ActionButton, useAction } from "../parts/action.tsx";
import { ErrorSummary, type Mistake, TextField } from "../parts/field.tsx";
import { PageFrame } from "../parts/page.tsx";
import { call, sentenceFor } from "../state/client.ts";
import { t } from "../state/language.ts";

const FIELD = "new-passphrase";

export function LockFirstPage() {
  const action = useAction();
  const [mistakes, setMistakes] = useState<readonly Mistake[]>([]);
  const set = (form: HTMLFormElement): void => {
    const passphrase = String(new FormData(form).get(FIELD) ?? "");
    if (passphrase.length < BOUNDS.passphraseCharacters) {
      setMistakes([{ field: FIELD, text: t("app.error.weak-passphrase") }]);
      return;
    }
    setMistakes([]);
    void action.run(async () => {
      try {
        await call("setPassphrase", { passphrase });
      } catch (error) {
        setMistakes([{ field: FIELD, text: sentenceFor(error) }]);
      }
    });
  };
  return (
    <PageFrame title={t("secure.copy.lock")} heading={t("secure.copy.lock")} wrong={mistakes.length > 0} class="narrow">
      <p class="lead">{t("secure.copy.lock_text")}</p>
      <ErrorSummary mistakes={mistakes} />
      <form
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          set(event.currentTarget);
        }}
      >
        <TextField
          name={FIELD}
          type="password"
          label={t("secure.copy.lock_label")}
          hint={t("secure.copy.lock_hint")}
          mistakes={mistakes}
          autocomplete="new-password"
          dir="ltr"
        />
        <ActionButton action={action}>{t("secure.copy.go")}</ActionButton>
      </form>
    </PageFrame>
  );
}
