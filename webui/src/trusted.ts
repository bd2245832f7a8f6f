/** The one Trusted Types policy: it lets the search worker's address through, and nothing else. */
import searchWorker from "./directory/search.worker.ts?worker&url";

const WORKER = new URL(searchWorker, import.meta.url).href;

interface Policy {
  createScriptURL(address: string): unknown;
}
interface PolicyFactory {
  createPolicy(name: string, rules: { createScriptURL: (address: string) => string }): Policy;
}

function onlyWorker(address: string): string {
  if (address !== WORKER) throw new TypeError("not an address of this program");
  return address;
}

/** Starts the search worker; throws where workers are not to be had. */
export function startSearchWorker(): Worker {
  const factory = (globalThis as { trustedTypes?: PolicyFactory }).trustedTypes;
  const address = factory
    ? factory.createPolicy("hedgerow", { createScriptURL: onlyWorker }).createScriptURL(WORKER)
    : onlyWorker(WORKER);
  return new Worker(address as string, { type: "module", name: "search" });
}
