import assert from "node:assert/strict";
import { test } from "node:test";
import { dayOf, instantOf, knowsZone, offsetAt, sameClock, wallOf, weekdayOf } from "../src/directory/zone.ts";

const at = (day: string, time: string, zone: string): string => {
  const [hours = 0, minutes = 0] = time.split(":").map(Number);
  return new Date(instantOf(dayOf(day), hours * 60 + minutes, zone)).toISOString();
};

test("wall time becomes the right instant, summer and winter", () => {
  assert.equal(at("2026-07-01", "19:00", "Europe/Berlin"), "2026-07-01T17:00:00.000Z");
  assert.equal(at("2026-12-01", "19:00", "Europe/Berlin"), "2026-12-01T18:00:00.000Z");
  assert.equal(at("2026-12-01", "00:00", "Asia/Kathmandu"), "2026-11-30T18:15:00.000Z");
});

test("one clock has several names", () => {
  assert.ok(sameClock("Asia/Kolkata", "Asia/Calcutta"));
  assert.ok(sameClock("America/New_York", "America/Detroit"));
  assert.ok(!sameClock("Europe/London", "UTC"));
  assert.ok(!sameClock("", "Europe/London"));
});

test("an hour that comes twice means the first, one that is skipped the offset before", () => {
  assert.equal(at("2026-10-25", "02:30", "Europe/Berlin"), "2026-10-25T00:30:00.000Z");
  assert.equal(at("2026-11-01", "01:30", "America/New_York"), "2026-11-01T05:30:00.000Z");
  assert.equal(at("2027-03-28", "02:30", "Europe/Berlin"), "2027-03-28T01:30:00.000Z");
  assert.equal(at("2027-03-14", "02:30", "America/New_York"), "2027-03-14T07:30:00.000Z");
  assert.equal(at("2026-10-04", "02:15", "Australia/Lord_Howe"), "2026-10-03T15:45:00.000Z");
});

test("there and back again, every half hour around each change", () => {
  for (const zone of ["Europe/London", "America/St_Johns", "Australia/Lord_Howe", "Africa/Casablanca", "Asia/Tehran"]) {
    for (const start of ["2026-03-26", "2026-10-23", "2027-03-12"]) {
      for (let step = 0; step < 48 * 6; step++) {
        const instant = dayOf(start) + step * 1_800_000;
        const { day, minutes } = wallOf(instant, zone);
        const back = instantOf(day, minutes, zone);
        assert.equal(offsetAt(back, zone) + back, offsetAt(instant, zone) + instant, `${zone} ${instant}`);
      }
    }
  }
});

test("an unknown zone is said to be unknown", () => {
  assert.equal(knowsZone("Mars/Olympus"), false);
  assert.equal(knowsZone("Europe/Dublin"), true);
  assert.equal(weekdayOf(dayOf("2026-11-22")), 0);
});
