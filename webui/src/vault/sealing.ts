/** AES-256-GCM with a random nonce in front: how records and keys are sealed. */
import { concat, own } from "../bytes/bytes.ts";

const NONCE = 12;

/** A key that can't be read back. */
export function sealingKey(bytes: Uint8Array): Promise<CryptoKey> {
  return crypto.subtle.importKey("raw", own(bytes), "AES-GCM", false, ["encrypt", "decrypt"]);
}

/** `nonce ‖ ciphertext`; `context` must be the same when opening. */
export async function sealWith(key: CryptoKey, context: Uint8Array, plaintext: Uint8Array): Promise<Uint8Array> {
  const iv = crypto.getRandomValues(new Uint8Array(NONCE));
  const parameters = { name: "AES-GCM", iv, additionalData: own(context) };
  return concat(iv, new Uint8Array(await crypto.subtle.encrypt(parameters, key, own(plaintext))));
}

/** Throws when anything about it was changed. */
export async function openWith(key: CryptoKey, context: Uint8Array, sealed: Uint8Array): Promise<Uint8Array> {
  if (sealed.length < NONCE + 16) throw new RangeError("too short to be sealed");
  const parameters = { name: "AES-GCM", iv: own(sealed.slice(0, NONCE)), additionalData: own(context) };
  return new Uint8Array(await crypto.subtle.decrypt(parameters, key, own(sealed.slice(NONCE))));
}
