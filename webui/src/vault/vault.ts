/**
 * The vault: every record is sealed under one random key (AES-256-GCM, its name as context), and names tell nothing
 * either: they are keyed hashes. The key itself lies beside, wrapped by the device's key and, if the person wants, by a
 * passphrase as well.
 */
import { ascii, concat, own, wipe } from "../bytes/bytes.ts";
import { fromB64, toB64 } from "../bytes/text.ts";
import { random } from "../bytes/webcrypto.ts";
import { type Stretch, strengthHere, stretch } from "./passphrase.ts";
import { openWith, sealingKey, sealWith } from "./sealing.ts";
import type { Change, Span, Storage } from "./types.ts";

const META = "vault";
const WRAP = ascii("hedgerow vault key v1");

/** The plain record that says how the key is wrapped. */
interface Meta {
  version: 1;
  wrapped: string;
  passphrase: { memoryKiB: number; passes: number; salt: string } | null;
}

/** Which table of records, and of what (a room, or "" for the only one of its kind). */
export type Table = readonly [table: string, scope: string];
/** One record: its table and its place in there, a number (ordered) or a name (not ordered). */
export type Name = readonly [table: string, scope: string, place: number | string];

/** A write to come: name → value to be stored as JSON, bytes as they are, or null to delete. */
export type Batch = Map<Name, unknown>;

export class WrongPassphrase extends Error {}
export class Locked extends Error {}

export class Vault {
  readonly #storage: Storage;
  #keys: { seal: CryptoKey; names: CryptoKey; raw: Uint8Array } | null = null;
  #meta: Meta | null = null;
  /** The passphrase's key, while it is open. */
  #outer: { readonly how: Stretch; readonly key: CryptoKey } | null = null;
  readonly #prefixes = new Map<string, Promise<string>>();

  private constructor(storage: Storage) {
    this.#storage = storage;
  }

  /** Looks what lies in the storage; opens it at once where no passphrase is needed. */
  static async in(storage: Storage): Promise<Vault> {
    const vault = new Vault(storage);
    const bytes = await storage.get(META);
    if (!bytes) return vault;
    vault.#meta = JSON.parse(new TextDecoder().decode(bytes)) as Meta;
    if (!vault.#meta.passphrase) await vault.#open(null);
    return vault;
  }

  get phase(): "empty" | "locked" | "open" {
    return this.#keys ? "open" : this.#meta ? "locked" : "empty";
  }
  get hasPassphrase(): boolean {
    return !!this.#meta?.passphrase;
  }
  lasting(): Promise<boolean> {
    return this.#storage.lasting();
  }

  /** Makes the key of an empty vault; with a passphrase it is never written without. */
  async create(passphrase: string | null = null): Promise<void> {
    if (this.#meta) throw new Error("there is a vault already");
    await this.#use(random(32));
    await this.#wrap(passphrase);
  }

  /** Throws WrongPassphrase. */
  async unlock(passphrase: string): Promise<void> {
    if (this.phase === "locked") await this.#open(passphrase);
  }

  /** Drops the key. Whoever holds plaintext must drop it too. */
  lock(): void {
    if (this.#keys) wipe([this.#keys.raw]);
    this.#keys = null;
    this.#outer = null;
    this.#prefixes.clear();
  }

  /** Wraps the key anew; `null` takes the passphrase away. Throws WrongPassphrase when `current` is not the present one. */
  async setPassphrase(passphrase: string | null, current: string | undefined): Promise<void> {
    if (this.#meta?.passphrase) wipe([await this.#unwrapped(current ?? "")]);
    await this.#wrap(passphrase);
  }

  /** Takes everything away. */
  async clear(): Promise<void> {
    this.lock();
    this.#meta = null;
    await this.#storage.clear();
  }

  async close(): Promise<void> {
    this.lock();
    await this.#storage.close();
  }

  async bytes(name: Name): Promise<Uint8Array | undefined> {
    const key = await this.#key(name);
    const sealed = await this.#storage.get(key);
    return sealed && openWith(this.#held.seal, ascii(key), sealed);
  }

  async json<Value>(name: Name): Promise<Value | undefined> {
    const bytes = await this.bytes(name);
    return bytes && (JSON.parse(new TextDecoder().decode(bytes)) as Value);
  }

  /** Records of a table by rising place (or falling: `backwards`), from `from` up to, not including, `to`. */
  async list<Value>(
    [table, scope]: Table,
    span: { from?: number; to?: number; limit?: number; backwards?: boolean } = {},
  ): Promise<Value[]> {
    const prefix = await this.#prefix(table, scope);
    const within: Span = {
      from: span.from === undefined ? `${prefix}/` : `${prefix}/${place(span.from)}`,
      to: span.to === undefined ? `${prefix}0` : `${prefix}/${place(span.to)}`,
      ...(span.limit === undefined ? {} : { limit: span.limit }),
      ...(span.backwards ? { backwards: true } : {}),
    };
    const found = await this.#storage.range(within);
    const { seal } = this.#held;
    const opened = await Promise.all(found.map(([key, sealed]) => openWith(seal, ascii(key), sealed)));
    return opened.map((bytes) => JSON.parse(new TextDecoder().decode(bytes)) as Value);
  }

  /** Called after each write that is not `quiet`. */
  written: () => void = () => {};

  /** One transaction; durable when it returns. Throws StorageFailed. */
  async write(batch: Batch, quiet = false): Promise<void> {
    const { seal } = this.#held;
    const changes = await Promise.all(
      [...batch].map(async ([name, value]): Promise<Change> => {
        const key = await this.#key(name);
        if (value === null) return { key, value: null };
        const plain = value instanceof Uint8Array ? value : new TextEncoder().encode(JSON.stringify(value));
        return { key, value: await sealWith(seal, ascii(key), plain) };
      }),
    );
    if (changes.length === 0) return;
    await this.#storage.write(changes);
    if (!quiet) this.written();
  }

  /** The vault as it is, for another device of the same person: its key, and all records still sealed under it. */
  async dump(without: readonly Table[]): Promise<Uint8Array> {
    const left = await Promise.all(without.map(([table, scope]) => this.#prefix(table, scope)));
    const all = await this.#storage.range({ from: "", to: "\uffff" });
    const parts: Uint8Array[] = [this.#held.raw];
    for (const [key, value] of all) {
      if (key === META || left.some((prefix) => key.startsWith(`${prefix}/`))) continue;
      const head = new Uint8Array(5);
      head[0] = key.length;
      new DataView(head.buffer).setUint32(1, value.length);
      parts.push(head, ascii(key), value);
    }
    return concat(...parts);
  }

  /**
   * Makes this vault the one that was dumped; what was in here is gone, its passphrase stays. Throws RangeError for
   * anything that is no dump.
   */
  async adopt(dumped: Uint8Array): Promise<void> {
    const before = await this.#storage.range({ from: "", to: "\uffff" });
    const changes: Change[] = before.filter(([key]) => key !== META).map(([key]) => ({ key, value: null }));
    const view = new DataView(dumped.buffer, dumped.byteOffset);
    for (let at = 32; at < dumped.length; ) {
      const name = at + 5;
      const value = name + view.getUint8(at);
      const end = value + view.getUint32(at + 1);
      if (end > dumped.length) throw new RangeError("a torn dump");
      const key = new TextDecoder().decode(dumped.subarray(name, value));
      changes.push({ key, value: dumped.slice(value, end) });
      at = end;
    }
    // The key goes first: records under a key that nobody has would be worse than a key without records.
    await this.#use(dumped.slice(0, 32));
    await this.#rewrap();
    await this.#storage.write(changes);
  }

  /** Takes a whole table away. */
  async drop([table, scope]: Table): Promise<void> {
    const prefix = await this.#prefix(table, scope);
    const found = await this.#storage.range({ from: `${prefix}/`, to: `${prefix}0` });
    if (found.length > 0) await this.#storage.write(found.map(([key]) => ({ key, value: null })));
  }

  get #held(): { seal: CryptoKey; names: CryptoKey; raw: Uint8Array } {
    if (!this.#keys) throw new Locked("the vault is locked");
    return this.#keys;
  }

  async #key([table, scope, where]: Name): Promise<string> {
    const prefix = await this.#prefix(table, scope);
    return `${prefix}/${typeof where === "number" ? place(where) : await this.#hashed(`${table}\0${scope}\0${where}`)}`;
  }

  #prefix(table: string, scope: string): Promise<string> {
    const plain = `${table}\0${scope}`;
    let prefix = this.#prefixes.get(plain);
    if (!prefix) {
      prefix = this.#hashed(plain);
      this.#prefixes.set(plain, prefix);
    }
    return prefix;
  }

  async #hashed(plain: string): Promise<string> {
    const mac = await crypto.subtle.sign("HMAC", this.#held.names, own(new TextEncoder().encode(plain)));
    return toB64(new Uint8Array(mac).subarray(0, 16));
  }

  async #use(raw: Uint8Array): Promise<void> {
    const base = await crypto.subtle.importKey("raw", own(raw), "HKDF", false, ["deriveBits"]);
    const derived = async (info: string) =>
      new Uint8Array(
        await crypto.subtle.deriveBits(
          { name: "HKDF", hash: "SHA-256", salt: new Uint8Array(), info: own(ascii(info)) },
          base,
          256,
        ),
      );
    const hmac = { name: "HMAC", hash: "SHA-256" };
    const names = await crypto.subtle.importKey("raw", await derived("hedgerow vault names v1"), hmac, false, ["sign"]);
    // Somebody may have asked while it was locked: those names were never made.
    this.#prefixes.clear();
    this.#keys = { seal: await sealingKey(await derived("hedgerow vault records v1")), names, raw };
  }

  async #wrap(passphrase: string | null): Promise<void> {
    this.#outer = null;
    if (passphrase !== null) {
      const how = strengthHere(random(16));
      this.#outer = { how, key: await sealingKey(await stretch(passphrase, how)) };
    }
    await this.#rewrap();
  }

  /** Wraps the key as it is now, under the passphrase that there is. */
  async #rewrap(): Promise<void> {
    const outer = this.#outer;
    const inner = outer ? await sealWith(outer.key, WRAP, this.#held.raw) : this.#held.raw;
    const how = outer?.how;
    const wrapped = this.#storage.device ? await this.#storage.device.seal(inner) : concat(inner);
    const meta: Meta = {
      version: 1,
      wrapped: toB64(wrapped),
      passphrase: how ? { memoryKiB: how.memoryKiB, passes: how.passes, salt: toB64(how.salt) } : null,
    };
    await this.#storage.write([{ key: META, value: new TextEncoder().encode(JSON.stringify(meta)) }]);
    this.#meta = meta;
  }

  async #open(passphrase: string | null): Promise<void> {
    await this.#use(await this.#unwrapped(passphrase));
  }

  async #unwrapped(passphrase: string | null): Promise<Uint8Array> {
    const meta = this.#meta as Meta;
    const wrapped = fromB64(meta.wrapped);
    const inner = this.#storage.device ? await this.#storage.device.open(wrapped) : wrapped;
    if (!meta.passphrase) return inner;
    const { memoryKiB, passes, salt } = meta.passphrase;
    const how = { memoryKiB, passes, salt: fromB64(salt) };
    const key = await sealingKey(await stretch(passphrase ?? "", how));
    let raw: Uint8Array;
    try {
      raw = await openWith(key, WRAP, inner);
    } catch {
      throw new WrongPassphrase();
    }
    this.#outer = { how, key };
    return raw;
  }
}

/** Numbers as names that sort the same way. */
function place(number: number): string {
  return String(number).padStart(16, "0");
}
