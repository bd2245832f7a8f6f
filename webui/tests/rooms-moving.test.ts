/** Moving a room: statements as in the golden vectors, who counts, and notes that only an epoch's members open. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { fromHex, toB64 } from "../src/bytes/text.ts";
import * as primitives from "../src/bytes/webcrypto.ts";
import {
  decided,
  epochOf,
  type MoveVote,
  moveHolds,
  openNote,
  readVote,
  sealNote,
  signMove,
} from "../src/rooms/moving.ts";

const golden = JSON.parse(readFileSync(new URL("../../tests/vectors/federation.json", import.meta.url), "utf8")).move;
const room = toB64(fromHex(golden.room));
const votes: MoveVote[] = golden.statements.map((text: string) => readVote(JSON.parse(text)));
const members: string[] = golden.members.map((hex: string) => toB64(fromHex(hex)));

test("golden statements hold, and decide", async () => {
  for (const vote of votes) {
    assert.ok(await moveHolds(primitives, room, vote));
    for (const change of [{ seq: 5 }, { number: 2 }, { hub: members[0] as string }, { by: members[2] as string }])
      assert.equal(await moveHolds(primitives, room, { ...vote, ...change }), false);
    assert.equal(await moveHolds(primitives, toB64(new Uint8Array(32)), vote), false);
  }
  const { hub } = votes[0] as MoveVote;
  assert.deepEqual(decided(votes, members, 0), { hub, number: 1, least: 4, votes });
});

test("only members who want one next move count, each once", () => {
  const [one, two] = votes as [MoveVote, MoveVote];
  const other = members[0] as string;
  assert.equal(decided([one], members, 0), undefined);
  assert.equal(decided([one, one, { ...one, seq: 9 }], members, 0), undefined);
  assert.equal(decided([one, two], [...members, other.toLowerCase()], 0), undefined, "half is not more than half");
  assert.equal(decided([one, two], members, 1), undefined, "that move was before");
  assert.equal(decided([one, { ...two, by: "somebody" }], members, 0), undefined);
  assert.equal(decided([one, two, { ...two, hub: other }], members, 0), undefined, "who wants two wants none");
  assert.equal(decided([one, { ...two, seq: 7 }], members, 0)?.least, 7);
  const later = [one, two].map((vote) => ({ ...vote, number: 3, hub: other }));
  assert.equal(decided([one, two, ...later], members, 0)?.hub, other);
});

test("votes are signed, sealed and opened in one epoch", async () => {
  const seed = new Uint8Array(32).fill(7);
  const me = { room, seed, identity: toB64(await primitives.publicKey(seed)) };
  const position = { seq: 12, hash: (votes[0] as MoveVote).hash, time: 5 };
  const vote = await signMove(primitives, me, { hub: members[1] as string, number: 2 }, position);
  assert.ok(await moveHolds(primitives, room, vote));
  const key = new Uint8Array(32).fill(1);
  const note = await sealNote(primitives, key, 6, vote);
  assert.equal(epochOf(note), 6);
  assert.deepEqual(await openNote(primitives, key, note), vote);
  assert.equal(await openNote(primitives, new Uint8Array(32), note), undefined);
  for (const damaged of [note.slice(0, 20), note.slice(0, -1), new Uint8Array(), Uint8Array.of(2, ...note.slice(1))])
    assert.ok(epochOf(damaged) === undefined || (await openNote(primitives, key, damaged)) === undefined);
  for (const value of [{ ...vote, number: 0 }, { ...vote, seq: -1 }, { ...vote, hub: "x" }, null, []])
    assert.equal(readVote(value), undefined);
});
