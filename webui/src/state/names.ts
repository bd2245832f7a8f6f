/** What rooms and people are called on screen. */
import type { MemberId, RoomKind, RoomSummary, RoomView } from "../client/types.ts";
import { listed, t } from "./language.ts";

/** A person whose name has not arrived. */
export function orSomebody(name: string): string {
  return name || t("app.somebody");
}

function nameOf(kind: RoomKind, title: string, others: readonly string[]): string {
  if (title) return title;
  const known = others.filter(Boolean);
  if (known.length > 0) return listed(known);
  return t(kind === "pair" ? "app.room.new_pair" : "app.room.new_room");
}

export function summaryName(room: RoomSummary): string {
  return nameOf(room.kind, room.kind === "pair" ? "" : room.title, room.others);
}

export function viewName(view: RoomView): string {
  const others = view.members.filter((member) => !member.me).map((member) => member.name);
  return nameOf(view.kind, view.kind === "pair" ? "" : view.title, others.slice(0, 12));
}

export function memberName(view: RoomView, member: MemberId): string {
  const found = view.members.find((each) => each.member === member);
  return found?.me ? t("app.you_among") : orSomebody(found?.name ?? "");
}
