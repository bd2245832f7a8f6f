/** Hides how long a message is: its length in 4 bytes, the message, zeros up to one of a few sizes. */

/** Bytes, length prefix included. What is longer than the last is refused: files travel as blobs. */
export const BUCKETS: readonly number[] = [256, 1024, 4096, 16_384, 65_536];
const PREFIX = 4;
export const PADDED_MAX = 65_536;
/** The longest message that fits. */
export const CONTENT_MAX = PADDED_MAX - PREFIX;

/** Throws RangeError when the content is longer than CONTENT_MAX. */
export function pad(content: Uint8Array): Uint8Array {
  const size = BUCKETS.find((bucket) => content.length + PREFIX <= bucket);
  if (size === undefined) throw new RangeError(`longer than ${CONTENT_MAX} bytes`);
  const padded = new Uint8Array(size);
  new DataView(padded.buffer).setUint32(0, content.length);
  padded.set(content, PREFIX);
  return padded;
}

/** The content, or undefined for anything that `pad` does not make (so padding carries nothing). */
export function unpad(padded: Uint8Array): Uint8Array | undefined {
  const bucket = BUCKETS.indexOf(padded.length);
  if (bucket < 0) return undefined;
  const length = new DataView(padded.buffer, padded.byteOffset).getUint32(0);
  const end = PREFIX + length;
  if (end > padded.length || padded.subarray(end).some((byte) => byte !== 0)) return undefined;
  const smaller = BUCKETS[bucket - 1];
  return smaller !== undefined && end <= smaller ? undefined : padded.slice(PREFIX, end);
}
