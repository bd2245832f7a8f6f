import assert from "node:assert/strict";
import { test } from "node:test";
import { nextText, ownText, weeklyText, zoneText } from "../src/directory/words.ts";
import { Language } from "../src/texts.ts";

const TEXTS = {
  "when.date_time": "{{date}}, {{time}}",
  "when.range": "{{start}} to {{end}}",
  "when.weekly": "Every {{day}}, {{time}}",
  "when.zone_unknown": "time zone not given",
  "time.yours": "{{time}} your time",
};
const ENGLISH = new Language("en-GB", false, TEXTS);
const plain = (text: string): string => text.replace(/[\u2066-\u2069]/g, "").replace(/\u202f/g, " ");
const DAY = Date.UTC(2026, 9, 25); // the clocks change in Europe, not in India

function next(zone: string, afar: boolean, hour: number) {
  const minutes = 1140;
  return { start: DAY + hour * 3_600_000, end: DAY, day: DAY, minutes, sure: zone !== "", zone, afar };
}

test("a zone is called by its name of today", () => {
  assert.equal(zoneText("Europe/Berlin", "en-GB"), "Central European Time");
  assert.equal(zoneText("Nowhere/Land", "en-GB"), "");
});

test("it is said whose time it is, unless it is the visitor's own", () => {
  const said = (zone: string, afar: boolean): string => plain(nextText(next(zone, afar, 19), ENGLISH, "Europe/London"));
  assert.ok(said("Europe/London", true).endsWith("19:00"));
  assert.ok(said("Europe/Belfast", true).endsWith("19:00"));
  assert.ok(said("Asia/Kolkata", false).endsWith("19:00 (India Standard Time)"));
  assert.ok(said("", true).endsWith("(time zone not given)"));
  assert.ok(said("", false).endsWith("19:00"), "in a place it is the place's");
});

test("one's own time comes with the date only where it is another day", () => {
  const own = (hour: number): string => plain(ownText(next("Europe/London", true, hour), ENGLISH, "Asia/Kolkata"));
  assert.equal(own(17), "22:30 your time");
  assert.match(own(19), /^Monday.* 26 October.*\b0?0:30 your time$/);
  assert.equal(ownText(next("Asia/Calcutta", true, 13), ENGLISH, "Asia/Kolkata"), "");
  assert.equal(ownText(next("Europe/London", false, 19), ENGLISH, "Asia/Kolkata"), "", "in person: the place's time");
});

test("weekly times", () => {
  const time = { weekdays: [2], start: 1140, duration: 60, zone: "Asia/Kolkata", afar: true };
  assert.equal(plain(weeklyText(time, ENGLISH, "Asia/Calcutta")), "Every Tuesday, 19:00 to 20:00");
});
