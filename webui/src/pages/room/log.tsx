/** The conversation: days, messages and quiet lines, oldest first. A live region only here, for the room that is open. */
import type { JSX } from "preact";
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import type { MessageItem, RoomView, TimelineItem } from "../../client/types.ts";
import { Icon } from "../../parts/icon.tsx";
import { Time } from "../../parts/time.tsx";
import { call, tell } from "../../state/client.ts";
import { clock } from "../../state/clock.ts";
import { t } from "../../state/language.ts";
import { viewName } from "../../state/names.ts";
import { noticeText } from "../../state/notices.ts";
import { newestSeq, view as open } from "../../state/room.ts";
import { dayOf } from "../../state/time-words.ts";
import { Message } from "./message.tsx";

/** Messages of one person within this time stand together under one name. */
const TOGETHER_SECONDS = 300;
/** Somebody this near to the end wants to see what comes. */
const NEAR_END_PX = 160;

interface Props {
  view: RoomView;
  /** A message to show, from a search or a reply. */
  at?: string | undefined;
}

function nearEnd(): boolean {
  const page = document.documentElement;
  return page.scrollHeight - scrollY - innerHeight < NEAR_END_PX;
}

function toEnd(): void {
  scrollTo(0, document.documentElement.scrollHeight);
}

export function Log({ view, at }: Props) {
  const [loading, setLoading] = useState(false);
  const [behind, setBehind] = useState(false);
  const [readTo] = useState(view.readTo);
  const drawn = useRef<Drawn>(new WeakMap());
  const scrolling = useScrolling(view, at, setBehind);

  const earlier = async (): Promise<void> => {
    if (loading) return;
    setLoading(true);
    scrolling.keepPlace();
    await call("loadEarlier", { room: view.room }).catch(() => undefined);
    setLoading(false);
  };

  return (
    <div class="log-area">
      {view.hasEarlier && (
        <p class="earlier">
          <button class="button quiet" type="button" aria-disabled={loading ? "true" : undefined} onClick={earlier}>
            {t("app.room.earlier")}
          </button>
        </p>
      )}
      {/* Older messages that come in above are no news: nothing is read out while they do. */}
      <div
        class="log"
        role="log"
        aria-label={t("app.room.log", { name: viewName(view) })}
        aria-live={loading ? "off" : "polite"}
        aria-relevant="additions"
      >
        <ol onKeyDown={moveAmongMessages}>{rows(view, readTo, drawn.current)}</ol>
      </div>
      {view.standing === "in" && view.timeline.every((item) => item.kind === "notice") && (
        <p class="hint centre">{t("app.room.empty")}</p>
      )}
      {behind && (
        <p class="to-end">
          <button class="button" type="button" onClick={toEnd}>
            <Icon name="down" />
            {t("app.room.newest")}
          </button>
        </p>
      )}
    </div>
  );
}

/** Opens at the line of what is new, stays at the end when somebody is there, and keeps its place otherwise. */
function useScrolling(view: RoomView, at: string | undefined, setBehind: (behind: boolean) => void) {
  const first = useRef(true);
  const stick = useRef(true);
  const height = useRef(0);
  const keep = useRef(false);
  const newest = newestSeq(view);
  const count = view.timeline.length;
  const lastId = view.timeline.at(-1)?.id;

  useEffect(() => {
    const moved = (): void => {
      stick.current = nearEnd();
      if (stick.current) setBehind(false);
      markRead();
    };
    const markRead = (): void => {
      if (!document.hidden && nearEnd()) tell("markRead", { room: view.room, seq: newest });
    };
    markRead();
    addEventListener("scroll", moved, { passive: true });
    addEventListener("visibilitychange", markRead);
    return () => {
      removeEventListener("scroll", moved);
      removeEventListener("visibilitychange", markRead);
    };
  }, [view.room, newest]);

  useEffect(() => {
    if (at) showMessage(at).catch(() => undefined);
  }, [at]);

  useLayoutEffect(() => {
    const page = document.documentElement;
    if (first.current) {
      first.current = false;
      const line = document.querySelector(".new-line");
      if (line) line.scrollIntoView({ block: "center" });
      else if (!at) toEnd();
      stick.current = nearEnd();
    } else if (keep.current) {
      scrollBy(0, page.scrollHeight - height.current);
      keep.current = false;
    } else if (stick.current || isOwnWaiting(view.timeline.at(-1))) {
      toEnd();
    } else {
      setBehind(true);
    }
    height.current = page.scrollHeight;
  }, [count, lastId]);

  return {
    keepPlace: () => {
      keep.current = true;
      height.current = document.documentElement.scrollHeight;
    },
  };
}

function isOwnWaiting(item: TimelineItem | undefined): boolean {
  return item?.kind === "message" && item.mine && item.status === "waiting";
}

/** Scrolls to a message and marks it for a moment; fetches what lies between when it is far back. */
export async function showMessage(id: string): Promise<void> {
  const shown = open.peek();
  if (!shown) return;
  if (!shown.timeline.some((item) => item.id === id)) {
    const { found } = await call("loadUntil", { room: shown.room, message: id });
    if (!found) return;
  }
  requestAnimationFrame(() => {
    const row = document.getElementById(`message-${id}`);
    row?.scrollIntoView({ block: "center" });
    row?.querySelector<HTMLElement>(".more-button")?.focus({ preventScroll: true });
    row?.classList.add("found");
    setTimeout(() => row?.classList.remove("found"), 3_000);
  });
}

/** Rows as they were drawn last: the same element again is not looked into. */
type Drawn = WeakMap<MessageItem, { readonly of: string; readonly row: JSX.Element }>;

function messageRow(
  view: RoomView,
  item: MessageItem,
  together: boolean,
  tabbable: boolean,
  drawn: Drawn,
): JSX.Element {
  const inside = view.standing === "in";
  const of = `${inside} ${together} ${tabbable} ${view.far}`;
  const before = drawn.get(item);
  if (before?.of === of) return before.row;
  const row = (
    <Message
      key={item.id}
      room={view.room}
      far={view.far}
      item={item}
      inside={inside}
      together={together}
      tabbable={tabbable}
    />
  );
  drawn.set(item, { of, row });
  return row;
}

function rows(view: RoomView, readTo: number, drawn: Drawn): JSX.Element[] {
  const found: JSX.Element[] = [];
  let day = "";
  let before: MessageItem | null = null;
  let lined = false;
  const lastMessage = view.timeline.findLast((item) => item.kind === "message")?.id;
  for (const item of view.timeline) {
    const today = dayOf(clock(), item.time);
    if (today !== day) {
      day = today;
      before = null;
      found.push(
        <li class="day" key={`day ${today}`}>
          <Time at={item.time} style="day" />
        </li>,
      );
    }
    if (!lined && readTo > 0 && item.seq > readTo && item.kind === "message" && !item.mine) {
      lined = true;
      before = null;
      found.push(
        <li class="new-line" key="new">
          <span>{t("app.room.new_line")}</span>
        </li>,
      );
    }
    if (item.kind === "notice") {
      before = null;
      found.push(<Notice key={item.id} item={item} />);
    } else {
      const together = before?.by === item.by && item.time - before.time < TOGETHER_SECONDS;
      found.push(messageRow(view, item, together, item.id === lastMessage, drawn));
      before = item;
    }
  }
  return found;
}

function Notice({ item }: { item: Extract<TimelineItem, { kind: "notice" }> }) {
  return (
    <li class={`event ${item.code === "skipped" ? "refused" : ""}`}>
      {item.code === "skipped" && <Icon name="warn" />}
      <span>{noticeText(item)}</span>
    </li>
  );
}

/** One stop for Tab; the arrows go from message to message (ARIA's roving focus). */
function moveAmongMessages(event: KeyboardEvent): void {
  if (!(event.target instanceof HTMLElement) || !event.target.classList.contains("more-button")) return;
  const buttons = [...(event.currentTarget as HTMLElement).querySelectorAll<HTMLElement>(".more-button")];
  const at = buttons.indexOf(event.target);
  const last = buttons.length - 1;
  const moves: Record<string, number> = { ArrowUp: at - 1, ArrowDown: at + 1, Home: 0, End: last };
  const to = moves[event.key];
  if (to === undefined) return;
  event.preventDefault();
  const next = buttons[Math.min(last, Math.max(0, to))];
  if (!next) return;
  event.target.tabIndex = -1;
  next.tabIndex = 0;
  next.focus();
}
