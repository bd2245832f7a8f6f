/** Reads the MLS working group's published vectors, when the shared folder lies beside the checkout. */
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { fromHex, toHex } from "../src/bytes/text.ts";

function find(): string | undefined {
  for (let folder = import.meta.dirname; ; folder = dirname(folder)) {
    if (existsSync(join(folder, "shared", "vectors", "mls"))) return join(folder, "shared", "vectors", "mls");
    if (dirname(folder) === folder) return undefined;
  }
}

const FOLDER = find();

/** One test over all vectors of a file; skipped with a clear line when they are not here. */
export function vectors<T>(file: string, run: (vector: T) => void | Promise<void>): void {
  const skip = FOLDER === undefined && "the shared vectors are not beside this checkout";
  test(`MLS working group: ${file}`, { skip }, async () => {
    const all = JSON.parse(readFileSync(join(FOLDER as string, `${file}.json`), "utf8")) as T[];
    if (all.length === 0) throw new Error("no vectors");
    for (const each of all) await run(each);
  });
}

export const hex = fromHex;
export { toHex };

/** The value a decoder finds in all of the bytes. */
export function whole<T>(decode: (bytes: Uint8Array, at: number) => [T, number] | undefined, bytes: Uint8Array): T {
  const found = decode(bytes, 0);
  if (found === undefined || found[1] !== bytes.length) throw new Error("not decoded to the end");
  return found[0];
}
