/** The platform's crypto (WebCrypto, the same in browsers, workers and Node.js) behind a few plain functions. */
import { ascii, concat, own } from "./bytes.ts";
import { isSoundEd25519 } from "./curve.ts";
import { fromB64, toB64 } from "./text.ts";

const subtle = (): SubtleCrypto => globalThis.crypto.subtle;
const NONCE = 12;
/** What stands before the 32 bytes of an Ed25519 seed in PKCS #8 (RFC 8410). */
const PKCS8 = Uint8Array.of(0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20);

export function random(length: number): Uint8Array {
  return globalThis.crypto.getRandomValues(new Uint8Array(length));
}

/** SHA-256. */
export async function hash(bytes: Uint8Array): Promise<Uint8Array> {
  return new Uint8Array(await subtle().digest("SHA-256", own(bytes)));
}

/** HKDF-SHA256 with an empty salt. */
export async function derive(secret: Uint8Array, info: Uint8Array | string, length: number): Promise<Uint8Array> {
  const key = await subtle().importKey("raw", own(secret), "HKDF", false, ["deriveBits"]);
  const bytes = typeof info === "string" ? ascii(info) : info;
  const parameters = { name: "HKDF", hash: "SHA-256", salt: new Uint8Array(), info: own(bytes) };
  return new Uint8Array(await subtle().deriveBits(parameters, key, length * 8));
}

function importSeed(seed: Uint8Array, extractable: boolean): Promise<CryptoKey> {
  if (seed.length !== 32) throw new RangeError("an Ed25519 seed has 32 bytes");
  return subtle().importKey("pkcs8", own(concat(PKCS8, seed)), "Ed25519", extractable, ["sign"]);
}

/** The Ed25519 public key (32 bytes) of a 32-byte seed. */
export async function publicKey(seed: Uint8Array): Promise<Uint8Array> {
  const { x } = await subtle().exportKey("jwk", await importSeed(seed, true));
  return fromB64(x ?? "", 32);
}

/** An Ed25519 signature (64 bytes). */
export async function sign(seed: Uint8Array, message: Uint8Array): Promise<Uint8Array> {
  return new Uint8Array(await subtle().sign("Ed25519", await importSeed(seed, false), own(message)));
}

/** Imported verification keys: a room sees the same few again and again. */
const verifiers = new Map<string, CryptoKey>();
const VERIFIERS_MAX = 512;

async function verifier(key: Uint8Array): Promise<CryptoKey> {
  const name = toB64(key);
  let imported = verifiers.get(name);
  if (imported === undefined) {
    imported = await subtle().importKey("raw", own(key), "Ed25519", false, ["verify"]);
    if (verifiers.size >= VERIFIERS_MAX) verifiers.clear();
    verifiers.set(name, imported);
  }
  return imported;
}

/** Whether an Ed25519 signature holds; false for anything malformed and for unsound keys. */
export async function verify(key: Uint8Array, message: Uint8Array, signature: Uint8Array): Promise<boolean> {
  if (!isSoundEd25519(key) || signature.length !== 64) return false;
  try {
    return await subtle().verify("Ed25519", await verifier(key), own(signature), own(message));
  } catch {
    return false;
  }
}

/** AES-GCM with the key's length deciding between 128 and 256 bits, and a 12-byte nonce that is never used again. */
export async function seal(
  key: Uint8Array,
  nonce: Uint8Array,
  plaintext: Uint8Array,
  data: Uint8Array = new Uint8Array(),
): Promise<Uint8Array> {
  if (nonce.length !== NONCE) throw new RangeError("a nonce has 12 bytes");
  const imported = await subtle().importKey("raw", own(key), "AES-GCM", false, ["encrypt"]);
  const parameters = { name: "AES-GCM", iv: own(nonce), additionalData: own(data) };
  return new Uint8Array(await subtle().encrypt(parameters, imported, own(plaintext)));
}

/** Throws when the sealed bytes were not made with this key, nonce and data. */
export async function open(
  key: Uint8Array,
  nonce: Uint8Array,
  sealed: Uint8Array,
  data: Uint8Array = new Uint8Array(),
): Promise<Uint8Array> {
  if (nonce.length !== NONCE) throw new RangeError("a nonce has 12 bytes");
  const imported = await subtle().importKey("raw", own(key), "AES-GCM", false, ["decrypt"]);
  const parameters = { name: "AES-GCM", iv: own(nonce), additionalData: own(data) };
  return new Uint8Array(await subtle().decrypt(parameters, imported, own(sealed)));
}
