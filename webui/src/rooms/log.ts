/** The hub's log: whether an entry continues the chain, and whether a head is signed by the node. */
import { fields } from "../bytes/fields.ts";
import { fromB64, readB64, toB64 } from "../bytes/text.ts";
import { HASH_BYTES, ID_BYTES, SIGNATURE_BYTES } from "./bounds.ts";
import type { B64, LogEntry, LogFault, LogHead, LogPosition, Primitives } from "./types.ts";

/** Before the first entry. */
export const START: LogPosition = { seq: 0, time: 0, hash: toB64(new Uint8Array(HASH_BYTES)) };
const KINDS = { commit: 1, message: 2 } as const;

const isCount = (value: number): boolean => Number.isSafeInteger(value) && value >= 0;

/** SHA-256 over everything an entry says, its payload's hash and the entry before it. */
export async function entryHash(
  primitives: Primitives,
  room: B64,
  entry: Omit<LogEntry, "hash">,
  previous: B64,
): Promise<B64> {
  const { seq, time, kind, epoch, id, payload, payloadHash } = entry;
  const message = fields(
    "hedgerow log entry v1",
    fromB64(room),
    seq,
    time,
    Uint8Array.of(KINDS[kind]),
    epoch,
    fromB64(id, ID_BYTES),
    payload === null ? fromB64(payloadHash ?? "", HASH_BYTES) : await primitives.hash(payload),
    fromB64(previous, HASH_BYTES),
  );
  return toB64(await primitives.hash(message));
}

/** What is wrong with `entry` coming right after `position`, if anything. */
export async function entryFault(
  primitives: Primitives,
  room: B64,
  position: LogPosition,
  entry: LogEntry,
): Promise<LogFault | undefined> {
  const { seq, time, epoch, id, hash, payload } = entry;
  const shaped = isCount(seq) && isCount(time) && isCount(epoch) && entry.kind in KINDS;
  if (!shaped || !readB64(id, ID_BYTES) || !readB64(hash, HASH_BYTES)) return "shape";
  if (seq !== position.seq + 1) return "gap";
  if (time < position.time) return "time";
  if (payload === null && !readB64(entry.payloadHash, HASH_BYTES)) return "shape";
  return (await entryHash(primitives, room, entry, position.hash)) === hash ? undefined : "hash";
}

/** Whether the node with this Ed25519 key signed this head of this room. */
export async function headHolds(primitives: Primitives, node: B64, room: B64, head: LogHead): Promise<boolean> {
  const hash = readB64(head.hash, HASH_BYTES);
  const signature = readB64(head.signature, SIGNATURE_BYTES);
  const key = readB64(node, 32);
  if (!hash || !signature || !key || !isCount(head.seq) || !isCount(head.time)) return false;
  const message = fields("hedgerow log head v1", fromB64(room), head.seq, hash, head.time);
  return primitives.verify(key, message, signature);
}

/** Whether two heads of one log can't both be true: the hub told two stories. */
export function contradict(a: LogHead, b: LogHead): boolean {
  if (a.seq === b.seq) return a.hash !== b.hash || a.time !== b.time;
  return a.seq < b.seq ? a.time > b.time : b.time > a.time;
}
