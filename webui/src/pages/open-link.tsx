/** An invitation that came as a link in some message, or as a code on somebody's screen. */
import { useState } from "preact/hooks";
import { ErrorSummary, type Mistake, TextField } from "../parts/field.tsx";
import { PageFrame } from "../parts/page.tsx";
import { Scanner } from "../parts/scan.tsx";
import { state } from "../state/client.ts";
import { t } from "../state/language.ts";
import { route } from "../state/route.ts";
import { findLink } from "./found-link.ts";

export function OpenLinkPage() {
  const [mistakes, setMistakes] = useState<readonly Mistake[]>([]);
  const open = (text: string): void => {
    const link = findLink(text);
    if (link) route.value = { page: "join", link };
    else setMistakes([{ field: "link", text: t("app.open_link.wrong") }]);
  };
  const back = state.value?.account ? "app.home.title" : "app.start.back";
  return (
    <PageFrame
      title={t("app.open_link.title")}
      heading={t("app.open_link.title")}
      back={{ to: { page: "home" }, label: t(back) }}
      wrong={mistakes.length > 0}
    >
      <ErrorSummary mistakes={mistakes} />
      <p>{t("app.open_link.text")}</p>
      <form
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          open(String(new FormData(event.currentTarget).get("link") ?? ""));
        }}
      >
        <TextField
          name="link"
          label={t("app.open_link.label")}
          hint={t("app.open_link.hint")}
          mistakes={mistakes}
          dir="ltr"
          autocomplete="off"
          spellcheck={false}
        />
        <button class="button" type="submit">
          {t("app.continue")}
        </button>
      </form>
      <h2>{t("app.open_link.scan")}</h2>
      <Scanner onRead={open} />
    </PageFrame>
  );
}
