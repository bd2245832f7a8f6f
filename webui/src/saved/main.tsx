/**
 * The saved client: the member app in one file, opened from a disk. It shows its own fingerprint, asks once for the
 * address of a node, and then is the app.
 */
import "../../styles/style.css";
import "../../styles/app.css";
import texts from "virtual:texts";
import { render } from "preact";
import { setLanguage } from "../state/language.ts";
import { readPlace } from "../state/place.ts";
import { loadPreferences } from "../state/preferences.ts";
import { pageLanguage } from "../texts.ts";
import { LOCK } from "../workers/host.ts";
import { type Asked, CopyLine, NodePage, TwicePage } from "./node-page.tsx";
import { fingerprint, wholeFile } from "./whole.ts";

/** Only while this script runs for the first time does the page know which element it stands in. */
const SCRIPT = document.currentScript?.textContent ?? "";
const STYLE = document.querySelector("style")?.textContent ?? "";
const NODE = "hedgerow-node";
/** Where quick exit leads; the same page as on a node. */
const EXIT = "https://www.bbc.co.uk/weather";

const byId = (id: string): HTMLElement => document.getElementById(id) as HTMLElement;

function chooseLanguage(): string {
  const asked = [new URL(location.href).searchParams.get("lang") ?? "", ...navigator.languages];
  return asked.map((each) => each.split("-")[0] ?? "").find((each) => each in texts) ?? "en";
}

/** Puts the words into the frame around the app. */
function speak(code: string): void {
  const own = texts[code] ?? {};
  document.documentElement.lang = code;
  document.documentElement.dir = own["meta.dir"] === "rtl" ? "rtl" : "ltr";
  byId("texts").textContent = JSON.stringify(own);
  const language = pageLanguage(document);
  setLanguage(language);
  for (const each of document.querySelectorAll<HTMLElement>("[data-text]"))
    each.textContent = own[each.dataset.text ?? ""] ?? "";
  for (const each of document.querySelectorAll<HTMLElement>("[data-label]"))
    each.setAttribute("aria-label", own[each.dataset.label ?? ""] ?? "");
  document.querySelector("[data-exit]")?.setAttribute("href", EXIT);
}

/** Tells the app where it is: everything public stays on the node. */
function describe(root: HTMLElement, node: string): void {
  const languages = Object.entries(texts).map(([code, own]) => [code, own["meta.name"] ?? code]);
  Object.assign(root.dataset, {
    node,
    app: location.pathname,
    community: node ? new URL(node).host : "Hedgerow",
    home: `${node}/`,
    help: `${node}/help-now`,
    leaving: `${node}/leaving`,
    safe: `${node}/safe-connection`,
    exit: EXIT,
    languages: JSON.stringify(languages),
  });
  readPlace(root);
}

function launch(root: HTMLElement, node: string): void {
  render(null, root);
  describe(root, node);
  void import("../app.tsx");
}

function begin(): void {
  speak(chooseLanguage());
  loadPreferences();
  const root = byId("app");
  const node = localStorage.getItem(NODE) ?? "";
  describe(root, node);
  const own = wholeFile(SCRIPT, STYLE).then(fingerprint);
  const forget = (): void => {
    localStorage.removeItem(NODE);
    location.reload();
  };
  own.then(({ words, hex }) => render(<CopyLine words={words} hex={hex} node={node} onOther={forget} />, byId("copy")));
  if (node) {
    void alone().then((free) => (free ? launch(root, node) : render(<TwicePage />, root)));
    return;
  }
  const go = ({ node: chosen }: Asked): void => {
    localStorage.setItem(NODE, chosen);
    location.reload();
  };
  render(<NodePage onChosen={go} />, root);
}

/** Whether no other tab has the app open: files share no channel that would be safe to speak over. */
async function alone(): Promise<boolean> {
  const { held = [] } = await navigator.locks.query();
  return !held.some(({ name }) => name === LOCK);
}

begin();
