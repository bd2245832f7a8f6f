/** What pages see, made from what the client holds. */
import { ASK_SECONDS } from "../rooms/bounds.ts";
import { approvalsNeeded, votesNeeded } from "../rooms/rules.ts";
import type { Event, Intake } from "../rooms/types.ts";
import type { Core } from "./core.ts";
import { linkOfPair } from "./pairing.ts";
import type { Room } from "./room.ts";
import type { StoredItem, StoredOutgoing } from "./stored.ts";
import { shortened } from "./timeline.ts";
import type { AskView, MemberView, MessageItem, RoomSummary, RoomView, State, TimelineItem } from "./types.ts";
import { stateWords } from "./verifying.ts";

/** Names shown in the list of rooms. */
const OTHERS = 12;
/** Seconds after which the sheet is offered again when it was put off. */
const OFFER_AGAIN = 7 * 86_400;

type Message = Extract<StoredItem, { kind: "message" }>;

export function stateOf(core: Core): State {
  const { account, vault, settings } = core;
  const rooms = [...core.rooms.values()].filter((room) => !room.gone).map((room) => summaryOf(room, core.now));
  const outgoing = [...core.rooms.values()].flatMap((room) => room.outbox.filter((one) => isMessage(one.event)));
  return {
    vault: {
      // A vault that was made for an account that never came is as good as none.
      phase: vault.phase === "open" && !account ? "empty" : vault.phase,
      passphrase: vault.hasPassphrase,
      lockAfter: settings.lockAfter,
      lasting: core.lasting,
    },
    account: account && {
      node: account.node,
      community: account.community,
      device: account.device,
      name: account.name,
      mayInvite: account.mayInvite,
      sheetKept: account.sheetKept,
      offerSheet: account.wrote && !account.sheetKept && core.now - account.sheetPutOff > OFFER_AGAIN,
      revoked: account.revoked,
    },
    connection: core.connection,
    rooms: rooms.sort((a, b) => b.time - a.time || (a.room < b.room ? -1 : 1)),
    outbox: {
      waiting: outgoing.filter((one) => !one.failed).length,
      failed: outgoing.filter((one) => one.failed).length,
    },
    linking: core.linking,
    trouble: settings.trouble,
  };
}

function summaryOf(room: Room, now: number): RoomSummary {
  const { record, session } = room;
  const members = session?.members ?? [];
  const others = members.filter((member) => !member.self);
  const waiting = room.outbox.filter((one) => isMessage(one.event)).at(-1);
  const unsent = waiting?.event.type === "message" ? { text: shortened(waiting.event.text), time: waiting.time } : null;
  return {
    room: room.id,
    kind: record.kind,
    standing: standingOf(room),
    title: session?.view.title || record.title,
    others: others.slice(0, OTHERS).map((member) => member.name),
    memberCount: members.length,
    unread: record.unread,
    asks: asksOf(room, now).filter((ask) => !ask.mine).length,
    time: unsent?.time ?? record.latest?.time ?? record.time,
    latest: unsent?.text ?? record.latest?.text ?? "",
    latestBy: unsent || !record.latest?.by ? "" : room.nameOf(record.latest.by),
    waiting: room.outbox.filter((one) => isMessage(one.event) && !one.failed).length,
    hasDraft: record.draft.text.trim() !== "",
  };
}

export async function viewOf(core: Core, room: Room): Promise<RoomView> {
  const { record, session } = room;
  const members = session?.members ?? [];
  const rules = session?.rules;
  return {
    room: room.id,
    kind: record.kind,
    standing: standingOf(room),
    title: session?.view.title || record.title,
    me: session?.identity ?? "",
    members: members.map((member) => memberOf(room, member, core.now)),
    approvals: { now: rules ? approvalsNeeded(rules, members.length) : 0, rule: rules?.approvals ?? "auto" },
    removalVotes: votesNeeded(members.length),
    timeline: timelineOf(room),
    hasEarlier: room.page?.hasEarlier ?? false,
    asks: asksOf(room, core.now),
    readTo: record.readTo,
    draft: record.draft,
    stateWords: room.inside && session ? await stateWords(session) : "",
    archive: record.archive,
    far: record.hub !== undefined,
    moving: room.inside && moveAsked(room),
    pairInvites: record.pairInvites.map((one) => {
      const { from, words, time } = one;
      return { from, name: room.nameOf(from), words, link: linkOfPair(core.self, one), time };
    }),
    invites: [...core.invites.values()].filter((one) => one.room === room.id && one.expires > core.now).length,
    intake: intakeOf(session?.view.intake, core.now),
  };
}

function moveAsked({ record, session }: Room): boolean {
  const { moved = 0, votes = [], agreed } = record.moving ?? {};
  return votes.some(
    ({ by, hub, number }) =>
      number > moved && hub !== agreed?.hub && session?.members.some(({ identity }) => identity === by),
  );
}

function intakeOf(intake: Intake | undefined, now: number): RoomView["intake"] {
  const open = !!intake?.open && intake.expires > now;
  return { open, stale: open && intake.stale, version: intake?.seq ?? 0 };
}

function standingOf(room: Room): RoomSummary["standing"] {
  return room.inside && room.faulty ? "stuck" : room.record.standing;
}

function memberOf(room: Room, member: NonNullable<Room["session"]>["members"][number], now: number): MemberView {
  const votes = (room.session?.view.votes ?? []).filter(
    (vote) => vote.identity === member.identity && vote.expires > now,
  );
  const by = [...new Set(votes.map((vote) => vote.by))];
  return {
    member: member.identity,
    name: member.name || (member.self ? room.record.name : ""),
    me: member.self,
    joined: member.since || room.record.time,
    vouchedBy: member.vouched,
    devices: member.leaves.length,
    verified: room.record.verified.includes(member.identity),
    removal:
      by.length === 0
        ? null
        : {
            by,
            needed: votesNeeded(room.session?.members.length ?? 0),
            mine: by.includes(room.session?.identity ?? ""),
          },
  };
}

export function asksOf(room: Room, now: number): AskView[] {
  const { session } = room;
  if (!session || !room.inside) return [];
  const needed = approvalsNeeded(session.rules, session.members.length);
  return session.view.asks
    .filter(({ ask }) => !room.record.dismissed.includes(ask.id))
    .map(({ ask, by, time, approvals, listing = "" }) => {
      const given = [...new Set(approvals.filter((one) => one.expires > now).map((one) => one.by))];
      return {
        ask: ask.id,
        newcomer: ask.identity,
        name: ask.profile.name,
        words: ask.note ?? "",
        invitedBy: listing ? "" : room.nameOf(by),
        listing,
        time,
        expires: time + ASK_SECONDS,
        approvals: given,
        needed,
        mine: given.includes(session.identity) || approvalQueued(room, ask.id),
      };
    });
}

function approvalQueued(room: Room, ask: string): boolean {
  return room.outbox.some((one) => one.event.type === "approval" && one.event.ask === ask && !one.failed);
}

function timelineOf(room: Room): TimelineItem[] {
  const items = room.page?.items ?? [];
  const amendments = room.outbox.filter((one) => !one.failed).map((one) => one.event as Event);
  const known = new Map(items.flatMap((item) => (item.kind === "message" ? [[item.id, item] as const] : [])));
  const shown = items.map((item): TimelineItem => {
    if (item.kind === "message") return messageOf(room, amended(item, amendments), known, "sent");
    const { kind, seq, time, code, names, by, reason } = item;
    return { kind, id: String(item.place), seq, time, code, names, by, reason };
  });
  const waiting = room.outbox.flatMap((one) =>
    one.event.type === "message" && !known.has(one.id) ? [waitingItem(room, one, known, amendments)] : [],
  );
  return [...shown, ...waiting];
}

/** One's own changes show at once, before the node has them. */
function amended(item: Message, waiting: readonly Event[]): Message {
  let after = item;
  for (const event of waiting) {
    if (event.type === "edit" && event.id === item.id) after = { ...after, text: event.text, edited: true };
    if (event.type === "delete" && event.id === item.id) after = { ...after, text: "", attachments: [], deleted: true };
  }
  return after;
}

function waitingItem(
  room: Room,
  one: StoredOutgoing,
  known: ReadonlyMap<string, Message>,
  amendments: readonly Event[],
): MessageItem {
  const event = one.event as Extract<Event, { type: "message" }>;
  const item: Message = {
    kind: "message",
    place: 0,
    id: one.id,
    seq: 0,
    time: one.time,
    by: room.session?.identity ?? "",
    text: event.text,
    replyTo: event.reply_to ?? null,
    attachments: event.attachments ?? [],
    edited: false,
    deleted: false,
  };
  return messageOf(room, amended(item, amendments), known, one.failed ? "failed" : "waiting");
}

function messageOf(
  room: Room,
  item: Message,
  known: ReadonlyMap<string, Message>,
  status: MessageItem["status"],
): MessageItem {
  const mine = item.by === room.session?.identity;
  const target = item.replyTo ? known.get(item.replyTo) : undefined;
  return {
    kind: "message",
    id: item.id,
    seq: item.seq,
    time: item.time,
    by: item.by,
    name: room.nameOf(item.by),
    mine,
    text: item.text,
    edited: item.edited,
    deleted: item.deleted,
    replyTo:
      item.replyTo === null
        ? null
        : {
            id: item.replyTo,
            name: target ? room.nameOf(target.by) : "",
            text: target && !target.deleted ? shortened(target.text) : "",
          },
    attachments: item.attachments.map((one) => ({
      name: one.name,
      type: one.media,
      size: one.size,
      width: one.width ?? null,
      height: one.height ?? null,
      place: room.files.get(one.blob) ?? "there",
    })),
    status,
  };
}

function isMessage(event: StoredOutgoing["event"]): boolean {
  return event.type === "message" || event.type === "edit" || event.type === "delete";
}
