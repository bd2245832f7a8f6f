/** Adds the visitor's own time to times of meetings that can be joined from afar, where it is another one. */
import type { Language } from "./texts.ts";

/** "Wednesday 25 November, 01:00" in the visitor's zone. */
export function ownTime(instant: Date, language: string, zone?: string): string {
  const options: Intl.DateTimeFormatOptions = {
    weekday: "long",
    day: "numeric",
    month: "long",
    hour: "numeric",
    minute: "2-digit",
  };
  if (zone) options.timeZone = zone;
  return new Intl.DateTimeFormat(language, options).format(instant);
}

/** The same on the clock of the place; empty when the browser doesn't know its zone. */
function placeTime(instant: Date, language: string, zone: string | undefined): string {
  try {
    return zone ? ownTime(instant, language, zone) : "";
  } catch {
    return "";
  }
}

export function startTimes(language: Language): void {
  const visitorZone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  for (const element of document.querySelectorAll<HTMLTimeElement>("time[data-yours]")) {
    const instant = new Date(element.dateTime);
    if (Number.isNaN(instant.getTime()) || element.dataset.yours === visitorZone) continue;
    const time = ownTime(instant, language.code);
    if (time === placeTime(instant, language.code, element.dataset.yours)) continue;
    const own = document.createElement("span");
    own.className = "own-time";
    own.textContent = language.t("time.yours", { time });
    element.after(" · ", own);
  }
}
