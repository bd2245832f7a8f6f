/**
 * Who a leaf belongs to. The credential's identity bytes: `0x01 ‖ room identity (32) ‖ mailbox (16) ‖ certificate (64)`,
 * where the room identity signs the leaf's key and the mailbox for this one room.
 */
import { concat } from "../bytes/bytes.ts";
import { fields } from "../bytes/fields.ts";
import { fromB64, toB64 } from "../bytes/text.ts";
import type { Leaf } from "../mls/types.ts";
import { IDENTITY_BYTES, MAILBOX_BYTES, SIGNATURE_BYTES } from "./bounds.ts";
import type { B64, Primitives, RoomIdentity } from "./types.ts";

const VERSION = 1;
const MAILBOX_AT = 1 + IDENTITY_BYTES;
const SIGNATURE_AT = MAILBOX_AT + MAILBOX_BYTES;
export const CREDENTIAL_BYTES = SIGNATURE_AT + SIGNATURE_BYTES;

export type Owner = { readonly identity: B64; readonly mailbox: B64 };

function certified(room: B64, leafKey: Uint8Array, mailbox: Uint8Array): Uint8Array {
  return fields("hedgerow device certificate v1", fromB64(room), leafKey, mailbox);
}

/** The credential of a new leaf of one's own. */
export async function makeCredential(
  primitives: Primitives,
  me: RoomIdentity,
  mailbox: B64,
  leafKey: Uint8Array,
): Promise<Uint8Array> {
  const box = fromB64(mailbox, MAILBOX_BYTES);
  const signature = await primitives.sign(me.seed, certified(me.room, leafKey, box));
  return concat(Uint8Array.of(VERSION), fromB64(me.identity, IDENTITY_BYTES), box, signature);
}

/** What a credential says, before its certificate is checked; undefined when it is no credential of ours. */
export function readCredential(credential: Uint8Array): Owner | undefined {
  if (credential.length !== CREDENTIAL_BYTES || credential[0] !== VERSION) return undefined;
  const identity = toB64(credential.subarray(1, MAILBOX_AT));
  return { identity, mailbox: toB64(credential.subarray(MAILBOX_AT, SIGNATURE_AT)) };
}

/** Whether the room identity in the leaf's credential certified exactly this leaf for this room. */
export async function isCertified(primitives: Primitives, room: B64, leaf: Omit<Leaf, "index">): Promise<boolean> {
  const { credential, key } = leaf;
  if (readCredential(credential) === undefined) return false;
  const message = certified(room, key, credential.subarray(MAILBOX_AT, SIGNATURE_AT));
  return primitives.verify(credential.subarray(1, MAILBOX_AT), message, credential.subarray(SIGNATURE_AT));
}
