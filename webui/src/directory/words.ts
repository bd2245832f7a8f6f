/** Times and dates of a card, in the page's language. */
import type { Language } from "../texts.ts";
import { ownTime } from "../times.ts";
import type { Found } from "./search.ts";
import { addDays, sameClock, wallOf } from "./zone.ts";

const MINUTE = 60_000;
const WEEK = 7;
const A_SUNDAY = Date.UTC(2023, 0, 1);
type Time = Found["times"][number];
type Next = NonNullable<Found["next"]>;

/** "7:00 PM": minutes after midnight as the language writes a time of day. */
export function clockText(minutes: number, language: string): string {
  const format = new Intl.DateTimeFormat(language, { hour: "numeric", minute: "2-digit", timeZone: "UTC" });
  return format.format(minutes * MINUTE);
}

/** "Eastern Time" in the page's language; empty when the browser doesn't know the zone. */
export function zoneText(zone: string, language: string): string {
  try {
    const format = new Intl.DateTimeFormat(language, { timeZone: zone, timeZoneName: "longGeneric" });
    return format.formatToParts(A_SUNDAY).find((part) => part.type === "timeZoneName")?.value ?? "";
  } catch {
    return "";
  }
}

/** "Every Tuesday, 7:00 PM to 8:00 PM", and whose time it is where that matters. */
export function weeklyText(time: Time, language: Language, visitorZone: string): string {
  const start = clockText(time.start, language.code);
  const end = clockText((time.start + time.duration) % (24 * 60), language.code);
  const span = time.duration > 0 ? language.t("when.range", { start, end }) : start;
  const text =
    time.weekdays.length === WEEK
      ? language.t("when.daily", { time: span })
      : language.t("when.weekly", { day: dayNames(time.weekdays, language), time: span });
  return withZone(text, time, language, visitorZone);
}

/** Says whose time it is, unless it is the visitor's own, or that of a place whose zone nobody named. */
function withZone(
  text: string,
  { zone, afar }: { zone: string; afar: boolean },
  language: Language,
  visitorZone: string,
): string {
  if (sameClock(zone, visitorZone) || (!zone && !afar)) return text;
  return `${text} (${(zone && zoneText(zone, language.code)) || language.t("when.zone_unknown")})`;
}

/** "Monday and Tuesday"; weeks begin on Monday. */
function dayNames(weekdays: readonly number[], language: Language): string {
  const format = new Intl.DateTimeFormat(language.code, { weekday: "long", timeZone: "UTC" });
  const sorted = [...weekdays].sort((a, b) => ((a + 6) % WEEK) - ((b + 6) % WEEK));
  const names = sorted.map((weekday) => format.format(addDays(A_SUNDAY, weekday)));
  return new Intl.ListFormat(language.code, { type: "conjunction" }).format(names);
}

/** "Tuesday 24 November, 7:00 PM" by the clock of the place, and whose time that is where it isn't the visitor's. */
export function nextText(next: Next, language: Language, visitorZone: string): string {
  const date = new Intl.DateTimeFormat(language.code, {
    weekday: "long",
    day: "numeric",
    month: "long",
    timeZone: "UTC",
  }).format(next.day);
  const text = language.t("when.date_time", { date, time: clockText(next.minutes, language.code) });
  return withZone(text, next, language, visitorZone);
}

/** The same instant by the visitor's clock; empty when there is no difference to tell. */
export function ownText(next: Next, language: Language, visitorZone: string): string {
  if (!next.afar || !next.sure || sameClock(next.zone, visitorZone)) return "";
  const own = wallOf(next.start, visitorZone);
  const time =
    own.day === next.day
      ? clockText(own.minutes, language.code)
      : ownTime(new Date(next.start), language.code, visitorZone);
  return language.t("time.yours", { time });
}
