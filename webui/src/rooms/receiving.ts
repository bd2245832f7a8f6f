/** One entry of the log: opened, judged, folded. Every function returns new data and leaves the old whole. */
import { equal } from "../bytes/bytes.ts";
import { canonical } from "../bytes/canonical.ts";
import { fromB64, toB64 } from "../bytes/text.ts";
import { MlsError, type MlsState, type OpenedCommit } from "../mls/types.ts";
import { SKIPPED_MAX } from "./bounds.ts";
import { decodeEvent } from "./events.ts";
import { foldCommit, foldEvent, settle } from "./fold.ts";
import { forbidden, type How, judge, type Verdict } from "./judge.ts";
import { memberOf, ownerOf, stamp } from "./policy.ts";
import { EXPORTER_BYTES, EXPORTER_LABEL, openProofs } from "./proofs.ts";
import type { Pending, SessionData, Step } from "./session-data.ts";
import type { B64, Change, Lent, LogEntry, Policy, Proofs, Refusal, RefusalCode } from "./types.ts";

/** Messages of so many past epochs can be read (the engine keeps as many); senders seal older ones again. */
export const EPOCHS_READABLE = 8;
/** Refusals that may be this device's alone: the others may have gone on. */
const DOUBTFUL: readonly RefusalCode[] = ["broken", "pruned", "proofs", "policy-differs"];

/** The key that seals the proofs of the next commit. */
export function proofsKey({ engine }: Lent, room: B64, state: MlsState): Promise<Uint8Array> {
  return engine.exporter(state, EXPORTER_LABEL, fromB64(room), EXPORTER_BYTES);
}

/** An entry that continues the log (see `entryFault`). */
export async function receive(lent: Lent, data: SessionData, entry: LogEntry): Promise<Step> {
  const moved = { ...data, position: { seq: entry.seq, hash: entry.hash, time: entry.time } };
  if (!data.inside) return { data: moved, changes: [], spent: [] };
  const here = { ...moved, view: settle(data.view, data.policy, entry.time) };
  const epoch = lent.engine.epoch(here.mls);
  const ahead = here.doubt && entry.epoch > epoch ? { ...here, lost: true } : here;
  return entry.kind === "commit" ? receiveCommit(lent, ahead, entry) : receiveMessage(lent, ahead, entry);
}

// ---- commits

async function receiveCommit(lent: Lent, data: SessionData, entry: LogEntry): Promise<Step> {
  const { pending } = data;
  if (
    pending &&
    entry.id === pending.submission.id &&
    entry.payload &&
    equal(entry.payload, pending.submission.payload)
  )
    return receiveOwnCommit(lent, data, entry, pending);
  const outside = checkOutside(lent, data, entry);
  if (outside !== undefined) return skip(data, entry, { code: outside });
  const payload = entry.payload as Uint8Array;
  let opened: OpenedCommit;
  try {
    opened = await lent.engine.openCommit(data.mls, payload);
  } catch (error) {
    return skip(data, entry, { code: reason(error) });
  }
  const by = ownerOf(data.policy, toB64(opened.committer.key))?.identity;
  const early = forbidden(opened.proposals);
  if (early) return skip(data, entry, early, by);
  const key = await proofsKey(lent, data.room, data.mls);
  const proofs = await openProofs(lent.primitives, key, opened.data);
  if (proofs === undefined) return skip(data, entry, { code: "proofs" }, by);
  let applied: { state: MlsState; spent: readonly Uint8Array[] };
  try {
    applied = await lent.engine.apply(data.mls, payload);
  } catch (error) {
    return skip(data, entry, { code: reason(error) }, by);
  }
  const verdict = await judged(lent, data, entry, opened, proofs, applied.state);
  if ("refusal" in verdict) return skip(data, entry, verdict.refusal, by);
  return adopt(data, entry, verdict, by as B64, applied);
}

async function receiveOwnCommit(lent: Lent, data: SessionData, entry: LogEntry, pending: Pending): Promise<Step> {
  const { id } = pending.submission;
  const at = { seq: entry.seq, time: entry.time, id };
  const without = { ...data, pending: undefined };
  const verdict = await judged(lent, data, entry, pending.opened, pending.proofs, pending.next);
  if ("refusal" in verdict) {
    const skipped = skip(without, entry, verdict.refusal, data.identity);
    return { ...skipped, changes: [{ type: "commit-dropped", ...at, refusal: verdict.refusal }, ...skipped.changes] };
  }
  const state = lent.engine.adopt(data.mls, pending.next);
  const step = adopt(without, entry, verdict, data.identity, { state, spent: pending.spent });
  const older = pending.given !== undefined && pending.given !== canonical(step.data.view);
  const after = { ...step.data, fresh: data.fresh || pending.fresh, owes: data.owes || older };
  return { ...step, data: after, changes: [{ type: "commit-accepted", ...at }, ...step.changes] };
}

function judged(
  { engine, primitives }: Lent,
  { room, policy, mls }: SessionData,
  { time }: LogEntry,
  { committer, proposals }: OpenedCommit,
  proofs: Proofs,
  after: MlsState,
): Promise<Verdict | { readonly refusal: Refusal }> {
  const before = engine.leaves(mls);
  return judge(primitives, { room, policy, time, committer, proposals, before, after: engine.leaves(after), proofs });
}

/** What can be refused without opening anything. */
function checkOutside(
  { engine }: Lent,
  { room, mls }: SessionData,
  { payload, epoch }: LogEntry,
): RefusalCode | undefined {
  const current = engine.epoch(mls);
  if (epoch < current) return "late";
  if (epoch > current) return "wrong-epoch";
  if (payload === null) return "pruned";
  try {
    const outside = engine.envelope(payload);
    if (toB64(outside.group) !== room) return "wrong-room";
    if (outside.kind !== "commit") return "wrong-kind";
    return outside.epoch === epoch ? undefined : "wrong-epoch";
  } catch (error) {
    return reason(error);
  }
}

function reason(error: unknown): RefusalCode {
  if (!(error instanceof MlsError)) throw error;
  return error.fault === "not-private" ? "not-private" : "broken";
}

/** The commit counts for nobody: the room stays as it was. */
function skip(data: SessionData, { seq, time, epoch }: LogEntry, refusal: Refusal, by?: B64): Step {
  // A commit for an epoch that is over is nothing to tell anybody: the room has decided already.
  if (refusal.code === "late") return { data, changes: [], spent: [] };
  const note = { seq, time, ...(by === undefined ? {} : { by }), refusal };
  const skipped = [...data.skipped, note].slice(-SKIPPED_MAX);
  const doubt = data.doubt || (DOUBTFUL.includes(refusal.code) && epoch === data.policy.epoch);
  return { data: { ...data, skipped, doubt }, changes: [{ type: "skipped", ...note }], spent: [] };
}

function adopt(
  data: SessionData,
  { seq, time }: LogEntry,
  verdict: Verdict,
  by: B64,
  { state, spent }: { state: MlsState; spent: readonly Uint8Array[] },
): Step {
  const policy = stamp(verdict.policy, time);
  const inside = ownerOf(policy, data.leaf) !== undefined;
  const view = foldCommit(data.view, policy, time, verdict.transition.departed.length > 0);
  const changes = commitChanges(data, { seq, time, by }, verdict, view.profiles);
  const at = { seq, time };
  if (data.pending) changes.push({ type: "commit-dropped", ...at, id: data.pending.submission.id });
  if (!inside) changes.push({ type: "out", ...at, how: verdict.how.get(data.identity) ?? "revoked" });
  const after = { ...data, mls: state, policy, view, inside, pending: undefined, doubt: false, lost: false };
  return { data: after, changes, spent };
}

function commitChanges(
  data: SessionData,
  at: { seq: number; time: number; by: B64 },
  { transition, how }: Verdict,
  profiles: Readonly<Record<B64, { name: string }>>,
): Change[] {
  const changes: Change[] = [];
  const owner = (leaf: B64, policy: Policy): B64 => ownerOf(policy, leaf)?.identity ?? "";
  for (const leaf of transition.revoked) {
    changes.push({ type: "device-removed", ...at, identity: owner(leaf, data.policy), leaf });
  }
  for (const identity of transition.departed) {
    const name = data.view.profiles[identity]?.name ?? "";
    changes.push({ type: "removed", ...at, identity, name, how: how.get(identity) as How });
  }
  const announced = new Set<B64>();
  for (const { identity, leaf, vouched } of transition.added) {
    const stays = memberOf(data.policy, identity) !== undefined && !transition.departed.includes(identity);
    if (stays) changes.push({ type: "device-added", ...at, identity, leaf: leaf.key });
    else if (!announced.has(identity))
      changes.push({ type: "joined", ...at, identity, name: profiles[identity]?.name ?? "", vouched: vouched ?? [] });
    announced.add(identity);
  }
  return changes;
}

// ---- messages

type Unreadable = Extract<Change, { type: "unreadable" }>["why"];

async function receiveMessage(lent: Lent, data: SessionData, entry: LogEntry): Promise<Step> {
  const own = data.unsent.find(({ submission }) => submission.id === entry.id);
  if (own && entry.payload && equal(entry.payload, own.submission.payload))
    return receiveOwnMessage(lent, data, entry, own.event);
  const outside = messageOutside(lent, data, entry);
  if (outside !== undefined) return unreadable(data, entry, outside);
  try {
    const opened = await lent.engine.open(data.mls, entry.payload as Uint8Array);
    const used = { ...data, mls: opened.state };
    const sender = ownerOf(data.policy, toB64(opened.sender.key));
    if (sender === undefined) return { ...unreadable(used, entry, "not-member"), spent: opened.spent };
    return { ...(await fold(lent, used, entry, sender.identity, opened.plaintext)), spent: opened.spent };
  } catch (error) {
    return unreadable(data, entry, whyUnreadable(error, data, entry));
  }
}

async function receiveOwnMessage(lent: Lent, data: SessionData, entry: LogEntry, event: Uint8Array): Promise<Step> {
  const { seq, time, id } = entry;
  const rest = { ...data, unsent: data.unsent.filter(({ submission }) => submission.id !== id) };
  if (entry.epoch < data.policy.epoch - EPOCHS_READABLE) {
    const decoded = decodeEvent(event);
    return { data: rest, changes: decoded ? [{ type: "send-again", seq, time, id, event: decoded }] : [], spent: [] };
  }
  const step = await fold(lent, rest, entry, data.identity, event);
  return { ...step, changes: [{ type: "sent", seq, time, id }, ...step.changes] };
}

async function fold(
  { primitives }: Lent,
  data: SessionData,
  entry: LogEntry,
  by: B64,
  padded: Uint8Array,
): Promise<Step> {
  const event = decodeEvent(padded);
  if (event === undefined) return unreadable(data, entry, "event");
  const { room, policy } = data;
  const context = { primitives, room, policy, seq: entry.seq, time: entry.time, by };
  const { view, changes } = await foldEvent(context, data.view, event);
  return { data: { ...data, view }, changes, spent: [] };
}

function messageOutside({ engine }: Lent, data: SessionData, { payload, epoch }: LogEntry): Unreadable | undefined {
  if (epoch < data.joined) return "before-joining";
  if (payload === null) return "pruned";
  try {
    const outside = engine.envelope(payload);
    const fits = toB64(outside.group) === data.room && outside.epoch === epoch && outside.kind === "message";
    return fits ? undefined : "broken";
  } catch (error) {
    return reason(error) === "not-private" ? "not-private" : "broken";
  }
}

function whyUnreadable(error: unknown, data: SessionData, { epoch }: LogEntry): Unreadable {
  if (!(error instanceof MlsError)) throw error;
  if (error.fault === "too-old") return epoch < data.joined ? "before-joining" : "too-old";
  return error.fault === "used" || error.fault === "own" ? "used" : "broken";
}

function unreadable(data: SessionData, { seq, time }: LogEntry, why: Unreadable): Step {
  return { data, changes: [{ type: "unreadable", seq, time, why }], spent: [] };
}
