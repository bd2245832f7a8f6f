import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { contains, haystack, words } from "../src/directory/fold.ts";

const VECTORS = new URL("../../tests/vectors/folding.json", import.meta.url);

test("folds as the server does", () => {
  const vectors = JSON.parse(readFileSync(VECTORS, "utf8")) as [text: string, folded: string[]][];
  assert.ok(vectors.length > 20);
  for (const [text, folded] of vectors) assert.deepEqual(words(text), folded, text);
});

test("finds words, and beginnings of the last one", () => {
  const hay = haystack("Grupo de Mañana", "Café Ärger");
  assert.ok(contains(hay, words("manana")));
  assert.ok(contains(hay, words("CAFE arg")));
  assert.ok(!contains(hay, words("caf arger")), "only the last word may be unfinished");
  assert.ok(!contains(hay, words("afe")));
  assert.ok(contains(hay, []));
});
