/** The storage of a browser: one IndexedDB database, one store of sealed records, one key that can't be taken out. */
import { type DBSchema, type IDBPDatabase, openDB } from "idb";
import { openWith, sealWith } from "./sealing.ts";
import { type Change, type DeviceKey, type Span, type Storage, StorageFailed } from "./types.ts";

interface Schema extends DBSchema {
  records: { key: string; value: Uint8Array };
  keys: { key: string; value: CryptoKey };
}

const CONTEXT = new TextEncoder().encode("hedgerow device key v1");

export class IndexedStorage implements Storage {
  readonly #db: IDBPDatabase<Schema>;
  #device: DeviceKey;

  private constructor(db: IDBPDatabase<Schema>, device: DeviceKey) {
    this.#db = db;
    this.#device = device;
  }

  /** Throws StorageFailed where the browser lets nothing be stored. */
  static async open(name = "hedgerow"): Promise<IndexedStorage> {
    try {
      const db = await openDB<Schema>(name, 1, {
        upgrade(fresh) {
          fresh.createObjectStore("records");
          fresh.createObjectStore("keys");
        },
      });
      return new IndexedStorage(db, await deviceKey(db));
    } catch (problem) {
      throw new StorageFailed(problem);
    }
  }

  get device(): DeviceKey {
    return this.#device;
  }

  async get(key: string): Promise<Uint8Array | undefined> {
    return this.#db.get("records", key);
  }

  async range({ from, to, limit, backwards }: Span): Promise<[string, Uint8Array][]> {
    const found: [string, Uint8Array][] = [];
    const within = IDBKeyRange.bound(from, to, false, true);
    let cursor = await this.#db.transaction("records").store.openCursor(within, backwards ? "prev" : "next");
    while (cursor && found.length < (limit ?? Number.POSITIVE_INFINITY)) {
      found.push([cursor.key, cursor.value]);
      cursor = await cursor.continue();
    }
    return found;
  }

  async write(changes: readonly Change[]): Promise<void> {
    try {
      const transaction = this.#db.transaction("records", "readwrite", { durability: "strict" });
      // Nothing else may be awaited in here, or the browser ends the transaction early.
      for (const { key, value } of changes) {
        const done = value ? transaction.store.put(value, key) : transaction.store.delete(key);
        done.catch(() => {});
      }
      await transaction.done;
    } catch (problem) {
      throw new StorageFailed(problem);
    }
  }

  async lasting(): Promise<boolean> {
    try {
      return await navigator.storage.persisted();
    } catch {
      return false;
    }
  }

  async clear(): Promise<void> {
    const transaction = this.#db.transaction(["records", "keys"], "readwrite", { durability: "strict" });
    transaction.objectStore("records").clear();
    transaction.objectStore("keys").clear();
    await transaction.done;
    this.#device = await deviceKey(this.#db);
  }

  async close(): Promise<void> {
    this.#db.close();
  }
}

async function deviceKey(db: IDBPDatabase<Schema>): Promise<DeviceKey> {
  let key = await db.get("keys", "device");
  if (!key) {
    key = await crypto.subtle.generateKey({ name: "AES-GCM", length: 256 }, false, ["encrypt", "decrypt"]);
    await db.put("keys", key, "device");
  }
  const kept = key;
  return {
    seal: (plaintext) => sealWith(kept, CONTEXT, plaintext),
    open: (sealed) => openWith(kept, CONTEXT, sealed),
  };
}
