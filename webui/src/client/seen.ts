/** What pages see of the client: values only, serialisable over `postMessage`. Part of `types.ts`, where the rest is. */
import type { ErrorCode } from "./types.ts";

/** A room's id: 32 bytes as base64url. */
export type RoomId = string;
/** A person in one room: their public room identity, 32 bytes as base64url. The same person has another in each room. */
export type MemberId = string;
/** A message's id, 16 bytes as base64url, chosen by its author. */
export type MessageId = string;
/** An ask to join, 16 bytes as base64url. */
export type AskId = string;
export type DeviceId = string;
export type InviteId = string;
/** Unix seconds. */
export type Seconds = number;

export type RoomKind = "pair" | "room";

// ---------------------------------------------------------------- the state that is always on screen

/** `empty`: nothing here yet (show the start page). `locked`: ask for the passphrase. `open`: at work. */
export type VaultPhase = "empty" | "locked" | "open";

export interface VaultState {
  readonly phase: VaultPhase;
  /** A passphrase is needed to open it after a restart or a lock. */
  readonly passphrase: boolean;
  /** Seconds without anybody at the keyboard after which it locks; null = never. */
  readonly lockAfter: number | null;
  /** False when the browser may throw the data away by itself (no persistent storage granted). */
  readonly lasting: boolean;
}

export type Connection = "offline" | "connecting" | "online";

export interface AccountState {
  /** Base address of the node, without a slash at its end. */
  readonly node: string;
  /** The community's name. */
  readonly community: string;
  readonly device: DeviceId;
  /** Name suggested for new rooms (the one last chosen). */
  readonly name: string;
  readonly mayInvite: boolean;
  /** The recovery sheet was shown and said to be kept. */
  readonly sheetKept: boolean;
  /** A calm moment to offer the sheet: the first message was sent, and it was neither kept nor put off lately. */
  readonly offerSheet: boolean;
  /** The node no longer knows this device (revoked elsewhere, or the account was deleted). */
  readonly revoked: boolean;
}

/**
 * `in`: a member. `asked`: asked to join, not in yet. `rejoining`: known from the sheet or the other device, waiting
 * until a member's device lets this one in. `left`, `removed`: over, still readable. `stuck`: this device cannot
 * follow the room any more (see `trouble`); `rejoin` helps.
 */
export type RoomStanding = "in" | "asked" | "refused" | "rejoining" | "left" | "removed" | "stuck";

export interface RoomSummary {
  readonly room: RoomId;
  readonly kind: RoomKind;
  readonly standing: RoomStanding;
  /** The title; "" for a pair, and for a room nobody named: then show the others' names. */
  readonly title: string;
  /** Names of the others, oldest member first (at most 12). Empty while nobody else is in. */
  readonly others: readonly string[];
  readonly memberCount: number;
  /** Messages of others after the one last read. */
  readonly unread: number;
  /** Asks that wait for this person's word. */
  readonly asks: number;
  /** Time of the newest message, or of joining. Rooms are sorted by it, newest first. */
  readonly time: Seconds;
  /** The newest message, shortened to 120 characters, "" if none or deleted; `latestBy` is "" for one's own. */
  readonly latest: string;
  readonly latestBy: string;
  /** Messages that wait to be sent. */
  readonly waiting: number;
  /** Something half written lies here. */
  readonly hasDraft: boolean;
}

/** What went wrong lately and may need a person. `code` is a key for the pages' words. */
export interface Trouble {
  readonly code:
    | "node-changed" // the node's signing key is not the one pinned before
    | "log-broken" // the room's log does not continue what this device saw
    | "commit-unreadable" // this device alone could not follow a change of members
    | "poisonous" // an entry hung or crashed the engine and was set aside
    | "storage-failed" // the browser refused to store
    | "clock" // this device's clock is more than ten minutes off
    | "index-conflict"; // the sealed list of rooms could not be written
  readonly room: RoomId | null;
  readonly time: Seconds;
}

/** Everything above the single room. A new whole one comes with each change (`{kind: "state"}`). */
export interface State {
  readonly vault: VaultState;
  readonly account: AccountState | null;
  readonly connection: Connection;
  readonly rooms: readonly RoomSummary[];
  /** Things waiting to be sent, over all rooms, and those that were refused for good. */
  readonly outbox: { readonly waiting: number; readonly failed: number };
  /** Asks to this person's invites that are not (yet) in any room's list. */
  readonly linking: LinkState | null;
  readonly trouble: readonly Trouble[];
}

// ---------------------------------------------------------------- one room

export interface MemberView {
  readonly member: MemberId;
  /** Their newest name in this room; "" while unknown. */
  readonly name: string;
  readonly me: boolean;
  readonly joined: Seconds;
  /** Who vouched for them when they joined; empty for the founder. */
  readonly vouchedBy: readonly MemberId[];
  readonly devices: number;
  /** This person compared numbers with them, on this device. */
  readonly verified: boolean;
  /** Members who want to part with them, while the vote runs. */
  readonly removal: { readonly by: readonly MemberId[]; readonly needed: number; readonly mine: boolean } | null;
}

export interface AttachmentView {
  readonly name: string;
  /** Media type as the sender said, e.g. `image/jpeg`. Only show what the page itself can decode safely. */
  readonly type: string;
  readonly size: number;
  readonly width: number | null;
  readonly height: number | null;
  /** `here`: on this device. `there`: on the node. `gone`: the node no longer keeps it. */
  readonly place: "here" | "there" | "gone";
}

/** `waiting`: not sent yet (offline or in the queue). `sent`: durable on the node. `failed`: refused; retry or drop. */
export type SendStatus = "waiting" | "sent" | "failed";

export interface MessageItem {
  readonly kind: "message";
  readonly id: MessageId;
  /** Place in the room's log; 0 while not sent. */
  readonly seq: number;
  readonly time: Seconds;
  readonly by: MemberId;
  readonly name: string;
  readonly mine: boolean;
  readonly text: string;
  readonly edited: boolean;
  /** Deleted by its author: text is "" and there are no attachments. */
  readonly deleted: boolean;
  readonly replyTo: { readonly id: MessageId; readonly name: string; readonly text: string } | null;
  readonly attachments: readonly AttachmentView[];
  readonly status: SendStatus;
}

/** Something that happened, shown quietly between messages. `names` are who it is about, `by` who did it. */
export interface NoticeItem {
  readonly kind: "notice";
  readonly id: string;
  readonly seq: number;
  readonly time: Seconds;
  readonly code:
    | "founded"
    | "joined" // names joined; by = who vouched
    | "device-added" // names = whose
    | "device-removed"
    | "left"
    | "removed"
    | "renamed" // names = [old, new]
    | "title" // names = [new title]; by = who
    | "intake-opened" // by = who
    | "intake-changed"
    | "intake-closed"
    | "moved" // another community keeps the room from here on; by = who wanted it
    | "skipped"; // a change that broke the room's rules was ignored; by = who tried; reason says why
  readonly names: readonly string[];
  readonly by: readonly string[];
  /** The judge's code for `skipped`, else "". */
  readonly reason: string;
}

export type TimelineItem = MessageItem | NoticeItem;

/** The room's intake, by which people ask from a listing, while it is open. */
export interface IntakeView {
  /** One line to paste into the form in which the listing is published. */
  readonly code: string;
  readonly expires: Seconds;
  /** This community's node takes the asks. */
  readonly here: boolean;
  /** Somebody went who could read asks, or the keys do not fit: a new code is due. */
  readonly newCode: boolean;
  /** Asks by the listing that wait for an answer. */
  readonly asks: number;
}

/** A listing, for somebody who may want to ask its group. */
export interface ListingView {
  readonly listing: string;
  readonly name: string;
  readonly summary: string;
  readonly joining: "come" | "ask" | "invitation";
  readonly howToJoin: string;
  /** The group takes asks through this program. */
  readonly asks: boolean;
  /** This browser has an account. */
  readonly known: boolean;
  /** The group's room, if this browser knows it, and how it stands to it. */
  readonly room: RoomId | "";
  readonly standing: RoomStanding | null;
}

export interface AskView {
  readonly ask: AskId;
  readonly newcomer: MemberId;
  readonly name: string;
  /** Words the newcomer wrote, "" if none. */
  readonly words: string;
  /** Name of who invited, "" if unknown or by a listing. */
  readonly invitedBy: string;
  /** Name of the listing by which they say they came; "" if not by one. */
  readonly listing: string;
  readonly time: Seconds;
  readonly expires: Seconds;
  readonly approvals: readonly MemberId[];
  readonly needed: number;
  /** This person already approved. */
  readonly mine: boolean;
}

export interface RoomView {
  readonly room: RoomId;
  readonly kind: RoomKind;
  readonly standing: RoomStanding;
  readonly title: string;
  readonly me: MemberId;
  readonly members: readonly MemberView[];
  /** Approvals a newcomer needs now, and the rule: a number or "auto" (2 up to ten members, 3 above). */
  readonly approvals: { readonly now: number; readonly rule: number | "auto" };
  /** Votes needed to part with somebody now. */
  readonly removalVotes: number;
  /** Oldest first: the newest 50 messages (more after `loadEarlier`) and the notices between them. */
  readonly timeline: readonly TimelineItem[];
  readonly hasEarlier: boolean;
  readonly asks: readonly AskView[];
  /** Place of the newest message that was read here; show a line after it. */
  readonly readTo: number;
  readonly draft: Draft;
  /** Twelve words both sides can compare to see that they are in the same state of the room; "" if not in. */
  readonly stateWords: string;
  readonly archive: boolean;
  /** Another node keeps the room; what is written here goes there first. */
  readonly far: boolean;
  /** Others want another node to keep it, and this person has not agreed to that. */
  readonly moving: boolean;
  /** Members of this room who ask this person for a one-on-one: `ask` with the link accepts, nothing declines. */
  readonly pairInvites: readonly PairInvite[];
  /** Open invitations to this room that this account made. */
  readonly invites: number;
  /** People may ask by a listing; `stale`: somebody went who could read such asks. `version` grows with each change. */
  readonly intake: { readonly open: boolean; readonly stale: boolean; readonly version: number };
}

/** Where a room is kept. */
export interface PlacesView {
  /** By this community's own node. */
  readonly here: boolean;
  /** Name of the community that keeps it; "" when this device never heard it. */
  readonly community: string;
  /** Four words for the node that keeps it. */
  readonly words: string;
  /** Other communities with a copy, for members of theirs. */
  readonly others: number;
  /** Where the room could be kept instead, the own community first. */
  readonly choices: readonly MoveChoice[];
  /** Something waits for the node that keeps it, which could not be reached for an hour. */
  readonly away: boolean;
  /** Moves that members want, and that are not done. */
  readonly moves: readonly MoveView[];
  /** That node told two stories: both, with its signatures, as JSON. "" if not. */
  readonly proof: string;
}

/** A community that has a copy of a room. */
export interface MoveChoice {
  readonly node: string;
  /** The own community. */
  readonly here: boolean;
  /** Its name; "" when this device never heard it. */
  readonly community: string;
  readonly words: string;
}

/** What some members want. */
export interface MoveView extends MoveChoice {
  /** Names of those who want it. */
  readonly names: readonly string[];
  readonly needed: number;
  readonly mine: boolean;
  /** Enough of them: it is being done. */
  readonly decided: boolean;
}

export interface PairInvite {
  readonly from: MemberId;
  readonly name: string;
  readonly words: string;
  readonly link: string;
  readonly time: Seconds;
}

export interface Draft {
  readonly text: string;
  readonly replyTo: MessageId | null;
}

// ---------------------------------------------------------------- invites, asks, devices, links

export interface InviteView {
  /** Address of the node the invite is for. */
  readonly node: string;
  readonly community: string;
  readonly expires: Seconds;
  /** False when it was used up or has expired. */
  readonly open: boolean;
  /** It can make an account for somebody who has none. */
  readonly accounts: boolean;
  /** This browser already has an account, on that node or on another one that asks it. */
  readonly known: boolean;
  /** It is for another node than this account's. */
  readonly far: boolean;
  /** Where it leads: a room, or null for the community alone. */
  readonly room: { readonly room: RoomId; readonly kind: RoomKind; readonly title: string } | null;
  /** Name of who invites, as they wrote it; "" from the keeper. */
  readonly from: string;
  /** Their words, "" if none. */
  readonly words: string;
}

export interface OwnInvite {
  readonly invite: InviteId;
  /** The whole link; "" if it was made on another device. */
  readonly link: string;
  readonly room: RoomId | null;
  readonly title: string;
  readonly expires: Seconds;
  readonly usesLeft: number;
}

export interface DeviceView {
  readonly device: DeviceId;
  /** As its owner named it; "" if never. */
  readonly name: string;
  readonly current: boolean;
  /** Not a browser, but the sealed copy of one on the node (`keepOnNode`). */
  readonly copy: boolean;
  /** Start of the day it was added. */
  readonly created: Seconds;
}

/**
 * Linking a device, on either side. `showing` (new device): show `code` as QR and `words` for typing. `comparing`:
 * show `compare` (4 words) on both; the old device asks whether they match. `done`, `failed`: over.
 */
export interface LinkState {
  readonly side: "new" | "old";
  readonly step: "showing" | "comparing" | "sending" | "done" | "failed";
  /** For the QR; "" on the old side. */
  readonly code: string;
  /** Twelve words to type in place of the QR; "" on the old side. */
  readonly words: string;
  /** Four words to compare; "" before. */
  readonly compare: string;
  readonly failure: ErrorCode | null;
}

export interface Verification {
  /** 60 digits in twelve groups of five, the same on both sides. */
  readonly number: string;
  /** What to show as QR; give what was scanned to `verifyScanned`. */
  readonly code: string;
  readonly verified: boolean;
}

export interface SearchHit {
  readonly room: RoomId;
  readonly roomTitle: string;
  readonly message: MessageId;
  readonly seq: number;
  readonly time: Seconds;
  readonly name: string;
  readonly mine: boolean;
  /** The text around the first match, at most 160 characters. */
  readonly excerpt: string;
}
