/** Linking a second device: one shows a code, the other reads it, and both show four words to compare. */
import { useEffect, useRef, useState } from "preact/hooks";
import type { LinkState } from "../client/types.ts";
import { ActionButton, useAction, Wrong } from "../parts/action.tsx";
import { TextArea } from "../parts/field.tsx";
import { Go } from "../parts/link.tsx";
import { Notice } from "../parts/notice.tsx";
import { PageFrame } from "../parts/page.tsx";
import { QrCode } from "../parts/qr.tsx";
import { Scanner } from "../parts/scan.tsx";
import { call, state, tell } from "../state/client.ts";
import { t } from "../state/language.ts";

/** On the device that is in: read the new one's code, compare four words. */
export function LinkOldPage() {
  const action = useAction();
  const linking = useLinking("old");
  const [typed, setTyped] = useState("");
  useEffect(() => () => tell("linkCancel", {}), []);
  const link = (code: string): void => {
    action.run(() => call("linkOld", { code }));
  };
  return (
    <PageFrame
      title={t("app.devices.link")}
      heading={t("app.devices.link")}
      back={{ to: { page: "devices" }, label: t("app.devices.title") }}
    >
      {!linking && (
        <>
          <ol class="steps">
            <li>{t("app.link.old_1")}</li>
            <li>{t("app.link.old_2")}</li>
            <li>{t("app.link.old_3")}</li>
          </ol>
          <Scanner onRead={link} />
          <form
            noValidate
            onSubmit={(event) => {
              event.preventDefault();
              if (typed.trim()) link(typed);
            }}
          >
            <TextArea
              name="code"
              label={t("app.link.type")}
              hint={t("app.link.type_hint")}
              rows={2}
              lang="en"
              value={typed}
              autocomplete="off"
              autocapitalize="none"
              spellcheck={false}
              onInput={(event) => setTyped(event.currentTarget.value)}
            />
            <ActionButton action={action} class="quiet">
              {t("app.continue")}
            </ActionButton>
          </form>
          <Wrong action={action} />
        </>
      )}
      {linking && <Steps linking={linking} />}
    </PageFrame>
  );
}

/** On the new device: show a code, compare four words. */
export function LinkNewPage() {
  const action = useAction();
  const linking = useLinking("new");
  const start = (): Promise<boolean> => action.run(() => call("linkNew", {}));
  useEffect(() => {
    start();
    return () => tell("linkCancel", {});
  }, []);
  return (
    <PageFrame
      title={t("app.start.device")}
      heading={t("app.start.device")}
      back={{ to: { page: "home" }, label: t("app.start.back") }}
    >
      <Wrong action={action} />
      {!linking && !action.wrong && <p role="status">{t("app.loading")}</p>}
      {action.wrong && (
        <button class="button" type="button" onClick={start}>
          {t("app.again")}
        </button>
      )}
      {linking?.step === "showing" && (
        <>
          <ol class="steps">
            <li>{t("app.link.new_1")}</li>
            <li>{t("app.link.new_2")}</li>
          </ol>
          <QrCode text={linking.code} label={t("app.link.code")} />
          <h2>{t("app.link.words")}</h2>
          <p>{t("app.link.words_text")}</p>
          <p class="state-words" lang="en" dir="ltr">
            {linking.words}
          </p>
        </>
      )}
      {linking && linking.step !== "showing" && <Steps linking={linking} />}
    </PageFrame>
  );
}

function useLinking(side: LinkState["side"]): LinkState | null {
  const found = state.value?.linking ?? null;
  return found?.side === side ? found : null;
}

/** What both sides see once they have found each other. */
function Steps({ linking }: { linking: LinkState }) {
  const action = useAction();
  const old = linking.side === "old";
  const heading = useRef<HTMLHeadingElement>(null);
  // What was pressed or shown before is gone: the focus goes to what there is to do now.
  useEffect(() => heading.current?.focus(), [linking.step]);
  const confirm = (match: boolean): void => {
    action.run(() => call("linkConfirm", { match }));
  };
  switch (linking.step) {
    case "showing":
      return <p role="status">{t("app.link.looking")}</p>;
    case "comparing":
      return (
        <section aria-labelledby="compare">
          <h2 id="compare" ref={heading} tabIndex={-1}>
            {t("app.link.compare")}
          </h2>
          <p class="state-words large" lang="en" dir="ltr" role="status">
            {linking.compare}
          </p>
          {old ? (
            <>
              <p>{t("app.link.compare_old")}</p>
              <p class="buttons">
                <ActionButton action={action} onPress={() => confirm(true)}>
                  {t("app.link.same")}
                </ActionButton>
                <ActionButton action={action} class="danger" onPress={() => confirm(false)}>
                  {t("app.link.differ")}
                </ActionButton>
              </p>
              <Wrong action={action} />
            </>
          ) : (
            <p>{t("app.link.compare_new")}</p>
          )}
        </section>
      );
    case "sending":
      return <p role="status">{t("app.link.sending")}</p>;
    case "done":
      return (
        <Notice kind="done" heading={t("app.link.done")}>
          <p>{t(old ? "app.link.done_old" : "app.link.done_new")}</p>
          <Go class="button" to={{ page: old ? "devices" : "home" }}>
            {t("app.continue")}
          </Go>
        </Notice>
      );
    case "failed":
      return (
        <Notice kind="warn" heading={t("app.link.failed")}>
          <p>{t(`app.error.${linking.failure ?? "link-failed"}`)}</p>
          <ActionButton
            action={action}
            onPress={() => action.run(() => (old ? call("linkCancel", {}) : call("linkNew", {})))}
          >
            {t("app.again")}
          </ActionButton>
        </Notice>
      );
  }
}
