/** Coming back in a browser that forgets: six words open what was kept, sealed, on the node. */
import { useState } from "preact/hooks";
import { ActionButton, useAction, Wrong } from "../parts/action.tsx";
import { ErrorSummary, type Mistake, TextField } from "../parts/field.tsx";
import { PageFrame } from "../parts/page.tsx";
import { call } from "../state/client.ts";
import { t } from "../state/language.ts";
import { splitWords } from "../state/recovery-words.ts";
import { go } from "../state/route.ts";

const WORDS = 6;

export function ReturnPage() {
  const action = useAction();
  const [mistakes, setMistakes] = useState<readonly Mistake[]>([]);
  const open = async (form: HTMLFormElement): Promise<void> => {
    const words = splitWords(String(new FormData(form).get("words") ?? ""));
    if (words.length !== WORDS)
      return setMistakes([{ field: "words", text: t("app.return.count", { count: words.length }) }]);
    setMistakes([]);
    await action.run(async () => {
      await call("returnFromNode", { words: words.join(" ") });
      go({ page: "home" });
    });
  };
  return (
    <PageFrame
      title={t("app.start.return")}
      heading={t("app.start.return")}
      back={{ to: { page: "home" }, label: t("app.start.back") }}
      wrong={mistakes.length > 0}
    >
      <ErrorSummary mistakes={mistakes} />
      <p class="lead">{t("app.return.lead")}</p>
      <form
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          open(event.currentTarget);
        }}
      >
        <TextField
          name="words"
          label={t("app.return.words")}
          mistakes={mistakes}
          lang="en"
          dir="ltr"
          autocomplete="current-password"
          autocapitalize="none"
          spellcheck={false}
        />
        <Wrong action={action} />
        <ActionButton action={action}>{t("app.continue")}</ActionButton>
      </form>
    </PageFrame>
  );
}
