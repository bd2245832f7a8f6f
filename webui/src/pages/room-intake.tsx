/** Letting people who found the group's listing ask to join: any member may open it, renew it and close it. */
import { useEffect, useState } from "preact/hooks";
import type { IntakeView, RoomView } from "../client/types.ts";
import { ActionButton, useAction, Wrong } from "../parts/action.tsx";
import { CopyLink } from "../parts/copy.tsx";
import { Dialog } from "../parts/dialog.tsx";
import { Go } from "../parts/link.tsx";
import { call } from "../state/client.ts";
import { clock } from "../state/clock.ts";
import { t } from "../state/language.ts";
import { untilWords } from "../state/time-words.ts";

/** Seconds before its end in which going on is offered. */
const ENDS_SOON = 60 * 86_400;

export function RoomIntake({ view }: { view: RoomView }) {
  const action = useAction();
  const [intake, setIntake] = useState<IntakeView | null>(null);
  const [closing, setClosing] = useState(false);
  const { room } = view;
  const { open, stale, version } = view.intake;
  useEffect(() => {
    call("intake", { room }).then(setIntake, () => setIntake(null));
  }, [room, version, stale, view.asks.length]);
  const set = (to: "open" | "renew" | "closed") => action.run(() => call("setIntake", { room, to }));
  return (
    <>
      <h2>{t("app.intake.heading")}</h2>
      <p>{t("app.intake.text")}</p>
      <p class="hint">{t("app.intake.know")}</p>
      {!open && (
        <p class="buttons">
          <ActionButton action={action} class="quiet" onPress={() => set("open")}>
            {t("app.intake.open")}
          </ActionButton>
        </p>
      )}
      <Wrong action={action} />
      {open && intake && (
        <section class="card invite-card" aria-label={t("app.intake.heading")}>
          {intake.newCode ? (
            <>
              <p>{t("app.intake.stale")}</p>
              <p class="buttons">
                <ActionButton action={action} onPress={() => set("open")}>
                  {t("app.intake.new_code")}
                </ActionButton>
              </p>
            </>
          ) : (
            <CopyLink name="intake" label={t("app.intake.code")} text={intake.code} act={t("app.intake.copy")} />
          )}
          {intake.asks > 0 && (
            <p>
              <Go to={{ page: "people", room }}>{t("app.intake.asks", { count: intake.asks })}</Go>
            </p>
          )}
          {!intake.newCode && (
            <p class="hint">
              {t("app.invite.ends", { when: untilWords(clock(), intake.expires) })}{" "}
              {!intake.here && t("app.intake.elsewhere")}
            </p>
          )}
          <p class="buttons">
            {!intake.newCode && intake.expires - clock().now / 1000 < ENDS_SOON && (
              <ActionButton action={action} class="quiet" onPress={() => set("renew")}>
                {t(intake.here ? "app.intake.renew" : "app.intake.new_code")}
              </ActionButton>
            )}
            <button class="button quiet" type="button" onClick={() => setClosing(true)}>
              {t("app.intake.close")}
            </button>
          </p>
        </section>
      )}
      {closing && (
        <Dialog
          heading={t("app.intake.close_heading")}
          act={t("app.intake.close")}
          action={action}
          onAct={() => set("closed").then((went) => went && setClosing(false))}
          onClose={() => setClosing(false)}
        >
          <p>{t("app.intake.close_text")}</p>
        </Dialog>
      )}
    </>
  );
}
