/** The floors of the member app: imports point down, and the rules of rooms are pure. */
import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";

const SRC = join(import.meta.dirname, "..", "src");
/** What a folder may import besides itself: other folders (or single files of them) and packages. */
const MAY: Record<string, readonly string[]> = {
  bytes: [],
  mls: ["bytes/", "ts-mls/", "@hpke/core"],
  // The rules know what an engine is, never which one.
  rooms: ["bytes/", "mls/types.ts"],
};

function imports(file: string): string[] {
  const text = readFileSync(join(SRC, file), "utf8");
  const found = [...text.matchAll(/(?:from|import)\s*\(?\s*"([^"]+)"/g)].map((match) => match[1] as string);
  return found.map((name) => (name.startsWith(".") ? join(file, "..", name).replaceAll("\\", "/") : name));
}

for (const [folder, below] of Object.entries(MAY)) {
  test(`${folder}/ imports only what lies below it`, () => {
    const files = globSync(`${folder}/*.ts`, { cwd: SRC });
    assert.ok(files.length > 0);
    for (const file of files) {
      for (const name of imports(file)) {
        const fine = [`${folder}/`, ...below].some((start) => name.startsWith(start));
        assert.ok(fine, `${file} imports ${name}`);
      }
    }
  });
}

test("rooms/ has no clock, no chance and no network of its own", () => {
  for (const file of globSync("rooms/*.ts", { cwd: SRC })) {
    const code = readFileSync(join(SRC, file), "utf8").replaceAll(/\/\*[\s\S]*?\*\/|\/\/.*/g, "");
    const found =
      /\b(Date|Math\.random|crypto\.|globalThis|fetch|setTimeout|performance|indexedDB|localStorage)\b/.exec(code);
    assert.equal(found, null, `${file} uses ${found?.[0]}`);
  }
});
