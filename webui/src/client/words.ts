/** Secrets as words of the BIP 39 English list: 24 on the recovery sheet, 12 to type a link, 4 to compare. */
import { wordlist } from "@scure/bip39/wordlists/english.js";
import { concat, equal } from "../bytes/bytes.ts";
import { hash } from "../bytes/webcrypto.ts";

const LIST = new Set(wordlist);

/** What somebody typed, as single words: any spaces, commas, line breaks and numbers between them are fine. */
export function typedWords(text: string): string[] {
  return text
    .normalize("NFKC")
    .toLowerCase()
    .split(/[^a-z]+/)
    .filter((word) => word !== "");
}

export function unknownWords(words: readonly string[]): string[] {
  return words.filter((word) => !LIST.has(word));
}

/** Bits of one word. */
const BITS = 11;

/** Secret and checksum as bits: BIP 39 adds one bit of its SHA-256 for each 32 bits. */
async function checked(secret: Uint8Array): Promise<Uint8Array> {
  const check = new Uint8Array(1);
  const bits = secret.length / 4;
  check[0] = ((await hash(secret))[0] ?? 0) & (0xff << (8 - bits));
  return concat(secret, check);
}

/** 16 bytes as 12 words, 32 bytes as 24, with a checksum (BIP 39). */
export async function toWords(secret: Uint8Array): Promise<string[]> {
  return spoken(await checked(secret), (secret.length * 3) / 4).split(" ");
}

/** The bytes, or undefined when a word is wrong, missing or out of order. */
export async function fromWords(words: readonly string[]): Promise<Uint8Array | undefined> {
  if (words.length !== 12 && words.length !== 24) return undefined;
  const bytes = new Uint8Array((words.length * 4) / 3 + 1);
  for (const [at, word] of words.entries()) {
    const index = wordlist.indexOf(word);
    if (index < 0) return undefined;
    for (let bit = 0; bit < BITS; bit++) {
      const place = at * BITS + bit;
      if ((index >> (BITS - 1 - bit)) & 1) bytes[place >> 3] = (bytes[place >> 3] ?? 0) | (0x80 >> (place & 7));
    }
  }
  const secret = bytes.slice(0, -1);
  return equal(bytes, await checked(secret)) ? secret : undefined;
}

/** The first `count` × 11 bits as words, without a checksum: for comparing by voice. */
export function spoken(bytes: Uint8Array, count: number): string {
  const words: string[] = [];
  for (let at = 0; at < count; at++) {
    let index = 0;
    for (let bit = at * BITS; bit < (at + 1) * BITS; bit++) {
      index = (index << 1) | (((bytes[bit >> 3] ?? 0) >> (7 - (bit & 7))) & 1);
    }
    words.push(wordlist[index] as string);
  }
  return words.join(" ");
}
