/** The rules of a room, and its id, which holds them. */
import { concat, equal } from "../bytes/bytes.ts";
import { canonicalBytes } from "../bytes/canonical.ts";
import { fromB64, toB64 } from "../bytes/text.ts";
import { APPROVALS_MAX, ROOM_BYTES } from "./bounds.ts";
import type { B64, Primitives, Rules } from "./types.ts";

/** Half of a room's id is chance, half is the hash of its rules. */
const HALF = ROOM_BYTES / 2;
/** Up to so many members two vouch for a newcomer, above it three. */
const FEW = 10;

/** Rules out of a stranger's JSON. */
export function readRules(value: unknown): Rules | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  const { approvals, kind, version, ...rest } = value as Record<string, unknown>;
  const number = typeof approvals === "number" && Number.isInteger(approvals) && approvals > 0;
  if (approvals !== "auto" && !(number && approvals <= APPROVALS_MAX)) return undefined;
  if ((kind !== "pair" && kind !== "room") || version !== 1 || Object.keys(rest).length > 0) return undefined;
  return { approvals: approvals as Rules["approvals"], kind, version };
}

async function rulesHash(primitives: Primitives, rules: Rules): Promise<Uint8Array> {
  return (await primitives.hash(canonicalBytes(rules))).slice(0, HALF);
}

/** A new room's id: 16 random bytes and the first 16 of the rules' SHA-256. */
export async function makeRoomId(primitives: Primitives, rules: Rules): Promise<B64> {
  return toB64(concat(primitives.random(HALF), await rulesHash(primitives, rules)));
}

/** Whether a room with this id has these rules and can have no others. */
export async function isRoomOf(primitives: Primitives, room: B64, rules: Rules): Promise<boolean> {
  return equal(fromB64(room, ROOM_BYTES).slice(HALF), await rulesHash(primitives, rules));
}

/** How many of `members` members must vouch for one more. */
export function approvalsNeeded(rules: Rules, members: number): number {
  const wanted = rules.approvals === "auto" ? (members <= FEW ? 2 : 3) : rules.approvals;
  return Math.max(1, Math.min(wanted, members));
}

/** How many votes take one of `members` members out: more than half of the others. */
export function votesNeeded(members: number): number {
  return Math.floor((members - 1) / 2) + 1;
}
