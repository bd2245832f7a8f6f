/**
 * The judge: whether a commit is allowed. A pure function of the policy, the trees before and after, the proposals, the
 * proofs and the log's time, so that every device comes to the same verdict. It runs after the engine has applied the
 * commit to a copy and before that copy is adopted. `docs/protocol/rooms.md` lists the reasons.
 */
import { equal } from "../bytes/bytes.ts";
import { toB64 } from "../bytes/text.ts";
import type { Leaf, Proposal } from "../mls/types.ts";
import * as bounds from "./bounds.ts";
import { isCertified, type Owner, readCredential } from "./credentials.ts";
import { memberOf, ownerOf, policyHash, present, step, type Transition } from "./policy.ts";
import { approvalsNeeded, votesNeeded } from "./rules.ts";
import { approvalHolds, leaveHolds, removalHolds, revocationHolds } from "./statements.ts";
import type {
  Approval,
  B64,
  Policy,
  PolicyMember,
  Primitives,
  Proofs,
  Refusal,
  RefusalCode,
  RemovalVote,
} from "./types.ts";

export type Case = {
  readonly room: B64;
  readonly policy: Policy;
  /** The entry's time. */
  readonly time: number;
  readonly committer: Leaf;
  readonly proposals: readonly Proposal[];
  readonly before: readonly Leaf[];
  readonly after: readonly Leaf[];
  readonly proofs: Omit<Proofs, "policy">;
};
export type How = "left" | "voted" | "revoked";
export type Verdict = {
  /** Not stamped yet. */
  readonly policy: Policy;
  readonly transition: Transition;
  /** Why each removed device had to go, by its owner. */
  readonly how: ReadonlyMap<B64, How>;
};

class Refused extends Error {
  readonly refusal: Refusal;
  constructor(code: RefusalCode, about: Omit<Refusal, "code"> = {}) {
    super(code);
    this.refusal = { code, ...about };
  }
}

function must(condition: boolean, code: RefusalCode, about?: Omit<Refusal, "code">): asserts condition {
  if (!condition) throw new Refused(code, about);
}

/** The verdict on a received commit: `policy` is the hash that its proofs name. */
export async function judge(
  primitives: Primitives,
  it: Case & { readonly proofs: Proofs },
): Promise<Verdict | { readonly refusal: Refusal }> {
  const verdict = await weigh(primitives, it);
  if ("refusal" in verdict) return verdict;
  const hash = await policyHash(primitives, verdict.policy);
  return hash === it.proofs.policy ? verdict : { refusal: { code: "policy-differs" } };
}

/** As `judge`, for a commit that is only being planned: nobody has said what the policy will be. */
export async function weigh(primitives: Primitives, it: Case): Promise<Verdict | { readonly refusal: Refusal }> {
  try {
    checkProposals(it.proposals);
    const { added, removed } = difference(it);
    must(ownerOf(it.policy, toB64(it.committer.key)) !== undefined, "not-member");
    must(!removed.some(({ key }) => equal(key, it.committer.key)), "self-removal");
    const owners = await checkLeaves(primitives, it, added);
    const { departed, revoked, how } = await checkRemovals(primitives, it, removed);
    const additions = await checkAdditions(primitives, it, owners, departed);
    const transition = { added: additions, departed, revoked };
    const policy = step(it.policy, transition);
    must(present(policy).length <= bounds.MEMBERS_MAX, "room-full");
    return { policy, transition, how };
  } catch (error) {
    if (error instanceof Refused) return { refusal: error.refusal };
    throw error;
  }
}

/** The first thing to look at, before the engine applies anything. */
export function forbidden(proposals: readonly Proposal[]): Refusal | undefined {
  return proposals.some(({ type }) => type === "other") ? { code: "forbidden-proposal" } : undefined;
}

function checkProposals(proposals: readonly Proposal[]): void {
  const refusal = forbidden(proposals);
  if (refusal) throw new Refused(refusal.code);
}

/** Which leaves came and went; the proposals must say the same, and whoever stays must stay as they are. */
function difference({ proposals, before, after }: Case): { added: Leaf[]; removed: Leaf[] } {
  const old = new Map(before.map((leaf) => [toB64(leaf.key), leaf]));
  const now = new Map(after.map((leaf) => [toB64(leaf.key), leaf]));
  must(now.size === after.length, "leaf-twice");
  const added = after.filter((leaf) => !old.has(toB64(leaf.key)));
  const removed = before.filter((leaf) => !now.has(toB64(leaf.key)));
  for (const leaf of after) {
    const was = old.get(toB64(leaf.key));
    must(was === undefined || (was.index === leaf.index && equal(was.credential, leaf.credential)), "leaf-changed");
  }
  const adds = proposals.filter((each) => each.type === "add");
  const removes = proposals.filter((each) => each.type === "remove");
  must(adds.length === added.length && removes.length === removed.length, "leaf-changed");
  for (const { leaf } of adds) {
    const found = added.find(({ key }) => equal(key, leaf.key));
    must(found !== undefined && equal(found.credential, leaf.credential), "leaf-changed");
  }
  must(
    removed.every(({ index }) => removes.some((each) => each.index === index)),
    "leaf-changed",
  );
  return { added, removed };
}

type Newcomer = Owner & { readonly key: B64 };

/** Everything about new leaves that does not depend on who vouched for them. */
async function checkLeaves(primitives: Primitives, it: Case, added: readonly Leaf[]): Promise<Newcomer[]> {
  for (const each of it.proposals) {
    if (each.type !== "add") continue;
    must(each.from <= it.time + bounds.KEY_PACKAGE_AHEAD_SECONDS && it.time <= each.until, "lifetime");
  }
  const mailboxes = it.after.map(({ credential }) => readCredential(credential)?.mailbox);
  must(!mailboxes.includes(undefined), "credential");
  must(new Set(mailboxes).size === mailboxes.length, "leaf-twice");
  const newcomers: Newcomer[] = [];
  for (const leaf of added) {
    const owner = readCredential(leaf.credential);
    must(owner !== undefined, "credential");
    must(await isCertified(primitives, it.room, leaf), "certificate", { identity: owner.identity });
    const key = toB64(leaf.key);
    must(!it.policy.revoked.includes(key), "leaf-revoked", { identity: owner.identity });
    newcomers.push({ ...owner, key });
  }
  return newcomers;
}

type Removals = { departed: B64[]; revoked: B64[]; how: Map<B64, How> };

async function checkRemovals(primitives: Primitives, it: Case, removed: readonly Leaf[]): Promise<Removals> {
  const result: Removals = { departed: [], revoked: [], how: new Map() };
  const keys = new Set(removed.map(({ key }) => toB64(key)));
  for (const member of it.policy.members) {
    const out = member.leaves.map(({ key }) => key).filter((key) => keys.has(key));
    if (out.length === 0) continue;
    const how = await whyRemoved(primitives, it, member, out);
    result.how.set(member.identity, how);
    if (how === "revoked") result.revoked.push(...out);
    else result.departed.push(member.identity);
  }
  return result;
}

async function whyRemoved(primitives: Primitives, it: Case, member: PolicyMember, out: readonly B64[]): Promise<How> {
  const { identity } = member;
  const { revocations, leaves, votes } = it.proofs;
  const own = revocations.filter(({ by, leaf }) => by === identity && out.includes(leaf));
  const proven = new Set<B64>();
  for (const each of own) if (await revocationHolds(primitives, it.room, each)) proven.add(each.leaf);
  if (out.every((key) => proven.has(key))) return "revoked";
  // Whoever goes, goes with all their devices: a member with a device left could come back with another by themselves.
  must(out.length === member.leaves.length, "removal", { identity });
  for (const each of leaves) {
    if (
      each.by === identity &&
      isFresh(each.time, member.since, it.time) &&
      (await leaveHolds(primitives, it.room, each))
    )
      return "left";
  }
  const need = votesNeeded(present(it.policy).length);
  const voters = new Set<B64>();
  for (const each of votes) {
    if (each.identity !== identity || !voteCounts(it.policy, each, it.time)) continue;
    if (await removalHolds(primitives, it.room, each)) voters.add(each.by);
  }
  must(voters.size >= need, "removal", { identity, have: voters.size, need });
  return "voted";
}

/** Said after the member came, and not in the future. */
const isFresh = (said: number, since: number, now: number): boolean =>
  said > since && said <= now + bounds.CLOCK_SECONDS;

/** A statement that has not expired, and was not made to hold for longer than allowed. */
export function isValidNow(expires: number, now: number): boolean {
  return now < expires && expires <= now + bounds.STATEMENT_SECONDS + bounds.CLOCK_SECONDS;
}

const isPresent = (policy: Policy, identity: B64): boolean => (memberOf(policy, identity)?.leaves.length ?? 0) > 0;

/** Whether a vote counts if its signature holds: by another member, not over, and given after the member came. */
export function voteCounts(policy: Policy, vote: RemovalVote, now: number): boolean {
  const member = memberOf(policy, vote.identity);
  if (member === undefined || vote.by === vote.identity || !isPresent(policy, vote.by)) return false;
  return isValidNow(vote.expires, now) && vote.expires - bounds.STATEMENT_SECONDS > member.since;
}

/** Whether an approval counts if its signature holds: by a member, not over, and given after the newcomer last went. */
export function approvalCounts(policy: Policy, approval: Approval, now: number): boolean {
  const went = policy.gone.find(({ identity }) => identity === approval.identity)?.time ?? -1;
  const late = approval.expires - bounds.STATEMENT_SECONDS > went;
  return late && isPresent(policy, approval.by) && isValidNow(approval.expires, now);
}

/** A pair is for the two who were in it first: whether somebody else would be the third. */
export function isPairFull({ rules, members, gone }: Policy, newcomers: readonly B64[]): boolean {
  if (rules.kind !== "pair") return false;
  return new Set([...[...members, ...gone].map(({ identity }) => identity), ...newcomers]).size > 2;
}

async function checkAdditions(
  primitives: Primitives,
  it: Case,
  newcomers: readonly Newcomer[],
  departed: readonly B64[],
): Promise<Transition["added"]> {
  const added: { identity: B64; leaf: { key: B64; mailbox: B64 }; vouched?: readonly B64[] }[] = [];
  const vouchers = new Map<B64, readonly B64[]>();
  for (const { identity, key, mailbox } of newcomers) {
    const devices = newcomers.filter((each) => each.identity === identity).length;
    const member = departed.includes(identity) ? undefined : memberOf(it.policy, identity);
    must(devices + (member?.leaves.length ?? 0) <= bounds.DEVICES_MAX, "too-many-devices", { identity });
    const leaf = { key, mailbox };
    if (member !== undefined) {
      added.push({ identity, leaf });
      continue;
    }
    must(
      !isPairFull(
        it.policy,
        newcomers.map((each) => each.identity),
      ),
      "pair-full",
      { identity },
    );
    const vouched = vouchers.get(identity) ?? (await whoVouched(primitives, it, identity));
    vouchers.set(identity, vouched);
    added.push({ identity, leaf, vouched });
  }
  return added;
}

/** The members whose approvals count; all must be about the same ask. */
async function whoVouched(primitives: Primitives, it: Case, identity: B64): Promise<readonly B64[]> {
  const byAsk = new Map<B64, Set<B64>>();
  for (const each of it.proofs.approvals) {
    if (each.identity !== identity || !approvalCounts(it.policy, each, it.time)) continue;
    if (!(await approvalHolds(primitives, it.room, each))) continue;
    byAsk.set(each.ask, (byAsk.get(each.ask) ?? new Set()).add(each.by));
  }
  const need = approvalsNeeded(it.policy.rules, present(it.policy).length);
  const best = [...byAsk.values()].sort((a, b) => b.size - a.size)[0] ?? new Set<B64>();
  must(best.size >= need, "approvals", { identity, have: best.size, need });
  return [...best].sort();
}
