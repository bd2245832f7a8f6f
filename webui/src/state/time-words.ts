/** Times in people's words. Pure: now, language and zone are lent. */

const DAY_MS = 86_400_000;

export interface Clock {
  /** Milliseconds. */
  readonly now: number;
  /** BCP 47. */
  readonly language: string;
  /** IANA zone; left out, the browser's own. */
  readonly zone?: string;
}

function format(clock: Clock, seconds: number, options: Intl.DateTimeFormatOptions): string {
  const zoned = clock.zone ? { ...options, timeZone: clock.zone } : options;
  return new Intl.DateTimeFormat(clock.language, zoned).format(new Date(seconds * 1000));
}

/** "2026-11-24" in the clock's zone. */
export function dayOf(clock: Clock, seconds: number): string {
  return format({ ...clock, language: "en-CA" }, seconds, { year: "numeric", month: "2-digit", day: "2-digit" });
}

/** Whole calendar days from then until now: 0 = today, 1 = yesterday. */
export function daysAgo(clock: Clock, seconds: number): number {
  const midnight = (day: string): number => Date.parse(`${day}T00:00:00Z`);
  return Math.round((midnight(dayOf(clock, clock.now / 1000)) - midnight(dayOf(clock, seconds))) / DAY_MS);
}

/** "14:05" */
export function clockTime(clock: Clock, seconds: number): string {
  return format(clock, seconds, { hour: "numeric", minute: "2-digit" });
}

/** The words between days: "today", "yesterday", "Tuesday", "12 November", "12 November 2025". */
export function dayWords(clock: Clock, seconds: number): string {
  const days = daysAgo(clock, seconds);
  if (days === 0 || days === 1)
    return new Intl.RelativeTimeFormat(clock.language, { numeric: "auto" }).format(-days, "day");
  if (days > 1 && days < 7) return format(clock, seconds, { weekday: "long" });
  const sameYear = dayOf(clock, seconds).slice(0, 4) === dayOf(clock, clock.now / 1000).slice(0, 4);
  return format(clock, seconds, { day: "numeric", month: "long", ...(sameYear ? {} : { year: "numeric" }) });
}

/** For lists: the time of day while it is today, then the day. */
export function shortWhen(clock: Clock, seconds: number): string {
  return daysAgo(clock, seconds) === 0 ? clockTime(clock, seconds) : dayWords(clock, seconds);
}

/** Day and time, for whoever wants it exactly. */
export function fullWhen(clock: Clock, seconds: number): string {
  return format(clock, seconds, {
    weekday: "long",
    day: "numeric",
    month: "long",
    year: "numeric",
    hour: "numeric",
    minute: "2-digit",
  });
}

/** "in 6 days", "in 3 hours", for things that end. */
export function untilWords(clock: Clock, seconds: number): string {
  const left = seconds * 1000 - clock.now;
  const words = new Intl.RelativeTimeFormat(clock.language, { numeric: "always" });
  const hours = Math.max(1, Math.round(left / 3_600_000));
  if (hours < 48) return words.format(hours, "hour");
  return words.format(Math.round(left / DAY_MS), "day");
}
