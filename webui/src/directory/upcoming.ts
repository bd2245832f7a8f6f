/** When a meeting comes next, and when it can be joined: by its own clock or by the visitor's. */
import { HYBRID, type ListMeeting, ONLINE } from "./list.ts";
import { addDays, type Day, dayOf, instantOf, knowsZone, wallOf, weekdayOf } from "./zone.ts";

const MINUTE = 60_000;
const ASSUMED_MINUTES = 60; // a meeting that doesn't say how long it lasts
const SOON_MS = 120 * MINUTE;
const WEEK = 7;

/** One time at which a meeting is held. */
export interface Occurrence {
  /** Milliseconds since 1970. By the visitor's zone when the meeting's is unknown. */
  start: number;
  end: number;
  /** The date and minutes on the clock of the place. */
  day: Day;
  minutes: number;
  /** Whether the meeting's zone is known. */
  sure: boolean;
}

export type Happening = "" | "now" | "soon";

/** The occurrences that end after `now`, in order: of a weekly meeting those of the next 8 days. */
export function upcoming(
  meeting: ListMeeting,
  zones: readonly string[],
  now: number,
  visitorZone: string,
): Occurrence[] {
  const [weekday, start, duration, zoneIndex, , , , dates] = meeting;
  if (start < 0 && dates === 0) return [];
  const named = zones[zoneIndex];
  const sure = named !== undefined && knowsZone(named);
  const zone = sure ? named : visitorZone;
  const length = (duration > 0 ? duration : ASSUMED_MINUTES) * MINUTE;
  const found: Occurrence[] = [];
  const add = (day: Day, minutes: number): void => {
    if (Number.isNaN(day) || minutes < 0) return;
    const at = instantOf(day, minutes, zone);
    if (at + length > now) found.push({ start: at, end: at + length, day, minutes, sure });
  };
  if (dates !== 0) {
    for (const date of dates) {
      if (typeof date === "string") add(dayOf(date), start);
      else add(dayOf(date[0]), date[1]);
    }
    return found.sort((a, b) => a.start - b.start);
  }
  if (weekday < 0) return [];
  const today = wallOf(now, zone).day;
  for (let ahead = -1; ahead <= WEEK; ahead++) {
    const day = addDays(today, ahead);
    if (weekdayOf(day) === weekday) add(day, start);
  }
  return found;
}

export function happening(occurrence: Occurrence | undefined, now: number): Happening {
  if (!occurrence) return "";
  if (occurrence.start <= now) return "now";
  return occurrence.start - now <= SOON_MS ? "soon" : "";
}

/** The weekday and minutes by which a filter judges: the visitor's clock for what is joined from afar. */
export function clockFor(
  meeting: ListMeeting,
  occurrence: Occurrence,
  visitorZone: string,
  fromAfar: boolean,
): { weekday: number; minutes: number } {
  const attendance = meeting[4];
  const afar = attendance === ONLINE || (attendance === HYBRID && fromAfar);
  if (!afar || !occurrence.sure) return { weekday: weekdayOf(occurrence.day), minutes: occurrence.minutes };
  const { day, minutes } = wallOf(occurrence.start, visitorZone);
  return { weekday: weekdayOf(day), minutes };
}
