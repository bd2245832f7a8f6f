import assert from "node:assert/strict";
import { test } from "node:test";
import { ratchetUntil } from "ts-mls/secretTree.js";
import { wipe } from "../src/bytes/bytes.ts";
import { toB64 } from "../src/bytes/text.ts";
import { random } from "../src/bytes/webcrypto.ts";
import { engine } from "../src/mls/engine.ts";
import { EPOCHS_KEPT, FORWARD_STEPS_MAX, GENERATIONS_KEPT, SETTINGS } from "../src/mls/settings.ts";
import { suite } from "../src/mls/suite.ts";
import type { MlsFault, MlsState } from "../src/mls/types.ts";

const NOW = Math.floor(Date.now() / 1000);
const NOTHING = new Uint8Array();
const words = (text: string): Uint8Array => new TextEncoder().encode(text);
const fresh = (name: string) => engine.makeKeyPackage(async () => words(name), NOW, 28);

async function groupOf(count: number): Promise<MlsState[]> {
  const founder = await fresh("0");
  let first = await engine.create(random(32), founder.secrets);
  const others = await Promise.all(Array.from({ length: count - 1 }, (_, index) => fresh(String(index + 1))));
  const made = await engine.commit(first, { add: others.map((each) => each.keyPackage), remove: [], data: NOTHING });
  first = engine.adopt(made.current, made.next);
  const welcome = made.welcome as Uint8Array;
  return [first, ...(await Promise.all(others.map(async (each) => (await engine.join(welcome, each.secrets)).state)))];
}

const fault = (is: MlsFault) => ({ fault: is });

test("a device joins by its Welcome, with what was put beside it, and all agree", async () => {
  const founder = await fresh("Ada");
  const state = await engine.create(random(32), founder.secrets);
  const second = await fresh("Ben");
  const plan = { add: [second.keyPackage], remove: [], data: words("proof"), forNewcomers: words("hello") };
  const made = await engine.commit(state, plan);
  const first = engine.adopt(made.current, made.next);
  const joined = await engine.join(made.welcome as Uint8Array, second.secrets);
  assert.deepEqual(joined.forNewcomers, words("hello"));
  assert.deepEqual(engine.authenticator(joined.state), engine.authenticator(first));
  assert.deepEqual(engine.leaves(joined.state), engine.leaves(first));
  assert.deepEqual(
    engine.leaves(first).map(({ credential }) => new TextDecoder().decode(credential)),
    ["Ada", "Ben"],
  );
  const about = ["label", words("context"), 32] as const;
  assert.deepEqual(await engine.exporter(first, ...about), await engine.exporter(joined.state, ...about));
  // Somebody else's Welcome, and one with a bit turned, lead nowhere.
  const third = await fresh("Cem");
  await assert.rejects(engine.join(made.welcome as Uint8Array, third.secrets), fault("broken"));
  const turned = (made.welcome as Uint8Array).slice();
  turned[turned.length - 1] = (turned.at(-1) as number) ^ 1;
  await assert.rejects(engine.join(turned, second.secrets), fault("broken"));
});

test("the sender is whom MLS names, also in past epochs", async () => {
  let [a, b, c] = (await groupOf(3)) as [MlsState, MlsState, MlsState];
  const early = await engine.seal(b, words("early"));
  b = early.state;
  const update = await engine.commit(a, { add: [], remove: [], data: NOTHING });
  a = engine.adopt(update.current, update.next);
  c = (await engine.apply(c, update.payload)).state;
  for (const state of [a, c]) {
    const opened = await engine.open(state, early.payload);
    assert.deepEqual([opened.sender.index, opened.plaintext], [1, words("early")]);
    await assert.rejects(engine.open(opened.state, early.payload), fault("used"));
  }
  await assert.rejects(engine.open(b, early.payload), fault("own"));
  const ahead = await engine.seal(a, words("ahead"));
  await assert.rejects(engine.open(b, ahead.payload), fault("too-new"));
});

test("three hundred messages may be overtaken, and no sender runs more than five thousand ahead", async () => {
  let [a, b] = (await groupOf(2)) as [MlsState, MlsState];
  const sent: Uint8Array[] = [];
  for (let count = 0; count < GENERATIONS_KEPT + 2; count++) {
    const sealed = await engine.seal(a, words(String(count)));
    a = sealed.state;
    sent.push(sealed.payload);
  }
  b = (await engine.open(b, sent.at(-1) as Uint8Array)).state;
  for (const index of [300, 1, 150, 299]) {
    const opened = await engine.open(b, sent[index] as Uint8Array);
    assert.deepEqual(opened.plaintext, words(String(index)));
    b = opened.state;
  }
  await assert.rejects(engine.open(b, sent[0] as Uint8Array), fault("used"));
  const start = { secret: random(32), generation: 0, unusedGenerations: {} };
  const until = async (generation: number) =>
    ratchetUntil(start, generation, SETTINGS.keyRetentionConfig, (await suite()).kdf);
  assert.equal((await until(FORWARD_STEPS_MAX))[0].generation, 5000);
  await assert.rejects(until(FORWARD_STEPS_MAX + 1), /too far in the future/);
});

test("messages of eight past epochs are read, older ones are not", async () => {
  let [a, b] = (await groupOf(2)) as [MlsState, MlsState];
  const early = await engine.seal(a, words("early"));
  a = early.state;
  for (let epoch = 1; epoch <= EPOCHS_KEPT + 1; epoch++) {
    const made = await engine.commit(a, { add: [], remove: [], data: NOTHING });
    a = engine.adopt(made.current, made.next);
    const applied = await engine.apply(b, made.payload);
    b = engine.decode(engine.encode(applied.state));
    if (epoch <= EPOCHS_KEPT) assert.deepEqual((await engine.open(b, early.payload)).plaintext, words("early"));
    else await assert.rejects(engine.open(b, early.payload), fault("too-old"));
  }
});

test("what was opened while an own commit waited stays opened, and can be wiped", async () => {
  let [a, b] = (await groupOf(2)) as [MlsState, MlsState];
  const made = await engine.commit(a, { add: [], remove: [], data: NOTHING });
  a = made.current;
  const one = await engine.seal(b, words("one"));
  b = one.state;
  const opened = await engine.open(a, one.payload);
  a = opened.state;
  wipe(opened.spent);
  a = engine.adopt(a, made.next);
  wipe(made.spent);
  await assert.rejects(engine.open(a, one.payload), fault("used"));
  const later = await engine.seal(b, words("two"));
  assert.deepEqual((await engine.open(a, later.payload)).plaintext, words("two"), "the chain of keys goes on");
  b = (await engine.apply(later.state, made.payload)).state;
  assert.deepEqual(engine.authenticator(a), engine.authenticator(b));
});

test("a second try in the same epoch does not encrypt with the same key", async () => {
  let [a, b] = (await groupOf(2)) as [MlsState, MlsState];
  const first = await engine.commit(a, { add: [], remove: [], data: words("first") });
  const second = await engine.commit(first.current, { add: [], remove: [], data: words("second") });
  // Receivers who opened and refused the first still open the second: refusing leaves their state as it was.
  assert.deepEqual((await engine.openCommit(b, first.payload)).data, words("first"));
  assert.deepEqual((await engine.openCommit(b, second.payload)).data, words("second"));
  b = (await engine.apply(b, second.payload)).state;
  a = engine.adopt(second.current, second.next);
  assert.deepEqual(engine.authenticator(a), engine.authenticator(b));
});

test("states survive being stored, and wiping one copy leaves the other", async () => {
  let [a, b] = (await groupOf(5)) as [MlsState, MlsState];
  const bytes = engine.encode(b);
  const before = bytes.slice();
  let copy = engine.decode(bytes);
  assert.deepEqual(engine.encode(copy), before);
  const sealed = await engine.seal(a, words("hello"));
  a = sealed.state;
  const opened = await engine.open(copy, sealed.payload);
  wipe(opened.spent);
  copy = opened.state;
  assert.deepEqual(bytes, before, "the stored bytes are not touched");
  assert.deepEqual((await engine.open(b, sealed.payload)).plaintext, words("hello"));
  for (const wrong of [bytes.slice(0, -1), new Uint8Array([...bytes, 0]), new Uint8Array()]) {
    assert.throws(() => engine.decode(wrong));
  }
});

test("a removed device knows it is out and reads nothing of the next epoch", async () => {
  let [a, b, c] = (await groupOf(3)) as [MlsState, MlsState, MlsState];
  const made = await engine.commit(a, { add: [], remove: [2], data: NOTHING });
  a = engine.adopt(made.current, made.next);
  b = (await engine.apply(b, made.payload)).state;
  const opened = await engine.openCommit(c, made.payload);
  assert.deepEqual(opened.proposals, [{ type: "remove", index: 2 }]);
  c = (await engine.apply(c, made.payload)).state;
  assert.ok(engine.isOut(c) && !engine.isOut(b));
  assert.equal(engine.leaves(c).length, 2);
  const sealed = await engine.seal(a, words("without you"));
  await assert.rejects(engine.open(c, sealed.payload), (error: { fault: MlsFault }) => error.fault !== undefined);
});

test("a slot that is filled again in the same commit does not hide the removal", async () => {
  const [a, b] = (await groupOf(2)) as [MlsState, MlsState];
  const third = await fresh("third");
  const made = await engine.commit(a, { add: [third.keyPackage], remove: [1], data: NOTHING });
  assert.ok(engine.isOut((await engine.apply(b, made.payload)).state));
  assert.equal(engine.ownIndex((await engine.join(made.welcome as Uint8Array, third.secrets)).state), 1);
});

test("KeyPackages are checked before anybody is asked to trust them", async () => {
  const made = await fresh("Ada");
  const read = await engine.readKeyPackage(made.keyPackage, NOW);
  assert.deepEqual(read.ref, made.ref);
  assert.deepEqual(read.leaf.credential, words("Ada"));
  // Whole days, so that nobody can tell which were made in the same second.
  assert.deepEqual([read.from % 86_400, read.until % 86_400], [0, 0]);
  assert.ok(NOW - 2 * 86_400 < read.from && read.from <= NOW - 86_400);
  assert.ok(NOW + 28 * 86_400 <= read.until && read.until < NOW + 29 * 86_400);
  for (const now of [NOW + 29 * 86_400, NOW - 3 * 86_400]) {
    await assert.rejects(engine.readKeyPackage(made.keyPackage, now), fault("broken"));
  }
  for (let at = 4; at < made.keyPackage.length; at += 7) {
    const turned = made.keyPackage.slice();
    turned[at] = (turned[at] as number) ^ 1;
    await assert.rejects(engine.readKeyPackage(turned, NOW), fault("broken"), `byte ${at}`);
  }
  await assert.rejects(engine.readKeyPackage(new Uint8Array([...made.keyPackage, 0]), NOW), fault("broken"));
});

test("mutated payloads are faults, never hangs or surprises", { timeout: 30_000 }, async () => {
  const [a, b] = (await groupOf(4)) as [MlsState, MlsState];
  const remove = await engine.commit(a, { add: [], remove: [3], data: words("proof") });
  const said = await engine.seal(a, words("hello"));
  let seed = 42;
  const next = (below: number): number => {
    seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0;
    return seed % below;
  };
  for (let round = 0; round < 300; round++) {
    const payload = (round % 2 ? remove : said).payload.slice();
    for (let turns = 0; turns <= next(3); turns++) payload[next(payload.length)] = next(256);
    const cut = payload.slice(0, next(10) === 0 ? next(payload.length) : payload.length);
    const same = toB64(cut) === toB64((round % 2 ? remove : said).payload);
    const run = round % 2 ? engine.apply(b, cut) : engine.open(b, cut);
    if (!same) await assert.rejects(run, (error: { fault?: MlsFault }) => error.fault !== undefined, `round ${round}`);
  }
});
