import assert from "node:assert/strict";
import { test } from "node:test";
import { clockTime, daysAgo, dayWords, fullWhen, shortWhen, untilWords } from "../src/state/time-words.ts";

const at = (text: string): number => Date.parse(text) / 1000;
const now = Date.parse("2026-11-24T23:30:00Z");
const london = { now, language: "en-GB", zone: "Europe/London" };

test("days are calendar days where the reader is", () => {
  assert.equal(daysAgo(london, at("2026-11-24T00:01:00Z")), 0);
  assert.equal(daysAgo(london, at("2026-11-23T23:59:00Z")), 1);
  // In Auckland it is the 25th already.
  assert.equal(daysAgo({ ...london, zone: "Pacific/Auckland" }, at("2026-11-24T10:00:00Z")), 1);
  // The clock went back in between: still one day.
  assert.equal(daysAgo({ ...london, now: Date.parse("2026-10-25T12:00:00Z") }, at("2026-10-24T12:00:00Z")), 1);
});

test("words grow with distance", () => {
  assert.equal(dayWords(london, at("2026-11-24T12:00:00Z")), "today");
  assert.equal(dayWords(london, at("2026-11-23T12:00:00Z")), "yesterday");
  assert.equal(dayWords(london, at("2026-11-19T12:00:00Z")), "Thursday");
  assert.equal(dayWords(london, at("2026-11-02T12:00:00Z")), "2 November");
  assert.equal(dayWords(london, at("2025-11-02T12:00:00Z")), "2 November 2025");
  assert.equal(shortWhen(london, at("2026-11-24T14:05:00Z")), "14:05");
  assert.equal(shortWhen(london, at("2026-11-23T14:05:00Z")), "yesterday");
  assert.equal(clockTime({ ...london, language: "en-US" }, at("2026-11-24T14:05:00Z")).replace(/\s/u, " "), "2:05 PM");
  assert.match(fullWhen(london, at("2026-11-24T14:05:00Z")), /Tuesday,? 24 November 2026 at 14:05/);
});

test("a time ahead of the own clock is not in the past", () => {
  assert.equal(dayWords(london, at("2026-11-25T00:10:00Z")), "25 November");
});

test("what ends", () => {
  assert.equal(untilWords(london, now / 1000 + 7 * 86_400), "in 7 days");
  assert.equal(untilWords(london, now / 1000 + 3 * 3600), "in 3 hours");
  assert.equal(untilWords({ ...london, language: "de" }, now / 1000 + 60), "in 1 Stunde");
});
