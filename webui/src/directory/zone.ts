/** Wall-clock time to instants and back, in any zone, over changes of the clock, with `Intl` alone. */

const MINUTE = 60_000;
const DAY = 86_400_000;
const QUARTER = 15 * MINUTE; // every known change of a clock happens on a quarter of an hour

/** A day by the calendar, as the UTC midnight that has its date. */
export type Day = number;

const formats = new Map<string, Intl.DateTimeFormat | null>();
const offsets = new Map<string, Map<number, number>>();

function formatOf(zone: string): Intl.DateTimeFormat | null {
  let format = formats.get(zone);
  if (format === undefined) {
    try {
      format = new Intl.DateTimeFormat("en-US-u-hc-h23", {
        timeZone: zone,
        year: "numeric",
        month: "numeric",
        day: "numeric",
        hour: "numeric",
        minute: "numeric",
        second: "numeric",
      });
    } catch {
      format = null; // a zone this browser doesn't know
    }
    formats.set(zone, format);
  }
  return format;
}

/** Whether this browser knows the zone. */
export function knowsZone(zone: string): boolean {
  return formatOf(zone) !== null;
}

const JANUARY = Date.UTC(2026, 0, 1);
const JULY = Date.UTC(2026, 6, 1);

/** Whether two zones show the same time: one zone often has several names (`Asia/Kolkata`, `Asia/Calcutta`). */
export function sameClock(one: string, other: string): boolean {
  if (one === other) return true;
  if (!knowsZone(one) || !knowsZone(other)) return false;
  return [JANUARY, JULY].every((instant) => offsetAt(instant, one) === offsetAt(instant, other));
}

/** Milliseconds that the zone's clock is ahead of UTC at an instant. */
export function offsetAt(instant: number, zone: string): number {
  const bucket = Math.floor(instant / QUARTER);
  let known = offsets.get(zone);
  if (!known) {
    known = new Map();
    offsets.set(zone, known);
  }
  const held = known.get(bucket);
  if (held !== undefined) return held;
  const at = bucket * QUARTER;
  const parts: Record<string, number> = {};
  for (const part of formatOf(zone)?.formatToParts(at) ?? []) parts[part.type] = Number(part.value);
  const { year = 1970, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = parts;
  const offset = formatOf(zone) ? Date.UTC(year, month - 1, day, hour, minute, second) - at : 0;
  known.set(bucket, offset);
  return offset;
}

/**
 * The instant at which the zone's clock shows this wall time (`minutes` after midnight of `day`). An hour that comes
 * twice means the first; one that is skipped is read with the offset before the change, as Python's zoneinfo does.
 */
export function instantOf(day: Day, minutes: number, zone: string): number {
  const wall = day + minutes * MINUTE;
  const before = offsetAt(wall - DAY, zone);
  const after = offsetAt(wall + DAY, zone);
  const early = wall - before;
  if (before === after || offsetAt(early, zone) === before) return early;
  const late = wall - after;
  return offsetAt(late, zone) === after ? late : early;
}

/** The calendar day and the minutes after midnight that the zone's clock shows. */
export function wallOf(instant: number, zone: string): { day: Day; minutes: number } {
  const wall = instant + offsetAt(instant, zone);
  const day = Math.floor(wall / DAY) * DAY;
  return { day, minutes: Math.floor((wall - day) / MINUTE) };
}

/** 0 = Sunday … 6 = Saturday. */
export function weekdayOf(day: Day): number {
  return new Date(day).getUTCDay();
}

export function addDays(day: Day, days: number): Day {
  return day + days * DAY;
}

/** `2026-11-25` as a day; `NaN` when it isn't a date. */
export function dayOf(date: string): Day {
  return Date.parse(`${date}T00:00:00Z`);
}
