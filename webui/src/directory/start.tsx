/**
 * The directory's search in the browser. The list is fetched once, at the first touch of the form; from then on nothing
 * is sent while somebody searches, nothing is put into the address or the history.
 */
import { render } from "preact";
import type { Language } from "../texts.ts";
import { startSearchWorker } from "../trusted.ts";
import type { Surroundings } from "./card.tsx";
import { isEmpty, isTouched, readForm } from "./form.ts";
import type { FromWorker, ToWorker } from "./messages.ts";
import { PAGE, type Region, Results, type Shown } from "./results.tsx";

const PAUSE_MS = 200;

export function startDirectory(form: HTMLFormElement, language: Language): void {
  if (!("Worker" in globalThis)) return;
  new Directory(form, language).start();
}

function must<Kind extends Element>(root: ParentNode, selector: string): Kind {
  const found = root.querySelector<Kind>(selector);
  if (!found) throw new Error(`the page has no ${selector}`);
  return found;
}

class Directory {
  readonly #form: HTMLFormElement;
  readonly #language: Language;
  readonly #around: Surroundings;
  readonly #heading = must<HTMLElement>(document, "[data-count]");
  readonly #status = must<HTMLElement>(document, "[data-status]");
  readonly #place = must<HTMLElement>(document, "[data-list-place]");
  readonly #access: string[];
  readonly #helpAddress = must<HTMLAnchorElement>(document, ".help-link").href;
  #worker: Worker | null = null;
  #ready = false;
  #failed = false;
  #taken = false;
  #ticket = 0;
  #limit = PAGE;
  #position: [number, number] | null = null;
  #timer = 0;
  #regions: Region[] = [];
  #chosen = false;
  #focusAfter: "heading" | number | null = null;

  constructor(form: HTMLFormElement, language: Language) {
    this.#form = form;
    this.#language = language;
    this.#access = [...form.querySelectorAll<HTMLInputElement>('input[name="access"]')].map((box) => box.value);
    const pattern = form.dataset.listing ?? "";
    this.#around = {
      language,
      zone: Intl.DateTimeFormat().resolvedOptions().timeZone,
      icons: form.dataset.icons ?? "",
      addressOf: (id) => pattern.replace("ID", encodeURIComponent(id)),
    };
  }

  start(): void {
    must<HTMLElement>(this.#form, "[data-privacy] span").textContent = this.#language.t("client.privacy");
    const wake = (): void => this.#wake();
    this.#form.addEventListener("focusin", wake, { once: true });
    this.#form.addEventListener("pointerdown", wake, { once: true });
    this.#form.addEventListener("input", () => {
      clearTimeout(this.#timer);
      this.#timer = window.setTimeout(() => this.#search(), PAUSE_MS);
    });
    this.#form.addEventListener("submit", (event) => {
      if (this.#failed) return;
      event.preventDefault();
      clearTimeout(this.#timer);
      this.#focusAfter = "heading";
      this.#search();
    });
    this.#startPosition();
    this.#startQuick();
    if (isTouched(this.#form)) this.#search();
    else if (this.#form.contains(document.activeElement)) this.#wake();
  }

  /** "On now or soon": the quick choices set the form below them and search at once. */
  #startQuick(): void {
    const quick = must<HTMLFormElement>(document, ".quick");
    quick.addEventListener("submit", (event) => {
      if (this.#failed) return;
      event.preventDefault();
      const online = event.submitter instanceof HTMLButtonElement && event.submitter.value === "online";
      must<HTMLSelectElement>(this.#form, "#field-part").value = "now";
      must<HTMLSelectElement>(this.#form, "#field-attendance").value = online ? "online" : "";
      this.#focusAfter = "heading";
      this.#search();
    });
    const near = must<HTMLButtonElement>(quick, "[data-near]");
    near.hidden = must<HTMLElement>(this.#form, "[data-position]").hidden;
    near.addEventListener("click", () => {
      must<HTMLDetailsElement>(this.#form, "details").open = true;
      this.#focusAfter = "heading";
      if (this.#position) this.#search();
      else this.#positionButton()?.click();
    });
  }

  /** Starts the worker and has it fetch the list. */
  #wake(): void {
    if (this.#worker || this.#failed) return;
    try {
      this.#worker = startSearchWorker();
    } catch {
      this.#fail();
      return;
    }
    this.#worker.addEventListener("error", () => this.#fail());
    this.#worker.addEventListener("message", (event: MessageEvent<FromWorker>) => this.#hear(event.data));
    this.#load(this.#form.dataset.list ?? "");
  }

  #load(address: string): void {
    this.#say({ kind: "load", address: new URL(address, location.href).href, access: this.#access });
  }

  #say(message: ToWorker): void {
    this.#worker?.postMessage(message);
  }

  #hear(message: FromWorker): void {
    switch (message.kind) {
      case "ready":
        this.#ready = true;
        if (this.#taken) this.#search();
        return;
      case "regions":
        this.#taken = true;
        this.#regions = message.regions;
        this.#show({ kind: "regions" }, this.#language.t("client.region_choose"));
        return;
      case "failed":
        this.#fail();
        return;
      case "answer": {
        if (message.ticket !== this.#ticket) return;
        const query = readForm(this.#form, this.#position, this.#limit);
        const { answer } = message;
        const text =
          answer.total === 0 || answer.unknownTown
            ? this.#language.t("client.none")
            : this.#language.t("client.count", { count: answer.total });
        this.#show({ kind: "answer", answer, town: query.town, now: query.part === "now" }, text);
        this.#clearLink(!isEmpty(query));
        return;
      }
    }
  }

  #fail(): void {
    this.#failed = true;
    this.#worker?.terminate();
    must<HTMLElement>(this.#form, "[data-privacy] span").textContent = this.#language.t("client.failed");
    if (this.#taken) this.#show({ kind: "failed" }, this.#language.t("client.failed"));
  }

  #search(): void {
    if (this.#focusAfter === "heading" || this.#focusAfter === null) this.#limit = PAGE;
    this.#taken = true;
    this.#wake();
    if (this.#regions.length > 0 && !this.#chosen) {
      this.#show({ kind: "regions" }, this.#language.t("client.region_choose"));
      return;
    }
    if (!this.#ready) {
      if (!this.#failed) this.#show({ kind: "loading" }, this.#language.t("client.loading"));
      return;
    }
    this.#ticket += 1;
    const query = readForm(this.#form, this.#position, this.#limit);
    this.#say({ kind: "search", ticket: this.#ticket, query, now: Date.now(), zone: this.#around.zone });
  }

  #show(shown: Shown, heading: string): void {
    if (!this.#place.dataset.taken) {
      this.#place.dataset.taken = "yes";
      this.#place.replaceChildren();
    }
    render(
      <Results
        shown={shown}
        regions={this.#regions}
        around={this.#around}
        helpAddress={this.#helpAddress}
        onMore={() => this.#more()}
        onRegion={(number) => this.#region(number)}
      />,
      this.#place,
    );
    this.#heading.textContent = heading;
    this.#status.textContent = heading;
    if (shown.kind === "loading") return;
    if (this.#focusAfter === "heading") this.#heading.focus();
    else if (typeof this.#focusAfter === "number") {
      this.#place.querySelector<HTMLElement>(`.cards > li:nth-child(${this.#focusAfter + 1}) a`)?.focus();
    }
    this.#focusAfter = null;
  }

  /** Fifty more; the focus goes to the first of them. */
  #more(): void {
    this.#focusAfter = this.#limit;
    this.#limit += PAGE;
    this.#search();
  }

  #region(number: number): void {
    const region = this.#regions[number];
    if (!region) return;
    this.#ready = false;
    this.#show({ kind: "loading" }, this.#language.t("client.loading"));
    const address = new URL(this.#form.dataset.list ?? "", location.href);
    address.searchParams.set("region", region[0]);
    this.#chosen = true;
    this.#load(address.href);
  }

  #clearLink(wanted: boolean): void {
    const head = this.#heading.parentElement;
    let clear = head?.querySelector<HTMLElement>("[data-clear]") ?? null;
    head?.querySelector("[data-clear-link]")?.remove();
    if (!clear && wanted) {
      clear = document.createElement("button");
      clear.className = "button quiet";
      clear.setAttribute("type", "button");
      clear.dataset.clear = "";
      clear.textContent = this.#language.t("client.clear");
      clear.addEventListener("click", () => this.#clear());
      head?.append(clear);
    } else if (clear && !wanted) {
      clear.remove();
    }
  }

  #clear(): void {
    for (const control of this.#form.elements) {
      if (control instanceof HTMLInputElement && control.type === "checkbox") control.checked = false;
      else if (control instanceof HTMLInputElement && control.type !== "hidden") control.value = "";
      else if (control instanceof HTMLSelectElement && control.name !== "km") control.selectedIndex = 0;
    }
    if (this.#position) this.#forgetPosition();
    this.#focusAfter = "heading";
    this.#search();
  }

  #positionButton(): HTMLButtonElement | null {
    return this.#form.querySelector<HTMLButtonElement>("[data-position] button");
  }

  #startPosition(): void {
    const button = this.#positionButton();
    if (!button || !("geolocation" in navigator) || !isSecureContext) return;
    must<HTMLElement>(this.#form, "[data-position]").hidden = false;
    const label = button.lastChild;
    if (label) label.textContent = this.#language.t("client.near_me");
    button.addEventListener("click", () => {
      if (this.#position) {
        this.#forgetPosition();
        this.#search();
        return;
      }
      navigator.geolocation.getCurrentPosition(
        ({ coords }) => {
          this.#position = [coords.latitude, coords.longitude];
          if (label) label.textContent = this.#language.t("client.position_stop");
          this.#note(this.#language.t("client.position_on"));
          this.#search();
        },
        () => {
          this.#focusAfter = null;
          this.#note(this.#language.t("client.position_failed"));
          this.#positionButton()?.focus();
        },
        { maximumAge: 600_000, timeout: 20_000 },
      );
    });
  }

  #forgetPosition(): void {
    this.#position = null;
    const label = this.#positionButton()?.lastChild;
    if (label) label.textContent = this.#language.t("client.near_me");
    this.#note("");
  }

  /** A sentence below the position button. */
  #note(text: string): void {
    const holder = must<HTMLElement>(this.#form, "[data-position]");
    let note = holder.querySelector<HTMLElement>("[role=status]");
    if (!note) {
      note = document.createElement("span");
      note.className = "hint";
      note.setAttribute("role", "status");
      holder.append(note);
    }
    note.textContent = text;
  }
}
