/**
 * Words for one member inside a room: sealed to their room identity, so that the other members, who all receive the
 * event, can't read it. The identity is an Ed25519 key; the same key on the other form of the curve agrees on secrets
 * (RFC 7748 section 4.1, the map used by libsodium's sealed boxes).
 */
import { concat, own } from "../bytes/bytes.ts";
import { isSoundX25519 } from "../bytes/curve.ts";
import { fields } from "../bytes/fields.ts";
import { fromB64, readB64, toB64 } from "../bytes/text.ts";
import { hash } from "../bytes/webcrypto.ts";
import { Sealer } from "./keys.ts";

const P = 2n ** 255n - 19n;
const KEY = 32;
/** What stands before the 32 bytes of an X25519 key in PKCS #8 (RFC 8410). */
const PKCS8 = Uint8Array.of(0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x6e, 4, 0x22, 4, 0x20);

/** `ephemeral key ‖ sealed JSON`, for whoever holds the identity's seed. */
export async function sealTo(identity: string, room: string, value: unknown): Promise<string> {
  const their = montgomery(fromB64(identity, KEY));
  const pair = (await crypto.subtle.generateKey("X25519", false, ["deriveBits"])) as CryptoKeyPair;
  const ephemeral = new Uint8Array(await crypto.subtle.exportKey("raw", pair.publicKey));
  const sealer = await sealerOf(pair.privateKey, their, ephemeral, identity, room);
  return toB64(concat(ephemeral, fromB64(await sealer.seal(value))));
}

/** Undefined when it was not sealed to this identity in this room. */
export async function openAs(
  { seed, identity }: { seed: Uint8Array; identity: string },
  room: string,
  sealed: unknown,
): Promise<unknown> {
  const bytes = readB64(sealed);
  if (!bytes || bytes.length <= KEY) return undefined;
  const ephemeral = bytes.slice(0, KEY);
  if (!isSoundX25519(ephemeral)) return undefined;
  // Ed25519 uses the first half of the seed's SHA-512 as its secret number (RFC 8032, 5.1.5); X25519 clamps it alike.
  const secret = new Uint8Array(await crypto.subtle.digest("SHA-512", own(seed))).slice(0, KEY);
  const key = await crypto.subtle.importKey("pkcs8", own(concat(PKCS8, secret)), "X25519", false, ["deriveBits"]);
  secret.fill(0);
  const sealer = await sealerOf(key, ephemeral, ephemeral, identity, room);
  return sealer.open(toB64(bytes.slice(KEY)));
}

async function sealerOf(
  key: CryptoKey,
  other: Uint8Array,
  ephemeral: Uint8Array,
  identity: string,
  room: string,
): Promise<Sealer> {
  const their = await crypto.subtle.importKey("raw", own(other), "X25519", false, []);
  const shared = new Uint8Array(await crypto.subtle.deriveBits({ name: "X25519", public: their }, key, 256));
  const said = await hash(fields("hedgerow to member v1", ephemeral, fromB64(identity), fromB64(room)));
  return new Sealer(concat(shared, said), "hedgerow to member seal v1");
}

/** u = (1 + y) / (1 − y). */
function montgomery(edwards: Uint8Array): Uint8Array {
  let y = 0n;
  for (let at = KEY - 1; at >= 0; at--) y = (y << 8n) | BigInt((edwards[at] ?? 0) & (at === KEY - 1 ? 0x7f : 0xff));
  let u = (((1n + y) % P) * power((((1n - y) % P) + P) % P, P - 2n)) % P;
  const bytes = new Uint8Array(KEY);
  for (let at = 0; at < KEY; at++, u >>= 8n) bytes[at] = Number(u & 0xffn);
  return bytes;
}

function power(base: bigint, exponent: bigint): bigint {
  let result = 1n;
  for (let square = base, left = exponent; left > 0n; left >>= 1n, square = (square * square) % P)
    if (left & 1n) result = (result * square) % P;
  return result;
}
