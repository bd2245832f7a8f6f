/** What happens while somebody writes: sending, changing an old message, and keeping what is half written. */
import type { RefObject } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { toB64 } from "../../bytes/text.ts";
import { BOUNDS, type RoomView } from "../../client/types.ts";
import { type Action, useAction } from "../../parts/action.tsx";
import { call, tell } from "../../state/client.ts";
import { preferences } from "../../state/preferences.ts";
import { answering, changing } from "../../state/room.ts";
import { type Pending, type PendingFiles, useFiles } from "./files.tsx";

const DRAFT_PAUSE_MS = 600;
/** From here on the number of letters left is shown. */
const NEAR_LIMIT = 500;

export interface Writing {
  readonly field: RefObject<HTMLTextAreaElement | null>;
  readonly action: Action;
  readonly files: PendingFiles;
  /** Letters that still fit, once there are few; below zero there are too many. */
  readonly left: number | null;
  send(): void;
  typed(): void;
  key(event: KeyboardEvent): void;
  /** Neither answer nor change after all. */
  stop(): void;
}

export function useWriting(view: RoomView): Writing {
  const field = useRef<HTMLTextAreaElement>(null);
  const action = useAction();
  const files = useFiles(view.room);
  const [left, setLeft] = useState<number | null>(null);
  const draft = useDraft(view, field);

  const send = async (): Promise<void> => {
    const written = field.current?.value ?? "";
    const text = written.trim();
    const ready = files.pending.filter((each) => each.token);
    if ((!text && ready.length === 0) || text.length > BOUNDS.textCharacters || files.busy) return;
    const change = changing.peek();
    if (change) {
      if (await action.run(() => saveChange(view.room, change.id, text))) changing.value = null;
    } else if (await action.run(() => sendNew(view.room, text, ready))) {
      answering.value = null;
      files.clear();
      setLeft(null);
      draft.sent(written);
    }
    field.current?.focus();
  };
  const typed = (): void => {
    const rest = BOUNDS.textCharacters - (field.current?.value.length ?? 0);
    const shown = rest < NEAR_LIMIT ? rest : null;
    if (shown !== left) setLeft(shown);
    draft.later();
  };
  const stop = (): void => {
    answering.value = null;
    changing.value = null;
    draft.later();
  };
  const key = (event: KeyboardEvent): void => {
    if (event.key === "Escape" && (changing.peek() || answering.peek())) stop();
    const enter = event.key === "Enter" && !event.isComposing && !event.shiftKey;
    if (enter && (event.ctrlKey || event.metaKey || preferences.value.enterSends)) {
      event.preventDefault();
      send();
    }
  };
  return { field, action, files, left, send, typed, key, stop };
}

async function sendNew(room: string, text: string, files: readonly Pending[]): Promise<void> {
  const attachments = files.map((each) => each.token);
  const answer = answering.peek();
  await call("send", {
    room,
    text,
    // Named here, so that it can be asked for again when the tab that does the work closes in the middle.
    id: toB64(crypto.getRandomValues(new Uint8Array(16))),
    ...(answer ? { replyTo: answer.id } : {}),
    ...(attachments.length > 0 ? { attachments } : {}),
  });
}

async function saveChange(room: string, id: string, text: string): Promise<void> {
  if (text) await call("edit", { room, id, text });
}

/** Puts the kept draft into the field, and keeps what is typed after each pause and when the page goes away. */
function useDraft(view: RoomView, field: RefObject<HTMLTextAreaElement | null>) {
  const timer = useRef(0);
  const kept = useRef(view.draft.text);
  // The field is gone before the page says goodbye, so what it held is remembered here.
  const typed = useRef(view.draft.text);
  const keep = (): void => {
    clearTimeout(timer.current);
    timer.current = 0;
    // While an old message is changed, the field does not hold the draft.
    if (changing.peek() || typed.current === kept.current) return;
    kept.current = typed.current;
    tell("draft", { room: view.room, text: kept.current, replyTo: answering.peek()?.id ?? null });
  };
  const later = (): void => {
    if (!changing.peek() && field.current) typed.current = field.current.value;
    clearTimeout(timer.current);
    timer.current = window.setTimeout(keep, DRAFT_PAUSE_MS);
  };

  useEffect(() => {
    if (field.current && !field.current.value) field.current.value = view.draft.text;
    const reply = view.timeline.find((item) => item.id === view.draft.replyTo);
    if (reply?.kind === "message") answering.value = reply;
    const hidden = (): void => {
      if (document.hidden) keep();
    };
    addEventListener("visibilitychange", hidden);
    addEventListener("pagehide", keep);
    return () => {
      removeEventListener("visibilitychange", hidden);
      removeEventListener("pagehide", keep);
      if (timer.current) keep();
    };
  }, [view.room]);

  const change = changing.value;
  useEffect(() => {
    if (!field.current || !change) return undefined;
    const written = field.current;
    const before = written.value;
    written.value = change.text;
    // Whatever was half written before comes back afterwards.
    return () => {
      written.value = before;
    };
  }, [change?.id]);

  return {
    later,
    /** It is safely stored: only what was typed since stays in the field. */
    sent: (written: string) => {
      if (field.current?.value.startsWith(written)) field.current.value = field.current.value.slice(written.length);
      clearTimeout(timer.current);
      timer.current = 0;
      typed.current = field.current?.value ?? "";
      kept.current = typed.current;
      tell("draft", { room: view.room, text: kept.current, replyTo: null });
    },
  };
}
