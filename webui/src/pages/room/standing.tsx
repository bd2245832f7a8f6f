/** Where one stands in a room one cannot write in now, and what can be done about it. */
import type { RoomView } from "../../client/types.ts";
import { ActionButton, useAction, Wrong } from "../../parts/action.tsx";
import { Notice } from "../../parts/notice.tsx";
import { call } from "../../state/client.ts";
import { t } from "../../state/language.ts";
import { go } from "../../state/route.ts";

export function Standing({ view }: { view: RoomView }) {
  const action = useAction();
  const ids = { room: view.room };
  if (view.standing === "in") return null;
  const over = ["left", "removed", "refused"].includes(view.standing);
  const kind = view.standing === "asked" || view.standing === "rejoining" ? "info" : "warn";
  const full = view.standing === "refused" && view.kind === "pair";
  return (
    <Notice kind={kind} heading={t(`app.standing.${view.standing}`)}>
      <p>{t(full ? "app.standing.refused_pair" : `app.standing.${view.standing}_text`)}</p>
      {view.standing === "stuck" && (
        <ActionButton action={action} onPress={() => action.run(() => call("rejoin", ids))}>
          {t("app.standing.rejoin")}
        </ActionButton>
      )}
      {over && (
        <ActionButton
          action={action}
          class="quiet"
          onPress={() => action.run(() => call("forgetRoom", ids)).then((went) => went && go({ page: "home" }))}
        >
          {t("app.standing.forget")}
        </ActionButton>
      )}
      <Wrong action={action} />
    </Notice>
  );
}
