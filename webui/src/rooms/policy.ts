/**
 * The policy: what all members must agree on to judge a commit. It changes by adopted commits only. Its hash travels in
 * the proofs of every commit, taken before the hub's time is known, so whatever a commit itself brings carries time 0
 * in the hash and is stamped with the entry's time afterwards.
 */
import { canonicalBytes } from "../bytes/canonical.ts";
import { toB64 } from "../bytes/text.ts";
import { AWAY_SECONDS, GONE_SECONDS } from "./bounds.ts";
import type { B64, Policy, PolicyLeaf, PolicyMember, Primitives, Rules } from "./types.ts";

/** `away` of a member who has a device. */
export const PRESENT = -1;
/** A time that the hub has not said yet. */
export const UNSTAMPED = 0;

export const byKey = (a: PolicyLeaf, b: PolicyLeaf): number => (a.key < b.key ? -1 : 1);
const byIdentity = (a: { identity: B64 }, b: { identity: B64 }): number => (a.identity < b.identity ? -1 : 1);

/** The policy of a room that one member has just made. */
export function foundingPolicy(rules: Rules, identity: B64, leaf: PolicyLeaf): Policy {
  const founder = { identity, since: UNSTAMPED, vouched: [], leaves: [leaf], away: PRESENT };
  return { rules, epoch: 0, members: [founder], gone: [], revoked: [] };
}

/** Members who have a device: those who count, and can vouch and vote. */
export const present = (policy: Policy): readonly PolicyMember[] =>
  policy.members.filter((each) => each.leaves.length > 0);

export function memberOf(policy: Policy, identity: B64): PolicyMember | undefined {
  return policy.members.find((each) => each.identity === identity);
}

export function ownerOf(policy: Policy, leaf: B64): PolicyMember | undefined {
  return policy.members.find((each) => each.leaves.some(({ key }) => key === leaf));
}

/** What one commit does to the policy, as the judge has found it. */
export type Transition = {
  /** Devices that come, with their owners; `vouched` is set for owners who are new. */
  readonly added: readonly { readonly identity: B64; readonly leaf: PolicyLeaf; readonly vouched?: readonly B64[] }[];
  /** Members who go, with all their devices. */
  readonly departed: readonly B64[];
  /** Leaf keys that their owners revoked. */
  readonly revoked: readonly B64[];
};

/** The policy after a commit, before the hub's time is known. */
export function step(policy: Policy, { added, departed, revoked }: Transition): Policy {
  const members = policy.members
    .filter(({ identity }) => !departed.includes(identity))
    .map((member) => withLeaves(member, added, revoked));
  const newcomers = new Map<B64, PolicyMember>();
  for (const { identity, leaf, vouched } of added) {
    if (members.some((each) => each.identity === identity)) continue;
    const leaves = [...(newcomers.get(identity)?.leaves ?? []), leaf].sort(byKey);
    newcomers.set(identity, {
      identity,
      since: UNSTAMPED,
      vouched: [...(vouched ?? [])].sort(),
      leaves,
      away: PRESENT,
    });
  }
  const gone = policy.gone.filter(({ identity }) => !departed.includes(identity));
  return {
    rules: policy.rules,
    epoch: policy.epoch + 1,
    members: [...members, ...[...newcomers.values()].sort(byIdentity)],
    gone: [...gone, ...departed.map((identity) => ({ identity, time: UNSTAMPED }))].sort(byIdentity),
    revoked: [...new Set([...policy.revoked, ...revoked])].sort(),
  };
}

function withLeaves(member: PolicyMember, added: Transition["added"], revoked: readonly B64[]): PolicyMember {
  const kept = member.leaves.filter(({ key }) => !revoked.includes(key));
  const come = added.filter(({ identity }) => identity === member.identity).map(({ leaf }) => leaf);
  if (come.length === 0 && kept.length === member.leaves.length) return member;
  const leaves = [...kept, ...come].sort(byKey);
  return { ...member, leaves, away: leaves.length > 0 ? PRESENT : UNSTAMPED };
}

/** Fills in the time of the entry that brought the commit, and lets go of what is over by then. */
export function stamp(policy: Policy, time: number): Policy {
  const pair = policy.rules.kind === "pair";
  const members = policy.members
    .map((each) => ({
      ...each,
      since: each.since === UNSTAMPED ? time : each.since,
      away: each.away === UNSTAMPED ? time : each.away,
    }))
    .filter(({ away }) => away === PRESENT || away + AWAY_SECONDS > time);
  const gone = policy.gone
    .map((each) => ({ ...each, time: each.time === UNSTAMPED ? time : each.time }))
    .filter((each) => pair || each.time + GONE_SECONDS > time);
  return { ...policy, members, gone };
}

/** SHA-256 of the canonical JSON. */
export async function policyHash(primitives: Primitives, policy: Policy): Promise<B64> {
  return toB64(await primitives.hash(canonicalBytes(policy)));
}
