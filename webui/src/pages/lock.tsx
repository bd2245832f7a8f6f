/** The lock: setting it, and opening it. */
import { useState } from "preact/hooks";
import { BOUNDS } from "../client/types.ts";
import { forgetOffline } from "../offline.ts";
import { ActionButton, useAction, Wrong } from "../parts/action.tsx";
import { Dialog } from "../parts/dialog.tsx";
import { ErrorSummary, type Mistake, SelectField, TextField } from "../parts/field.tsx";
import { PageFrame } from "../parts/page.tsx";
import { call, codeOf, sentenceFor, state } from "../state/client.ts";
import { t } from "../state/language.ts";
import { place } from "../state/place.ts";
import { preferences } from "../state/preferences.ts";
import { go } from "../state/route.ts";

const MINUTES = [1, 5, 15, 60] as const;

/** What stands before everything while the lock is closed. It names nobody and nothing. */
export function LockedPage() {
  const action = useAction();
  const [mistakes, setMistakes] = useState<readonly Mistake[]>([]);
  const [lost, setLost] = useState(false);
  const wipe = useAction();
  const unlock = (form: HTMLFormElement): void => {
    const passphrase = String(new FormData(form).get("passphrase") ?? "");
    action.run(async () => {
      try {
        await call("unlock", { passphrase });
      } catch (error) {
        setMistakes([{ field: "passphrase", text: sentenceFor(error) }]);
      }
    });
  };
  const forget = async (): Promise<void> => {
    if (!(await wipe.run(() => call("forgetEverything", {})))) return;
    await forgetOffline();
    go({ page: "recover" });
  };
  const title = t(preferences.value.disguise ? "app.disguise.title" : "app.lock.title");
  return (
    <PageFrame title={title} heading={title} wrong={mistakes.length > 0} class="narrow">
      <ErrorSummary mistakes={mistakes} />
      <form
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          unlock(event.currentTarget);
        }}
      >
        {/* Password managers want to know whose it is. */}
        <input type="text" autocomplete="username" value={place().community} readOnly hidden />
        <TextField
          name="passphrase"
          type="password"
          label={t("app.lock.passphrase")}
          mistakes={mistakes}
          autocomplete="current-password"
          dir="ltr"
        />
        <ActionButton action={action}>{t("app.lock.open")}</ActionButton>
        {action.busy && <p role="status">{t("app.lock.opening")}</p>}
      </form>
      <p>
        <button class="as-link" type="button" onClick={() => setLost(true)}>
          {t("app.lock.lost")}
        </button>
      </p>
      {lost && (
        <Dialog
          heading={t("app.lock.lost")}
          act={t("app.lock.wipe")}
          danger
          action={wipe}
          onAct={forget}
          onClose={() => setLost(false)}
        >
          <p>{t("app.lock.lost_text")}</p>
        </Dialog>
      )}
    </PageFrame>
  );
}

export function LockSettings() {
  const vault = state.value?.vault;
  const [open, setOpen] = useState(false);
  const after = useAction();
  const lock = useAction();
  if (!vault) return null;
  const options = [
    ["0", t("app.lock.never")] as const,
    ...MINUTES.map((each) => [String(each), t("app.lock.minutes", { count: each })] as const),
  ];
  return (
    <>
      <p>{t(vault.passphrase ? "app.lock.is_set" : "app.lock.none")}</p>
      {vault.passphrase && (
        <SelectField
          name="after"
          label={t("app.lock.after")}
          options={options}
          value={String((vault.lockAfter ?? 0) / 60)}
          onChoose={(minutes) => after.run(() => call("setLockAfter", { seconds: Number(minutes) * 60 || null }))}
        />
      )}
      <p class="buttons">
        {vault.passphrase && (
          <ActionButton action={lock} onPress={() => lock.run(() => call("lock", {}))}>
            {t("app.lock.now")}
          </ActionButton>
        )}
        <button class="button quiet" type="button" aria-expanded={open} onClick={() => setOpen(!open)}>
          {t(vault.passphrase ? "app.lock.change" : "app.lock.set")}
        </button>
      </p>
      <Wrong action={after} />
      {open && <PassphraseForm had={vault.passphrase} onDone={() => setOpen(false)} />}
    </>
  );
}

function PassphraseForm({ had, onDone }: { had: boolean; onDone: () => void }) {
  const action = useAction();
  const [mistakes, setMistakes] = useState<readonly Mistake[]>([]);
  const set = (form: HTMLFormElement, remove: boolean): void => {
    const data = new FormData(form);
    const passphrase = String(data.get("new-passphrase") ?? "");
    const current = String(data.get("current") ?? "");
    if (!remove && passphrase.length < BOUNDS.passphraseCharacters) {
      setMistakes([{ field: "new-passphrase", text: t("app.error.weak-passphrase") }]);
      return;
    }
    setMistakes([]);
    action.run(async () => {
      try {
        await call("setPassphrase", { passphrase: remove ? null : passphrase, ...(had ? { current } : {}) });
        onDone();
      } catch (error) {
        const field = codeOf(error) === "wrong-passphrase" ? "current" : "new-passphrase";
        setMistakes([{ field, text: sentenceFor(error) }]);
      }
    });
  };
  return (
    <form
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        set(event.currentTarget, false);
      }}
    >
      <ErrorSummary mistakes={mistakes} />
      <input type="text" autocomplete="username" value={place().community} readOnly hidden />
      {had && (
        <TextField
          name="current"
          type="password"
          label={t("app.lock.current")}
          mistakes={mistakes}
          autocomplete="current-password"
          dir="ltr"
        />
      )}
      <TextField
        name="new-passphrase"
        type="password"
        label={t("app.lock.new")}
        hint={t("app.lock.new_hint")}
        mistakes={mistakes}
        autocomplete="new-password"
        dir="ltr"
      />
      <p class="buttons">
        <ActionButton action={action}>{t("app.save")}</ActionButton>
        {had && !place().saved && (
          <button
            class="button quiet"
            type="button"
            onClick={(event) => event.currentTarget.form && set(event.currentTarget.form, true)}
          >
            {t("app.lock.remove")}
          </button>
        )}
      </p>
    </form>
  );
}
