/** The recovery sheet: 24 words on paper, in a file or as a code. They stay covered until somebody is ready. */
import { useEffect, useRef, useState } from "preact/hooks";
import { ActionButton, useAction, Wrong } from "../parts/action.tsx";
import { Notice } from "../parts/notice.tsx";
import { PageFrame } from "../parts/page.tsx";
import { QrCode } from "../parts/qr.tsx";
import { call, state } from "../state/client.ts";
import { t } from "../state/language.ts";
import { save } from "../state/pictures.ts";
import { place } from "../state/place.ts";
import { go } from "../state/route.ts";

interface Sheet {
  readonly words: readonly string[];
  readonly code: string;
}

export function SheetPage() {
  const [sheet, setSheet] = useState<Sheet | null>(null);
  const action = useAction();
  const open = (): Promise<boolean> => action.run(async () => setSheet(await call("sheetWords", {})));
  return (
    <PageFrame
      class="sheet-page"
      title={t("app.sheet.title")}
      heading={t("app.sheet.title")}
      back={{ to: { page: "home" }, label: t("app.home.title") }}
    >
      {sheet ? (
        <Words sheet={sheet} />
      ) : (
        <>
          <p class="lead">{t("app.sheet.lead")}</p>
          <ul>
            <li>{t("app.sheet.what_1")}</li>
            <li>{t("app.sheet.what_2")}</li>
            <li>{t("app.sheet.what_3")}</li>
          </ul>
          <Notice kind="warn" heading={t("app.sheet.paper")}>
            <p>{t("app.sheet.paper_text")}</p>
            <p>{t("app.sheet.paper_where")}</p>
          </Notice>
          <p class="buttons">
            <ActionButton action={action} onPress={open}>
              {t("app.sheet.show")}
            </ActionButton>
            <Later />
          </p>
          <p class="hint">{t("app.sheet.alone")}</p>
          <Wrong action={action} />
        </>
      )}
    </PageFrame>
  );
}

function Later() {
  const action = useAction();
  const put = async (): Promise<void> => {
    if (state.value?.account?.sheetKept || (await action.run(() => call("sheetDone", { kept: false })))) {
      go({ page: "home" });
    }
  };
  return (
    <ActionButton action={action} class="quiet" onPress={put}>
      {t("app.sheet.later")}
    </ActionButton>
  );
}

/** What stands in the file: the words, where they belong, and what they do. */
function asText(sheet: Sheet): string {
  const words = sheet.words.map((word, index) => `${String(index + 1).padStart(2)}. ${word}`);
  return [t("app.sheet.title"), place().community, place().node, "", ...words, "", t("app.sheet.print_note"), ""].join(
    "\n",
  );
}

function Words({ sheet }: { sheet: Sheet }) {
  const action = useAction();
  const shown = useRef<HTMLElement>(null);
  // The button that was pressed is gone: the focus goes to what it brought.
  useEffect(() => {
    shown.current?.focus();
    scrollTo(0, 0);
  }, []);
  const kept = async (): Promise<void> => {
    if (await action.run(() => call("sheetDone", { kept: true }))) go({ page: "home" });
  };
  const file = (): void => save("recovery-sheet.txt", "text/plain", new TextEncoder().encode(asText(sheet)));
  return (
    <>
      <section class="sheet" aria-label={t("app.sheet.words")} tabIndex={-1} ref={shown}>
        <p class="sheet-place">
          <strong>{place().community}</strong> <span dir="ltr">{place().node}</span>
        </p>
        <ol class="sheet-words" lang="en" dir="ltr" translate={false}>
          {sheet.words.map((word, index) => (
            <li key={index}>{word}</li>
          ))}
        </ol>
        <div class="sheet-foot">
          <QrCode text={sheet.code} label={t("app.sheet.code")} />
          <p>{t("app.sheet.print_note")}</p>
        </div>
      </section>
      <p class="buttons no-print">
        <button class="button" type="button" onClick={() => window.print()}>
          {t("app.sheet.print")}
        </button>
        <button class="button quiet" type="button" onClick={file}>
          {t("app.sheet.file")}
        </button>
      </p>
      <p class="hint no-print">{t("app.sheet.how")}</p>
      <p class="buttons no-print">
        <ActionButton action={action} onPress={kept}>
          {t("app.sheet.kept")}
        </ActionButton>
        <Later />
      </p>
      <Wrong action={action} />
    </>
  );
}
