/** One conversation. */
import type { RoomId } from "../../client/types.ts";
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
import { Log } from "./log.tsx";
import { PairInvites } from "./pair-invites.tsx";
import { Standing } from "./standing.tsx";

export function RoomPage({ room, at }: { room: RoomId; at?: string | undefined }) {
  const view = useRoom(room);
  const summary = state.value?.rooms.find((each) => each.room === room);
  const name = view ? viewName(view) : summary ? summaryName(summary) : t("app.room.title");
  const alone = view?.standing === "in" && view.members.length === 1;
  return (
    <PageFrame
      class="room"
      title={t("app.room.title")}
      heading={<span dir="auto">{name}</span>}
      back={{ to: { page: "home" }, label: t("app.home.title") }}
      beside={view && <RoomMenu room={room} count={view.members.length} pair={view.kind === "pair"} />}
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
          <PairInvites view={view} />
          {alone && <Alone room={room} pair={view.kind === "pair"} invites={view.invites} />}
          <Log view={view} at={at} key={room} />
          <SheetOffer aside />
          {view.standing === "in" && <Composer view={view} key={`write ${room}`} />}
        </>
      )}
    </PageFrame>
  );
}

function RoomMenu({ room, count, pair }: { room: RoomId; count: number; pair: boolean }) {
  return (
    <nav class="room-menu" aria-label={t("app.room.menu")}>
      <ul>
        <li>
          <Go to={{ page: "people", room }}>
            <Icon name="people" />
            {t("app.people.count", { count })}
          </Go>
        </li>
        {!pair && (
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
