/** Intakes: the same bytes as the node's, and asks that only the members open. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { fromHex, toB64, toHex } from "../src/bytes/text.ts";
import * as keys from "../src/client/intake-keys.ts";

const vectors = JSON.parse(readFileSync(new URL("../../tests/vectors/intake.json", import.meta.url), "utf-8"));
const b64 = (hex: string) => toB64(fromHex(hex));
const place = { node: b64(vectors.node), room: b64(vectors.room), key: b64(vectors.key) };
const secret = b64(vectors.secret);

test("what follows from a key is what the node computes", async () => {
  assert.equal(await keys.intakeKey(fromHex(vectors.secret)), place.key);
  assert.deepEqual(await keys.intakeParts(place.key), {
    id: b64(vectors.id),
    proof: b64(vectors.proof),
    proofHash: b64(vectors.proof_hash),
  });
  assert.equal(await keys.intakeCode(place), vectors.code);
  assert.deepEqual(keys.readPlace({ ...place, more: 1 }), place);
});

test("an ask that was sealed elsewhere opens", async () => {
  const opened = await keys.openAsk({ ...place, secret }, b64(vectors.ask.sealed));
  assert.deepEqual(opened, JSON.parse(vectors.ask.plain));
});

test("an ask opens with the secret, in its room, whole, and not otherwise", async () => {
  const said = { v: 1, ask: { note: "ä".repeat(400) } };
  const sealed = await keys.sealAsk(place, said);
  assert.deepEqual(await keys.openAsk({ ...place, secret }, sealed), said);
  const other = await keys.makeIntakeKey();
  assert.equal(await keys.openAsk({ ...place, secret: other.secret }, sealed), undefined);
  assert.equal(await keys.openAsk({ ...place, ...other }, sealed), undefined);
  assert.equal(await keys.openAsk({ ...place, secret, room: place.node }, sealed), undefined);
  for (const at of [0, 40, 60, sealed.length - 2]) {
    const letter = sealed[at] === "A" ? "B" : "A";
    const changed = sealed.slice(0, at) + letter + sealed.slice(at + 1);
    assert.equal(await keys.openAsk({ ...place, secret }, changed), undefined, `letter ${at}`);
  }
  for (const nothing of ["", "AAAA", toB64(new Uint8Array(32)), toB64(new Uint8Array(4200))])
    assert.equal(await keys.openAsk({ ...place, secret }, nothing), undefined);
});

test("how long an ask is tells nothing of its words", async () => {
  const sizes = new Set<number>();
  for (const words of ["", "a", "b".repeat(400), "ü".repeat(400)])
    sizes.add((await keys.sealAsk(place, { v: 1, ask: { note: words, name: words.slice(0, 64) } })).length);
  assert.equal(sizes.size, 1);
  await assert.rejects(keys.sealAsk(place, { v: 1, note: "a".repeat(13_000) }), { code: "too-long" });
});

test("a listing's place is taken only with sound keys", () => {
  assert.equal(keys.readPlace(null), undefined);
  assert.equal(keys.readPlace({ ...place, key: toB64(new Uint8Array(32)) }), undefined);
  assert.equal(keys.readPlace({ ...place, key: toHex(fromHex(vectors.key)) }), undefined);
  assert.equal(keys.readPlace({ node: place.node, key: place.key }), undefined);
});

test("a secret fits its own key alone", async () => {
  const other = await keys.makeIntakeKey();
  assert.equal(await keys.fits(place.key, secret), true);
  assert.equal(await keys.fits(other.key, secret), false);
  assert.equal(await keys.fits(place.key, "AAAA"), false);
});
