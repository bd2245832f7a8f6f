/**
 * Which Curve25519 public keys are sound. Libraries differ in what they make of the few points of small order and of
 * coordinates beyond the prime, and all members must come to the same verdict, so these are refused before any library
 * sees them. (RFC 7748 section 6.1, RFC 8032 section 5.1.7; the points are those of "Taming the many EdDSAs", table 6.)
 */
import { fromHex } from "./text.ts";

const P = 2n ** 255n - 19n;

function littleEndian(bytes: Uint8Array): bigint {
  let value = 0n;
  for (let at = bytes.length - 1; at >= 0; at--) value = (value << 8n) | BigInt(bytes[at] ?? 0);
  return value;
}

/** y-coordinates of the Edwards points of order 1, 2, 4 and 8 (two have the same y up to sign). */
const SMALL_ORDER_Y = new Set([
  0n,
  1n,
  P - 1n,
  littleEndian(fromHex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05")),
  littleEndian(fromHex("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a")),
]);

/** u-coordinates of the Montgomery points of small order, on the curve and on its twist. */
const SMALL_ORDER_U = new Set([
  0n,
  1n,
  P - 1n,
  littleEndian(fromHex("e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800")),
  littleEndian(fromHex("5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157")),
]);

/** An Ed25519 public key with one encoding only and not of small order. (That it is on the curve, `verify` sees.) */
export function isSoundEd25519(key: Uint8Array): boolean {
  if (key.length !== 32) return false;
  const y = littleEndian(key) & (2n ** 255n - 1n);
  return y < P && !SMALL_ORDER_Y.has(y);
}

/** An X25519 public key with one encoding only and not of small order. */
export function isSoundX25519(key: Uint8Array): boolean {
  if (key.length !== 32) return false;
  const u = littleEndian(key);
  return u < P && !SMALL_ORDER_U.has(u);
}
