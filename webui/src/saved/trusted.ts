/** In place of `../trusted.ts`: the worker comes out of the file itself, as a blob that is made once. */
import source from "virtual:worker";

interface Policy {
  createScriptURL(address: string): unknown;
}
interface PolicyFactory {
  createPolicy(name: string, rules: { createScriptURL: (address: string) => string }): Policy;
}

let address: string | undefined;
let policy: Policy | undefined;

function onlyOwn(asked: string): string {
  if (asked !== address) throw new TypeError("not an address of this program");
  return asked;
}

function trusted(): string {
  address ??= URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
  const factory = (globalThis as { trustedTypes?: PolicyFactory }).trustedTypes;
  if (!factory) return onlyOwn(address);
  policy ??= factory.createPolicy("hedgerow", { createScriptURL: onlyOwn });
  return policy.createScriptURL(address) as string;
}

/** Starts the worker in which the client of the member app lives. */
export function startCryptoWorker(): Worker {
  return new Worker(trusted(), { name: "client" });
}

/** A file has no service worker: it is there without a connection, and changes only when its owner saves another. */
export function registerServiceWorker(): Promise<ServiceWorkerRegistration> {
  return Promise.reject(new TypeError("a saved file has no service worker"));
}
