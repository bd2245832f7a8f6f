/** Records in memory, in the order of their names: what the file storage holds, and a storage that forgets. */
import type { Change, DeviceKey, Span, Storage } from "./types.ts";

export class Records {
  readonly #values = new Map<string, Uint8Array>();
  readonly #keys: string[] = [];
  #bytes = 0;

  /** Bytes of all names and values. */
  get bytes(): number {
    return this.#bytes;
  }

  get(key: string): Uint8Array | undefined {
    return this.#values.get(key);
  }

  apply({ key, value }: Change): void {
    const before = this.#values.get(key);
    if (before) this.#bytes -= before.length + key.length;
    if (value) {
      if (!before) this.#keys.splice(this.#place(key), 0, key);
      this.#values.set(key, value);
      this.#bytes += value.length + key.length;
    } else if (before) {
      this.#keys.splice(this.#place(key), 1);
      this.#values.delete(key);
    }
  }

  range({ from, to, limit, backwards }: Span): [string, Uint8Array][] {
    const keys = this.#keys.slice(this.#place(from), this.#place(to));
    if (backwards) keys.reverse();
    return keys.slice(0, limit ?? keys.length).map((key) => [key, this.#values.get(key) as Uint8Array]);
  }

  clear(): void {
    this.#values.clear();
    this.#keys.length = 0;
    this.#bytes = 0;
  }

  all(): Iterable<[string, Uint8Array]> {
    return this.#values;
  }

  /** Index of the first name that is not before `key`. */
  #place(key: string): number {
    let low = 0;
    let high = this.#keys.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#keys[middle] as string) < key) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/** Forgets all when the tab closes: for browsers that let nothing be stored. */
export class MemoryStorage implements Storage {
  readonly #records = new Records();
  readonly device: DeviceKey | null = null;

  async get(key: string): Promise<Uint8Array | undefined> {
    return this.#records.get(key)?.slice();
  }
  async range(span: Span): Promise<[string, Uint8Array][]> {
    return this.#records.range(span);
  }
  async write(changes: readonly Change[]): Promise<void> {
    for (const change of changes) this.#records.apply(change);
  }
  async lasting(): Promise<boolean> {
    return false;
  }
  async clear(): Promise<void> {
    this.#records.clear();
  }
  async close(): Promise<void> {}
}
