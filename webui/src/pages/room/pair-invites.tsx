/** Somebody of this room would like to talk alone. Saying nothing is an answer, too: nobody is told. */
import type { RoomView } from "../../client/types.ts";
import { Face } from "../../parts/face.tsx";
import { Go } from "../../parts/link.tsx";
import { t } from "../../state/language.ts";
import { orSomebody } from "../../state/names.ts";

export function PairInvites({ view }: { view: RoomView }) {
  if (view.pairInvites.length === 0 || view.standing !== "in") return null;
  return (
    <ul class="plain">
      {view.pairInvites.map((invite) => {
        const name = orSomebody(invite.name);
        return (
          <li key={invite.link}>
            <section class="ask-card" aria-label={t("app.pair.wish", { name })}>
              <h2>
                <Face name={name} seed={invite.from} />
                {t("app.pair.wish", { name })}
              </h2>
              {invite.words && (
                <blockquote class="words" dir="auto">
                  {invite.words}
                </blockquote>
              )}
              <p class="hint">{t("app.pair.leave_it")}</p>
              <p class="buttons">
                <Go class="button" to={{ page: "join", link: invite.link }}>
                  {t("app.pair.look")}
                </Go>
              </p>
            </section>
          </li>
        );
      })}
    </ul>
  );
}
