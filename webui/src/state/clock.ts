/** The app's clock in the page's language. Minutes tick, so that "today" becomes "yesterday" in an open tab. */
import { signal } from "@preact/signals";
import { language } from "./language.ts";
import type { Clock } from "./time-words.ts";

const MINUTE_MS = 60_000;
const now = signal(Date.now());

export function startClock(): void {
  setInterval(() => {
    now.value = Date.now();
  }, MINUTE_MS);
}

/** The page's language as this person's browser writes dates: British English has other ones than American. */
function regional(): string {
  const { code } = language();
  return navigator.languages.find((each) => each.split("-")[0] === code.split("-")[0]) ?? code;
}

/** Reading it makes a component follow the time. */
export function clock(): Clock {
  return { now: Math.max(now.value, Date.now()), language: regional() };
}
