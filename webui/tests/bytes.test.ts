import assert from "node:assert/strict";
import { test } from "node:test";
import { concat, equal, wipe } from "../src/bytes/bytes.ts";
import { canonical, canonicalBytes, readCanonical } from "../src/bytes/canonical.ts";
import { isSoundEd25519, isSoundX25519 } from "../src/bytes/curve.ts";
import { fields, u64 } from "../src/bytes/fields.ts";
import { BUCKETS, CONTENT_MAX, pad, unpad } from "../src/bytes/padding.ts";
import { fromB64, fromHex, readB64, toB64, toHex } from "../src/bytes/text.ts";
import * as webcrypto from "../src/bytes/webcrypto.ts";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

test("base64url is Node's, and has one form only", () => {
  for (let length = 0; length < 70; length++) {
    const some = webcrypto.random(length);
    const text = Buffer.from(some).toString("base64url");
    assert.equal(toB64(some), text);
    assert.deepEqual(fromB64(text), some);
  }
  assert.equal(readB64("AB"), undefined, "bits left over");
  for (const wrong of ["A", "AA==", "A+B/", "AA\n", "ÄÄ", 7, null, undefined]) assert.equal(readB64(wrong), undefined);
  assert.equal(readB64("AAAA", 4), undefined);
  assert.throws(() => fromB64("AAAA", 4), RangeError);
});

test("hexadecimal there and back", () => {
  assert.equal(toHex(Uint8Array.of(0, 15, 255)), "000fff");
  assert.deepEqual(fromHex("000fff"), Uint8Array.of(0, 15, 255));
  for (const wrong of ["0", "0G", "0F"]) assert.throws(() => fromHex(wrong), RangeError);
});

test("fields have their lengths in front", () => {
  assert.equal(toHex(fields("ab", Uint8Array.of(1), 258, "é")), "000261620001010008000000000000010200" + "02c3a9");
  assert.notDeepEqual(fields("a", "bc", "d"), fields("a", "b", "cd"));
  assert.throws(() => fields("a", new Uint8Array(65_536)), RangeError);
  for (const wrong of [-1, 0.5, 2 ** 53, Number.NaN]) assert.throws(() => u64(wrong), RangeError);
  assert.equal(toHex(u64(2 ** 53 - 1)), "001fffffffffffff");
});

test("bytes are joined, compared and wiped", () => {
  const one = Uint8Array.of(1, 2);
  assert.deepEqual(concat(one, new Uint8Array(), Uint8Array.of(3)), Uint8Array.of(1, 2, 3));
  assert.ok(equal(one, Uint8Array.of(1, 2)) && !equal(one, Uint8Array.of(1)) && !equal(one, Uint8Array.of(1, 3)));
  wipe([one]);
  assert.deepEqual(one, Uint8Array.of(0, 0));
});

test("canonical JSON sorts, and reads back nothing else", () => {
  assert.equal(canonical({ b: [1, "ü", null], a: { d: true, c: undefined } }), '{"a":{"d":true},"b":[1,"ü",null]}');
  for (const wrong of [0.5, -0, Number.NaN, 2 ** 53, () => 1, undefined, 1n, "\ud800", { "\ud800": 1 }]) {
    assert.throws(() => canonical(wrong), TypeError);
  }
  assert.deepEqual(readCanonical(canonicalBytes({ a: 1 })), { a: 1 });
  for (const wrong of ['{"a": 1}', '{"b":1,"a":2}', '{"a":1,"a":1}', "1.0", "1e3", "[1", '"\\u0061"', "", '{"a":1} ']) {
    assert.equal(readCanonical(bytes(wrong)), undefined, wrong);
  }
  assert.equal(readCanonical(Uint8Array.of(0x22, 0xff, 0x22)), undefined);
  assert.equal(readCanonical(bytes("\ufeff1")), undefined);
  assert.equal(readCanonical(bytes("[".repeat(100_000))), undefined);
  const proto = readCanonical(bytes('{"__proto__":{"x":1}}')) as Record<string, unknown> | undefined;
  assert.equal(({} as Record<string, unknown>).x, undefined);
  assert.ok(proto === undefined || Object.hasOwn(proto, "__proto__"));
});

test("padding has few sizes, one form, and a limit", () => {
  for (const length of [0, 1, 252, 253, 1020, 1021, 16_380, CONTENT_MAX]) {
    const padded = pad(new Uint8Array(length).fill(7));
    assert.ok(BUCKETS.includes(padded.length));
    assert.equal(unpad(padded)?.length, length);
  }
  assert.equal(pad(new Uint8Array(252)).length, 256);
  assert.equal(pad(new Uint8Array(253)).length, 1024);
  assert.throws(() => pad(new Uint8Array(CONTENT_MAX + 1)), RangeError);
  const sloppy = new Uint8Array(1024); // a short message in a long bucket
  sloppy[3] = 5;
  const talking = pad(Uint8Array.of(1));
  talking[255] = 1;
  const long = new Uint8Array(256);
  long[2] = 1;
  for (const wrong of [sloppy, talking, long, new Uint8Array(255), new Uint8Array()])
    assert.equal(unpad(wrong), undefined);
});

test("signatures hold, and unsound keys hold none", async () => {
  const seed = fromHex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60");
  const key = fromHex("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a");
  assert.deepEqual(await webcrypto.publicKey(seed), key); // RFC 8032 section 7.1, test 1
  const signature = await webcrypto.sign(seed, new Uint8Array());
  assert.equal(toHex(signature).slice(0, 16), "e5564300c360ac72");
  assert.ok(await webcrypto.verify(key, new Uint8Array(), signature));
  assert.ok(!(await webcrypto.verify(key, Uint8Array.of(1), signature)));
  // With a key of small order one signature fits many messages.
  for (const small of ["00".repeat(32), `01${"00".repeat(31)}`, `ec${"ff".repeat(30)}7f`, `ee${"ff".repeat(30)}7f`]) {
    assert.ok(!isSoundEd25519(fromHex(small)), small);
    assert.ok(!(await webcrypto.verify(fromHex(small), new Uint8Array(), new Uint8Array(64))));
  }
  assert.ok(!isSoundEd25519(fromHex("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa")));
  assert.ok(isSoundEd25519(key) && !isSoundEd25519(key.slice(1)));
  assert.ok(!(await webcrypto.verify(key.slice(1), new Uint8Array(), signature)));
  assert.ok(!(await webcrypto.verify(key, new Uint8Array(), signature.slice(1))));
});

test("X25519 keys that lead to nothing are found, as the platform finds them", async () => {
  const small = [
    "00".repeat(32),
    `01${"00".repeat(31)}`,
    "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
    "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
    `ec${"ff".repeat(30)}7f`,
    `ed${"ff".repeat(30)}7f`,
    `ee${"ff".repeat(30)}7f`,
  ];
  const pair = (await crypto.subtle.generateKey("X25519", false, ["deriveBits"])) as CryptoKeyPair;
  for (const each of small) {
    assert.ok(!isSoundX25519(fromHex(each)), each);
    const key = await crypto.subtle.importKey("raw", fromHex(each) as BufferSource, "X25519", false, []);
    await assert.rejects(crypto.subtle.deriveBits({ name: "X25519", public: key }, pair.privateKey, 256), each);
  }
  const good = new Uint8Array(await crypto.subtle.exportKey("raw", pair.publicKey));
  assert.ok(isSoundX25519(good));
});

test("keys are derived, and things sealed, as the standards say", async () => {
  const made = await webcrypto.derive(bytes("secret"), "hedgerow account key v1", 32);
  const { hkdfSync } = await import("node:crypto");
  assert.equal(
    toHex(made),
    Buffer.from(hkdfSync("sha256", "secret", "", "hedgerow account key v1", 32)).toString("hex"),
  );
  const nonce = webcrypto.random(12);
  const sealed = await webcrypto.seal(made, nonce, bytes("words"), bytes("about"));
  assert.deepEqual(await webcrypto.open(made, nonce, sealed, bytes("about")), bytes("words"));
  await assert.rejects(webcrypto.open(made, nonce, sealed));
  await assert.rejects(webcrypto.seal(made, webcrypto.random(11), bytes("words")), RangeError);
});
