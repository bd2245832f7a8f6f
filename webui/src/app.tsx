/** The member app's beginning: reads its page, connects to its worker and draws. On plain http it only says why not. */
import { render } from "preact";
import { startExit } from "./exit.ts";
import { startOffline } from "./offline.ts";
import { fetchMore } from "./pages/lazy.tsx";
import { Shell } from "./pages/shell.tsx";
import { start, state, tell } from "./state/client.ts";
import { startClock } from "./state/clock.ts";
import { setLanguage } from "./state/language.ts";
import { place, readPlace } from "./state/place.ts";
import { loadPreferences, preferences } from "./state/preferences.ts";
import { watchProgram } from "./state/program.ts";
import { startRoute } from "./state/route.ts";
import { pageLanguage } from "./texts.ts";
import { connect } from "./workers/host.ts";

/** Somebody is at the keyboard: told at most this often. */
const TOUCH_MS = 60_000;

/** This browser wants another language than the page came in. */
function otherLanguage(): string | null {
  const { language } = preferences.value;
  const known = place().languages.some(([code]) => code === language);
  const address = new URL(location.href);
  if (!known || address.searchParams.has("lang") || document.documentElement.lang.startsWith(language)) return null;
  address.searchParams.set("lang", language);
  return address.href;
}

function followPerson(): void {
  let touched = Date.now();
  const touch = (): void => {
    if (Date.now() - touched < TOUCH_MS || state.value?.vault.phase !== "open") return;
    touched = Date.now();
    tell("touch", {});
  };
  addEventListener("pointerdown", touch, { passive: true });
  addEventListener("keydown", touch, { passive: true });
  addEventListener("online", () => tell("wake", {}));
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden) tell("wake", {});
  });
}

/** The skip link leads to the main part without touching the address: that would ask for another view. */
function keepAddress(): void {
  document.addEventListener("click", (event) => {
    const link = event.target instanceof Element && event.target.closest('a[href="#main"]');
    if (!link) return;
    event.preventDefault();
    document.getElementById("main")?.focus();
  });
}

function begin(root: HTMLElement): void {
  const language = pageLanguage(document);
  setLanguage(language);
  readPlace(root);
  loadPreferences();
  const other = otherLanguage();
  if (other) {
    location.replace(other);
    return;
  }
  startExit(language, () => {
    // The lock closes in every tab; without a passphrase there is nothing to close.
    if (state.value?.vault.passphrase) tell("lock", {});
  });
  keepAddress();
  startRoute();
  startClock();
  root.replaceChildren();
  render(<Shell />, root);
  if (!isSecureContext) return;
  followPerson();
  start(connect()).then(fetchMore);
  watchProgram(startOffline);
}

const root = document.getElementById("app");
if (root) begin(root);
