/** Everything the client does not have by itself: time, chance, the network, a place to keep things. Lent by its host. */
import type { Later, Network } from "../api/types.ts";
import type { Storage } from "../vault/types.ts";

export interface World {
  readonly network: Network;
  readonly storage: Storage;
  /** Unix seconds. */
  readonly now: () => number;
  readonly later: Later;
  /** A number in [0, 1), for spreading things out. Not for secrets. */
  readonly chance: () => number;
  /** Told of mistakes nobody waits for, for developers. */
  readonly report?: (problem: unknown, where: string) => void;
  /**
   * Told before the engine reads an entry, and null after it. A host that can, ends the worker when this takes more
   * than ten seconds, and starts a new one with the entry named in `Client.poison`.
   */
  readonly busy?: (entry: { readonly room: string; readonly seq: number } | null) => void;
}

/** A world of timers, for hosts that have the usual ones. */
export const systemTime = {
  now: () => Math.floor(Date.now() / 1000),
  later: (milliseconds: number, run: () => void) => {
    const timer = setTimeout(run, milliseconds);
    return () => clearTimeout(timer);
  },
  chance: () => Math.random(),
} as const;

/** The network of browsers, workers and Node.js. */
export const systemNetwork: Network = {
  fetch: (address, init) => fetch(address, init),
  socket: (address) => new WebSocket(address) as unknown as ReturnType<Network["socket"]>,
};
