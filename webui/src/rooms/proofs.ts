/**
 * What proves that a commit is allowed, in its authenticated data: sealed with a key that only the members of the
 * current epoch can derive, so that the hub learns nothing, and bound to the commit by MLS itself.
 */
import { concat } from "../bytes/bytes.ts";
import { canonicalBytes, readCanonical } from "../bytes/canonical.ts";
import { PROOFS_BYTES_MAX, PROOFS_MAX } from "./bounds.ts";
import * as shapes from "./shapes.ts";
import type { Primitives, Proofs } from "./types.ts";

export const EXPORTER_LABEL = "hedgerow proofs v1";
export const EXPORTER_BYTES = 32;
const VERSION = 1;
const NONCE_BYTES = 12;
const START = 1 + NONCE_BYTES;

const readProofs = shapes.record<Proofs>({
  approvals: shapes.list(shapes.approval, PROOFS_MAX),
  votes: shapes.list(shapes.vote, PROOFS_MAX),
  leaves: shapes.list(shapes.leave, PROOFS_MAX),
  revocations: shapes.list(shapes.revocation, PROOFS_MAX),
  policy: shapes.hash,
});

/** `0x01 ‖ nonce (12) ‖ AES-256-GCM of canonical JSON`. */
export async function sealProofs(primitives: Primitives, key: Uint8Array, proofs: Proofs): Promise<Uint8Array> {
  const nonce = primitives.random(NONCE_BYTES);
  const sealed = await primitives.seal(key, nonce, canonicalBytes(proofs));
  if (START + sealed.length > PROOFS_BYTES_MAX) throw new RangeError("more proofs than fit into one commit");
  return concat(Uint8Array.of(VERSION), nonce, sealed);
}

/** The proofs in a commit's authenticated data, or undefined for anything else. Signatures are the judge's business. */
export async function openProofs(
  primitives: Primitives,
  key: Uint8Array,
  data: Uint8Array,
): Promise<Proofs | undefined> {
  if (data.length <= START || data.length > PROOFS_BYTES_MAX || data[0] !== VERSION) return undefined;
  try {
    const opened = await primitives.open(key, data.subarray(1, START), data.subarray(START));
    return readProofs(readCanonical(opened));
  } catch {
    return undefined;
  }
}
