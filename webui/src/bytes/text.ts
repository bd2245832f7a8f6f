/** Bytes as text and back: unpadded base64url everywhere, hex where people compare. */

const LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
const VALUES = new Map([...LETTERS].map((letter, value) => [letter, value]));

/** Unpadded base64url (RFC 4648 section 5). */
export function toB64(bytes: Uint8Array): string {
  let text = "";
  for (let at = 0; at < bytes.length; at += 3) {
    const left = bytes.length - at;
    const word = ((bytes[at] ?? 0) << 16) | ((bytes[at + 1] ?? 0) << 8) | (bytes[at + 2] ?? 0);
    text += LETTERS.charAt(word >> 18) + LETTERS.charAt((word >> 12) & 63);
    if (left > 1) text += LETTERS.charAt((word >> 6) & 63);
    if (left > 2) text += LETTERS.charAt(word & 63);
  }
  return text;
}

/** The bytes of an unpadded base64url text, or undefined when it is not the one text that `toB64` makes of them. */
export function readB64(text: unknown, length?: number): Uint8Array | undefined {
  if (typeof text !== "string" || text.length % 4 === 1) return undefined;
  const size = Math.floor((text.length * 3) / 4);
  if (length !== undefined && size !== length) return undefined;
  const bytes = new Uint8Array(size);
  let word = 0;
  let bits = 0;
  let at = 0;
  for (let index = 0; index < text.length; index++) {
    const value = VALUES.get(text.charAt(index));
    if (value === undefined) return undefined;
    word = ((word << 6) | value) & 0xfff;
    bits += 6;
    if (bits >= 8) {
      bits -= 8;
      bytes[at++] = (word >> bits) & 0xff;
    }
  }
  return (word & ((1 << bits) - 1)) === 0 ? bytes : undefined;
}

/** As `readB64`, for text of our own: throws when it is none. */
export function fromB64(text: string, length?: number): Uint8Array {
  const bytes = readB64(text, length);
  if (bytes === undefined) throw new RangeError("not unpadded base64url of the right length");
  return bytes;
}

export function toHex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

export function fromHex(text: string): Uint8Array {
  if (!/^(?:[0-9a-f]{2})*$/.test(text)) throw new RangeError("not hexadecimal");
  return Uint8Array.from(text.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
}
