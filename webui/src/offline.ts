/** Registers the service worker of the member app and tells when the program on the node has changed. */
import { registerServiceWorker } from "./trusted.ts";

/** A version of the program, as its service worker says it. */
export interface Bundle {
  readonly version: string;
  /** SHA-256 over all of its files, in hex. */
  readonly bundle: string;
}

/**
 * `new-version`: the node has another bundle; the one in use stays until `use` is called (the page then loads anew).
 * `changed`: the browser has taken another one up by itself since the last visit. In both, the same version number with
 * another hash deserves a stronger word. `foreign-page`: the node sent a page that belongs to no bundle it announced; it
 * was not shown.
 */
export type Change =
  | { readonly kind: "new-version"; readonly from: Bundle; readonly to: Bundle; readonly use: () => void }
  | { readonly kind: "changed"; readonly from: Bundle; readonly to: Bundle }
  | { readonly kind: "foreign-page" };

/** Where the bundle of the last visit is written down. */
const REMEMBERED = "hedgerow-bundle";
/** Milliseconds. For a service worker to say its name. */
const PATIENCE = 5_000;

/** Begin; resolves to the bundle in use, or undefined where there are no service workers (plain http, private windows). */
export async function startOffline(tell: (change: Change) => void): Promise<Bundle | undefined> {
  const container = navigator.serviceWorker as ServiceWorkerContainer | undefined;
  if (!container) return undefined;
  let registration: ServiceWorkerRegistration;
  try {
    registration = await registerServiceWorker(container);
  } catch {
    return undefined; // a browser that forbids it, or no connection: the app works without
  }
  const look = (candidate: ServiceWorker | null): void => {
    if (candidate && registration.active && candidate !== registration.active)
      void offer(candidate, registration, tell);
  };
  registration.addEventListener("updatefound", () => whenInstalled(registration.installing, look));
  whenInstalled(registration.installing, look);
  look(registration.waiting);
  const { active } = await container.ready;
  const now = active ? await nameOf(active) : undefined;
  const before = remembered();
  if (now && before && before.bundle !== now.bundle) tell({ kind: "changed", from: before, to: now });
  if (now?.foreign) tell({ kind: "foreign-page" });
  if (now) remember(now);
  return now;
}

/** What a service worker answers when it is asked for its name. */
interface Answer extends Bundle {
  readonly foreign: boolean;
}

/** The bundle that was in use here the last time. */
function remembered(): Bundle | undefined {
  try {
    const said = JSON.parse(localStorage.getItem(REMEMBERED) ?? "null") as Partial<Bundle> | null;
    if (typeof said?.version === "string" && typeof said.bundle === "string")
      return { version: said.version, bundle: said.bundle };
  } catch {
    // storage is forbidden, or something else was written there
  }
  return undefined;
}

function remember(bundle: Bundle): void {
  try {
    localStorage.setItem(REMEMBERED, JSON.stringify({ version: bundle.version, bundle: bundle.bundle }));
  } catch {
    // storage is forbidden: each visit is the first
  }
}

/** Leave no copy of the app behind in this browser. Never rejects: where there is nothing, nothing is left behind. */
export async function forgetOffline(): Promise<void> {
  try {
    localStorage.removeItem(REMEMBERED);
    for (const each of await navigator.serviceWorker.getRegistrations()) await each.unregister();
    for (const name of await caches.keys()) if (name.startsWith("hedgerow-app-")) await caches.delete(name);
  } catch {
    // no service workers here: a file, a private window
  }
}

function whenInstalled(candidate: ServiceWorker | null, act: (candidate: ServiceWorker) => void): void {
  candidate?.addEventListener("statechange", () => {
    if (candidate.state === "installed") act(candidate);
  });
}

async function offer(
  candidate: ServiceWorker,
  registration: ServiceWorkerRegistration,
  tell: (change: Change) => void,
): Promise<void> {
  const [from, to] = await Promise.all([registration.active && nameOf(registration.active), nameOf(candidate)]);
  if (!from || !to || from.bundle === to.bundle) return;
  const use = (): void => {
    remember(to);
    navigator.serviceWorker.addEventListener("controllerchange", () => location.reload(), { once: true });
    candidate.postMessage("use");
  };
  tell({ kind: "new-version", from, to, use });
}

function nameOf(worker: ServiceWorker): Promise<Answer | undefined> {
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    const timer = setTimeout(() => resolve(undefined), PATIENCE);
    port1.onmessage = ({ data }: MessageEvent<Answer>) => {
      clearTimeout(timer);
      resolve(data);
    };
    worker.postMessage("bundle", [port2]);
  });
}
