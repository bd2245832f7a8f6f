/**
 * One device's view of one room: an immutable value. Whatever happens makes a new session and leaves the old one whole,
 * so a client saves the new one, and only then lets it speak or forgets the old one (`wipe` what was spent).
 */
import { canonicalBytes } from "../bytes/canonical.ts";
import { fields } from "../bytes/fields.ts";
import { CONTENT_MAX } from "../bytes/padding.ts";
import { fromB64, toB64 } from "../bytes/text.ts";
import { MlsError } from "../mls/types.ts";
import { ID_BYTES, STATEMENT_SECONDS } from "./bounds.ts";
import { makePending } from "./committing.ts";
import { readCredential } from "./credentials.ts";
import { encodeEvent } from "./events.ts";
import { emptyView } from "./fold.ts";
import { entryFault, START } from "./log.ts";
import { NOTES_BYTES, NOTES_LABEL } from "./moving.ts";
import { needsOf } from "./needs.ts";
import { foundingPolicy, memberOf, ownerOf, stamp } from "./policy.ts";
import { receive } from "./receiving.ts";
import type { SessionData } from "./session-data.ts";
import { takeSnapshot } from "./snapshot.ts";
import * as statements from "./statements.ts";
import { decodeData, encodeData } from "./stored.ts";
import type {
  B64,
  CommitWish,
  CreateRoom,
  Event,
  Handled,
  JoinRoom,
  Lent,
  LogEntry,
  LogPosition,
  Member,
  Need,
  RoomIdentity,
  Session,
  Submission,
  View,
} from "./types.ts";

const AGREEMENT_BYTES = 16;

class RoomSession implements Session {
  readonly #lent: Lent;
  readonly #data: SessionData;

  constructor(lent: Lent, data: SessionData) {
    this.#lent = lent;
    this.#data = data;
  }

  get room() {
    return this.#data.room;
  }
  get rules() {
    return this.#data.policy.rules;
  }
  get identity() {
    return this.#data.identity;
  }
  get mailbox() {
    return this.#data.mailbox;
  }
  get leaf() {
    return this.#data.leaf;
  }
  get epoch() {
    return this.#data.policy.epoch;
  }
  get position() {
    return this.#data.position;
  }
  get policy() {
    return this.#data.policy;
  }
  get view() {
    return this.#data.view;
  }
  get inside() {
    return this.#data.inside;
  }
  get skipped() {
    return this.#data.skipped;
  }
  get members(): readonly Member[] {
    const { policy, view, identity } = this.#data;
    return policy.members.map((member) => ({
      identity: member.identity,
      name: view.profiles[member.identity]?.name ?? "",
      since: member.since,
      vouched: member.vouched,
      leaves: member.leaves,
      self: member.identity === identity,
    }));
  }
  get pending(): Submission | undefined {
    const { pending, position } = this.#data;
    return pending && { ...pending.submission, seen: position.seq };
  }
  get unsent(): readonly Submission[] {
    const { unsent, position } = this.#data;
    return unsent.map(({ submission }) => ({ ...submission, seen: position.seq }));
  }

  async handle(entry: LogEntry): Promise<Handled<Session>> {
    const { room, position } = this.#data;
    const fault = await entryFault(this.#lent.primitives, room, position, entry);
    if (fault !== undefined) return { session: this, changes: [], spent: [], fault };
    const { data, changes, spent } = await receive(this.#lent, this.#data, entry);
    return { session: this.#with(data), changes, spent };
  }

  async sealEvent(event: Event) {
    this.#mustBeInside();
    const { engine, primitives } = this.#lent;
    const bytes = encodeEvent(event);
    const { state, payload, spent } = await engine.seal(this.#data.mls, bytes);
    const id = toB64(primitives.random(ID_BYTES));
    const submission = { id, kind: "message", epoch: this.epoch, payload, welcomes: [], removes: [] } as const;
    const unsent = [...this.#data.unsent, { submission, event: bytes }];
    const owes = this.#data.owes && event.type !== "snapshot";
    const session = this.#with({ ...this.#data, mls: state, unsent, owes });
    return { session, submission: { ...submission, seen: this.position.seq }, spent };
  }

  async commit(wish: CommitWish, now: number) {
    this.#mustBeInside();
    if (this.#data.pending !== undefined) throw new Error("a commit is waiting for the log already");
    const { mls, pending } = await makePending(this.#lent, this.#data, wish, now);
    const session = this.#with({ ...this.#data, mls, pending });
    // What the commit used up is still needed if the log takes another one: it is spent when this one is adopted.
    return { session, submission: { ...pending.submission, seen: this.position.seq }, spent: [] };
  }

  dropPending(): Session {
    return this.#with({ ...this.#data, pending: undefined });
  }

  dropUnsent(id: B64): Session {
    const unsent = this.#data.unsent.filter(({ submission }) => submission.id !== id);
    return this.#with({ ...this.#data, unsent });
  }

  async approve(me: RoomIdentity, ask: B64, now: number): Promise<Event> {
    const open = this.view.asks.find((each) => each.ask.id === ask);
    if (open === undefined) throw new RangeError("there is no such ask");
    const { identity } = open.ask;
    const went = this.policy.gone.find((each) => each.identity === identity)?.time ?? 0;
    const about = { identity, ask, expires: this.#after(now, went) + STATEMENT_SECONDS };
    const { by: _, ...said } = await statements.signApproval(this.#lent.primitives, this.#mine(me), about);
    return { type: "approval", ...said };
  }

  async voteToRemove(me: RoomIdentity, identity: B64, now: number): Promise<Event> {
    const member = memberOf(this.policy, identity);
    if (member === undefined || identity === me.identity) throw new RangeError("nobody to vote about");
    const about = { identity, expires: this.#after(now, member.since) + STATEMENT_SECONDS };
    const { by: _, ...said } = await statements.signRemoval(this.#lent.primitives, this.#mine(me), about);
    return { type: "removal-vote", ...said };
  }

  async leave(me: RoomIdentity, now: number): Promise<Event> {
    const time = this.#after(now, memberOf(this.policy, me.identity)?.since ?? 0);
    const { by: _, ...said } = await statements.signLeave(this.#lent.primitives, this.#mine(me), time);
    return { type: "leave", ...said };
  }

  async revoke(me: RoomIdentity, leaf: B64): Promise<Event> {
    if (ownerOf(this.policy, leaf)?.identity !== me.identity) throw new RangeError("not a device of one's own");
    const { by: _, ...said } = await statements.signRevocation(this.#lent.primitives, this.#mine(me), leaf);
    return { type: "revocation", ...said };
  }

  async profile(me: RoomIdentity, name: string): Promise<Event> {
    const version = (this.view.profiles[me.identity]?.version ?? 0) + 1;
    const { by: _, ...said } = await statements.signProfile(this.#lent.primitives, this.#mine(me), { version, name });
    return { type: "profile", ...said };
  }

  /** The view, without as many of the profiles as it takes to fit into a message (names come again by themselves). */
  snapshotEvent(): Event {
    let view: View = this.view;
    while (canonicalBytes({ type: "snapshot", view }).length > CONTENT_MAX) {
      const profiles = Object.entries(view.profiles);
      const half = Object.fromEntries(profiles.slice(Math.ceil(profiles.length / 2)));
      view = { ...view, profiles: half, asks: view.asks.slice(Math.ceil(view.asks.length / 2)), votes: [] };
    }
    return { type: "snapshot", view };
  }

  needs(now: number): readonly Need[] {
    return needsOf(this.#data, now);
  }

  async agreement(): Promise<Uint8Array> {
    const { engine, primitives } = this.#lent;
    const message = fields("hedgerow agreement v1", fromB64(this.room), engine.authenticator(this.#data.mls));
    return (await primitives.hash(message)).slice(0, AGREEMENT_BYTES);
  }

  noteKey(): Promise<Uint8Array> {
    return this.#lent.engine.exporter(this.#data.mls, NOTES_LABEL, fromB64(this.room), NOTES_BYTES);
  }

  rewind({ seq, hash, time }: LogPosition): Session {
    return this.#with({ ...this.#data, position: { seq, hash, time } });
  }

  encode(): Uint8Array {
    return encodeData(this.#lent.engine, this.#data);
  }

  #with(data: SessionData): RoomSession {
    return new RoomSession(this.#lent, data);
  }

  #mustBeInside(): void {
    if (!this.inside) throw new Error("this device is not in the room any more");
  }

  #mine(me: RoomIdentity): RoomIdentity {
    if (me.identity !== this.identity || me.room !== this.room) throw new RangeError("another room's identity");
    return me;
  }

  /** Now, as the log knows it, and after `moment`, whatever this device's clock says. */
  #after(now: number, moment: number): number {
    return Math.max(now, this.position.time, moment + 1);
  }
}

/** A new room with one member and one device. `own` is a KeyPackage made with `makeCredential` for this room. */
export async function createRoom(lent: Lent, { rules, me, own, mailbox, profile }: CreateRoom): Promise<Session> {
  const mls = await lent.engine.create(fromB64(me.room), own);
  const leaf = ownLeaf(lent, mls, me, mailbox);
  return new RoomSession(lent, {
    ...beginning(me, mailbox, leaf),
    mls,
    position: START,
    policy: foundingPolicy(rules, me.identity, { key: leaf, mailbox }),
    view: emptyView(profile),
    joined: 0,
    // Nobody has ever seen this KeyPackage.
    fresh: true,
  });
}

/** A room to which a Welcome leads. Throws MlsError `broken` when anything of it does not hold. */
export async function joinRoom(lent: Lent, { welcome, own, me, at }: JoinRoom): Promise<Session> {
  const { state, forNewcomers } = await lent.engine.join(welcome, own);
  const { engine, primitives } = lent;
  const epoch = engine.epoch(state);
  const fits = toB64(engine.group(state)) === me.room && at.kind === "commit" && at.epoch + 1 === epoch;
  if (!fits || at.payload === null) throw new MlsError("broken");
  const { data } = engine.envelope(at.payload);
  const snapshot = await takeSnapshot(primitives, me.room, epoch, engine.leaves(state), forNewcomers, data);
  if (snapshot === undefined) throw new MlsError("broken");
  const policy = stamp(snapshot.policy, at.time);
  const leaf = ownLeaf(lent, state, me);
  const mailbox = ownerOf(policy, leaf)?.leaves.find(({ key }) => key === leaf)?.mailbox;
  if (mailbox === undefined) throw new MlsError("broken");
  return new RoomSession(lent, {
    ...beginning(me, mailbox, leaf),
    mls: state,
    position: { seq: at.seq, hash: at.hash, time: at.time },
    policy,
    view: snapshot.view,
    joined: epoch,
    fresh: false,
  });
}

/** A session out of the vault. Throws RangeError for bytes of another version, MlsError for damaged ones. */
export async function decodeRoom(lent: Lent, bytes: Uint8Array): Promise<Session> {
  return new RoomSession(lent, decodeData(lent.engine, bytes));
}

function beginning({ room, identity }: RoomIdentity, mailbox: B64, leaf: B64) {
  const nothing = { skipped: [], pending: undefined, unsent: [], owes: false, doubt: false, lost: false };
  return { room, identity, mailbox, leaf, inside: true, ...nothing };
}

/** The key of the own leaf, after a look at whether it is the one that was meant. */
function ownLeaf({ engine }: Lent, state: SessionData["mls"], me: RoomIdentity, mailbox?: B64): B64 {
  const own = engine.leaves(state).find(({ index }) => index === engine.ownIndex(state));
  const owner = own && readCredential(own.credential);
  if (!own || owner?.identity !== me.identity || (mailbox !== undefined && owner.mailbox !== mailbox))
    throw new MlsError("broken");
  return toB64(own.key);
}
