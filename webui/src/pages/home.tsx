/** All conversations, newest first. What is unread is said once, quietly; nothing counts or hurries. */
import type { RoomSummary } from "../client/types.ts";
import { Face } from "../parts/face.tsx";
import { Icon } from "../parts/icon.tsx";
import { Go } from "../parts/link.tsx";
import { PageFrame } from "../parts/page.tsx";
import { Time } from "../parts/time.tsx";
import { state } from "../state/client.ts";
import { language, t } from "../state/language.ts";
import { summaryName } from "../state/names.ts";
import { plainLine } from "../state/rich.ts";
import { SheetOffer } from "./sheet-offer.tsx";
import { Forgetful, Troubles } from "./troubles.tsx";

export function HomePage() {
  const rooms = state.value?.rooms ?? [];
  const { account } = state.value ?? {};
  return (
    <PageFrame title={t("app.home.title")} heading={t("app.home.title")} class="home">
      <Troubles />
      {rooms.length === 0 ? (
        <div class="empty">
          <h2>{t("app.home.empty")}</h2>
          <p>{t("app.home.empty_text")}</p>
        </div>
      ) : (
        <RoomList rooms={rooms} />
      )}
      <ul class="buttons button-list">
        <li>
          <Go class="button" to={{ page: "new" }}>
            <Icon name="add" />
            {t("app.new.title")}
          </Go>
        </li>
        {account?.mayInvite && (
          <li>
            <Go class="button quiet" to={{ page: "invite" }}>
              {t("app.home.invite")}
            </Go>
          </li>
        )}
        <li>
          <Go class="button quiet" to={{ page: "open-link" }}>
            {t("app.open_link.title")}
          </Go>
        </li>
      </ul>
      <SheetOffer />
      <Forgetful />
    </PageFrame>
  );
}

export function RoomList({ rooms, current }: { rooms: readonly RoomSummary[]; current?: string | undefined }) {
  return (
    <ul class="rooms">
      {rooms.map((room) => (
        <li key={room.room}>
          <Row room={room} current={room.room === current} />
        </li>
      ))}
    </ul>
  );
}

function Row({ room, current }: { room: RoomSummary; current: boolean }) {
  const name = summaryName(room);
  return (
    <Go class={`room-row ${room.unread > 0 ? "unread" : ""}`} to={{ page: "room", room: room.room }} current={current}>
      <Face name={name} seed={room.room} />
      <span class="room-name" dir="auto">
        {name}
      </span>
      <span class="room-time">
        <Time at={room.time} style="short" />
      </span>
      <span class="room-latest" dir="auto">
        <Latest room={room} />
      </span>
      {room.unread > 0 && (
        <span class="room-new">
          <span aria-hidden="true">{new Intl.NumberFormat(language().code).format(room.unread)}</span>
          <span class="unseen">{t("app.home.unread", { count: room.unread })}</span>
        </span>
      )}
      {room.asks > 0 && <span class="badge">{t("app.home.asks", { count: room.asks })}</span>}
    </Go>
  );
}

/** The most useful one thing to say below the name. */
function Latest({ room }: { room: RoomSummary }) {
  if (room.standing !== "in") return <>{t(`app.standing.${room.standing}`)}</>;
  if (room.waiting > 0) return <>{t("app.home.waiting", { count: room.waiting })}</>;
  if (room.hasDraft) {
    return (
      <>
        <strong>{t("app.home.draft")}</strong> <span dir="auto">{plainLine(room.latest)}</span>
      </>
    );
  }
  if (!room.latest) return <>{t(room.memberCount < 2 ? "app.home.nobody" : "app.home.nothing")}</>;
  const by = room.latestBy || t("app.you");
  const words = plainLine(room.latest);
  return <>{room.kind === "room" || !room.latestBy ? `${by}: ${words}` : words}</>;
}
