/** What stands around every view: the app's own navigation, whether it is online, and which view is open. */
import { effect } from "@preact/signals";
import type { JSX } from "preact";
import { useEffect } from "preact/hooks";
import { Icon } from "../parts/icon.tsx";
import { Go } from "../parts/link.tsx";
import { ProgramNotice } from "../parts/program-notice.tsx";
import { broken, offline, state } from "../state/client.ts";
import { t } from "../state/language.ts";
import { place } from "../state/place.ts";
import { preferences } from "../state/preferences.ts";
import { dropRoom } from "../state/room.ts";
import { type Route, route } from "../state/route.ts";
import { HomePage, RoomList } from "./home.tsx";
import { JoinPage } from "./join.tsx";
import { Lazy } from "./lazy.tsx";
import { LockedPage } from "./lock.tsx";
import { LockFirstPage } from "./lock-first.tsx";
import { BrokenPage, InsecurePage } from "./refusals.tsx";
import { RoomPage } from "./room/index.tsx";
import { StartPage } from "./start.tsx";

/** Views that need no account; every other one leads to the start while there is none. */
const BEFORE: ReadonlySet<string> = new Set(["join", "ask", "open-link", "link-new", "recover", "return"]);

export function Shell() {
  useEffect(() => effect(followDisguise), []);
  useEffect(
    () =>
      effect(() => {
        if (state.value && state.value.vault.phase !== "open") dropRoom();
      }),
    [],
  );
  const now = state.value;
  const open = now?.vault.phase === "open" && now.account !== null;
  const at = route.value;
  const aside = open && "room" in at && at.room ? at.room : null;
  return (
    <>
      <Header open={open} page={at.page} />
      <Offline />
      <ProgramNotice />
      <div class={`wrap app-body ${aside ? "with-side" : ""}`}>
        {aside && now && now.rooms.length > 0 && (
          <nav class="side-rooms" aria-label={t("app.home.title")}>
            <RoomList rooms={now.rooms} current={aside} />
          </nav>
        )}
        <View key={viewKey(at)} />
      </div>
    </>
  );
}

/** Another view is another element: its fields start empty and its heading takes the focus. */
function viewKey(at: Route): string {
  return [at.page, "room" in at && at.room, "member" in at && at.member, "listing" in at && at.listing]
    .filter(Boolean)
    .join(" ");
}

function View(): JSX.Element {
  if (!isSecureContext) return <InsecurePage />;
  if (broken.value) return <BrokenPage code={broken.value} />;
  const now = state.value;
  const at = route.value;
  if (!now) {
    return (
      <main class="view" id="main" tabIndex={-1}>
        <h1>{t("app.title")}</h1>
        <p role="status">{t("app.starting")}</p>
      </main>
    );
  }
  if (now.vault.phase === "locked") return <LockedPage />;
  if (place().saved && !now.vault.passphrase) return <LockFirstPage />;
  if (!now.account && !BEFORE.has(at.page)) return <StartPage />;
  switch (at.page) {
    case "home":
      return <HomePage />;
    case "join":
      return <JoinPage link={at.link} />;
    case "room":
      return <RoomPage room={at.room} at={at.at} />;
    default:
      return <Lazy route={at} />;
  }
}

function Header({ open, page }: { open: boolean; page: string }) {
  const unread = state.value?.rooms.some((room) => room.unread > 0) ?? false;
  const brand = preferences.value.disguise ? t("app.disguise.title") : place().community;
  return (
    <header class="head app-head">
      <div class="wrap">
        <a class="brand" href={place().home}>
          <Icon name={preferences.value.disguise ? "sheet" : "hedgerow"} />
          <span dir="auto">{brand}</span>
        </a>
        {open && (
          <nav class="nav" aria-label={t("app.nav")}>
            <ul>
              <li>
                <Go to={{ page: "home" }} current={page === "home"}>
                  <Icon name="speech" />
                  {t("app.home.title")}
                  {unread && (
                    <span class="dot">
                      <span class="unseen">({t("app.home.some_unread")})</span>
                    </span>
                  )}
                </Go>
              </li>
              <li>
                <Go to={{ page: "search" }} current={page === "search"}>
                  <Icon name="search" />
                  {t("app.search.short")}
                </Go>
              </li>
              <li>
                <Go to={{ page: "settings" }} current={page === "settings"}>
                  <Icon name="settings" />
                  {t("app.settings.title")}
                </Go>
              </li>
            </ul>
          </nav>
        )}
      </div>
    </header>
  );
}

/** Said once and calmly: what was written is not lost. */
function Offline() {
  const now = state.value;
  const shown = offline.value && now?.vault.phase === "open" && now.account !== null && !now.account.revoked;
  return (
    <div class="offline" role="status">
      {shown && (
        <p class="wrap">
          <Icon name="cloud" />
          {t("app.offline")}
        </p>
      )}
    </div>
  );
}

/** The tab's icon, and the red button, as this browser wants them. */
function followDisguise(): void {
  const { disguise, exitButton } = preferences.value;
  const icon = document.querySelector<HTMLLinkElement>('link[rel="icon"]');
  const wanted = disguise ? place().plainIcon : place().icon;
  if (icon && wanted) icon.href = wanted;
  const exit = document.querySelector<HTMLElement>(".exit");
  if (exit) exit.hidden = !exitButton;
}
