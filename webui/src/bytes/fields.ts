/**
 * Byte strings that are hashed or signed: a label and fields, each with its length in front, so that no two lists of
 * fields ever give the same bytes.
 */
import { ascii, concat } from "./bytes.ts";

const FIELD_MAX = 0xffff;

/** A field: bytes as they are, text as UTF-8, a whole number as 8 bytes big-endian. */
export type Field = Uint8Array | string | number;

/** Eight bytes, big-endian. */
export function u64(value: number): Uint8Array {
  if (!Number.isSafeInteger(value) || value < 0) throw new RangeError("not a whole number from 0 to 2^53-1");
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(value));
  return bytes;
}

/** `lp(label) ‖ lp(field) ‖ …`, where lp puts a 2-byte big-endian length in front. */
export function fields(label: string, ...values: readonly Field[]): Uint8Array {
  const parts: Uint8Array[] = [];
  for (const value of [label, ...values]) {
    const bytes = typeof value === "string" ? ascii(value) : typeof value === "number" ? u64(value) : value;
    if (bytes.length > FIELD_MAX) throw new RangeError("a field is at most 65,535 bytes long");
    parts.push(Uint8Array.of(bytes.length >> 8, bytes.length & 0xff), bytes);
  }
  return concat(...parts);
}
