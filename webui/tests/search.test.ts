import assert from "node:assert/strict";
import { test } from "node:test";
import type { CompactList, ListMeeting } from "../src/directory/list.ts";
import { readList } from "../src/directory/list.ts";
import { distanceKm, type Query, Searcher } from "../src/directory/search.ts";
import { happening, upcoming } from "../src/directory/upcoming.ts";

const ZONES = ["America/New_York", "Europe/London"];
const NOW = Date.parse("2026-11-24T18:30:00Z"); // a Tuesday: 13:30 in New York, 18:30 in London

function meeting(
  parts: Partial<Record<"weekday" | "start" | "duration" | "zone" | "attendance" | "place", number>>,
  tags: number[] = [],
  dates: ListMeeting[7] = 0,
): ListMeeting {
  const { weekday = 2, start = 1140, duration = 60, zone = 1, attendance = 1, place = -1 } = parts;
  return [weekday, start, duration, zone, attendance, place, tags, dates];
}

const LIST: CompactList = {
  v: 1,
  made: 0,
  tags: [
    ["bereavement", "Bereavement"],
    ["alcohol", "Alcohol"],
    ["wheelchair", "Wheelchair access"],
  ],
  langs: [
    ["en", "English"],
    ["es", "Spanish"],
  ],
  zones: ZONES,
  places: [
    ["Example Library, Leeds", 53.8, -1.55],
    ["Example Hall, York", 53.96, -1.08],
  ],
  towns: [
    ["Leeds", 53.8, -1.55, 1],
    ["York", 53.96, -1.08, 1],
  ],
  listings: [
    ["a", "Tuesday Circle", "For parents", [0], [0], 0, [meeting({ place: 0 }, [2])], ""],
    ["b", "Mañana", "", [1], [1], 0, [meeting({ weekday: 3, start: 540, zone: 0, attendance: 2 })], "grupo"],
    ["c", "Café York", "", [1], [0], 0, [meeting({ weekday: 4, place: 1, attendance: 3 })], ""],
    ["d", "In dispute", "", [], [], 1, [], ""],
    ["e", "Once", "", [0], [0], 0, [meeting({ weekday: -1 }, [], ["2026-11-30", ["2026-12-07", 600]])], ""],
  ],
};
const SEARCHER = new Searcher(LIST, ["wheelchair"]);
const NOTHING: Query = {
  text: "",
  experience: "",
  part: "",
  weekdays: [],
  attendance: "",
  language: "",
  access: [],
  town: "",
  km: 25,
  position: null,
  limit: 50,
};
const find = (wanted: Partial<Query>, zone = "Europe/London", now = NOW) =>
  SEARCHER.search({ ...NOTHING, ...wanted }, now, zone);
const ids = (wanted: Partial<Query>, zone = "Europe/London", now = NOW) =>
  find(wanted, zone, now).rows.map((row) => row.id);

test("everything, the soonest first, those without a time last", () => {
  assert.deepEqual(ids({}), ["a", "b", "c", "e", "d"]);
  assert.equal(find({ limit: 2 }).total, 5);
  assert.equal(find({ limit: 2 }).rows.length, 2);
});

test("words, accents, experience, language, access", () => {
  assert.deepEqual(ids({ text: "manana" }), ["b"]);
  assert.deepEqual(ids({ text: "leeds" }), ["a"]);
  assert.deepEqual(ids({ text: "gru" }), ["b"]);
  assert.deepEqual(ids({ experience: "bereavement" }), ["a", "e"]);
  assert.deepEqual(ids({ experience: "unknown" }), []);
  assert.deepEqual(ids({ language: "es" }), ["b"]);
  assert.deepEqual(ids({ access: ["wheelchair"] }), ["a"]);
  assert.deepEqual(find({ access: ["wheelchair"] }).rows[0]?.access, ["Wheelchair access"]);
});

test("a hybrid meeting is both in person and online", () => {
  assert.deepEqual(ids({ attendance: "in_person" }), ["a", "c", "e"]);
  assert.deepEqual(ids({ attendance: "online" }), ["b", "c"]);
});

test("near a town, by distance; an unknown town is said", () => {
  assert.deepEqual(ids({ town: "leeds", km: 10 }), ["a"]);
  assert.deepEqual(ids({ town: "Leeds", km: 50 }), ["a", "c"]);
  assert.deepEqual(ids({ position: [53.95, -1.1], km: 50 }), ["c", "a"]);
  assert.equal(find({ town: "Atlantis" }).unknownTown, true);
  assert.ok(Math.abs(distanceKm([53.8, -1.55], [53.96, -1.08]) - 35.6) < 0.5);
});

test("what is joined from afar is judged by the visitor's clock", () => {
  // 09:00 in New York is 14:00 in London and 22:00 in Tokyo… on Wednesday, and Thursday in Auckland.
  assert.deepEqual(ids({ part: "afternoon", attendance: "online" }, "Europe/London"), ["b"]);
  assert.deepEqual(ids({ weekdays: [4], attendance: "online" }, "Pacific/Auckland"), ["b"]);
  // A place keeps its own clock, wherever the visitor is.
  assert.deepEqual(ids({ weekdays: [2] }, "Pacific/Auckland"), ["a"]);
});

test("days with the same time stand together", () => {
  const entry = LIST.listings[0];
  assert.ok(entry);
  const daily = [...entry] as typeof entry;
  daily[6] = [1, 2, 3, 1].map((weekday) => meeting({ weekday }));
  const [found] = new Searcher({ ...LIST, listings: [daily] }, []).search(NOTHING, NOW, "Europe/London").rows;
  assert.deepEqual(
    found?.times.map((time) => time.weekdays),
    [[1, 2, 3]],
  );
});

test("on now or soon", () => {
  assert.deepEqual(ids({ part: "now" }), ["a"]); // starts at 19:00
  assert.deepEqual(ids({ part: "now" }, "Europe/London", Date.parse("2026-11-24T19:59:00Z")), ["a"]);
  assert.deepEqual(ids({ part: "now" }, "Europe/London", Date.parse("2026-11-24T20:00:00Z")), []);
  assert.deepEqual(ids({ part: "now" }, "Europe/London", Date.parse("2026-11-24T16:59:00Z")), []);
});

test("listed dates, also moved ones", () => {
  const coming = upcoming(meeting({ weekday: -1 }, [], ["2026-11-30", ["2026-12-07", 600]]), ZONES, NOW, "UTC");
  assert.deepEqual(
    coming.map((each) => new Date(each.start).toISOString()),
    ["2026-11-30T19:00:00.000Z", "2026-12-07T10:00:00.000Z"],
  );
  assert.deepEqual(upcoming(meeting({}, [], []), ZONES, NOW, "UTC"), []);
});

test("a meeting over midnight is on after midnight", () => {
  const late = meeting({ weekday: 1, start: 1410, duration: 90 });
  const now = Date.parse("2026-11-24T00:20:00Z");
  const [next] = upcoming(late, ZONES, now, "UTC");
  assert.equal(happening(next, now), "now");
});

test("a weekly meeting keeps its wall time when the clocks change", () => {
  const sunday = meeting({ weekday: 0, start: 600, zone: 0 });
  const before = upcoming(sunday, ZONES, Date.parse("2026-10-25T20:00:00Z"), "UTC")[0];
  const after = upcoming(sunday, ZONES, Date.parse("2026-11-02T20:00:00Z"), "UTC")[0];
  assert.equal(new Date(before?.start ?? 0).toISOString(), "2026-11-01T15:00:00.000Z");
  assert.equal(new Date(after?.start ?? 0).toISOString(), "2026-11-08T15:00:00.000Z");
});

test("a time whose zone is not known is the place's own", () => {
  const [next] = upcoming(meeting({ zone: -1 }), ZONES, NOW, "Europe/London");
  assert.equal(next?.sure, false);
  assert.equal(next?.minutes, 1140);
});

test("anything that is not a list is refused", () => {
  for (const value of [null, 1, [], {}, { v: 2, listings: [] }, { v: 1 }]) assert.throws(() => readList(value));
});
