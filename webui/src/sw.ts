/**
 * The service worker of the member app: opens it without a connection, and never lets the program change unseen.
 *
 * It holds one *bundle*: the files that were built together, named by their hash. A page that asks for files of another
 * bundle is not shown; the person is told that there is a new version, and from which hash to which, and decides. This
 * is a notice and not a lock: a browser also takes up a new service worker by itself in the end, a forced reload goes
 * around it, and whoever serves the pages serves this file, too (docs/threat-model.md).
 *
 * It never touches `/api/`: nothing of a conversation passes through it or is kept by it.
 */

interface Facts {
  readonly version: string;
  readonly bundle: string;
  /** Names of the files in `assets/`. */
  readonly assets: readonly string[];
}
interface Waiting extends Event {
  waitUntil(until: Promise<unknown>): void;
}
interface Fetching extends Waiting {
  readonly request: Request;
  respondWith(answer: Promise<Response>): void;
}
interface Told extends Waiting {
  readonly data: unknown;
  readonly ports: readonly MessagePort[];
}
interface Worker {
  /** Written above this program by the build (`webui/build_hook.py`). */
  readonly HEDGEROW: Facts;
  readonly location: Location;
  readonly registration: ServiceWorkerRegistration;
  readonly clients: { claim(): Promise<void> };
  skipWaiting(): Promise<void>;
  addEventListener(name: "install" | "activate", act: (event: Waiting) => void): void;
  addEventListener(name: "fetch", act: (event: Fetching) => void): void;
  addEventListener(name: "message", act: (event: Told) => void): void;
}

const worker = self as unknown as Worker;
const facts = worker.HEDGEROW;
const HOME = new URL("../", worker.location.href);
const SHELL = new URL("app", HOME).href;
const ASSETS = new URL("assets/", HOME).href;
const CACHES = "hedgerow-app-";
const CACHE = CACHES + facts.bundle.slice(0, 16);
/** The node's last page was of no bundle it announced, so the one that is kept was shown. */
let foreign = false;
/** Milliseconds. A page that takes longer is shown from what is kept here. */
const PATIENCE = 4_000;

worker.addEventListener("install", (event) => event.waitUntil(keep()));
worker.addEventListener("activate", (event) => event.waitUntil(takeOver()));
worker.addEventListener("message", (event) => {
  if (event.data === "bundle") event.ports[0]?.postMessage({ version: facts.version, bundle: facts.bundle, foreign });
  if (event.data === "use") event.waitUntil(worker.skipWaiting());
});
worker.addEventListener("fetch", (event) => {
  const { request } = event;
  if (request.method !== "GET") return;
  if (request.mode === "navigate" && isShell(request.url)) event.respondWith(page(request));
  else if (request.url.startsWith(ASSETS)) event.respondWith(asset(request));
});

function isShell(address: string): boolean {
  const { origin, pathname } = new URL(address);
  return origin + pathname === SHELL || origin + pathname === `${SHELL}/`;
}

/** Keep everything the app needs, so that it opens without a connection. It does not take over by itself. */
async function keep(): Promise<void> {
  const cache = await caches.open(CACHE);
  await cache.addAll(facts.assets.map((name) => ASSETS + name));
  const shell = await fetch(SHELL, { cache: "no-store" });
  if (!shell.ok || !(await belongs(shell.clone()))) throw new Error("the app's page is not of this bundle");
  await cache.put(SHELL, shell);
}

/** The person agreed, or no page of the old bundle is open any more. */
async function takeOver(): Promise<void> {
  for (const name of await caches.keys()) if (name.startsWith(CACHES) && name !== CACHE) await caches.delete(name);
  await worker.clients.claim();
}

/** The app's page: from the node when it is of this bundle, else the one that is kept. */
async function page(request: Request): Promise<Response> {
  const cache = await caches.open(CACHE);
  const kept = await cache.match(SHELL);
  let fresh: Response;
  try {
    fresh = await fetch(request, kept ? { signal: AbortSignal.timeout(PATIENCE) } : {});
  } catch (error) {
    if (kept) return kept;
    throw error;
  }
  if (fresh.ok && !fresh.redirected && (await belongs(fresh.clone()))) {
    foreign = false;
    await cache.put(SHELL, fresh.clone());
    return fresh;
  }
  if (!kept) return fresh;
  if (fresh.ok) foreign = !(await isAnnounced());
  return kept;
}

/** Whether a page asks only for files of this bundle. */
async function belongs(answer: Response): Promise<boolean> {
  const known = new Set(facts.assets);
  const asked = [...(await answer.text()).matchAll(/\b(?:src|href)\s*=\s*["']?([^"'\s>]*\/assets\/([^"'\s>#?]+))/g)];
  return asked.length > 0 && asked.every(([, address, name]) => isHere(address ?? "") && known.has(name ?? ""));
}

const isHere = (address: string): boolean => new URL(address, SHELL).href.startsWith(ASSETS);

/** The page is of another bundle: whether there is a service worker that goes with it. The page asks for the answer. */
async function isAnnounced(): Promise<boolean> {
  const { registration } = worker;
  await registration.update().catch(() => undefined);
  return (registration.installing ?? registration.waiting) !== null;
}

/** A built file: its name holds its hash, so what is kept is right for ever. */
async function asset(request: Request): Promise<Response> {
  return (await caches.match(request, { ignoreVary: true })) ?? fetch(request);
}
