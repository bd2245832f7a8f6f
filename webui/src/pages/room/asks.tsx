/** People who ask to join, for the members to decide. Nobody comes in by one member's word alone. */
import { useState } from "preact/hooks";
import type { AskView, RoomView } from "../../client/types.ts";
import { ActionButton, useAction, Wrong } from "../../parts/action.tsx";
import { Dialog } from "../../parts/dialog.tsx";
import { Face } from "../../parts/face.tsx";
import { call } from "../../state/client.ts";
import { listed, t } from "../../state/language.ts";
import { memberName, orSomebody } from "../../state/names.ts";

export function Asks({ view }: { view: RoomView }) {
  if (view.asks.length === 0 || view.standing !== "in") return null;
  return (
    <section class="asks" aria-labelledby="asks-heading">
      <h2 id="asks-heading" tabIndex={-1}>
        {t("app.ask.heading", { count: view.asks.length })}
      </h2>
      <ul class="plain">
        {view.asks.map((ask) => (
          <li key={ask.ask}>
            <Ask view={view} ask={ask} />
          </li>
        ))}
      </ul>
    </section>
  );
}

function Ask({ view, ask }: { view: RoomView; ask: AskView }) {
  const agree = useAction();
  const hide = useAction();
  const [asking, setAsking] = useState(false);
  const name = orSomebody(ask.name);
  const ids = { room: view.room, ask: ask.ask };
  const left = Math.max(0, ask.needed - ask.approvals.length);
  const agreed = listed(ask.approvals.map((member) => memberName(view, member)));
  const progress = agreed
    ? t("app.ask.agreed", { names: agreed, count: left })
    : t("app.ask.needed", { count: ask.needed });
  return (
    <article class="ask-card">
      <h3>
        <Face name={name} seed={ask.newcomer} />
        {t(view.kind === "pair" ? "app.ask.wants_pair" : "app.ask.wants", { name })}
      </h3>
      {ask.words && (
        <blockquote dir="auto" class="words">
          {ask.words}
        </blockquote>
      )}
      {ask.listing && <p>{t("app.ask.by_listing", { name: ask.listing })}</p>}
      {ask.invitedBy && <p>{t("app.ask.invited_by", { name: ask.invitedBy })}</p>}
      <p class="hint">{left === 0 ? t("app.ask.enough") : progress}</p>
      {ask.mine ? (
        <p>
          <strong>{t("app.ask.mine")}</strong>
        </p>
      ) : (
        <>
          <p class="buttons">
            <ActionButton action={agree} onPress={() => agree.run(() => call("approve", ids))}>
              {t("app.ask.approve", { name })}
            </ActionButton>
            <button class="button quiet" type="button" onClick={() => setAsking(true)}>
              {t("app.ask.dismiss")}
            </button>
          </p>
          <Wrong action={agree} />
        </>
      )}
      {asking && (
        <Dialog
          heading={t("app.ask.dismiss_heading", { name })}
          act={t("app.ask.dismiss")}
          action={hide}
          onAct={() => hide.run(() => call("dismissAsk", ids)).then((went) => went && setAsking(false))}
          onClose={() => setAsking(false)}
        >
          <p>{t("app.ask.dismiss_text")}</p>
        </Dialog>
      )}
    </article>
  );
}
