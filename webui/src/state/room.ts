/** The room that is open: its newest view, and what a person does in it. One at a time. */
import { signal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { ErrorCode, MessageItem, RoomId, RoomView } from "../client/types.ts";
import { call, codeOf, listen, tell } from "./client.ts";

export const view = signal<RoomView | null>(null);
/** The view came after this page asked for it: what was read, and the draft, are as they are now. */
export const fresh = signal(false);
/** Why the room could not be opened. */
export const closed = signal<ErrorCode | null>(null);
/** The message being answered, and the own message being changed. */
export const answering = signal<MessageItem | null>(null);
export const changing = signal<MessageItem | null>(null);

let open: RoomId | null = null;

/**
 * Takes a new view. Each comes whole from the worker, as new objects: what did not change stays the object it was, so
 * that only messages that changed are drawn again.
 */
function take(next: RoomView): void {
  const before = new Map(view.peek()?.room === next.room ? view.peek()?.timeline.map((item) => [item.id, item]) : []);
  const timeline = next.timeline.map((item) => {
    const old = before.get(item.id);
    return old && JSON.stringify(old) === JSON.stringify(item) ? old : item;
  });
  view.value = { ...next, timeline };
}

async function watch(room: RoomId): Promise<void> {
  try {
    const seen = await call("watch", { room });
    if (open === room) {
      take(seen);
      fresh.value = true;
      closed.value = null;
    }
  } catch (error) {
    if (open === room) closed.value = codeOf(error);
  }
}

listen((event) => {
  if (event.kind === "room" && event.view.room === open) take(event.view);
  if (event.kind === "restarted" && open) watch(open);
});

function follow(room: RoomId): () => void {
  if (open !== room) {
    view.value = null;
    answering.value = null;
    changing.value = null;
  }
  open = room;
  fresh.value = false;
  closed.value = null;
  watch(room);
  return () => tell("unwatch", { room });
}

/** For pages of a room: its view, null until it is there. Follows it while the page is open. */
export function useRoom(room: RoomId): RoomView | null {
  useEffect(() => follow(room), [room]);
  return view.value?.room === room ? view.value : null;
}

/** Forget what is on screen (lock, exit, deletion). */
export function dropRoom(): void {
  open = null;
  view.value = null;
  answering.value = null;
  changing.value = null;
}

/** The newest place of the log that is on screen. */
export function newestSeq(of: RoomView): number {
  return of.timeline.reduce((newest, item) => Math.max(newest, item.seq), 0);
}
