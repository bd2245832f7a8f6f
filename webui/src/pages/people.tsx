/** The people of a room: the same for everybody in it. Who vouched for whom; parting with somebody takes many. */
import { useState } from "preact/hooks";
import type { MemberView, RoomId, RoomView } from "../client/types.ts";
import { ActionButton, useAction, Wrong } from "../parts/action.tsx";
import { Dialog } from "../parts/dialog.tsx";
import { Face } from "../parts/face.tsx";
import { Icon } from "../parts/icon.tsx";
import { Go } from "../parts/link.tsx";
import { PageFrame } from "../parts/page.tsx";
import { Time } from "../parts/time.tsx";
import { call } from "../state/client.ts";
import { listed, t } from "../state/language.ts";
import { memberName, orSomebody, viewName } from "../state/names.ts";
import { useRoom } from "../state/room.ts";
import { Asks } from "./room/asks.tsx";

export function PeoplePage({ room }: { room: RoomId }) {
  const view = useRoom(room);
  return (
    <PageFrame
      title={t("app.people.title")}
      heading={t("app.people.title")}
      back={{ to: { page: "room", room }, label: view ? viewName(view) : t("app.room.title") }}
    >
      {view ? <People view={view} /> : <p>{t("app.loading")}</p>}
    </PageFrame>
  );
}

function People({ view }: { view: RoomView }) {
  const group = view.kind === "room";
  return (
    <>
      <p class="lead">{t(group ? "app.people.lead" : "app.people.lead_pair")}</p>
      <Asks view={view} />
      <ul class="people">
        {view.members.map((each) => (
          <li key={each.member}>
            <Person view={view} person={each} />
          </li>
        ))}
      </ul>
      {group && view.standing === "in" && (
        <p>
          <Go class="button" to={{ page: "invite", room: view.room }}>
            <Icon name="add" />
            {t("app.room.invite")}
          </Go>
        </p>
      )}
      {group && (
        <>
          <h2>{t("app.rules.heading")}</h2>
          <ul>
            <li>{t("app.rules.equal")}</li>
            <li>{t("app.rules.join", { count: view.approvals.now })}</li>
            <li>
              {view.removalVotes > 1
                ? t("app.rules.remove_now", { count: view.removalVotes })
                : t("app.rules.remove_small")}
            </li>
            <li>{t("app.rules.leave")}</li>
          </ul>
        </>
      )}
      {view.stateWords && (
        <details>
          <summary>{t("app.people.same")}</summary>
          <p>{t("app.people.same_text")}</p>
          <p class="state-words" lang="en" dir="ltr">
            {view.stateWords}
          </p>
        </details>
      )}
    </>
  );
}

function Person({ view, person }: { view: RoomView; person: MemberView }) {
  const name = orSomebody(person.name);
  const vouched = listed(person.vouchedBy.map((each) => memberName(view, each)));
  const inside = view.standing === "in" && !person.me;
  return (
    <article class="person">
      <Face name={name} seed={person.member} />
      <div>
        <h2>
          <span dir="auto">{name}</span> {person.me && <span class="badge">{t("app.you")}</span>}
          {person.verified && (
            <span class="badge">
              <Icon name="check" />
              {t("app.people.verified")}
            </span>
          )}
        </h2>
        <p class="hint">
          {vouched ? t("app.people.vouched", { names: vouched }) : t("app.people.founder")} {t("app.people.since")}{" "}
          <Time at={person.joined} style="day" />.{" "}
          {person.devices > 1 && t("app.people.devices", { count: person.devices })}
        </p>
        {person.removal && <Vote view={view} person={person} removal={person.removal} />}
        {inside && (
          <p class="person-actions">
            <Go to={{ page: "verify", room: view.room, member: person.member }}>
              {t(person.verified ? "app.people.verify_again" : "app.people.verify")}
              <span class="unseen"> – {name}</span>
            </Go>
            {view.kind === "room" && (
              <>
                <Go to={{ page: "new-pair", room: view.room, member: person.member }}>
                  {t("app.people.pair")}
                  <span class="unseen"> – {name}</span>
                </Go>
                {!person.removal && <Part view={view} person={person} name={name} />}
              </>
            )}
          </p>
        )}
      </div>
    </article>
  );
}

/** A vote that runs: who wants it, how many it takes, and one's own voice. */
function Vote({
  view,
  person,
  removal,
}: {
  view: RoomView;
  person: MemberView;
  removal: NonNullable<MemberView["removal"]>;
}) {
  const names = listed(removal.by.map((each) => memberName(view, each)));
  return (
    <div class="notice warn">
      <p>
        {t("app.remove.running", { names, name: orSomebody(person.name) })}{" "}
        {t("app.remove.needed", { count: Math.max(0, removal.needed - removal.by.length) })}
      </p>
      {removal.mine && <p>{t("app.remove.mine")}</p>}
      {!removal.mine && !person.me && view.standing === "in" && (
        <p>
          <Part view={view} person={person} name={orSomebody(person.name)} second />
        </p>
      )}
    </div>
  );
}

interface PartProps {
  view: RoomView;
  person: MemberView;
  name: string;
  /** Somebody proposed it before. */
  second?: boolean;
}

function Part({ view, person, name, second }: PartProps) {
  const [asking, ask] = useState(false);
  const action = useAction();
  const vote = async (): Promise<void> => {
    if (await action.run(() => call("voteRemoval", { room: view.room, member: person.member }))) ask(false);
  };
  return (
    <>
      <button class="as-link" type="button" onClick={() => ask(true)}>
        {t(second ? "app.remove.agree" : "app.remove.propose")}
        <span class="unseen"> – {name}</span>
      </button>
      {asking && (
        <Dialog
          heading={t("app.remove.heading", { name })}
          act={t(second ? "app.remove.agree" : "app.remove.propose")}
          danger
          action={action}
          onAct={vote}
          onClose={() => ask(false)}
        >
          <p>{t("app.remove.text", { count: view.removalVotes })}</p>
          <p>{t("app.remove.text_seen", { name })}</p>
          <p>{t("app.remove.text_talk")}</p>
        </Dialog>
      )}
    </>
  );
}

/** Going, for the room's own page. No reason asked, nobody has to agree. */
export function Leave({ view, onLeft }: { view: RoomView; onLeft: () => void }) {
  const [asking, ask] = useState(false);
  const action = useAction();
  const leave = async (): Promise<void> => {
    if (await action.run(() => call("leave", { room: view.room }))) onLeft();
  };
  return (
    <>
      <ActionButton action={action} class="danger" onPress={() => ask(true)}>
        {t("app.leave.act")}
      </ActionButton>
      <Wrong action={action} />
      {asking && (
        <Dialog
          heading={t("app.leave.heading")}
          act={t("app.leave.act")}
          danger
          action={action}
          onAct={leave}
          onClose={() => ask(false)}
        >
          <p>{t(view.kind === "pair" ? "app.leave.text_pair" : "app.leave.text")}</p>
        </Dialog>
      )}
    </>
  );
}
