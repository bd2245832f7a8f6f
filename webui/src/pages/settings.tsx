/** This device, and what is the same for all of one's devices. */
import { useState } from "preact/hooks";
import { forgetOffline } from "../offline.ts";
import { ActionButton, useAction, Wrong } from "../parts/action.tsx";
import { Dialog } from "../parts/dialog.tsx";
import { Check, SelectField } from "../parts/field.tsx";
import { Icon } from "../parts/icon.tsx";
import { Go } from "../parts/link.tsx";
import { PageFrame } from "../parts/page.tsx";
import { call, state } from "../state/client.ts";
import { language, t } from "../state/language.ts";
import { save } from "../state/pictures.ts";
import { place } from "../state/place.ts";
import { forgetPreferences, prefer, preferences } from "../state/preferences.ts";
import { LockSettings } from "./lock.tsx";

export function SettingsPage() {
  const download = useAction();
  return (
    <PageFrame
      title={t("app.settings.title")}
      heading={t("app.settings.title")}
      back={{ to: { page: "home" }, label: t("app.home.title") }}
    >
      <ul class="plain lines">
        <li>
          <Icon name="screen" />
          <Go to={{ page: "devices" }}>{t("app.devices.title")}</Go>
        </li>
        <li>
          <Icon name="sheet" />
          <Go to={{ page: "sheet" }}>{t("app.sheet.title")}</Go>
        </li>
      </ul>
      <h2>{t("app.settings.lock")}</h2>
      <LockSettings />
      <h2>{t("app.settings.look")}</h2>
      <Looks />
      <h2>{t("app.settings.words")}</h2>
      <p>{t("app.settings.words_text")}</p>
      <ActionButton
        action={download}
        class="quiet"
        onPress={() =>
          download.run(async () => {
            const file = await call("exportArchive", {});
            save(file.name, "application/json", file.bytes);
          })
        }
      >
        {t("app.settings.download")}
      </ActionButton>
      <Wrong action={download} />
      <h2>{t("app.settings.forgets")}</h2>
      <KeepOnNode />
      <h2>{t("app.settings.end")}</h2>
      <Ends />
    </PageFrame>
  );
}

function Looks() {
  const chosen = preferences.value;
  const speak = (code: string): void => {
    prefer({ language: code });
    const address = new URL(place().app, location.href);
    address.searchParams.set("lang", code);
    location.replace(`${address.pathname}${address.search}#/settings`);
  };
  return (
    <>
      {place().languages.length > 0 && (
        <SelectField
          name="language"
          label={t("app.settings.language")}
          options={place().languages}
          value={language().code.split("-")[0] ?? "en"}
          onChoose={speak}
        />
      )}
      <Check
        label={t("app.settings.enter")}
        hint={t("app.settings.enter_hint")}
        checked={chosen.enterSends}
        onSet={(enterSends) => prefer({ enterSends })}
      />
      <Check
        label={t("app.settings.disguise")}
        hint={t("app.settings.disguise_hint")}
        checked={chosen.disguise}
        onSet={(disguise) => prefer({ disguise })}
      />
      <Check
        label={t("app.settings.exit")}
        hint={t("app.settings.exit_hint")}
        checked={chosen.exitButton}
        onSet={(exitButton) => prefer({ exitButton })}
      />
      <p>
        <a href={place().leaving}>{t("app.settings.leaving")}</a>
      </p>
    </>
  );
}

/** For browsers that throw everything away when they are closed. */
function KeepOnNode() {
  const action = useAction();
  const [words, setWords] = useState("");
  const [gone, setGone] = useState(false);
  const keep = (on: boolean): Promise<boolean> =>
    action.run(async () => {
      setWords((await call("keepOnNode", { keep: on })).words);
      setGone(!on);
    });
  return (
    <>
      <p>{t("app.keep.text")}</p>
      <p class="buttons">
        <ActionButton action={action} class="quiet" onPress={() => keep(true)}>
          {t("app.keep.on")}
        </ActionButton>
        <ActionButton action={action} class="quiet" onPress={() => keep(false)}>
          {t("app.keep.off")}
        </ActionButton>
      </p>
      <Wrong action={action} />
      <div role="status">
        {gone && <p>{t("app.keep.gone")}</p>}
        {words && (
          <>
            <p>{t("app.keep.words")}</p>
            <p class="state-words large" lang="en" dir="ltr">
              {words}
            </p>
          </>
        )}
      </div>
    </>
  );
}

/** Ways to end it: here only, or everywhere. */
function Ends() {
  const [asking, ask] = useState<"forget" | "delete" | null>(null);
  const action = useAction();
  const act = async (): Promise<void> => {
    const went = await action.run(() => call(asking === "delete" ? "deleteAccount" : "forgetEverything", {}));
    if (!went) return;
    await forgetOffline();
    forgetPreferences();
    location.replace(place().home || place().app);
  };
  const kept = state.value?.account?.sheetKept ?? false;
  return (
    <>
      <p>{t("app.end.text")}</p>
      <p class="buttons">
        <button class="button quiet" type="button" onClick={() => ask("forget")}>
          {t("app.end.forget")}
        </button>
        <button class="button danger" type="button" onClick={() => ask("delete")}>
          {t("app.end.delete")}
        </button>
      </p>
      {asking && (
        <Dialog
          heading={t(`app.end.${asking}_heading`)}
          act={t(`app.end.${asking}`)}
          danger
          action={action}
          onAct={act}
          onClose={() => ask(null)}
        >
          <p>{t(`app.end.${asking}_text`)}</p>
          {asking === "forget" && !kept && (
            <p>
              <strong>{t("app.end.no_sheet")}</strong>
            </p>
          )}
        </Dialog>
      )}
    </>
  );
}
