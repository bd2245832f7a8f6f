/** Rules, credentials, statements, events, snapshots and the log: any bytes in, the one right value or none out. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { canonicalBytes } from "../src/bytes/canonical.ts";
import { CONTENT_MAX, pad } from "../src/bytes/padding.ts";
import { fromHex, toB64, toHex } from "../src/bytes/text.ts";
import * as webcrypto from "../src/bytes/webcrypto.ts";
import { isCertified, makeCredential, readCredential } from "../src/rooms/credentials.ts";
import { decodeEvent, encodeEvent } from "../src/rooms/events.ts";
import { contradict, entryFault, entryHash, headHolds, START } from "../src/rooms/log.ts";
import { openProofs, sealProofs } from "../src/rooms/proofs.ts";
import { approvalsNeeded, isRoomOf, makeRoomId, readRules, votesNeeded } from "../src/rooms/rules.ts";
import { encodeSnapshot, takeSnapshot } from "../src/rooms/snapshot.ts";
import type { Event, LogEntry, LogHead, Proofs, Rules } from "../src/rooms/types.ts";
import { verificationNumber } from "../src/rooms/verification.ts";
import { stateOf } from "./room-hostile.ts";
import { chance, newIdentity, REAL, ROOM, roomOf } from "./room-world.ts";
import { roomsVectors } from "./rooms-vectors.ts";

const b64 = (length: number): string => toB64(webcrypto.random(length));

test("a room's id holds its rules", async () => {
  const room = await makeRoomId(webcrypto, ROOM);
  assert.ok(await isRoomOf(webcrypto, room, ROOM));
  const others: Rules[] = [
    { ...ROOM, approvals: 1 },
    { ...ROOM, kind: "pair" },
  ];
  for (const other of others) assert.ok(!(await isRoomOf(webcrypto, room, other)));
  assert.notEqual(await makeRoomId(webcrypto, ROOM), room);
});

test("rules are read strictly", () => {
  assert.deepEqual(readRules({ approvals: 3, kind: "room", version: 1 }), { approvals: 3, kind: "room", version: 1 });
  const wrong = [null, 1, {}, { ...ROOM, version: 2 }, { ...ROOM, approvals: 0 }, { ...ROOM, approvals: 21 }];
  for (const each of [...wrong, { ...ROOM, approvals: 1.5 }, { ...ROOM, kind: "club" }, { ...ROOM, more: 1 }]) {
    assert.equal(readRules(each), undefined, JSON.stringify(each));
  }
});

test("two vouch for a newcomer up to ten members, three above, never more than there are", () => {
  assert.deepEqual(
    [1, 2, 3, 10, 11, 50].map((members) => approvalsNeeded(ROOM, members)),
    [1, 2, 2, 2, 3, 3],
  );
  assert.deepEqual(
    [1, 4, 9].map((members) => approvalsNeeded({ ...ROOM, approvals: 5 }, members)),
    [1, 4, 5],
  );
  assert.deepEqual([2, 3, 4, 5, 11].map(votesNeeded), [1, 2, 2, 3, 6]);
});

test("a credential says whose the leaf is, for one room, key and mailbox", async () => {
  const me = await newIdentity(REAL, b64(32));
  const [key, mailbox] = [webcrypto.random(32), b64(16)];
  const credential = await makeCredential(webcrypto, me, mailbox, key);
  assert.equal(credential.length, 113);
  assert.deepEqual(readCredential(credential), { identity: me.identity, mailbox });
  assert.ok(await isCertified(webcrypto, me.room, { key, credential }));
  assert.ok(!(await isCertified(webcrypto, b64(32), { key, credential })));
  assert.ok(!(await isCertified(webcrypto, me.room, { key: webcrypto.random(32), credential })));
  for (let at = 0; at < credential.length; at += 8) {
    const turned = credential.slice();
    turned[at] = (turned[at] as number) ^ 1;
    assert.ok(!(await isCertified(webcrypto, me.room, { key, credential: turned })), `byte ${at}`);
  }
  assert.equal(readCredential(credential.slice(1)), undefined);
});

const EVENTS: Event[] = [
  { type: "message", id: b64(16), text: "two\nlines, and a tab\t.", reply_to: b64(16) },
  {
    type: "message",
    id: b64(16),
    text: "",
    attachments: [{ blob: b64(32), key: b64(32), size: 5, media: "image/png", name: "", width: 3, height: 4 }],
  },
  { type: "edit", id: b64(16), text: "" },
  { type: "delete", id: b64(16) },
  { type: "profile", version: 3, name: "Zoë 🌿", signature: b64(64) },
  { type: "title", text: "Tuesday evenings" },
  { type: "approval", identity: b64(32), ask: b64(16), expires: 5, signature: b64(64) },
  { type: "removal-vote", identity: b64(32), expires: 5, signature: b64(64) },
  { type: "leave", time: 5, signature: b64(64) },
  { type: "revocation", leaf: b64(32), signature: b64(64) },
  { type: "invitation", id: b64(16), expires: 7 },
  { type: "intake", node: b64(32), key: b64(32), secret: b64(32), open: true, expires: 7 },
  { type: "intake", node: b64(32), key: b64(32), open: false, expires: 0 },
  { type: "unknown", name: "circle-turn", value: { type: "circle-turn", turn: [1, "a"] } },
];

test("events come back as they were sent", () => {
  for (const event of EVENTS) assert.deepEqual(decodeEvent(encodeEvent(event)), event, event.type);
});

test("what is no event is refused", () => {
  const message = { type: "message", id: b64(16), text: "hello" };
  const wrong: unknown[] = [
    {},
    [],
    { ...message, text: "" },
    { ...message, text: 5 },
    { ...message, text: "a\u0000b" },
    { ...message, text: "x".repeat(16_385) },
    { ...message, text: "é".repeat(8193) },
    { ...message, id: b64(15) },
    { ...message, reply_to: "x" },
    { ...message, attachments: [{}] },
    { ...message, type: "Message" },
    { ...message, type: "__proto__ " },
    { type: "profile", version: -1, name: "a", signature: b64(64) },
    { type: "profile", version: 1, name: " ", signature: b64(64) },
    { type: "profile", version: 1, name: "a\nb", signature: b64(64) },
    { type: "profile", version: 1, name: "n".repeat(65), signature: b64(64) },
    { type: "title", text: "t".repeat(121) },
    { type: "snapshot", view: {} },
    { type: "intake", node: b64(32), key: b64(32), open: true, expires: 7 },
    { type: "intake", node: b64(32), key: b64(32), secret: b64(32), open: false, expires: 7 },
    { type: "intake", node: b64(32), key: b64(31), secret: b64(32), open: true, expires: 7 },
    { type: "intake", node: b64(32), key: b64(32), secret: b64(32), open: 1, expires: 7 },
    { type: "intake", node: b64(32), key: b64(32), secret: b64(32), open: true },
  ];
  for (const each of wrong)
    assert.equal(decodeEvent(pad(canonicalBytes(each))), undefined, JSON.stringify(each).slice(0, 80));
  assert.equal(decodeEvent(pad(new TextEncoder().encode('{"type": "delete"}'))), undefined);
  assert.equal(decodeEvent(webcrypto.random(256)), undefined);
  assert.throws(() => encodeEvent({ type: "title", text: "" }), TypeError);
  assert.throws(() => encodeEvent({ type: "unknown", name: "big", value: { x: "y".repeat(CONTENT_MAX) } }), RangeError);
  for (const name of ["constructor", "to-string", "valueof"]) {
    assert.equal(decodeEvent(pad(canonicalBytes({ type: name })))?.type, "unknown");
  }
});

test("any bytes are an event or none, without a surprise", () => {
  const seeds = EVENTS.map(encodeEvent);
  const random = chance(7);
  for (let round = 0; round < 3000; round++) {
    const bytes = (seeds[round % seeds.length] as Uint8Array).slice();
    for (let turns = 0; turns < 1 + (round % 4); turns++) {
      const at = Math.floor(random() * Math.min(bytes.length, 200));
      bytes[at] = round % 2 ? Math.floor(random() * 256) : 0x20 + Math.floor(random() * 95);
    }
    const event = decodeEvent(bytes);
    if (event !== undefined) assert.deepEqual(decodeEvent(encodeEvent(event)), event, `round ${round}`);
  }
});

test("proofs are read by whoever has the key, and nothing else passes for them", async () => {
  const key = webcrypto.random(32);
  const by = b64(32);
  const proofs: Proofs = {
    approvals: [{ by, identity: b64(32), ask: b64(16), expires: 9, signature: b64(64) }],
    votes: [],
    leaves: [],
    revocations: [{ by, leaf: b64(32), signature: b64(64) }],
    policy: b64(32),
  };
  const data = await sealProofs(webcrypto, key, proofs);
  assert.deepEqual(await openProofs(webcrypto, key, data), proofs);
  assert.equal(await openProofs(webcrypto, webcrypto.random(32), data), undefined);
  for (const at of [0, 1, 13, data.length - 1]) {
    const turned = data.slice();
    turned[at] = (turned[at] as number) ^ 1;
    assert.equal(await openProofs(webcrypto, key, turned), undefined);
  }
  const many = { ...proofs, approvals: Array.from({ length: 257 }, () => proofs.approvals[0]) } as Proofs;
  assert.equal(await openProofs(webcrypto, key, await sealProofs(webcrypto, key, many)), undefined);
  for (const short of [new Uint8Array(), data.slice(0, 13)])
    assert.equal(await openProofs(webcrypto, key, short), undefined);
});

test("a snapshot is taken only if it is about the tree it came with", async () => {
  const { all, hub } = await roomOf(3);
  const ada = all[0]?.in;
  assert.ok(ada && all[0]);
  const tree = REAL.engine.leaves(stateOf(all[0]));
  const whole = { policy: ada.policy, view: ada.view };
  const key = webcrypto.random(32);
  const none = { approvals: [], votes: [], leaves: [], revocations: [] };
  const proofsOf = async (policy: unknown) =>
    sealProofs(webcrypto, key, { ...none, policy: toB64(await webcrypto.hash(canonicalBytes(policy))) });
  const proofs = await proofsOf(ada.policy);
  const take = async (snapshot: { policy: unknown; view?: unknown }, room = hub.room, epoch = ada.epoch) =>
    takeSnapshot(
      webcrypto,
      room,
      epoch,
      tree,
      canonicalBytes({ ...snapshot, key: toB64(key) }),
      await proofsOf(snapshot.policy),
    );
  const given = encodeSnapshot(whole, key);
  assert.deepEqual(await takeSnapshot(webcrypto, hub.room, ada.epoch, tree, given, proofs), whole);
  assert.equal(await takeSnapshot(webcrypto, hub.room, ada.epoch, tree, undefined, proofs), undefined);
  // Another policy than the one the commit names, and proofs that the key does not open.
  const lie = encodeSnapshot({ ...whole, policy: { ...ada.policy, gone: [{ identity: b64(32), time: 5 }] } }, key);
  assert.equal(await takeSnapshot(webcrypto, hub.room, ada.epoch, tree, lie, proofs), undefined);
  assert.equal(await takeSnapshot(webcrypto, hub.room, ada.epoch, tree, given, webcrypto.random(99)), undefined);
  const { policy, view } = whole;
  const [first, second] = policy.members;
  const wrong = {
    "a member less": { policy: { ...policy, members: policy.members.slice(1) }, view },
    "a member twice": { policy: { ...policy, members: [...policy.members, first] }, view },
    "a leaf of another": {
      policy: { ...policy, members: [{ ...first, leaves: second?.leaves }, ...policy.members.slice(1)] },
      view,
    },
    "other rules": { policy: { ...policy, rules: { ...policy.rules, approvals: 1 } }, view },
    "a revoked leaf": { policy: { ...policy, revoked: [first?.leaves[0]?.key] }, view },
    "no view": { policy },
  };
  for (const [name, snapshot] of Object.entries(wrong)) assert.equal(await take(snapshot), undefined, name);
  assert.equal(await take(whole, b64(32)), undefined);
  assert.equal(await take(whole, hub.room, ada.epoch + 1), undefined);
  // A name that its owner did not sign is left out.
  const forged = Object.fromEntries(
    Object.entries(view.profiles).map(([by, each]) => [by, { ...each, name: "Mallory" }]),
  );
  assert.deepEqual((await take({ policy, view: { ...view, profiles: forged } }))?.view.profiles, {});
});

test("the number to compare is the same on both sides, and another for others", async () => {
  const [room, one, other] = [b64(32), b64(32), b64(32)];
  const number = await verificationNumber(webcrypto, room, one, other);
  assert.deepEqual(await verificationNumber(webcrypto, room, other, one), number);
  assert.ok(number.length === 12 && number.every((group) => /^\d{5}$/.test(group)));
  assert.notDeepEqual(await verificationNumber(webcrypto, room, one, b64(32)), number);
});

test("the log and its heads are those of the node's vectors", async () => {
  const path = join(import.meta.dirname, "..", "..", "tests", "vectors", "delivery.json");
  const vectors = JSON.parse(readFileSync(path, "utf8"));
  const hex = (text: string): string => toB64(fromHex(text));
  const room = hex(vectors.room);
  let position = START;
  for (const each of vectors.log) {
    const entry: LogEntry = { ...each, id: hex(each.id), hash: hex(each.hash), payload: fromHex(each.payload) };
    assert.equal(toHex(Buffer.from(await entryHash(webcrypto, room, entry, position.hash), "base64url")), each.hash);
    assert.equal(await entryFault(webcrypto, room, position, entry), undefined);
    const payloadHash = toB64(await webcrypto.hash(fromHex(each.payload)));
    assert.equal(await entryFault(webcrypto, room, position, { ...entry, payload: null, payloadHash }), undefined);
    assert.equal(
      await entryFault(webcrypto, room, position, { ...entry, payload: null, payloadHash: b64(32) }),
      "hash",
    );
    assert.equal(await entryFault(webcrypto, room, position, { ...entry, payload: null }), "shape");
    position = entry;
  }
  const heads: LogHead[] = vectors.heads.map((each: Record<string, string>) => ({
    ...each,
    hash: hex(each.hash as string),
    signature: hex(each.signature as string),
  }));
  for (const head of heads) {
    assert.ok(await headHolds(webcrypto, hex(vectors.node_id), room, head));
    assert.ok(!(await headHolds(webcrypto, hex(vectors.node_id), room, { ...head, seq: head.seq + 1 })));
    assert.ok(!(await headHolds(webcrypto, hex(vectors.node_id), b64(32), head)));
    assert.ok(!(await headHolds(webcrypto, b64(32), room, head)));
    assert.ok(!contradict(head, head) && contradict(head, { ...head, hash: b64(32) }));
  }
  const [early, late] = heads as [LogHead, LogHead];
  assert.ok(!contradict(early, late) && !contradict(late, early));
  assert.ok(contradict({ ...early, time: late.time + 1 }, late));
});

test("the golden bytes of rooms are what they were", async () => {
  const path = join(import.meta.dirname, "..", "..", "tests", "vectors", "rooms.json");
  assert.deepEqual(JSON.parse(readFileSync(path, "utf8")), await roomsVectors());
});
