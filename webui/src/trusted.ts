/** The one Trusted Types policy: it lets the addresses of this program's own workers through, and nothing else. */
import searchWorker from "./directory/search.worker.ts?worker&url";
import cryptoWorker from "./workers/crypto.worker.ts?worker&url";

const HERE = import.meta.url;
const SEARCH_WORKER = new URL(searchWorker, HERE).href;
const CRYPTO_WORKER = new URL(cryptoWorker, HERE).href;
/** Beside the app's page, because a service worker may only look after what lies below its own address. */
const SERVICE_WORKER = new URL("../app/sw.js", HERE).href;
const SCOPE = new URL("../app", HERE).href;
const OWN: ReadonlySet<string> = new Set([SEARCH_WORKER, CRYPTO_WORKER, SERVICE_WORKER]);

interface Policy {
  createScriptURL(address: string): unknown;
}
interface PolicyFactory {
  createPolicy(name: string, rules: { createScriptURL: (address: string) => string }): Policy;
}

let policy: Policy | undefined;

function onlyOwn(address: string): string {
  if (!OWN.has(address)) throw new TypeError("not an address of this program");
  return address;
}

/** An address as `new Worker` and `register` take it. The policy is made once: its name may be used only once. */
function trusted(address: string): string {
  const factory = (globalThis as { trustedTypes?: PolicyFactory }).trustedTypes;
  if (!factory) return onlyOwn(address);
  policy ??= factory.createPolicy("hedgerow", { createScriptURL: onlyOwn });
  return policy.createScriptURL(address) as string;
}

/** Starts the search worker; throws where workers are not to be had. */
export function startSearchWorker(): Worker {
  return new Worker(trusted(SEARCH_WORKER), { type: "module", name: "search" });
}

/** Starts the worker in which the client of the member app lives. */
export function startCryptoWorker(): Worker {
  return new Worker(trusted(CRYPTO_WORKER), { type: "module", name: "client" });
}

/** Registers the service worker of the member app, for its page only. */
export function registerServiceWorker(container: ServiceWorkerContainer): Promise<ServiceWorkerRegistration> {
  return container.register(trusted(SERVICE_WORKER), { scope: SCOPE, updateViaCache: "none" });
}
