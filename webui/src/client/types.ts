/**
 * Everything a page may ask of the client and everything it may see of it.
 *
 * All values pass through `postMessage` (structured clone): plain objects, strings, numbers, booleans, `Uint8Array`.
 * Ids are base64url without padding; times are Unix seconds; words for people are made by the pages from the codes
 * in here. A page calls `client.call(name, input)` and listens with `client.listen(event => …)` (see `Client`).
 */
import type {
  AskId,
  DeviceId,
  DeviceView,
  IntakeView,
  InviteId,
  InviteView,
  LinkState,
  ListingView,
  MemberId,
  MessageId,
  OwnInvite,
  PlacesView,
  RoomId,
  RoomView,
  SearchHit,
  Seconds,
  State,
  Verification,
} from "./seen.ts";

export type * from "./seen.ts";

// ---------------------------------------------------------------- errors

/** Why a call failed; the pages have a sentence for each. */
export type ErrorCode =
  | "offline" // could not reach the node; try again later
  | "locked" // the vault is locked
  | "no-account" // needs an account first
  | "already-here" // this browser has an account already
  | "bad-link" // not an invite, link or code of this program
  | "other-node" // the link is for another node and does not say which
  | "waiting" // another node has not answered yet; try again later
  | "invite-gone" // used up, withdrawn or expired
  | "invite-no-account" // this invite is only for people who have an account
  | "may-not-invite"
  | "wrong-words" // not a recovery sheet's words (a typing mistake)
  | "unknown-account" // right words, but this node does not know them
  | "wrong-passphrase"
  | "weak-passphrase" // shorter than 8 characters
  | "revoked" // the node no longer accepts this device
  | "not-in-room"
  | "unknown" // no such message, ask, member, device or invite
  | "too-long" // text over 16,000 characters, name over 64, title over 120
  | "too-large" // file over 10 MiB
  | "quota" // the node has no more room for this account
  | "slow-down" // asked too often
  | "gone" // the file is no longer kept
  | "link-failed" // linking ran out of time, or the words did not match
  | "storage-failed" // the browser refused to store
  | "node-error" // the node answered what nobody expected
  | "interrupted" // the tab or worker doing the work ended meanwhile; look whether it happened, else ask again
  | "insecure" // not a secure context
  | "bug"; // a mistake in this program

/** What a call rejects with. */
export interface ClientFailure {
  readonly name: "ClientFailure";
  readonly code: ErrorCode;
  /** Details for a developer; never shown to a person. */
  readonly detail: string;
}

// ---------------------------------------------------------------- what may be asked

type Nothing = Record<string, never>;

/** Name of each call → what goes in, what comes out. */
export interface Calls {
  /** Begin: open the vault if it can be opened, connect. The first call of every page; may be repeated. */
  start: { input: { node: string }; answer: State };
  /** The present state again. */
  state: { input: Nothing; answer: State };
  /** Tell that somebody is at the keyboard (puts auto-lock off); at most once a minute. */
  touch: { input: Nothing; answer: null };
  /** Try to connect now (the browser said it is online again). */
  wake: { input: Nothing; answer: null };

  // accounts
  /** Look at an invite link (its secret never leaves the device). */
  openInvite: { input: { link: string }; answer: InviteView };
  /** Make an account from an invite; asks to join its room, if it leads to one. */
  register: { input: { link: string; name: string; words?: string }; answer: { room: RoomId | null } };
  /** With an account: ask to join the room of an invite. */
  ask: { input: { link: string; name: string; words?: string }; answer: { room: RoomId } };
  /** The 24 words. */
  sheetWords: { input: Nothing; answer: { words: string[]; code: string } };
  /** The sheet was kept (or put off: it is offered again after a week). */
  sheetDone: { input: { kept: boolean }; answer: null };
  /** A new device from the 24 words (also the QR's text). Rooms come back as members' devices let it in. */
  recover: { input: { words: string; node?: string }; answer: { rooms: number } };
  /** Whether each typed word is in the list, for checking while typing. */
  checkWords: { input: { words: string }; answer: { unknown: string[]; complete: boolean } };
  /** Delete the account on the node, and everything here. */
  deleteAccount: { input: Nothing; answer: null };
  /** Wipe this browser; the account and the other devices go on. */
  forgetEverything: { input: Nothing; answer: null };

  // lock
  setPassphrase: { input: { passphrase: string | null; current?: string }; answer: null };
  setLockAfter: { input: { seconds: number | null }; answer: null };
  lock: { input: Nothing; answer: null };
  unlock: { input: { passphrase: string }; answer: null };
  /** Keep the sealed device state on the node, for browsers that forget; answers the six words that open it. */
  keepOnNode: { input: { keep: boolean }; answer: { words: string } };
  /** Get it back in a browser that forgot. */
  returnFromNode: { input: { words: string; node?: string }; answer: null };

  // devices
  devices: { input: Nothing; answer: DeviceView[] };
  renameDevice: { input: { device: DeviceId; name: string }; answer: null };
  revokeDevice: { input: { device: DeviceId }; answer: null };
  /** On the new device: show a code. Progress comes as `State.linking`. */
  linkNew: { input: { node?: string }; answer: LinkState };
  /** On the device that is in: what was scanned or typed. */
  linkOld: { input: { code: string }; answer: LinkState };
  /** On the device that is in: do the four words match? */
  linkConfirm: { input: { match: boolean }; answer: null };
  linkCancel: { input: Nothing; answer: null };

  // rooms
  createRoom: { input: { title: string; name: string; approvals?: number | "auto" }; answer: { room: RoomId } };
  /**
   * A one-on-one: with nobody yet (answers a link to hand over; whoever asks by it first is let in by itself), or
   * with a member of a room: then only they are let in, and the invitation is shown to them in that room's
   * `pairInvites` (the link is answered too, for handing it over in another way).
   */
  startPair: {
    input: { name: string; with?: { room: RoomId; member: MemberId }; words?: string };
    answer: { room: RoomId; link: string };
  };
  /** Follow one room: `room` events come until `unwatch`. Counted, so that two tabs may watch the same. */
  watch: { input: { room: RoomId }; answer: RoomView };
  unwatch: { input: { room: RoomId }; answer: null };
  /** 50 more messages at the top of the watched room's timeline. */
  loadEarlier: { input: { room: RoomId }; answer: { hasEarlier: boolean } };
  /** Make the timeline reach back to one message (from a search hit or a reply). */
  loadUntil: { input: { room: RoomId; message: MessageId }; answer: { found: boolean } };
  setTitle: { input: { room: RoomId; title: string }; answer: null };
  setName: { input: { room: RoomId; name: string }; answer: null };
  /** Vouch for a newcomer. */
  approve: { input: { room: RoomId; ask: AskId }; answer: null };
  /** Put an ask out of sight on this device. Nobody is told. */
  dismissAsk: { input: { room: RoomId; ask: AskId }; answer: null };
  voteRemoval: { input: { room: RoomId; member: MemberId }; answer: null };
  leave: { input: { room: RoomId }; answer: null };
  /** Take a room that is over off the list, with all its messages on this device. */
  forgetRoom: { input: { room: RoomId }; answer: null };
  /** Ask to be let in again with this device (after `stuck`). */
  rejoin: { input: { room: RoomId }; answer: null };
  /** Which communities keep what is written in a room. */
  places: { input: { room: RoomId }; answer: PlacesView };
  /** Agree that another community shall keep a room: a `node` of its places' choices or moves. */
  moveRoom: { input: { room: RoomId; node: string }; answer: null };
  /** Keep what is written in this room for the day when only the 24 words are left. */
  setArchive: { input: { room: RoomId; on: boolean }; answer: null };

  // messages
  send: {
    /** With an `id` of one's own (16 random bytes) it may be asked again: the message is sent once. */
    input: { room: RoomId; text: string; replyTo?: MessageId; attachments?: string[]; id?: MessageId };
    answer: { id: MessageId };
  };
  edit: { input: { room: RoomId; id: MessageId; text: string }; answer: null };
  delete: { input: { room: RoomId; id: MessageId }; answer: null };
  /** Try a failed message again, or drop it. */
  retry: { input: { room: RoomId; id: MessageId }; answer: null };
  drop: { input: { room: RoomId; id: MessageId }; answer: null };
  /** Put a file beside the message being written (pages strip metadata first). Answers a token for `send`. */
  attach: {
    input: { room: RoomId; name: string; type: string; bytes: Uint8Array; width?: number; height?: number };
    answer: { attachment: string };
  };
  detach: { input: { attachment: string }; answer: null };
  /** A file's plaintext. */
  openAttachment: {
    input: { room: RoomId; message: MessageId; index: number };
    answer: { name: string; type: string; bytes: Uint8Array };
  };
  draft: { input: { room: RoomId; text: string; replyTo?: MessageId | null }; answer: null };
  /** Read up to and including this place of the log (never sent anywhere). */
  markRead: { input: { room: RoomId; seq: number }; answer: null };
  search: { input: { text: string; room?: RoomId; limit?: number }; answer: SearchHit[] };

  // invites
  /** A link to the community (no room), or to a room; `accounts` = it may make new accounts. */
  makeInvite: {
    input: { room?: RoomId; uses?: number; days?: number; name?: string; words?: string; accounts?: boolean };
    answer: { invite: InviteId; link: string; expires: Seconds };
  };
  invites: { input: Nothing; answer: OwnInvite[] };
  withdrawInvite: { input: { invite: InviteId }; answer: null };

  // listings
  /** What a listing of this node says about joining; works without an account. */
  openListing: { input: { listing: string }; answer: ListingView };
  /** Ask the group behind a listing. The room stands in the list as `asked` from then on. */
  askListing: { input: { listing: string; name: string; words?: string }; answer: { room: RoomId } };
  /** A room's intake; null while it is closed. */
  intake: { input: { room: RoomId }; answer: IntakeView | null };
  /** `renew` keeps the code where it can; `open` always makes a new one. */
  setIntake: { input: { room: RoomId; to: "open" | "renew" | "closed" }; answer: null };

  // people
  verification: { input: { room: RoomId; member: MemberId }; answer: Verification };
  setVerified: { input: { room: RoomId; member: MemberId; verified: boolean }; answer: null };
  verifyScanned: { input: { room: RoomId; member: MemberId; scanned: string }; answer: { match: boolean } };

  // one's own words
  /** All one may read on this device, as one JSON file. */
  exportArchive: { input: { room?: RoomId }; answer: { name: string; bytes: Uint8Array } };
}

export type CallName = keyof Calls;

// ---------------------------------------------------------------- what is told

export type ClientEvent =
  /** The state changed. */
  | { kind: "state"; state: State }
  /** A watched room changed. */
  | { kind: "room"; view: RoomView }
  /** Somebody wrote in a room (for a quiet in-page notice; never for one's own words). */
  | { kind: "arrived"; room: RoomId; message: MessageId; name: string; text: string }
  /** The worker was started again after a hang; calls that were under way were rejected with `interrupted`. */
  | { kind: "restarted" }
  /** This tab became (true) or ceased to be (false) the one that does the work. */
  | { kind: "leader"; leader: boolean };

/** The client as a page sees it, in whatever tab or worker it runs. */
export interface Client {
  /** Rejects with a `ClientFailure`. */
  call<Name extends CallName>(name: Name, input: Calls[Name]["input"]): Promise<Calls[Name]["answer"]>;
  /** Returns a function that stops listening. */
  listen(listener: (event: ClientEvent) => void): () => void;
  close(): void;
}

/** Limits that pages show and check before asking. */
export const BOUNDS = {
  /** Bytes of one message in UTF-8; the client checks these. */
  textBytes: 16_384,
  /** Characters of one message, for a field that counts. */
  textCharacters: 16_000,
  /** Characters of a person's name in a room. */
  nameCharacters: 64,
  /** Characters of a room's title. */
  titleCharacters: 120,
  /** Characters that may accompany an ask or an invite. */
  wordsCharacters: 400,
  /** Bytes of one file. */
  fileBytes: 10 * 1024 * 1024 - 64 * 1024,
  /** Files beside one message. */
  filesPerMessage: 8,
  /** Characters of a passphrase, at least. */
  passphraseCharacters: 8,
  /** Messages on one page of a conversation. */
  pageMessages: 50,
} as const;
