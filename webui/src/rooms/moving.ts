/**
 * The move of a room to another node, signed by more than half of its members, and the sealed notes in which they tell
 * one another beside the log. Each names the newest entry that its device has: the new node begins there or later.
 */
import { concat } from "../bytes/bytes.ts";
import { canonicalBytes, readCanonical } from "../bytes/canonical.ts";
import { fields, u64 } from "../bytes/fields.ts";
import { fromB64, toB64 } from "../bytes/text.ts";
import { HASH_BYTES, IDENTITY_BYTES } from "./bounds.ts";
import * as shapes from "./shapes.ts";
import type { B64, LogPosition, Primitives, RoomIdentity } from "./types.ts";

export const NOTES_LABEL = "hedgerow notes v1";
export const NOTES_BYTES = 32;
const VERSION = 1;
const NONCE_BYTES = 12;
const START = 1 + 8 + NONCE_BYTES;
const NUMBER_MAX = 1_000_000;

/** One member's word for a move. */
export type MoveVote = {
  readonly by: B64;
  /** The node that shall keep the room. */
  readonly hub: B64;
  /** 1 for a room's first move. */
  readonly number: number;
  readonly seq: number;
  readonly hash: B64;
  readonly signature: B64;
};
export type Decision = {
  readonly hub: B64;
  readonly number: number;
  /** The new node begins here or later. */
  readonly least: number;
  readonly votes: readonly MoveVote[];
};

export const readVote = shapes.record<MoveVote>({
  by: shapes.identity,
  hub: shapes.identity,
  number: (value) => shapes.whole(NUMBER_MAX)(value) || undefined,
  seq: shapes.whole(),
  hash: shapes.hash,
  signature: shapes.signature,
});

function messageOf(room: B64, { seq, hash, hub, number }: Omit<MoveVote, "by" | "signature">): Uint8Array {
  const where = fromB64(hub, IDENTITY_BYTES);
  return fields("hedgerow move v1", fromB64(room), seq, fromB64(hash, HASH_BYTES), where, number);
}

export async function signMove(
  primitives: Primitives,
  me: RoomIdentity,
  to: { hub: B64; number: number },
  { seq, hash }: LogPosition,
): Promise<MoveVote> {
  const said = { ...to, seq, hash };
  const signature = toB64(await primitives.sign(me.seed, messageOf(me.room, said)));
  return { by: me.identity, ...said, signature };
}

export const moveHolds = (primitives: Primitives, room: B64, vote: MoveVote): Promise<boolean> =>
  primitives.verify(fromB64(vote.by), messageOf(room, vote), fromB64(vote.signature));

/**
 * What more than half of the members have signed: of several moves the one with the highest number. `votes` hold
 * already. Who signed two nodes for one number has signed none; who signed one twice has signed it once.
 */
export function decided(votes: readonly MoveVote[], members: readonly B64[], moved: number): Decision | undefined {
  const counted = votes.filter(({ by, number }) => members.includes(by) && number > moved);
  const twice = (vote: MoveVote) =>
    counted.some(({ by, number, hub }) => by === vote.by && number === vote.number && hub !== vote.hub);
  const moves = new Map<string, MoveVote[]>();
  for (const vote of counted.filter((one) => !twice(one))) {
    const move = `${vote.number} ${vote.hub}`;
    moves.set(move, [...(moves.get(move) ?? []), vote]);
  }
  const enough = [...moves.values()].flatMap((its) => {
    const newest = new Map<B64, MoveVote>();
    for (const vote of its) if ((newest.get(vote.by)?.seq ?? -1) < vote.seq) newest.set(vote.by, vote);
    if (2 * newest.size <= new Set(members).size) return [];
    const { hub, number } = its[0] as MoveVote;
    const last = [...newest.values()];
    return [{ hub, number, least: Math.max(...last.map(({ seq }) => seq)), votes: last }];
  });
  return enough.sort((a, b) => b.number - a.number)[0];
}

/** `0x01 ‖ epoch (8) ‖ nonce (12) ‖ AES-256-GCM of canonical JSON`, under a key of that epoch. */
export async function sealNote(
  primitives: Primitives,
  key: Uint8Array,
  epoch: number,
  vote: MoveVote,
): Promise<Uint8Array> {
  const nonce = primitives.random(NONCE_BYTES);
  const sealed = await primitives.seal(key, nonce, canonicalBytes({ type: "move", ...vote }));
  return concat(Uint8Array.of(VERSION), u64(epoch), nonce, sealed);
}

/** The epoch in which a note was sealed; undefined for anything else. */
export function epochOf(note: Uint8Array): number | undefined {
  if (note.length <= START || note[0] !== VERSION) return undefined;
  const epoch = Number(new DataView(note.buffer, note.byteOffset + 1, 8).getBigUint64(0));
  return Number.isSafeInteger(epoch) ? epoch : undefined;
}

/** The vote in a note; undefined for anything else. Whether it holds is another question. */
export async function openNote(
  primitives: Primitives,
  key: Uint8Array,
  note: Uint8Array,
): Promise<MoveVote | undefined> {
  try {
    const opened = readCanonical(await primitives.open(key, note.subarray(1 + 8, START), note.subarray(START)));
    return shapes.asFields(opened)?.type === "move" ? readVote(opened) : undefined;
  } catch {
    return undefined;
  }
}
