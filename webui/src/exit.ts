/**
 * "Exit this page": the link works by itself; the script adds that the page goes blank at once, that it leaves no way
 * back, and that Shift pressed three times does the same. Behaviour after GOV.UK's component of that name.
 */
import type { Language } from "./texts.ts";

const PRESSES = 3;
const EXPIRES_MS = 5000;
const LEFT = "left";

/** Counts lone Shift presses: pure, so that it can be tested without a page. */
export class ShiftCounter {
  #count = 0;
  #last = Number.NEGATIVE_INFINITY;
  #modified = false;

  /** Any key going down. A Shift that modifies another key is not a press. */
  down(key: string, shift: boolean): void {
    if (key === "Shift") {
      this.#modified = false;
    } else {
      this.#count = 0;
      if (shift) this.#modified = true;
    }
  }

  /** Any key going up, `at` in milliseconds. Returns how many presses have come in a row. */
  up(key: string, at: number): number {
    if (key !== "Shift" || this.#modified) return this.#count;
    this.#count = at - this.#last > EXPIRES_MS ? 1 : this.#count + 1;
    this.#last = at;
    return this.#count;
  }

  reset(): void {
    this.#count = 0;
  }
}

function remember(left: boolean): void {
  try {
    if (left) sessionStorage.setItem(LEFT, "1");
    else sessionStorage.removeItem(LEFT);
  } catch {
    // Storage is switched off: then Back may show this page again, as the safety page says.
  }
}

function hasLeft(): boolean {
  try {
    return sessionStorage.getItem(LEFT) !== null;
  } catch {
    return false;
  }
}

function leave(address: string, language: Language): void {
  const overlay = document.createElement("div");
  overlay.className = "leaving";
  overlay.setAttribute("role", "alert");
  overlay.textContent = language.t("exit.js.leaving");
  document.documentElement.classList.add("is-leaving");
  document.body.replaceChildren(overlay);
  document.title = language.t("exit.js.leaving");
  remember(true);
  location.replace(address);
}

/** `onLeave` is called first, for what must be closed besides the page. */
export function startExit(language: Language, onLeave: () => void = () => undefined): void {
  const link = document.querySelector<HTMLAnchorElement>(".exit");
  const status = document.querySelector<HTMLElement>("[data-exit-status]");
  const dots = link?.querySelector<HTMLElement>(".dots");
  if (!link || !status || !dots) return;
  const address = link.href;
  const exit = (): void => {
    onLeave();
    leave(address, language);
  };

  // Somebody pressed Back on the page we left to: don't show ours again, unless it was opened anew.
  addEventListener("pageshow", (event) => {
    const [entry] = performance.getEntriesByType("navigation") as PerformanceNavigationTiming[];
    const back = event.persisted || entry?.type === "back_forward";
    if (back && hasLeft()) exit();
    else remember(false);
  });

  document.addEventListener("click", (event) => {
    if (event.target instanceof Element && event.target.closest("a[data-exit]")) {
      event.preventDefault();
      exit();
    }
  });

  const counter = new ShiftCounter();
  let timer = 0;
  const show = (count: number, text: string): void => {
    dots.hidden = count === 0;
    dots.dataset.count = String(count);
    status.textContent = text;
  };
  const clear = (text: string): void => {
    clearTimeout(timer);
    counter.reset();
    show(0, text);
  };
  document.addEventListener(
    "keydown",
    (event) => {
      counter.down(event.key, event.shiftKey);
      if (event.key !== "Shift" && !dots.hidden) clear("");
    },
    true,
  );
  document.addEventListener(
    "keyup",
    (event) => {
      if (event.key !== "Shift") return;
      const count = counter.up(event.key, event.timeStamp);
      if (count === 0) return;
      clearTimeout(timer);
      if (count >= PRESSES) {
        exit();
        return;
      }
      show(count, language.t(count === 1 ? "exit.js.two_more" : "exit.js.one_more"));
      timer = window.setTimeout(() => clear(language.t("exit.js.expired")), EXPIRES_MS);
    },
    true,
  );
}
