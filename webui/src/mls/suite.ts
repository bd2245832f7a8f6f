/**
 * Cipher suite 0x0001 (X25519, AES-128-GCM, SHA-256, Ed25519) over WebCrypto, as the engine wants it. The library's own
 * providers know nineteen suites and drag in a package for each; this is the only one rooms use.
 */
import { Aes128Gcm, CipherSuite, DhkemX25519HkdfSha256, HkdfSha256 } from "@hpke/core";
import type { CiphersuiteImpl } from "ts-mls/crypto/ciphersuite.js";
import { makeGenericHpke } from "ts-mls/crypto/implementation/hpke.js";
import { concat, own } from "../bytes/bytes.ts";
import * as webcrypto from "../bytes/webcrypto.ts";

export const SUITE_NAME = "MLS_128_DHKEMX25519_AES128GCM_SHA256_Ed25519";
const HASH_BYTES = 32;

async function mac(key: Uint8Array, data: Uint8Array): Promise<Uint8Array> {
  const algorithm = { name: "HMAC", hash: "SHA-256" };
  const imported = await crypto.subtle.importKey("raw", own(key), algorithm, false, ["sign"]);
  return new Uint8Array(await crypto.subtle.sign("HMAC", imported, own(data)));
}

async function verifyMac(key: Uint8Array, tag: Uint8Array, data: Uint8Array): Promise<boolean> {
  const algorithm = { name: "HMAC", hash: "SHA-256" };
  const imported = await crypto.subtle.importKey("raw", own(key), algorithm, false, ["verify"]);
  return crypto.subtle.verify("HMAC", imported, own(tag), own(data));
}

/** HKDF-Expand (RFC 5869 section 2.3). MLS asks for one block nearly always. */
async function expand(key: Uint8Array, info: Uint8Array, length: number): Promise<Uint8Array> {
  let block: Uint8Array = new Uint8Array();
  const blocks: Uint8Array[] = [];
  for (let at = 0; at < length; at += HASH_BYTES) {
    block = await mac(key, concat(block, info, Uint8Array.of(blocks.length + 1)));
    blocks.push(block);
  }
  return concat(...blocks).slice(0, length);
}

const AEAD = {
  encrypt: (key: Uint8Array, nonce: Uint8Array, data: Uint8Array, text: Uint8Array) =>
    webcrypto.seal(key, nonce, text, data),
  decrypt: (key: Uint8Array, nonce: Uint8Array, data: Uint8Array, sealed: Uint8Array) =>
    webcrypto.open(key, nonce, sealed, data),
};

async function keygen(): Promise<{ publicKey: Uint8Array; signKey: Uint8Array }> {
  const signKey = webcrypto.random(HASH_BYTES);
  return { signKey, publicKey: await webcrypto.publicKey(signKey) };
}

async function make(): Promise<CiphersuiteImpl> {
  const suite = new CipherSuite({
    kem: new DhkemX25519HkdfSha256(),
    kdf: new HkdfSha256(),
    aead: new Aes128Gcm(),
  });
  const algorithm = { kem: "DHKEM-X25519-HKDF-SHA256", kdf: "HKDF-SHA256", aead: "AES128GCM" } as const;
  return {
    name: SUITE_NAME,
    hash: { digest: webcrypto.hash, mac, verifyMac },
    kdf: {
      extract: (salt, secret) => mac(salt.length === 0 ? new Uint8Array(HASH_BYTES) : salt, secret),
      expand,
      size: HASH_BYTES,
    },
    signature: { sign: webcrypto.sign, verify: webcrypto.verify, keygen },
    rng: { randomBytes: webcrypto.random },
    hpke: await makeGenericHpke(algorithm, AEAD, suite),
  };
}

let made: Promise<CiphersuiteImpl> | undefined;

/** The suite; made once. */
export function suite(): Promise<CiphersuiteImpl> {
  made ??= make();
  return made;
}
