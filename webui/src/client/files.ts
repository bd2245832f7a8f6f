/**
 * Files beside messages. Each is sealed with a key of its own that travels inside the message; the node keeps the
 * ciphertext, padded so that its size tells little, under the hash of it.
 */
import { Refused } from "../api/problems.ts";
import { equal } from "../bytes/bytes.ts";
import { fromB64, toB64 } from "../bytes/text.ts";
import { hash, open, random, seal } from "../bytes/webcrypto.ts";
import type { Attachment } from "../rooms/types.ts";
import type { Batch } from "../vault/vault.ts";
import type { Core } from "./core.ts";
import { Failure } from "./failures.ts";
import { SIZES } from "./keys.ts";
import type { Room } from "./room.ts";
import { names, type StoredFile } from "./stored.ts";
import { BOUNDS } from "./types.ts";

/** One key seals one file only, so its nonce is always the same. */
const NONCE = new Uint8Array(12);
/** Bytes of the smallest ciphertext, and by what part a larger one is rounded up (an eighth tells few sizes apart). */
const SMALLEST = 4096;

/** Whole length after padding, with room for the length in front and the seal behind. */
export function paddedSize(size: number): number {
  const whole = size + 4;
  if (whole <= SMALLEST) return SMALLEST;
  const step = 2 ** Math.max(0, Math.floor(Math.log2(whole)) - 3);
  return Math.ceil(whole / step) * step;
}

export function padFile(bytes: Uint8Array): Uint8Array {
  const padded = new Uint8Array(Math.min(paddedSize(bytes.length), BOUNDS.fileBytes + 4));
  new DataView(padded.buffer).setUint32(0, bytes.length);
  padded.set(bytes, 4);
  return padded;
}

/** Throws Failure `gone` for what no client of ours has made. */
export function unpadFile(padded: Uint8Array): Uint8Array {
  const length = padded.length < 4 ? Number.NaN : new DataView(padded.buffer, padded.byteOffset).getUint32(0);
  if (!(4 + length <= padded.length)) throw new Failure("gone", "the file's padding is broken");
  return padded.slice(4, 4 + length);
}

export interface NewFile {
  readonly name: string;
  readonly type: string;
  readonly bytes: Uint8Array;
  readonly width?: number;
  readonly height?: number;
}

/** Keeps a file until its message is sent. Answers a token. */
export async function attach(core: Core, room: Room, file: NewFile): Promise<string> {
  if (file.bytes.length > BOUNDS.fileBytes) throw new Failure("too-large");
  const key = random(32);
  const ciphertext = await seal(key, NONCE, padFile(file.bytes));
  const attachment: Attachment = {
    blob: toB64(await hash(ciphertext)),
    key: toB64(key),
    size: file.bytes.length,
    media: /^[\w.+-]{1,60}\/[\w.+-]{1,60}$/.test(file.type) ? file.type.toLowerCase() : "application/octet-stream",
    name: tidyName(file.name),
    ...(file.width && file.height ? { width: Math.round(file.width), height: Math.round(file.height) } : {}),
  };
  const token = toB64(random(SIZES.id));
  const stored: StoredFile = { token, room: room.id, attachment, uploaded: false };
  await core.vault.write(
    new Map<(typeof names)["account"], unknown>([
      [names.file(token), stored],
      [names.blob(room.id, attachment.blob), file.bytes],
    ]),
  );
  return token;
}

export async function detach(core: Core, token: string): Promise<void> {
  const stored = await core.vault.json<StoredFile>(names.file(token));
  if (!stored) return;
  const batch: Batch = new Map([[names.file(token), null]]);
  batch.set(names.blob(stored.room, stored.attachment.blob), null);
  await core.vault.write(batch);
}

/** What goes into the message. Throws Failure `unknown` for tokens of another room or none. */
export async function attachmentsOf(core: Core, room: Room, tokens: readonly string[]): Promise<Attachment[]> {
  if (tokens.length > BOUNDS.filesPerMessage) throw new Failure("too-large", "too many files");
  return Promise.all(
    tokens.map(async (token) => {
      const stored = await core.vault.json<StoredFile>(names.file(token));
      if (stored?.room !== room.id) throw new Failure("unknown", "no such file");
      return stored.attachment;
    }),
  );
}

/** Brings a file to the node, once. Its ciphertext is made anew from the same key, and so is the same. */
export async function upload(core: Core, room: Room, token: string): Promise<void> {
  const stored = await core.vault.json<StoredFile>(names.file(token));
  if (!stored || stored.uploaded) return;
  const { blob, key } = stored.attachment;
  const bytes = await core.vault.bytes(names.blob(room.id, blob));
  if (!bytes) throw new Failure("gone");
  await core.api.putBlob(blob, room.id, await seal(fromB64(key, 32), NONCE, padFile(bytes)));
  await core.vault.write(new Map([[names.file(token), { ...stored, uploaded: true }]]));
}

/** A file's plaintext: from here, or from the node, and then kept here. */
export async function fetchFile(core: Core, room: Room, { blob, key, size }: Attachment): Promise<Uint8Array> {
  const here = await core.vault.bytes(names.blob(room.id, blob));
  if (here) return here;
  let ciphertext: Uint8Array;
  try {
    ciphertext = await core.api.blob(blob, room.id);
  } catch (problem) {
    if (problem instanceof Refused && [404, 410].includes(problem.status)) throw new Failure("gone");
    throw problem;
  }
  if (!equal(await hash(ciphertext), fromB64(blob, 32))) throw new Failure("gone", "not the file that was sent");
  const bytes = unpadFile(await open(fromB64(key, 32), NONCE, ciphertext));
  if (bytes.length !== size) throw new Failure("gone", "not the size that was said");
  await core.vault.write(new Map([[names.blob(room.id, blob), bytes]]));
  return bytes;
}

function tidyName(name: string): string {
  const last = name.normalize("NFC").split(/[\\/]/).at(-1) ?? "";
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must go
  const plain = last.replace(/[\u0000-\u001f\u007f\u202a-\u202e\u2066-\u2069]/g, "").trim();
  return [...plain].slice(-100).join("") || "file";
}
