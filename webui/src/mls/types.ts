/**
 * What an MLS engine (RFC 9420) must do for a room, and the values it speaks in. `mls/engine.ts` is the one engine; the
 * rules in `rooms/` only know this interface, so that tests can lend them another.
 *
 * Every call is a function of its arguments: it returns a new state and leaves the old one whole, so whoever calls may
 * apply, judge, and then keep either. `spent` lists secrets that nobody needs once the new state is kept; overwrite
 * them with `wipe` then, and not before.
 */

/** One group as one device sees it. Opaque: only an engine looks inside. */
export type MlsState = { readonly mls: unknown };

/** One device in the tree. */
export type Leaf = {
  readonly index: number;
  /** The leaf's Ed25519 signature key, 32 bytes. */
  readonly key: Uint8Array;
  /** The basic credential's identity bytes, as they stand in the tree. */
  readonly credential: Uint8Array;
};

/** What a commit proposes, as far as a room allows it; everything else is `other` and refused. */
export type Proposal =
  | { readonly type: "add"; readonly leaf: Omit<Leaf, "index">; readonly from: number; readonly until: number }
  | { readonly type: "remove"; readonly index: number }
  | { readonly type: "other"; readonly name: string };

/** A commit that was opened and whose signature holds, before anything of it is applied. */
export type OpenedCommit = {
  readonly committer: Leaf;
  readonly proposals: readonly Proposal[];
  /** The authenticated data, which the delivery service sees too. */
  readonly data: Uint8Array;
};

/** What a whole payload says on its outside. */
export type Envelope = {
  readonly group: Uint8Array;
  readonly epoch: number;
  readonly kind: "commit" | "message" | "proposal";
  /** The authenticated data, which everybody sees and only whoever opens the message can trust. */
  readonly data: Uint8Array;
};

/** Why a payload could not be used. `broken` says nothing more on purpose: the texts of a library are not for logs. */
export type MlsFault = "not-private" | "broken" | "too-old" | "too-new" | "own" | "used";

export class MlsError extends Error {
  readonly fault: MlsFault;
  constructor(fault: MlsFault) {
    super(fault);
    this.fault = fault;
  }
}

/** The secret halves of one KeyPackage: keep them sealed, use them once, then `wipe` them. */
export type KeyPackageSecrets = {
  readonly keyPackage: Uint8Array;
  /** X25519 keys as the engine encodes them, and the leaf's Ed25519 seed, 32 bytes. */
  readonly init: Uint8Array;
  readonly encryption: Uint8Array;
  readonly signature: Uint8Array;
};

export type MadeKeyPackage = {
  /** An MLSMessage of wire format mls_key_package. */
  readonly keyPackage: Uint8Array;
  /** RFC 9420 section 5.2: KeyPackageRef, 32 bytes. */
  readonly ref: Uint8Array;
  readonly secrets: KeyPackageSecrets;
};

/** A KeyPackage somebody else made, checked: signatures, suite, lifetime against `now`. */
export type ReadKeyPackage = {
  readonly keyPackage: Uint8Array;
  readonly ref: Uint8Array;
  readonly leaf: Omit<Leaf, "index">;
  readonly from: number;
  readonly until: number;
};

export type MadeCommit = {
  /** The state from which to go on until the log has decided: it never uses the commit's message key again. */
  readonly current: MlsState;
  /** The state to adopt (with `adopt`) when the log has accepted the commit. */
  readonly next: MlsState;
  readonly payload: Uint8Array;
  /** One Welcome for all that were added (an MLSMessage), absent when none were. */
  readonly welcome?: Uint8Array;
  readonly spent: readonly Uint8Array[];
};

export type CommitPlan = {
  /** KeyPackages (MLSMessages) to add, leaf indexes to remove. Both empty: only fresh keys. */
  readonly add: readonly Uint8Array[];
  readonly remove: readonly number[];
  /** Goes with the commit as authenticated data. */
  readonly data: Uint8Array;
  /** Goes with the Welcome, readable by the newcomers only (a GroupInfo extension). */
  readonly forNewcomers?: Uint8Array;
};

export interface Engine {
  /** Looks at a payload's outside without any key. Throws MlsError `not-private` or `broken`. */
  envelope(payload: Uint8Array): Envelope;
  /** `credential` gets the leaf key that was made; `now` in Unix seconds; valid for `days` (at most 84). */
  makeKeyPackage(
    credential: (leafKey: Uint8Array) => Promise<Uint8Array>,
    now: number,
    days: number,
  ): Promise<MadeKeyPackage>;
  readKeyPackage(keyPackage: Uint8Array, now: number): Promise<ReadKeyPackage>;
  /** A group of one, at epoch 0. */
  create(group: Uint8Array, own: KeyPackageSecrets): Promise<MlsState>;
  /** The tree must be inside the Welcome. Throws MlsError when anything of it does not hold. */
  join(welcome: Uint8Array, own: KeyPackageSecrets): Promise<{ state: MlsState; forNewcomers: Uint8Array | undefined }>;

  group(state: MlsState): Uint8Array;
  epoch(state: MlsState): number;
  /** All leaves, by rising index. */
  leaves(state: MlsState): readonly Leaf[];
  ownIndex(state: MlsState): number;
  /** Whether a commit took this device out. */
  isOut(state: MlsState): boolean;
  /** RFC 9420 section 8.5, of the current epoch. */
  exporter(state: MlsState, label: string, context: Uint8Array, length: number): Promise<Uint8Array>;
  /** The epoch authenticator, equal on all devices that agree. */
  authenticator(state: MlsState): Uint8Array;

  seal(
    state: MlsState,
    plaintext: Uint8Array,
  ): Promise<{ state: MlsState; payload: Uint8Array; spent: readonly Uint8Array[] }>;
  /** Opens an application message of this or one of the last eight epochs; the sender is what MLS says. */
  open(
    state: MlsState,
    payload: Uint8Array,
  ): Promise<{ state: MlsState; sender: Leaf; plaintext: Uint8Array; spent: readonly Uint8Array[] }>;

  commit(state: MlsState, plan: CommitPlan): Promise<MadeCommit>;
  /** Opens somebody else's commit and applies nothing. */
  openCommit(state: MlsState, payload: Uint8Array): Promise<OpenedCommit>;
  /** Applies a commit that `openCommit` has shown to hold allowed proposals only. */
  apply(state: MlsState, payload: Uint8Array): Promise<{ state: MlsState; spent: readonly Uint8Array[] }>;
  /** Makes `next` of an own commit the state, with what `current` has opened in the meantime. */
  adopt(current: MlsState, next: MlsState): MlsState;

  encode(state: MlsState): Uint8Array;
  decode(bytes: Uint8Array): MlsState;
}
