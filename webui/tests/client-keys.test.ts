import assert from "node:assert/strict";
import { test } from "node:test";
import { entropyToMnemonic } from "@scure/bip39";
import { wordlist } from "@scure/bip39/wordlists/english.js";
import { fromHex, toB64, toHex } from "../src/bytes/text.ts";
import { random } from "../src/bytes/webcrypto.ts";
import { paddedSize, padFile, unpadFile } from "../src/client/files.ts";
import { inviteParts, roomIdentity, Sealer } from "../src/client/keys.ts";
import { fold } from "../src/client/search.ts";
import { openAs, sealTo } from "../src/client/to-member.ts";
import { codeMatches, verificationCode } from "../src/client/verifying.ts";
import { fromWords, spoken, toWords, typedWords, unknownWords } from "../src/client/words.ts";

test("words are BIP 39's: its published examples, and a library's answers", async () => {
  // trezor/python-mnemonic, vectors.json.
  const known = "legal winner thank year wave sausage worth useful legal winner thank yellow";
  assert.equal((await toWords(fromHex("7f".repeat(16)))).join(" "), known);
  assert.equal(toHex((await fromWords(known.split(" "))) as Uint8Array), "7f".repeat(16));
  for (const size of [16, 32]) {
    for (let round = 0; round < 20; round++) {
      const secret = random(size);
      const words = await toWords(secret);
      assert.deepEqual(words, entropyToMnemonic(secret, wordlist).split(" "));
      assert.deepEqual(await fromWords(words), secret);
    }
  }
});

test("a wrong word, a lost word and swapped words are noticed", async () => {
  const words = await toWords(fromHex("00ff".repeat(16)));
  assert.equal(await fromWords(words.slice(1)), undefined);
  assert.equal(await fromWords(["zzzz", ...words.slice(1)]), undefined);
  assert.equal(await fromWords([...words].reverse()), undefined);
  assert.deepEqual(typedWords("  1. Legal,\n2. WINNER thank"), ["legal", "winner", "thank"]);
  assert.deepEqual(unknownWords(["legal", "winer"]), ["winer"]);
  assert.equal(spoken(new Uint8Array(9), 6), "abandon abandon abandon abandon abandon abandon");
});

test("what is sealed opens for the same purpose and secret only", async () => {
  const secret = random(32);
  const sealed = await new Sealer(secret, "one purpose").seal({ words: "hello" });
  assert.deepEqual(await new Sealer(secret, "one purpose").open(sealed), { words: "hello" });
  assert.equal(await new Sealer(secret, "another").open(sealed), undefined);
  assert.equal(await new Sealer(random(32), "one purpose").open(sealed), undefined);
  assert.equal(await new Sealer(secret, "one purpose").open("!"), undefined);
});

test("an invite's parts and a room's identity follow from the secret alone", async () => {
  const parts = await inviteParts(new Uint8Array(16));
  assert.deepEqual([parts.id, parts.proof], [(await inviteParts(new Uint8Array(16))).id, parts.proof]);
  assert.notEqual(parts.id, (await inviteParts(random(16))).id);
  const rooms = [toB64(random(32)), toB64(random(32))] as [string, string];
  const [one, other] = [
    await roomIdentity(new Uint8Array(32), rooms[0]),
    await roomIdentity(new Uint8Array(32), rooms[1]),
  ];
  assert.notEqual(one.identity, other.identity);
  assert.equal((await roomIdentity(new Uint8Array(32), rooms[0])).identity, one.identity);
});

test("words for one member open for that member in that room only", async () => {
  const room = toB64(random(32));
  const [ben, cleo] = [await roomIdentity(random(32), room), await roomIdentity(random(32), room)];
  const sealed = await sealTo(ben.identity, room, { secret: "s" });
  assert.deepEqual(await openAs(ben, room, sealed), { secret: "s" });
  assert.equal(await openAs(cleo, room, sealed), undefined);
  assert.equal(await openAs(ben, toB64(random(32)), sealed), undefined);
  for (const wrong of [undefined, "", "AAAA", toB64(new Uint8Array(80)), `${sealed.slice(0, -4)}AAAA`])
    assert.equal(await openAs(ben, room, wrong), undefined);
});

test("the sizes of files tell little, and padding comes off", () => {
  assert.equal(paddedSize(0), paddedSize(4000));
  for (const size of [1, 5_000, 100_001, 1_234_567, 9_000_000]) {
    assert.ok(paddedSize(size) >= size + 4 && paddedSize(size) <= (size + 4) * 1.26 + 4096, String(size));
  }
  const steps = new Set(Array.from({ length: 2000 }, (_, at) => paddedSize(at * 5000)));
  assert.ok(steps.size < 100, `${steps.size} sizes`);
  const file = random(60_000);
  assert.deepEqual(unpadFile(padFile(file)), file);
  assert.throws(() => unpadFile(Uint8Array.of(0, 0, 1, 0, 5)), { code: "gone" });
  assert.throws(() => unpadFile(new Uint8Array(2)), { code: "gone" });
});

test("a scanned code matches when it says the same of both, from the other side", () => {
  const theirs = verificationCode("room", "ben", "ann");
  assert.ok(codeMatches(theirs, "room", "ann", "ben"));
  assert.ok(!codeMatches(theirs, "room", "ben", "ann"));
  assert.ok(!codeMatches(verificationCode("room", "ben", "mallory"), "room", "ann", "ben"));
  assert.ok(!codeMatches(verificationCode("other", "ben", "ann"), "room", "ann", "ben"));
});

test("search makes no difference between cases and accents", () => {
  assert.equal(fold("Crème BRÛLÉE"), fold("creme brulee"));
  assert.equal(fold("Łódź ﬁne"), "łodz fine");
});
