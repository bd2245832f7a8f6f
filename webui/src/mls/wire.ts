/** The outside of MLS messages: decided on the first four bytes, before the library sees anything. */
import { decodeKeyPackage, type KeyPackage, makeKeyPackageRef, verifyKeyPackage } from "ts-mls/keyPackage.js";
import { verifyLeafNodeSignatureKeyPackage } from "ts-mls/leafNode.js";
import { decodePrivateMessage, type PrivateMessage } from "ts-mls/privateMessage.js";
import { decodeWelcome, type Welcome } from "ts-mls/welcome.js";
import { isSoundX25519 } from "../bytes/curve.ts";
import { DAY_SECONDS, KEY_PACKAGE_SPAN_MAX, PAYLOAD_MAX } from "./settings.ts";
import { SUITE_NAME, suite } from "./suite.ts";
import { checkLeaf, require } from "./tree.ts";
import { MlsError, type ReadKeyPackage } from "./types.ts";

/** Wire formats of RFC 9420 section 6 that rooms use; PublicMessage (1) and GroupInfo (4) are not among them. */
export const WIRE = { private: 2, welcome: 3, keyPackage: 5 } as const;
const HEADER = 4;

function body(bytes: Uint8Array, format: number): Uint8Array {
  require(bytes.length > HEADER && bytes.length <= PAYLOAD_MAX);
  if (bytes[0] !== 0 || bytes[1] !== 1 || bytes[2] !== 0 || bytes[3] !== format) throw new MlsError("not-private");
  return bytes.subarray(HEADER);
}

/** Runs a piece of the library: whatever it throws comes out as MlsError `broken`. */
export async function guard<T>(run: () => T | Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    throw error instanceof MlsError ? error : new MlsError("broken");
  }
}

function decode<T>(decoder: (bytes: Uint8Array, at: number) => [T, number] | undefined, bytes: Uint8Array): T {
  let found: [T, number] | undefined;
  try {
    found = decoder(bytes, 0);
  } catch {
    found = undefined;
  }
  require(found !== undefined && found[1] === bytes.length);
  return found[0];
}

/** Throws MlsError `not-private` for every other wire format, `broken` for what can't be read. */
export function readPrivate(payload: Uint8Array): PrivateMessage {
  const message = decode(decodePrivateMessage, body(payload, WIRE.private));
  require(message.epoch <= BigInt(Number.MAX_SAFE_INTEGER));
  return message;
}

export function readWelcome(bytes: Uint8Array): Welcome {
  const welcome = decode(decodeWelcome, body(bytes, WIRE.welcome));
  require(welcome.cipherSuite === SUITE_NAME);
  return welcome;
}

export const readPackage = (bytes: Uint8Array): KeyPackage => decode(decodeKeyPackage, body(bytes, WIRE.keyPackage));

/** When a KeyPackage's lifetime begins and ends. Throws MlsError when it is longer than allowed. */
export function lifetimeOf(made: KeyPackage): { from: number; until: number } {
  const { notBefore, notAfter } = made.leafNode.lifetime;
  require(notBefore <= notAfter && notAfter - notBefore <= BigInt(KEY_PACKAGE_SPAN_MAX));
  require(notAfter <= BigInt(Number.MAX_SAFE_INTEGER));
  return { from: Number(notBefore), until: Number(notAfter) };
}

/** Everything about a KeyPackage that can be checked without a room. Throws MlsError. */
export function checkPackage(bytes: Uint8Array, now: number): Promise<ReadKeyPackage> {
  return guard(async () => {
    const crypto = await suite();
    const read = readPackage(bytes);
    const { leafNode } = read;
    require(read.version === "mls10" && read.cipherSuite === SUITE_NAME && read.extensions.length === 0);
    require(isSoundX25519(read.initKey) && leafNode.leafNodeSource === "key_package");
    const credential = checkLeaf(leafNode);
    const { from, until } = lifetimeOf(read);
    // A day of grace at the beginning for clocks that run ahead: theirs when they made it, ours now.
    require(from <= now + DAY_SECONDS && now <= until);
    require(await verifyLeafNodeSignatureKeyPackage(leafNode, crypto.signature));
    require(await verifyKeyPackage(read, crypto.signature));
    const ref = await makeKeyPackageRef(read, crypto.hash);
    return { keyPackage: bytes, ref, leaf: { key: leafNode.signaturePublicKey, credential }, from, until };
  });
}
