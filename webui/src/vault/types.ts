/**
 * Where a device keeps what it knows. A storage holds sealed records under names; it never sees a plaintext or a key.
 *
 * One `write` is one transaction: after a crash all of it is there or nothing, and when it has returned it is durable.
 */

export interface Change {
  readonly key: string;
  /** null takes the record away. */
  readonly value: Uint8Array | null;
}

export interface Span {
  /** From this name on … */
  readonly from: string;
  /** … up to, not including, this one. */
  readonly to: string;
  readonly limit?: number;
  /** The last ones first. */
  readonly backwards?: boolean;
}

export interface Storage {
  get(key: string): Promise<Uint8Array | undefined>;
  range(span: Span): Promise<readonly (readonly [key: string, value: Uint8Array])[]>;
  write(changes: readonly Change[]): Promise<void>;
  /** Seals with a key that belongs to this device and can't be taken out of the browser. Null when there is none. */
  readonly device: DeviceKey | null;
  /** Whether what is written here stays until somebody deletes it. */
  lasting(): Promise<boolean>;
  /** Takes everything away, the device's key too. */
  clear(): Promise<void>;
  close(): Promise<void>;
}

export interface DeviceKey {
  seal(plaintext: Uint8Array): Promise<Uint8Array>;
  /** Throws when it was not sealed here. */
  open(sealed: Uint8Array): Promise<Uint8Array>;
}

/** The storage did not take a write (full, forbidden, broken). */
export class StorageFailed extends Error {
  constructor(cause: unknown) {
    super(cause instanceof Error ? cause.name : "storage failed", { cause });
    this.name = "StorageFailed";
  }
}
