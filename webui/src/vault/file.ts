/**
 * The storage of the headless client: a folder with a journal of sealed records and a key file.
 *
 * The journal is only appended to: each write is one frame (length, checksum, changes) and one fsync, so a crash leaves
 * a torn last frame at worst, and that one was never said to be written. When most of it is stale it is written anew
 * beside and renamed. A `lock` file with the process's number keeps a second process out.
 */
import { createHash } from "node:crypto";
import { existsSync, readFileSync, unlinkSync, writeFileSync } from "node:fs";
import { type FileHandle, mkdir, open, readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { concat } from "../bytes/bytes.ts";
import { Records } from "./records.ts";
import { openWith, sealingKey, sealWith } from "./sealing.ts";
import { type Change, type DeviceKey, type Span, type Storage, StorageFailed } from "./types.ts";

const CHECK_BYTES = 16;
const GONE = 0xffff_ffff;
/** Bytes of journal below which rewriting is not worth it. */
const REWRITE_FROM = 8 * 1024 * 1024;

export class FileStorage implements Storage {
  readonly #folder: string;
  readonly #records = new Records();
  #journal: FileHandle;
  #size = 0;
  #tail: Promise<unknown> = Promise.resolve();
  #device: DeviceKey;

  private constructor(folder: string, journal: FileHandle, device: DeviceKey) {
    this.#folder = folder;
    this.#journal = journal;
    this.#device = device;
  }

  /** Throws StorageFailed when the folder can't be used, or another process uses it. */
  static async open(folder: string): Promise<FileStorage> {
    try {
      await mkdir(folder, { recursive: true, mode: 0o700 });
      takeLock(folder);
      const journal = await open(join(folder, "journal"), "a+", 0o600);
      const storage = new FileStorage(folder, journal, await deviceKey(folder));
      await storage.#load();
      return storage;
    } catch (problem) {
      throw problem instanceof StorageFailed ? problem : new StorageFailed(problem);
    }
  }

  get device(): DeviceKey {
    return this.#device;
  }

  async get(key: string): Promise<Uint8Array | undefined> {
    await this.#tail;
    return this.#records.get(key);
  }

  async range(span: Span): Promise<[string, Uint8Array][]> {
    await this.#tail;
    return this.#records.range(span);
  }

  write(changes: readonly Change[]): Promise<void> {
    return this.#next(async () => {
      const frame = frameOf(changes);
      await this.#journal.appendFile(frame);
      await this.#journal.datasync();
      this.#size += frame.length;
      for (const change of changes) this.#records.apply(change);
      if (this.#size > REWRITE_FROM && this.#size > 3 * this.#records.bytes) await this.#rewrite();
    });
  }

  async lasting(): Promise<boolean> {
    return true;
  }

  clear(): Promise<void> {
    return this.#next(async () => {
      await this.#journal.truncate(0);
      await this.#journal.sync();
      this.#records.clear();
      this.#size = 0;
      await rm(join(this.#folder, "device.key"), { force: true });
      this.#device = await deviceKey(this.#folder);
    });
  }

  async close(): Promise<void> {
    await this.#tail;
    await this.#journal.close();
    rmLock(this.#folder);
  }

  /** One after the other. A failed write fails its caller only. */
  #next<Answer>(act: () => Promise<Answer>): Promise<Answer> {
    const done = this.#tail.then(act).catch((problem) => {
      throw new StorageFailed(problem);
    });
    this.#tail = done.catch(() => {});
    return done;
  }

  async #load(): Promise<void> {
    const bytes = new Uint8Array(await readFile(join(this.#folder, "journal")));
    let at = 0;
    for (;;) {
      const read = readFrame(bytes, at);
      if (!read) break;
      for (const change of read.changes) this.#records.apply(change);
      at = read.end;
    }
    if (at < bytes.length) {
      await this.#journal.truncate(at);
      await this.#journal.sync();
    }
    this.#size = at;
  }

  async #rewrite(): Promise<void> {
    const path = join(this.#folder, "journal");
    const fresh = await open(`${path}.new`, "w", 0o600);
    const frame = frameOf([...this.#records.all()].map(([key, value]) => ({ key, value })));
    await fresh.appendFile(frame);
    await fresh.sync();
    await fresh.close();
    await rename(`${path}.new`, path);
    await syncFolder(this.#folder);
    await this.#journal.close();
    this.#journal = await open(path, "a+", 0o600);
    this.#size = frame.length;
  }
}

function frameOf(changes: readonly Change[]): Uint8Array {
  const parts: Uint8Array[] = [];
  for (const { key, value } of changes) {
    const name = new TextEncoder().encode(key);
    const head = new DataView(new ArrayBuffer(6));
    head.setUint16(0, name.length);
    head.setUint32(2, value ? value.length : GONE);
    parts.push(new Uint8Array(head.buffer), name, value ?? new Uint8Array());
  }
  const body = concat(...parts);
  const length = new DataView(new ArrayBuffer(4));
  length.setUint32(0, body.length);
  return concat(new Uint8Array(length.buffer), checksum(body), body);
}

function checksum(body: Uint8Array): Uint8Array {
  return new Uint8Array(createHash("sha256").update(body).digest().subarray(0, CHECK_BYTES));
}

/** The frame that starts here, or undefined when it is not whole. */
function readFrame(bytes: Uint8Array, start: number): { changes: Change[]; end: number } | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const from = start + 4 + CHECK_BYTES;
  if (from > bytes.length) return undefined;
  const end = from + view.getUint32(start);
  if (end > bytes.length) return undefined;
  const body = bytes.subarray(from, end);
  if (!Buffer.from(checksum(body)).equals(bytes.subarray(start + 4, from))) return undefined;
  const changes: Change[] = [];
  for (let at = from; at < end; ) {
    const nameEnd = at + 6 + view.getUint16(at);
    const length = view.getUint32(at + 2);
    const key = new TextDecoder().decode(bytes.subarray(at + 6, nameEnd));
    at = nameEnd + (length === GONE ? 0 : length);
    changes.push({ key, value: length === GONE ? null : bytes.slice(nameEnd, at) });
  }
  return { changes, end };
}

/** A key beside the data keeps nobody out who has the folder; it is here so that both storages work alike. */
async function deviceKey(folder: string): Promise<DeviceKey> {
  const path = join(folder, "device.key");
  if (!existsSync(path)) {
    const file = await open(`${path}.new`, "w", 0o600);
    await file.writeFile(crypto.getRandomValues(new Uint8Array(32)));
    await file.sync();
    await file.close();
    await rename(`${path}.new`, path);
    await syncFolder(folder);
  }
  const key = await sealingKey(new Uint8Array(await readFile(path)));
  const context = new TextEncoder().encode("hedgerow device key v1");
  return { seal: (plaintext) => sealWith(key, context, plaintext), open: (sealed) => openWith(key, context, sealed) };
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, "r");
  await handle.sync();
  await handle.close();
}

function takeLock(folder: string): void {
  const path = join(folder, "lock");
  for (let attempt = 0; ; attempt++) {
    try {
      writeFileSync(path, String(process.pid), { flag: "wx", mode: 0o600 });
      return;
    } catch (problem) {
      if (attempt > 0 || isHeld(path))
        throw new StorageFailed(new Error("in use by another process", { cause: problem }));
      unlinkSync(path);
    }
  }
}

function isHeld(path: string): boolean {
  try {
    const holder = Number(readFileSync(path, "utf8"));
    if (holder === process.pid || !Number.isInteger(holder) || holder <= 0) return false;
    process.kill(holder, 0);
    return true;
  } catch {
    return false;
  }
}

function rmLock(folder: string): void {
  try {
    unlinkSync(join(folder, "lock"));
  } catch {
    // Somebody tidied the folder up: there is nothing to free.
  }
}
