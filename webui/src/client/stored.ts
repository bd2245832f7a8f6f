/** The records of the vault, one type a table. Names of tables stand in `names`, nowhere else. */
import type { MoveVote } from "../rooms/moving.ts";
import type { Attachment, Event } from "../rooms/types.ts";
import type { Name, Table } from "../vault/vault.ts";
import type { Draft, NoticeItem, RoomKind, RoomStanding, Trouble } from "./types.ts";

export interface StoredAccount {
  node: string;
  /** The node's public key, pinned when the account was made. */
  nodeId: string;
  community: string;
  account: string;
  device: string;
  token: string;
  /** 32 bytes: the recovery sheet. */
  secret: string;
  name: string;
  mayInvite: boolean;
  sheetKept: boolean;
  /** When the sheet was put off. */
  sheetPutOff: number;
  /** Something was written already: the moment to offer the sheet has come. */
  wrote: boolean;
  revoked: boolean;
}

export interface StoredSettings {
  lockAfter: number | null;
  trouble: Trouble[];
  /** Rooms brought back from the node's copy, until they are caught up: an unknown message of one's own ends it. */
  returned: string[];
}

/** An account that is being made: kept until the node's answer is, so that a lost answer loses nothing. */
export interface StoredBeginning {
  invite: string;
  secret: string;
  device: string;
  token: string;
}

/** The copy of this vault on the node. */
export interface StoredCopy {
  words: string;
  version: number;
}

/** An ask as it goes to the node that keeps the invitation: kept until that node has answered. */
export interface AskLetter {
  readonly invite: string;
  readonly proof: string;
  readonly ask: string;
  readonly far?: string;
}

/** The link into a one-on-one that was asked by: it ends once somebody else was let in. */
export type PairLink = Omit<AskLetter, "ask">;

/** A room as this device keeps it, beside the session that the engine makes. */
export interface StoredRoom {
  room: string;
  kind: RoomKind;
  standing: RoomStanding;
  /** Shown until the session knows better. */
  title: string;
  /** One's own name in there. */
  name: string;
  mailbox: string;
  /** When this device first knew of it. */
  time: number;
  readTo: number;
  draft: Draft;
  /** Asks put out of sight here. */
  dismissed: string[];
  /** Names of everybody who was ever in, for what they wrote. */
  names: Record<string, string>;
  /** Members whose number was compared. */
  verified: string[];
  /** The newest message: for the list of rooms. */
  latest: { text: string; by: string; time: number } | null;
  unread: number;
  /** An ask that waits: its id at the node, and when it was made. */
  asking: { ref: string; since: number; tries: number; letter?: AskLetter; pair?: PairLink } | null;
  /** Leaves of this device that it can't use any more: revoked when it is in again. */
  stale: string[];
  /** The node that orders the room and signs its heads; absent: the own one. Only the members change it. */
  hub?: string;
  /** Whether the room is to move, and how often it did; absent: never. */
  moving?: StoredMoving;
  /** This device was so far before it had to go back; what it showed of that keeps its place. */
  rewound?: number;
  /** The community whose link led here, and its node: for its name. */
  via?: { nodeId: string; community: string };
  /** One-on-ones that members of this room offered; absent in older ones: a link of the own node. */
  pairInvites: { from: string; secret: string; words: string; time: number; node?: string; nodeId?: string }[];
  /** Whether what is written here goes into the archive. */
  archive: boolean;
  /** A pair: the member of another room for whom it was made; only they are let in by themselves. */
  pairFor: { room: string; member: string } | null;
}

export interface StoredMoving {
  /** The number of the last move. */
  moved: number;
  /** The number of the last note that was read. */
  read: number;
  /** What this person agreed to, and the epoch in which the others were told; -1: not yet. */
  agreed: { hub: string; number: number; epoch: number } | null;
  /** Members' votes that hold, one's own among them. */
  votes: MoveVote[];
  /** The number of the last decided move that the own node was told. */
  told: number;
}

export type StoredItem =
  | {
      kind: "message";
      place: number;
      id: string;
      seq: number;
      time: number;
      by: string;
      text: string;
      replyTo: string | null;
      attachments: readonly Attachment[];
      edited: boolean;
      deleted: boolean;
    }
  | (Omit<NoticeItem, "kind" | "id"> & { kind: "notice"; place: number });

/** Something to be sent. `made` ones are finished only when they are sealed. */
export interface StoredOutgoing {
  room: string;
  n: number;
  /** The message's id for messages, edits and deletes; else one of its own. */
  id: string;
  event: Event | { type: "make"; what: "snapshot" };
  time: number;
  /** Tokens of files that must be on the node before. */
  files: string[];
  /** The id under which it was sealed into the session; "" before. */
  sealed: string;
  failed: boolean;
}

/** A file beside a message that is being written or waits to be sent. */
export interface StoredFile {
  token: string;
  room: string;
  attachment: Attachment;
  uploaded: boolean;
}

/** The secret halves of a KeyPackage that was offered. */
export interface StoredKeyPackage {
  ref: string;
  room: string;
  mailbox: string;
  keyPackage: string;
  init: string;
  encryption: string;
  signature: string;
  expires: number;
}

/** A KeyPackage this device has claimed in order to let somebody in. */
export interface StoredClaim {
  room: string;
  ref: string;
  keyPackage: string;
  /** The ask in the room's view, or "" for another device of a member. */
  ask: string;
  /** The ask at the node, to be deleted when it is done; or "". */
  nodeAsk: string;
  /** The node that kept the KeyPackage, where it is not the room's hub. */
  home?: string;
  /** The id of the commit it went into; "" before. */
  used: string;
  time: number;
}

export interface StoredInvite {
  invite: string;
  secret: string;
  room: string | null;
  title: string;
  expires: number;
  /** When this record was last changed, for merging. */
  time: number;
}

const SELF = "self";

export const names = {
  account: ["account", "", SELF] as Name,
  settings: ["settings", "", SELF] as Name,
  beginning: ["beginning", "", SELF] as Name,
  index: ["index", "", SELF] as Name,
  copy: ["copy", "", SELF] as Name,
  room: (room: string): Name => ["room", "", room],
  rooms: ["room", ""] as Table,
  session: (room: string): Name => ["session", room, SELF],
  item: (room: string, place: number): Name => ["item", room, place],
  items: (room: string): Table => ["item", room],
  /** Where a message stands, by its id. */
  place: (room: string, message: string): Name => ["place", room, message],
  places: (room: string): Table => ["place", room],
  outgoing: (room: string, n: number): Name => ["outbox", room, n],
  outbox: (room: string): Table => ["outbox", room],
  file: (token: string): Name => ["file", "", token],
  files: ["file", ""] as Table,
  /** A file's plaintext, by the hash of its ciphertext. */
  blob: (room: string, hash: string): Name => ["blob", room, hash],
  blobs: (room: string): Table => ["blob", room],
  keyPackage: (ref: string): Name => ["key-package", "", ref],
  keyPackages: ["key-package", ""] as Table,
  claim: (room: string, ref: string): Name => ["claim", room, ref],
  claims: (room: string): Table => ["claim", room],
  invite: (id: string): Name => ["invite", "", id],
  invites: ["invite", ""] as Table,
  poison: (room: string, seq: number): Name => ["poison", room, seq],
} as const;
