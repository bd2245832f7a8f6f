/** What a session suggests its client do next, out of what it has seen. */
import { fromB64 } from "../bytes/text.ts";
import { approvalsNow } from "./fold.ts";
import { isPairFull, voteCounts } from "./judge.ts";
import { memberOf, present } from "./policy.ts";
import { approvalsNeeded, votesNeeded } from "./rules.ts";
import type { SessionData } from "./session-data.ts";
import type { B64, Need, Policy } from "./types.ts";

/**
 * The place of a device in the queue for one matter: all devices by their leaf keys, beginning where the matter's own
 * bytes point, so that the same device is not first every time and two are seldom first at once.
 */
export function rankOf(policy: Policy, leaf: B64, matter: B64, without?: B64): number {
  const queue = policy.members
    .filter(({ identity }) => identity !== without)
    .flatMap(({ leaves }) => leaves.map(({ key }) => key))
    .sort();
  const bytes = fromB64(matter);
  const start = (((bytes[0] ?? 0) << 8) | (bytes[1] ?? 0)) % Math.max(1, queue.length);
  const at = queue.indexOf(leaf);
  return at < 0 ? queue.length : (at - start + queue.length) % queue.length;
}

export function needsOf(data: SessionData, now: number): readonly Need[] {
  const { policy, view, leaf, identity } = data;
  if (!data.inside) return [];
  if (data.lost) return [{ type: "rejoin" }];
  const needs: Need[] = [];
  if (view.profiles[identity] === undefined) needs.push({ type: "profile" });
  if (data.owes) needs.push({ type: "snapshot" });
  if (data.pending !== undefined) return needs;
  if (!data.fresh) needs.push({ type: "refresh" });
  const time = Math.max(now, data.position.time);
  return [...needs, ...removals(data, time), ...admissions(policy, view.asks, leaf, time)];
}

function admissions(policy: Policy, asks: SessionData["view"]["asks"], leaf: B64, time: number): Need[] {
  const need = approvalsNeeded(policy.rules, present(policy).length);
  return asks
    .filter((ask) => approvalsNow(ask, policy, time).length >= need && !isPairFull(policy, [ask.ask.identity]))
    .map((ask) => ({ type: "admit", ask, rank: rankOf(policy, leaf, ask.ask.id) }));
}

function removals({ policy, view, leaf, identity }: SessionData, time: number): Need[] {
  const needs: Need[] = [];
  const need = votesNeeded(present(policy).length);
  for (const member of present(policy)) {
    // Nobody can take out the leaf they commit with; the others do it.
    if (member.identity === identity) continue;
    const votes = view.votes.filter((each) => each.identity === member.identity && voteCounts(policy, each, time));
    const leaves = view.leaves.some(({ by }) => by === member.identity);
    const rank = rankOf(policy, leaf, member.identity, member.identity);
    if (leaves || votes.length >= need) needs.push({ type: "remove", identity: member.identity, rank });
  }
  for (const { by, leaf: revoked } of view.revocations) {
    const alone = memberOf(policy, by)?.leaves.some(({ key }) => key === revoked) ?? false;
    const leaving = needs.some((each) => each.type === "remove" && each.identity === by);
    if (!alone || leaving || revoked === leaf) continue;
    needs.push({ type: "remove-device", identity: by, leaf: revoked, rank: rankOf(policy, leaf, revoked) });
  }
  return needs;
}
