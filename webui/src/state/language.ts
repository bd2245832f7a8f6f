/** The language of the app's page: one for as long as the page lives. */
import type { Language, Placeables, TextKey } from "../texts.ts";

let spoken: Language | null = null;

export function setLanguage(language: Language): void {
  spoken = language;
}

export function language(): Language {
  if (!spoken) throw new Error("no language was set");
  return spoken;
}

/** The text under a key, in the language of the page. */
export function t(key: TextKey, placeables?: Placeables): string {
  return language().t(key, placeables);
}

/** "Ana, Ben and Jo" as the language joins names. */
export function listed(names: readonly string[]): string {
  const { code, rtl } = language();
  const isolated = names.map((name) => (rtl || /[\u0590-\u08ff]/.test(name) ? `\u2068${name}\u2069` : name));
  return new Intl.ListFormat(code, { type: "conjunction" }).format(isolated);
}
