/**
 * The keys of an intake: a pair made for a room, what follows from its public half, and asks sealed for its secret one.
 * `docs/protocol/members.md` has the bytes; `hedgerow_protocol/intake.py` computes the same names and codes.
 */
import { concat, equal, own } from "../bytes/bytes.ts";
import { isSoundX25519 } from "../bytes/curve.ts";
import { fields } from "../bytes/fields.ts";
import { fromB64, readB64, toB64 } from "../bytes/text.ts";
import { hash, random } from "../bytes/webcrypto.ts";
import { Failure } from "./failures.ts";
import { Sealer } from "./keys.ts";

const KEY = 32;
/** What stands before the 32 bytes of an X25519 key in PKCS #8 (RFC 8410). */
const PKCS8 = Uint8Array.of(0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x6e, 4, 0x22, 4, 0x20);
const CODE = "hedgerow-intake:";
const CHECK = 4;
/** Bytes of which an ask's inside is a multiple: nearly all have one, so its length tells nothing of its words. */
const PADDED = 4096;
const PREFIX = 4;
/** A node takes 16 KiB. */
const PADDED_MAX = 3 * PADDED;

/** Where a group takes asks, as its listing says it: all base64url. */
export interface IntakePlace {
  readonly node: string;
  readonly room: string;
  readonly key: string;
}

/** The public half of a secret, 32 bytes each. */
export async function intakeKey(secret: Uint8Array): Promise<string> {
  const imported = await importSecret(secret, true);
  const { x } = await crypto.subtle.exportKey("jwk", imported);
  return toB64(fromB64(x ?? "", KEY));
}

export async function makeIntakeKey(): Promise<{ key: string; secret: string }> {
  const secret = random(KEY);
  return { key: await intakeKey(secret), secret: toB64(secret) };
}

function importSecret(secret: Uint8Array, extractable = false): Promise<CryptoKey> {
  return crypto.subtle.importKey("pkcs8", own(concat(PKCS8, secret)), "X25519", extractable, ["deriveBits"]);
}

/** What a node knows an intake by. Everybody can compute it: it keeps out only those who never saw the listing. */
export async function intakeParts(key: string): Promise<{ id: string; proof: string; proofHash: string }> {
  const bytes = fromB64(key, KEY);
  const id = (await hash(fields("hedgerow intake id v1", bytes))).slice(0, 16);
  const proof = await hash(fields("hedgerow intake proof v1", bytes));
  return { id: toB64(id), proof: toB64(proof), proofHash: toB64(await hash(proof)) };
}

/** One line of text for the form in which a listing is published. */
export async function intakeCode({ node, room, key }: IntakePlace): Promise<string> {
  const parts = [fromB64(node, KEY), fromB64(room, KEY), fromB64(key, KEY)] as const;
  const check = (await hash(fields("hedgerow intake code v1", ...parts))).slice(0, CHECK);
  return CODE + toB64(concat(...parts, check));
}

/** What a listing says, if it can be used. */
export function readPlace(value: unknown): IntakePlace | undefined {
  const { node, room, key } = (value ?? {}) as Partial<Record<keyof IntakePlace, unknown>>;
  const bytes = readB64(key, KEY);
  if (!readB64(node, KEY) || !readB64(room, KEY) || !bytes || !isSoundX25519(bytes)) return undefined;
  return { node: node as string, room: room as string, key: key as string };
}

/** `ephemeral key ‖ nonce ‖ ciphertext`, for the members of the room alone. */
export async function sealAsk({ room, key }: IntakePlace, value: unknown): Promise<string> {
  const pair = (await crypto.subtle.generateKey("X25519", false, ["deriveBits"])) as CryptoKeyPair;
  const ephemeral = new Uint8Array(await crypto.subtle.exportKey("raw", pair.publicKey));
  const sealer = await sealerOf(pair.privateKey, fromB64(key, KEY), ephemeral, key, room);
  return toB64(concat(ephemeral, await sealer.sealBytes(pad(new TextEncoder().encode(JSON.stringify(value))))));
}

/** Undefined for anything that was not sealed for this intake of this room. */
export async function openAsk(intake: { room: string; key: string; secret: string }, sealed: string): Promise<unknown> {
  const bytes = readB64(sealed);
  const secret = readB64(intake.secret, KEY);
  if (!bytes || bytes.length <= KEY || !secret) return undefined;
  const ephemeral = bytes.slice(0, KEY);
  if (!isSoundX25519(ephemeral)) return undefined;
  const sealer = await sealerOf(await importSecret(secret), ephemeral, ephemeral, intake.key, intake.room);
  const padded = await sealer.openBytes(bytes.slice(KEY));
  const plain = padded && unpad(padded);
  try {
    return plain && JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(plain));
  } catch {
    return undefined;
  }
}

/** Whether the secret is the other half of the key: a member's device may have said something else. */
export async function fits(key: string, secret: string): Promise<boolean> {
  const [known, half] = [readB64(key, KEY), readB64(secret, KEY)];
  return !!known && !!half && isSoundX25519(known) && equal(known, fromB64(await intakeKey(half)));
}

async function sealerOf(
  mine: CryptoKey,
  other: Uint8Array,
  ephemeral: Uint8Array,
  key: string,
  room: string,
): Promise<Sealer> {
  const their = await crypto.subtle.importKey("raw", own(other), "X25519", false, []);
  const shared = new Uint8Array(await crypto.subtle.deriveBits({ name: "X25519", public: their }, mine, 256));
  const said = await hash(fields("hedgerow intake ask v1", ephemeral, fromB64(key), fromB64(room)));
  return new Sealer(concat(shared, said), "hedgerow intake ask seal v1");
}

function pad(content: Uint8Array): Uint8Array {
  const size = Math.ceil((content.length + PREFIX) / PADDED) * PADDED;
  if (size > PADDED_MAX) throw new Failure("too-long", "an ask");
  const padded = new Uint8Array(size);
  new DataView(padded.buffer).setUint32(0, content.length);
  padded.set(content, PREFIX);
  return padded;
}

function unpad(padded: Uint8Array): Uint8Array | undefined {
  if (padded.length < PREFIX) return undefined;
  const end = PREFIX + new DataView(padded.buffer, padded.byteOffset).getUint32(0);
  return end > padded.length ? undefined : padded.slice(PREFIX, end);
}
