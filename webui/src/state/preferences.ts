/**
 * How this browser shows the app. Kept in `localStorage` in the clear, because it must hold before anything is unlocked:
 * so nothing in here says what somebody wrote or with whom.
 */
import { signal } from "@preact/signals";

export interface Preferences {
  /** A language of its own for this browser; "" = as the browser asks. */
  readonly language: string;
  /** The tab is called "Notes" and has a plain icon. */
  readonly disguise: boolean;
  /** Show the red button. (Shift three times always works.) */
  readonly exitButton: boolean;
  /** Enter sends, Shift and Enter makes a new line. */
  readonly enterSends: boolean;
}

const KEY = "app-preferences";
const USUAL: Preferences = { language: "", disguise: false, exitButton: true, enterSends: false };

/** Takes only what is known and of the right kind. */
export function readPreferences(text: string | null): Preferences {
  let kept: unknown = null;
  try {
    kept = JSON.parse(text ?? "null");
  } catch {
    // Somebody else's writing: as if nothing were there.
  }
  if (typeof kept !== "object" || kept === null) return USUAL;
  const found = kept as Record<string, unknown>;
  const flag = (name: keyof Preferences): boolean =>
    typeof found[name] === "boolean" ? found[name] : (USUAL[name] as boolean);
  return {
    language: typeof found.language === "string" ? found.language.slice(0, 35) : "",
    disguise: flag("disguise"),
    exitButton: flag("exitButton"),
    enterSends: flag("enterSends"),
  };
}

export const preferences = signal<Preferences>(USUAL);

export function loadPreferences(): void {
  try {
    preferences.value = readPreferences(localStorage.getItem(KEY));
  } catch {
    // Storage is switched off: the usual.
  }
}

/** Take away whatever this browser was told. */
export function forgetPreferences(): void {
  try {
    localStorage.clear();
  } catch {
    // There was nothing, then.
  }
}

export function prefer(change: Partial<Preferences>): void {
  preferences.value = { ...preferences.value, ...change };
  try {
    localStorage.setItem(KEY, JSON.stringify(preferences.value));
  } catch {
    // Then it holds until the page is closed.
  }
}
