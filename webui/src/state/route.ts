/**
 * Which view is open. Moves replace the one entry in the browser's history and leave its address as it is, so that
 * Back never walks through somebody's conversations and quick exit leaves nothing behind. The view itself is kept in
 * the entry's state: it survives a reload.
 */
import { signal } from "@preact/signals";
import { place } from "./place.ts";

export type Route =
  | { readonly page: "home" | "new" | "new-room" | "sheet" | "devices" | "link-old" | "link-new" }
  | { readonly page: "recover" | "return" | "search" | "settings" | "open-link" }
  | { readonly page: "join"; readonly link: string }
  | { readonly page: "ask"; readonly listing: string }
  | { readonly page: "room"; readonly room: string; readonly at?: string }
  | { readonly page: "people"; readonly room: string }
  | { readonly page: "about"; readonly room: string; readonly at?: "where" }
  | { readonly page: "verify"; readonly room: string; readonly member: string }
  | { readonly page: "new-pair"; readonly room?: string; readonly member?: string }
  | { readonly page: "invite"; readonly room?: string };

export type PageName = Route["page"];

const PLAIN: ReadonlySet<string> = new Set([
  "home",
  "new",
  "new-room",
  "new-pair",
  "invite",
  "sheet",
  "devices",
  "link-old",
  "link-new",
  "recover",
  "return",
  "search",
  "settings",
  "open-link",
]);
const OF_ROOM: ReadonlySet<string> = new Set(["room", "people", "about", "invite"]);
const ID = /^[\w-]{1,64}$/;

/** A view as the end of an address, for links that are opened in another tab: `#/people/<room>`. */
export function toHash(route: Route): string {
  const parts: string[] = [route.page];
  if ("room" in route && route.room) parts.push(route.room);
  if ("listing" in route) parts.push(route.listing);
  if ("member" in route && route.member) parts.push(route.member);
  return `#/${parts.join("/")}`;
}

/** The inverse; null for anything else. */
export function fromHash(hash: string): Route | null {
  if (!hash.startsWith("#/")) return null;
  const [page = "", room = "", member = ""] = hash.slice(2).split("/");
  if ([room, member].some((part) => part && !ID.test(part))) return null;
  if ((page === "verify" || page === "new-pair") && room && member) return { page, room, member };
  if (page === "ask" && room && !member) return { page, listing: room };
  if (OF_ROOM.has(page) && room && !member) return { page, room } as Route;
  return PLAIN.has(page) && !room ? ({ page } as Route) : null;
}

export const route = signal<Route>({ page: "home" });
/** How many moves were made: the first view does not take the focus, later ones do. */
export const moves = signal(0);

export function go(to: Route): void {
  if (isJoin()) {
    // That page came without leave to use the camera: the app's own page has it.
    location.replace(place().app + toHash(to));
    return;
  }
  history.replaceState({ route: to }, "", place().app);
  route.value = to;
  moves.value += 1;
  scrollTo(0, 0);
}

function isJoin(): boolean {
  return /\/join\/?$/.test(location.pathname);
}

/** The view that the address, or the history's entry, asks for. An invite's secret leaves the address at once. */
function asked(): Route {
  if (location.hash && isJoin()) return { page: "join", link: location.href };
  const kept = (history.state as { route?: Route } | null)?.route;
  return fromHash(location.hash) ?? kept ?? { page: isJoin() ? "open-link" : "home" };
}

export function startRoute(): void {
  const take = (): void => {
    const wanted = asked();
    history.replaceState({ route: wanted }, "", location.pathname + location.search);
    route.value = wanted;
  };
  take();
  // A link that was pasted into this very tab.
  addEventListener("hashchange", () => {
    if (!location.hash.startsWith("#/") && !isJoin()) return;
    take();
    moves.value += 1;
  });
}
