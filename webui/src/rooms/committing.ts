/** Makes commits that every other device will find allowed, or says why there can be none. */
import { canonical } from "../bytes/canonical.ts";
import { toB64 } from "../bytes/text.ts";
import type { Leaf, Proposal, ReadKeyPackage } from "../mls/types.ts";
import { ID_BYTES } from "./bounds.ts";
import { readCredential } from "./credentials.ts";
import { approvalsNow, foldCommit } from "./fold.ts";
import { type Verdict, weigh } from "./judge.ts";
import { memberOf, policyHash, stamp } from "./policy.ts";
import { sealProofs } from "./proofs.ts";
import { proofsKey } from "./receiving.ts";
import type { Pending, SessionData } from "./session-data.ts";
import { encodeSnapshot } from "./snapshot.ts";
import { type B64, type CommitWish, type Lent, type Proofs, type RefusalCode, WishError } from "./types.ts";

type Plan = {
  readonly add: readonly ReadKeyPackage[];
  readonly remove: readonly Leaf[];
  readonly proofs: Omit<Proofs, "policy">;
};

function refuse(code: RefusalCode, identity?: B64): never {
  throw new WishError({ code, ...(identity === undefined ? {} : { identity }) });
}

/** Turns a wish into leaves and statements, all out of what this device has seen. Throws WishError. */
function planOf({ engine }: Lent, data: SessionData, wish: CommitWish, time: number): Plan {
  const { policy, view } = data;
  const admitted = (wish.admit ?? []).map(({ ask, keyPackage }) => {
    const open = view.asks.find((each) => each.ask.id === ask);
    const owner = readCredential(keyPackage.leaf.credential);
    if (open === undefined || owner === undefined) return refuse("approvals");
    // The KeyPackage must be the one this ask speaks of, so that nobody can slip another person's in.
    if (owner.identity !== open.ask.identity || toB64(keyPackage.ref) !== open.ask.ref)
      return refuse("credential", owner.identity);
    return { keyPackage, approvals: approvalsNow(open, policy, time) };
  });
  const leavesOf = (identity: B64): readonly B64[] => memberOf(policy, identity)?.leaves.map(({ key }) => key) ?? [];
  const goners = new Set(wish.remove ?? []);
  const keys = new Set([...[...goners].flatMap(leavesOf), ...(wish.removeDevices ?? [])]);
  const tree = engine.leaves(data.mls);
  const remove = tree.filter(({ key }) => keys.has(toB64(key)));
  if (remove.length !== keys.size || [...goners].some((each) => leavesOf(each).length === 0)) return refuse("removal");
  return {
    add: [...admitted.map((each) => each.keyPackage), ...(wish.devices ?? []).map((each) => each.keyPackage)],
    remove,
    proofs: {
      approvals: admitted.flatMap((each) => each.approvals),
      votes: view.votes.filter((each) => goners.has(each.identity)),
      leaves: view.leaves.filter((each) => goners.has(each.by)),
      revocations: view.revocations.filter((each) => keys.has(each.leaf)),
    },
  };
}

/** Weighs the plan as the others will. Throws WishError. */
async function allowed({ engine, primitives }: Lent, data: SessionData, plan: Plan, time: number) {
  const before = engine.leaves(data.mls);
  const committer = before.find(({ key }) => toB64(key) === data.leaf);
  if (committer === undefined) return refuse("not-member");
  const added = plan.add.map(({ leaf }) => ({ ...leaf, index: -1 }));
  const gone = new Set(plan.remove.map(({ index }) => index));
  const after = [...before.filter(({ index }) => !gone.has(index)), ...added];
  const proposals: Proposal[] = [
    ...plan.remove.map(({ index }) => ({ type: "remove" as const, index })),
    ...plan.add.map(({ leaf, from, until }) => ({ type: "add" as const, leaf, from, until })),
  ];
  const { room, policy } = data;
  const verdict = await weigh(primitives, {
    room,
    policy,
    time,
    committer,
    proposals,
    before,
    after,
    proofs: plan.proofs,
  });
  if ("refusal" in verdict) throw new WishError(verdict.refusal);
  return { verdict, opened: { committer, proposals, data: new Uint8Array() } };
}

/** A commit for the current epoch. `now` in Unix seconds. Throws WishError. */
export async function makePending(lent: Lent, data: SessionData, wish: CommitWish, now: number) {
  const time = Math.max(now, data.position.time);
  const plan = planOf(lent, data, wish, time);
  const { verdict, opened } = await allowed(lent, data, plan, time);
  const { engine, primitives } = lent;
  const proofs = { ...plan.proofs, policy: await policyHash(primitives, verdict.policy) };
  const key = await proofsKey(lent, data.room, data.mls);
  const snapshot = plan.add.length > 0 ? forNewcomers(data, verdict, time, key) : undefined;
  const made = await engine.commit(data.mls, {
    add: plan.add.map(({ keyPackage }) => keyPackage),
    remove: plan.remove.map(({ index }) => index),
    data: await sealProofs(primitives, key, proofs),
    ...(snapshot === undefined ? {} : { forNewcomers: snapshot.bytes }),
  });
  const mailboxOf = ({ credential }: Omit<Leaf, "index">): B64 => readCredential(credential)?.mailbox as B64;
  const welcomes = plan.add.map(({ ref, leaf }) => ({
    ref: toB64(ref),
    payload: made.welcome as Uint8Array,
    mailbox: mailboxOf(leaf),
  }));
  const pending: Pending = {
    submission: {
      id: toB64(primitives.random(ID_BYTES)),
      kind: "commit",
      epoch: data.policy.epoch,
      payload: made.payload,
      welcomes,
      removes: plan.remove.map(mailboxOf),
    },
    next: made.next,
    opened,
    proofs,
    given: snapshot?.view,
    // Only commits with a path bring fresh keys: those that remove somebody, and empty ones.
    fresh: plan.remove.length > 0 || plan.add.length === 0,
    spent: made.spent,
  };
  return { mls: made.current, pending };
}

/** The snapshot of the room as it will be. The policy in it is not stamped: the newcomer takes the time from the log. */
function forNewcomers(data: SessionData, { policy, transition }: Verdict, time: number, key: Uint8Array) {
  const view = foldCommit(data.view, stamp(policy, time), time, transition.departed.length > 0);
  return { bytes: encodeSnapshot({ policy, view }, key), view: canonical(view) };
}
