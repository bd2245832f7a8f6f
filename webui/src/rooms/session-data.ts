/** Everything a session remembers: a plain value. The session class lends it methods; other files compute with it. */
import type { MlsState, OpenedCommit } from "../mls/types.ts";
import type { B64, Change, LogPosition, Policy, Proofs, Session, Submission, View } from "./types.ts";

/** An own commit that waits for the log. */
export type Pending = {
  readonly submission: Omit<Submission, "seen">;
  /** The state if it is accepted, and what the judge has to look at then. */
  readonly next: MlsState;
  readonly opened: OpenedCommit;
  readonly proofs: Proofs;
  /** The view that newcomers were given, as canonical JSON; undefined when nobody is added. */
  readonly given: string | undefined;
  /** Whether it brings this device fresh keys. */
  readonly fresh: boolean;
  /** In memory only: to be overwritten when the commit is adopted. */
  readonly spent: readonly Uint8Array[];
};

export type Unsent = { readonly submission: Omit<Submission, "seen">; readonly event: Uint8Array };

export type SessionData = {
  readonly room: B64;
  readonly identity: B64;
  readonly mailbox: B64;
  readonly leaf: B64;
  readonly mls: MlsState;
  readonly position: LogPosition;
  readonly policy: Policy;
  readonly view: View;
  readonly inside: boolean;
  readonly skipped: Session["skipped"];
  readonly pending: Pending | undefined;
  readonly unsent: readonly Unsent[];
  /** The epoch in which this device came: it reads nothing older. */
  readonly joined: number;
  /** Whether the keys of the KeyPackage that brought this device in have been replaced. */
  readonly fresh: boolean;
  /** Whether a newcomer was given an older view than the room had when the commit was accepted. */
  readonly owes: boolean;
  /** A commit of this epoch could not be followed, though others may have; and: others evidently have. */
  readonly doubt: boolean;
  readonly lost: boolean;
};

/** What an entry made of the data. */
export type Step = {
  readonly data: SessionData;
  readonly changes: readonly Change[];
  readonly spent: readonly Uint8Array[];
};
