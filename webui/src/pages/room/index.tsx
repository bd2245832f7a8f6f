/** One conversation. */
import type { RoomId, RoomView } from "../../client/types.ts";
import { Icon } from "../../parts/icon.tsx";
import { Go } from "../../parts/link.tsx";
import { Notice } from "../../parts/notice.tsx";
import { PageFrame } from "../../parts/page.tsx";
import { state } from "../../state/client.ts";
import { t } from "../../state/language.ts";
import { summaryName, viewName } from "../../state/names.ts";
import { closed, fresh, useRoom } from "../../state/room.ts";
import { SheetOffer } from "../sheet-offer.tsx";
import { Asks } from "./asks.tsx";
import { Composer } from "./composer.tsx";
import { Keeping } from "./keeping.tsx";
import { Log } from "./log.tsx";
import { PairInvites } from "./pair-invites.tsx";
import { Standing } from "./standing.tsx";

export function RoomPage({ room, at }: { room: RoomId; at?: string | undefined }) {
  const view = useRoom(room);
  const summary = state.value?.rooms.find((each) => each.room === room);
  const name = view ? viewName(view) : summary ? summaryName(summary) : t("app.room.title");
  const alone = view?.standing === "in" && view.members.length === 1 && view.asks.length === 0;
  return (
    <PageFrame
      class="room"
      title={t("app.room.title")}
      heading={<span dir="auto">{name}</span>}
      back={{ to: { page: "home" }, label: t("app.home.title") }}
      beside={view && <RoomMenu view={view} />}
    >
      {closed.value && (
        <Notice kind="warn">
          <p>{t(`app.error.${closed.value}`)}</p>
        </Notice>
      )}
      {!view && !closed.value && <p>{t("app.loading")}</p>}
      {view && fresh.value && (
        <>
          <Standing view={view} />
          <Asks view={view} />
          {view.standing === "in" && view.intake.stale && <NewCode room={room} />}
          <PairInvites view={view} />
          {alone && <Alone room={room} pair={view.kind === "pair"} invites={view.invites} />}
          <Log view={view} at={at} key={room} />
          {view.standing === "in" && <Keeping view={view} />}
          <SheetOffer aside />
          {view.standing === "in" && <Composer view={view} key={`write ${room}`} />}
        </>
      )}
    </PageFrame>
  );
}

/** Whoever is not in yet sees nobody, and has nobody to invite. */
function RoomMenu({ view: { room, kind, members, standing } }: { view: RoomView }) {
  return (
    <nav class="room-menu" aria-label={t("app.room.menu")}>
      <ul>
        {members.length > 0 && (
          <li>
            <Go to={{ page: "people", room }}>
              <Icon name="people" />
              {t("app.people.count", { count: members.length })}
            </Go>
          </li>
        )}
        {kind === "room" && standing === "in" && (
          <li>
            <Go to={{ page: "invite", room }}>
              <Icon name="add" />
              {t("app.invite.short")}
            </Go>
          </li>
        )}
        <li>
          <Go to={{ page: "about", room }}>
            <Icon name="settings" />
            {t("app.about.short")}
          </Go>
        </li>
      </ul>
    </nav>
  );
}

/** Somebody went who could read what strangers ask: whoever sees this can see to it. */
function NewCode({ room }: { room: RoomId }) {
  return (
    <Notice kind="warn">
      <p>{t("app.intake.stale")}</p>
      <p>
        <Go to={{ page: "about", room }}>{t("app.about.title")}</Go>
      </p>
    </Notice>
  );
}

/** Nobody else is here yet: what to do next. */
function Alone({ room, pair, invites }: { room: RoomId; pair: boolean; invites: number }) {
  return (
    <Notice heading={t("app.room.alone")}>
      <p>{t(invites > 0 ? "app.room.alone_waiting" : "app.room.alone_text")}</p>
      <p>
        <Go class="button" to={{ page: "invite", room }}>
          {t(pair ? "app.room.show_link" : "app.room.invite")}
        </Go>
      </p>
    </Notice>
  );
}
