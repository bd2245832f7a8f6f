/** What the node's API says and hears (`/api/v1/openapi.json`). Binary values are base64url without padding. */

export type B64 = string;

/** What a part of the program needs of the world to speak to a node: browsers, workers and Node.js all have it. */
export interface Network {
  fetch(address: string, init: RequestInit): Promise<Response>;
  socket(address: string): Socket;
}

/** The part of a WebSocket that the live channel uses. */
export interface Socket {
  send(text: string): void;
  close(code?: number): void;
  onopen: (() => void) | null;
  onmessage: ((event: { data: unknown }) => void) | null;
  onclose: ((event: { code: number }) => void) | null;
  onerror: (() => void) | null;
}

/** Runs something later; the answer takes it back. */
export type Later = (milliseconds: number, run: () => void) => () => void;

export interface NewDevice {
  readonly id: B64;
  readonly token_hash: B64;
}

export interface AccountAnswer {
  readonly account: B64;
  readonly device: B64;
  /** The node's Ed25519 public key, which signs the heads of rooms' logs. */
  readonly node_id: B64;
  readonly title: string;
  readonly may_invite?: boolean;
}

export interface DeviceAnswer {
  readonly id: B64;
  readonly created_day: number;
  readonly this: boolean;
}

export interface InviteAnswer {
  readonly title: string;
  readonly expires: number;
  readonly uses_left: number;
  readonly accounts: boolean;
  readonly note: B64;
}

/** The part of a listing that asking its group needs; whoever signed it may have written anything. */
export interface ListingAnswer {
  readonly name: string;
  readonly summary?: unknown;
  readonly joining?: unknown;
  readonly how_to_join?: unknown;
  readonly intake?: unknown;
}

export interface OwnInviteAnswer {
  readonly id: B64;
  readonly expires: number;
  readonly uses: number;
  readonly uses_left: number;
  readonly note: B64;
  readonly room: B64 | null;
}

export interface AskAnswer {
  readonly id: B64;
  /** Null when another or a recovered device of a member asks. */
  readonly invite: B64 | null;
  readonly room: B64 | null;
  readonly ask: B64;
  /** The start of the day. */
  readonly time: number;
}

export interface KeyPackageOffer {
  readonly ref: B64;
  readonly key_package: B64;
  readonly mailbox: B64;
  readonly consent_hash: B64;
  readonly room?: B64;
  readonly expires: number;
}

export interface EntryAnswer {
  readonly seq: number;
  readonly time: number;
  readonly kind: "commit" | "message";
  readonly epoch: number;
  readonly id: B64;
  readonly payload: B64 | null;
  /** Only where the payload is no longer kept. */
  readonly payload_hash?: B64;
  readonly hash: B64;
}

export interface HeadAnswer {
  readonly seq: number;
  readonly hash: B64;
  readonly time: number;
  readonly signature: B64;
}

export interface LogAnswer {
  readonly entries: readonly EntryAnswer[];
  readonly head: HeadAnswer;
  /** The node that orders the room and signed the head, where it is another one. */
  readonly hub?: B64;
}

/** Which nodes keep a room's log. */
export interface PlacesAnswer {
  readonly hub: B64;
  readonly followers: readonly B64[];
  /** Two heads that contradict each other, both signed by the hub. */
  readonly faulty?: readonly [HeadAnswer, HeadAnswer];
  /** Since when something waits for the hub, which can't be reached. */
  readonly away_since?: number;
}

/** A sealed word beside a room's log. */
export interface NoteAnswer {
  readonly number: number;
  readonly note: B64;
}

export interface StatementBody {
  readonly by: B64;
  readonly seq: number;
  readonly hash: B64;
  readonly signature: B64;
}

/** The members' decision that another node is to keep the room. */
export interface MoveBody {
  readonly number: number;
  readonly hub: B64;
  readonly statements: readonly StatementBody[];
  /** Of all members' devices. */
  readonly mailboxes: readonly B64[];
}

export interface MoveAnswer {
  readonly number: number;
  readonly hub: B64;
  /** Where that node begins, signed by it; null before. */
  readonly head: HeadAnswer | null;
  readonly statements: readonly StatementBody[];
}

export interface SubmissionBody {
  readonly mailbox: B64;
  readonly id: B64;
  readonly kind: "commit" | "message";
  readonly epoch: number;
  readonly seen: number;
  readonly payload: B64;
  /** `home` and `mailbox` only for somebody whose node is not the room's hub. */
  readonly welcomes?: readonly {
    readonly ref: B64;
    readonly payload: B64;
    readonly home?: B64;
    readonly mailbox?: B64;
  }[];
  readonly removes?: readonly B64[];
}

export interface Accepted {
  readonly seq: number;
  readonly time: number;
  readonly hash: B64;
}

export interface MailboxAnswer {
  readonly rooms: readonly {
    readonly room: B64;
    readonly mailbox: B64;
    readonly acknowledged: number;
    readonly head: HeadAnswer;
    /** The last place this mailbox may read, when a commit took it out; else null. */
    readonly until: number | null;
    /** The number of the newest note; 0: none. */
    readonly notes?: number;
    /** As in `LogAnswer`. */
    readonly hub?: B64;
  }[];
  readonly welcomes: number;
  readonly asks: number;
}

export interface WelcomeAnswer {
  readonly id: B64;
  readonly ref: B64;
  readonly room: B64;
  readonly seq: number;
  readonly payload: B64;
}

export interface SealedAnswer {
  readonly version: number;
  readonly body: B64;
}
