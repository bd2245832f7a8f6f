import assert from "node:assert/strict";
import { test } from "node:test";
import { wordlist } from "@scure/bip39/wordlists/english.js";
import {
  completeWord,
  distance,
  readWords,
  replaceWord,
  splitWords,
  suggestWords,
} from "../src/state/recovery-words.ts";

test("numbers, stops, case and line breaks don't matter", () => {
  assert.deepEqual(splitWords("1. Abandon, 2) ABILITY\n3 – able…"), ["abandon", "ability", "able"]);
});

test("the first four letters are enough, and a slip after them does no harm", () => {
  assert.equal(completeWord("aban", wordlist), "abandon");
  assert.equal(completeWord("abandom", wordlist), "abandon");
  assert.equal(completeWord("abandoning it", wordlist), null);
  assert.equal(completeWord("winer", wordlist), null, "wine or winner");
  assert.equal(completeWord("act", wordlist), "act", "a whole word that begins others");
  assert.equal(completeWord("ab", wordlist), null);
  assert.equal(completeWord("zzzz", wordlist), null);
});

test("near words are suggested", () => {
  assert.ok(suggestWords("abilty", wordlist).includes("ability"));
  assert.ok(suggestWords("qiuck", wordlist).includes("quick"));
  assert.deepEqual(suggestWords("xqzvw", wordlist), []);
  assert.equal(distance("ab", "ba"), 1);
  assert.equal(distance("kitten", "sitting"), 3);
});

test("a whole sheet", () => {
  const sheet = wordlist.slice(100, 124);
  const typed = sheet.map((word, index) => `${index + 1}. ${word.slice(0, 4)}`).join("\n");
  assert.deepEqual(readWords(typed, wordlist), { words: sheet, unknown: [], complete: true });
  const wrong = readWords(`${sheet.slice(0, 23).join(" ")} xylophone`, wordlist);
  assert.deepEqual([wrong.unknown, wrong.complete], [[23], false]);
  assert.equal(replaceWord("1. abc, 2. def!", 1, "ghi"), "1. abc, 2. ghi!");
});
