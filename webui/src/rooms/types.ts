/**
 * The values of a room, as every other part of the app sees them. Binary values that are compared or used as keys are
 * unpadded base64url strings (`B64`); times are Unix seconds; `docs/protocol/rooms.md` has the exact bytes.
 */

import type { Engine, KeyPackageSecrets, ReadKeyPackage } from "../mls/types.ts";

export type B64 = string;

export type Kind = "pair" | "room";
/** How many members must vouch for a newcomer: "auto" is 2 up to ten members and 3 above. */
export type Rules = { readonly approvals: "auto" | number; readonly kind: Kind; readonly version: 1 };

/** The crypto that the rules need, lent: WebCrypto in the app, something quick in model tests. */
export interface Primitives {
  hash(bytes: Uint8Array): Promise<Uint8Array>;
  /** Ed25519: `seed` and public keys are 32 bytes, signatures 64. `verify` is false for unsound keys. */
  publicKey(seed: Uint8Array): Promise<Uint8Array>;
  sign(seed: Uint8Array, message: Uint8Array): Promise<Uint8Array>;
  verify(key: Uint8Array, message: Uint8Array, signature: Uint8Array): Promise<boolean>;
  /** AES-256-GCM with a 12-byte nonce; `open` throws when it does not fit. */
  seal(key: Uint8Array, nonce: Uint8Array, plaintext: Uint8Array): Promise<Uint8Array>;
  open(key: Uint8Array, nonce: Uint8Array, sealed: Uint8Array): Promise<Uint8Array>;
  random(length: number): Uint8Array;
}

/** Everything lent to a room. */
export type Lent = { readonly engine: Engine; readonly primitives: Primitives };

/** The secret of one's identity in one room (an Ed25519 seed) and its public key. */
export type RoomIdentity = { readonly room: B64; readonly seed: Uint8Array; readonly identity: B64 };

// ---- The log, as the hub gives it -------------------------------------------------------------------------------

export type LogEntry = {
  readonly seq: number;
  readonly time: number;
  readonly kind: "commit" | "message";
  readonly epoch: number;
  readonly id: B64;
  /** `null` once the hub no longer keeps it; then its SHA-256 is there, so that the chain can still be checked. */
  readonly payload: Uint8Array | null;
  readonly payloadHash?: B64;
  readonly hash: B64;
};
/** Where in the log somebody stands. */
export type LogPosition = { readonly seq: number; readonly hash: B64; readonly time: number };
export type LogHead = LogPosition & { readonly signature: B64 };
/** The hub broke its own rules: nothing of the entry was used. */
export type LogFault = "gap" | "hash" | "time" | "shape" | "head";

// ---- Statements (signed by a room identity) -------------------------------------------------------------------------

export type Approval = { by: B64; identity: B64; ask: B64; expires: number; signature: B64 };
export type RemovalVote = { by: B64; identity: B64; expires: number; signature: B64 };
export type Leave = { by: B64; time: number; signature: B64 };
export type Revocation = { by: B64; leaf: B64; signature: B64 };
export type Profile = { by: B64; version: number; name: string; signature: B64 };
export type Proofs = {
  readonly approvals: readonly Approval[];
  readonly votes: readonly RemovalVote[];
  readonly leaves: readonly Leave[];
  readonly revocations: readonly Revocation[];
  /** Hash of the policy after the commit. */
  readonly policy: B64;
};

// ---- Events: what is inside an application message -------------------------------------------------------------------

export type Attachment = {
  /** SHA-256 of the ciphertext: its name at the hub. */
  readonly blob: B64;
  /** AES-256-GCM key, used for this one file. */
  readonly key: B64;
  readonly size: number;
  readonly media: string;
  readonly name: string;
  readonly width?: number;
  readonly height?: number;
};
export type Ask = {
  /** 16 bytes, chosen by the newcomer. */
  readonly id: B64;
  readonly identity: B64;
  /** The KeyPackage made for this ask, and what claims it at the hub. */
  readonly ref: B64;
  readonly consent: B64;
  readonly profile: Profile;
  readonly note?: string;
  /** The node that keeps the KeyPackage, where it is not the room's hub: for whoever claims it, nothing else. */
  readonly home?: B64;
};
/** The newest word about a room's intake (`intake.ts`). */
export type IntakeEvent = {
  /** The node that takes the asks. */
  readonly node: B64;
  /** X25519, 32 bytes; stands in the listing. */
  readonly key: B64;
  /** Its other half, while it is open. */
  readonly secret?: B64;
  readonly open: boolean;
  readonly expires: number;
};
export type Event =
  | { type: "message"; id: B64; text: string; reply_to?: B64; attachments?: readonly Attachment[] }
  | { type: "edit"; id: B64; text: string }
  | { type: "delete"; id: B64 }
  | { type: "profile"; version: number; name: string; signature: B64 }
  | { type: "title"; text: string }
  /** `listing` is the name of the listing by which they say they came, if by one. */
  | { type: "ask"; ask: Ask; listing?: string }
  | { type: "approval"; identity: B64; ask: B64; expires: number; signature: B64 }
  | { type: "removal-vote"; identity: B64; expires: number; signature: B64 }
  | { type: "leave"; time: number; signature: B64 }
  | { type: "revocation"; leaf: B64; signature: B64 }
  | { type: "invitation"; id: B64; expires: number }
  | ({ type: "intake" } & IntakeEvent)
  | { type: "snapshot"; view: View }
  /** A type of a later version: kept by whoever stores events, without effect here. */
  | { type: "unknown"; name: string; value: Readonly<Record<string, unknown>> };

// ---- Policy: what the judge knows. Equal on all devices that agree -----------------------------------------------------

export type PolicyLeaf = { readonly key: B64; readonly mailbox: B64 };
export type PolicyMember = {
  readonly identity: B64;
  /** When the log took the commit that added them (0: in the commit now being judged, or the founder). */
  readonly since: number;
  readonly vouched: readonly B64[];
  /** By rising key. Empty: all were revoked, and the member may come back with a new device. */
  readonly leaves: readonly PolicyLeaf[];
  /** When the last device went; -1 while there is one. */
  readonly away: number;
};
export type Policy = {
  readonly rules: Rules;
  readonly epoch: number;
  readonly members: readonly PolicyMember[];
  /** Who went in the last 30 days, by vote or by leaving (in a pair: ever), by rising identity. */
  readonly gone: readonly { readonly identity: B64; readonly time: number }[];
  /** Leaf keys that their owner has revoked: they never come back. */
  readonly revoked: readonly B64[];
};

/** Why a commit does not count. Short, and never text from a stranger. */
export type RefusalCode =
  | "not-private"
  | "broken"
  | "wrong-room"
  | "wrong-epoch"
  | "wrong-kind"
  | "late"
  | "pruned"
  | "forbidden-proposal"
  | "external"
  | "proofs"
  | "policy-differs"
  | "credential"
  | "certificate"
  | "leaf-changed"
  | "leaf-twice"
  | "leaf-revoked"
  | "lifetime"
  | "keys"
  | "too-many-devices"
  | "room-full"
  | "pair-full"
  | "approvals"
  | "removal"
  | "self-removal"
  | "not-member";
export type Refusal = {
  readonly code: RefusalCode;
  readonly identity?: B64;
  readonly have?: number;
  readonly need?: number;
};

// ---- View: what people see of a room, folded from commits and events ---------------------------------------------------

export type ViewMember = { readonly name: string; readonly profile?: Profile; readonly joined: number };
export type OpenAsk = {
  readonly ask: Ask;
  /** Who showed the ask to the room. */
  readonly by: B64;
  readonly time: number;
  readonly approvals: readonly Approval[];
  readonly listing?: string;
};
/** `seq` and `time` of the word that made it; `stale`: since then somebody went who knows the secret. */
export type Intake = IntakeEvent & { readonly seq: number; readonly time: number; readonly stale: boolean };
export type View = {
  readonly title: string;
  readonly titled: number;
  /** Only members' profiles; a member without one has none here yet. */
  readonly profiles: Readonly<Record<B64, Profile>>;
  readonly asks: readonly OpenAsk[];
  readonly votes: readonly RemovalVote[];
  readonly leaves: readonly Leave[];
  readonly revocations: readonly Revocation[];
  readonly invitations: readonly { readonly id: B64; readonly by: B64; readonly expires: number }[];
  /** Absent while nobody ever opened one. */
  readonly intake?: Intake;
};
/** What a newcomer is given with the Welcome. Times of the adding commit itself are 0 and filled in on taking it. */
export type Snapshot = { readonly policy: Policy; readonly view: View };

/** A member as pages show them. */
export type Member = {
  readonly identity: B64;
  readonly name: string;
  readonly since: number;
  readonly vouched: readonly B64[];
  readonly leaves: readonly PolicyLeaf[];
  readonly self: boolean;
};

// ---- What handling an entry changes ---------------------------------------------------------------------------------------

/** In log order. `by` is always what MLS says, `seq` and `time` are the entry's. */
export type Change =
  | {
      type: "message";
      seq: number;
      time: number;
      by: B64;
      id: B64;
      text: string;
      replyTo?: B64;
      attachments: readonly Attachment[];
    }
  /** Apply with `amend`, which holds to "only by the author". */
  | { type: "edit"; seq: number; time: number; by: B64; id: B64; text: string }
  | { type: "delete"; seq: number; time: number; by: B64; id: B64 }
  | { type: "profile"; seq: number; time: number; by: B64; name: string; before: string }
  | { type: "title"; seq: number; time: number; by: B64; text: string; before: string }
  | { type: "ask"; seq: number; time: number; by: B64; ask: Ask }
  | { type: "approval"; seq: number; time: number; by: B64; identity: B64; ask: B64 }
  | { type: "removal-vote"; seq: number; time: number; by: B64; identity: B64 }
  | { type: "leave"; seq: number; time: number; by: B64 }
  | { type: "revocation"; seq: number; time: number; by: B64; leaf: B64 }
  | { type: "invitation"; seq: number; time: number; by: B64; id: B64; expires: number }
  /** Opened, closed, or opened under another key; `before` is the key that is no longer good, or "". */
  | { type: "intake"; seq: number; time: number; by: B64; open: boolean; before: B64 | "" }
  | { type: "joined"; seq: number; time: number; by: B64; identity: B64; name: string; vouched: readonly B64[] }
  | {
      type: "removed";
      seq: number;
      time: number;
      by: B64;
      identity: B64;
      name: string;
      how: "left" | "voted" | "revoked";
    }
  | { type: "device-added"; seq: number; time: number; by: B64; identity: B64; leaf: B64 }
  | { type: "device-removed"; seq: number; time: number; by: B64; identity: B64; leaf: B64 }
  /** An event that the rules know nothing of, for whoever does. */
  | { type: "unknown"; seq: number; time: number; by: B64; name: string; value: Readonly<Record<string, unknown>> }
  /** An own event has its place in the log. */
  | { type: "sent"; seq: number; time: number; id: B64 }
  /** It came so late that others can't read it any more: seal it anew. */
  | { type: "send-again"; seq: number; time: number; id: B64; event: Event }
  /** An own commit was accepted and adopted, or another one was first (or it was refused) and it was dropped. */
  | { type: "commit-accepted"; seq: number; time: number; id: B64 }
  | { type: "commit-dropped"; seq: number; time: number; id: B64; refusal?: Refusal }
  /** A commit nobody adopts. `by` when MLS could say; `mailboxes` of the submission stay as they were. */
  | { type: "skipped"; seq: number; time: number; by?: B64; refusal: Refusal }
  /** A message nobody can use: it stays a gap without words. */
  | {
      type: "unreadable";
      seq: number;
      time: number;
      why: "broken" | "too-old" | "before-joining" | "used" | "not-member" | "not-private" | "event" | "pruned";
    }
  /** This device is no longer in the room; nothing after this entry concerns it. */
  | { type: "out"; seq: number; time: number; how: "left" | "voted" | "revoked" };

/** What a client should do next. `rank` is this member's place in the queue (0 first): wait rank × a few seconds. */
export type Need =
  | { type: "admit"; ask: OpenAsk; rank: number }
  | { type: "remove"; identity: B64; rank: number }
  | { type: "remove-device"; identity: B64; leaf: B64; rank: number }
  /** Make an empty commit: after joining, so that the KeyPackage's keys die. */
  | { type: "refresh" }
  /** Say one's name: nobody in the room has it yet. */
  | { type: "profile" }
  /** Send a `snapshot` event: somebody joined with an older view. */
  | { type: "snapshot" }
  /** This device lost the room's agreement and must be added anew, as another device of its member. */
  | { type: "rejoin" };

export type Handled<S> =
  | {
      readonly session: S;
      readonly changes: readonly Change[];
      readonly spent: readonly Uint8Array[];
      readonly fault?: undefined;
    }
  /** The hub's mistake: `session` is the old one. */
  | { readonly session: S; readonly changes: readonly []; readonly spent: readonly []; readonly fault: LogFault };

/** What to send to `POST rooms/{id}/log`. `seen` is filled from the session at the moment of sending. */
export type Submission = {
  readonly id: B64;
  readonly kind: "commit" | "message";
  readonly epoch: number;
  readonly seen: number;
  readonly payload: Uint8Array;
  readonly welcomes: readonly { readonly ref: B64; readonly payload: Uint8Array; readonly mailbox: B64 }[];
  readonly removes: readonly B64[];
};

/** What `commit` is to do. */
export type CommitWish = {
  /** Asks with enough approvals, each with the KeyPackage that was claimed for it. */
  readonly admit?: readonly { readonly ask: B64; readonly keyPackage: ReadKeyPackage }[];
  /** Devices of members (also of oneself): no approvals needed. */
  readonly devices?: readonly { readonly keyPackage: ReadKeyPackage }[];
  /** Members to take out, for whom the view holds enough votes or a leave. */
  readonly remove?: readonly B64[];
  /** Leaf keys whose revocation the view holds. */
  readonly removeDevices?: readonly B64[];
};
/** A wish that cannot come true now. */
export class WishError extends Error {
  readonly refusal: Refusal;
  constructor(refusal: Refusal) {
    super(refusal.code);
    this.refusal = refusal;
  }
}

/** One device's view of one room: an immutable value. */
export interface Session {
  readonly room: B64;
  readonly rules: Rules;
  readonly identity: B64;
  readonly mailbox: B64;
  readonly leaf: B64;
  readonly epoch: number;
  readonly position: LogPosition;
  readonly policy: Policy;
  readonly view: View;
  readonly members: readonly Member[];
  /** Whether this device still belongs to the room. */
  readonly inside: boolean;
  /** Commits judged invalid, newest last, at most 20. */
  readonly skipped: readonly {
    readonly seq: number;
    readonly time: number;
    readonly by?: B64;
    readonly refusal: Refusal;
  }[];
  /** An own commit for which the log has not decided: submit it, again if need be. */
  readonly pending: Submission | undefined;
  /** Own sealed events that the log has not shown yet, oldest first. */
  readonly unsent: readonly Submission[];
  /** The next entry of the log. */
  handle(entry: LogEntry): Promise<Handled<Session>>;
  /** Seals an event for the current epoch. Save the session before sending the submission. */
  sealEvent(event: Event): Promise<{ session: Session; submission: Submission; spent: readonly Uint8Array[] }>;
  /** Makes a commit and keeps it as `pending`. Throws WishError. `now` in Unix seconds. */
  commit(
    wish: CommitWish,
    now: number,
  ): Promise<{ session: Session; submission: Submission; spent: readonly Uint8Array[] }>;
  /** Gives up `pending`, for instance because the hub refused it for good. */
  dropPending(): Session;
  /** Forgets a sealed event that the hub never took, for instance to seal it again in a later epoch. */
  dropUnsent(id: B64): Session;
  /** Signed events, ready for `sealEvent`. They are signed with the room identity, which the session does not hold. */
  approve(me: RoomIdentity, ask: B64, now: number): Promise<Event>;
  voteToRemove(me: RoomIdentity, identity: B64, now: number): Promise<Event>;
  leave(me: RoomIdentity, now: number): Promise<Event>;
  revoke(me: RoomIdentity, leaf: B64): Promise<Event>;
  profile(me: RoomIdentity, name: string): Promise<Event>;
  snapshotEvent(): Event;
  needs(now: number): readonly Need[];
  /** 16 bytes that are equal on all devices that agree about who is in the room, and secret to them. */
  agreement(): Promise<Uint8Array>;
  /** 32 bytes for the notes of the current epoch (`moving.ts`). */
  noteKey(): Promise<Uint8Array>;
  /** Goes on from an earlier place: the node that orders the room now has another log after it. */
  rewind(to: LogPosition): Session;
  /** For the vault. Secrets are in it. */
  encode(): Uint8Array;
}

/** What starts a session; `rooms/session.ts` has the functions. */
export type CreateRoom = { rules: Rules; me: RoomIdentity; own: KeyPackageSecrets; mailbox: B64; profile: Profile };
export type JoinRoom = {
  welcome: Uint8Array;
  own: KeyPackageSecrets;
  me: RoomIdentity;
  /** The log's entry that holds the adding commit, from the hub, with its payload: what it says is checked. */
  at: LogEntry;
};
