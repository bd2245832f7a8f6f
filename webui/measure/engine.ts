/**
 * What the MLS engine takes on this machine: `hedgerow bench rooms` bundles this file and runs it in Chromium's worker.
 * Times are milliseconds by the wall clock: medians.
 */
import { random } from "../src/bytes/webcrypto.ts";
import { engine } from "../src/mls/engine.ts";
import type { MlsState } from "../src/mls/types.ts";

const NEWCOMERS = 50;
const MESSAGES = 200;
const NOTHING = new Uint8Array();

export interface Taken {
  readonly add: number;
  readonly receive: number;
  readonly send: number;
}

const fresh = (now: number) => engine.makeKeyPackage(async () => random(113), now, 28);
const median = (values: number[]): number => values.sort((a, b) => a - b)[values.length >> 1] as number;

/** Adds fifty members to a room of one, then lets one of them hear two hundred messages. `rounds`: of the adding. */
export async function measure(rounds: number): Promise<Taken> {
  const now = Math.floor(Date.now() / 1000);
  const adds: number[] = [];
  let sender: MlsState | undefined;
  let receiver: MlsState | undefined;
  for (let round = 0; round < rounds; round++) {
    const founder = await engine.create(random(32), (await fresh(now)).secrets);
    const newcomers = [];
    for (let index = 0; index < NEWCOMERS; index++) newcomers.push(await fresh(now));
    const start = performance.now();
    const made = await engine.commit(founder, {
      add: newcomers.map((each) => each.keyPackage),
      remove: [],
      data: NOTHING,
    });
    adds.push(performance.now() - start);
    sender = engine.adopt(made.current, made.next);
    const first = newcomers[0];
    if (made.welcome && first) receiver = (await engine.join(made.welcome, first.secrets)).state;
  }
  if (!sender || !receiver) throw new Error("nobody was added");
  const sends: number[] = [];
  const receives: number[] = [];
  for (let index = 0; index < MESSAGES; index++) {
    let start = performance.now();
    const sealed = await engine.seal(sender, random(240));
    sends.push(performance.now() - start);
    sender = sealed.state;
    start = performance.now();
    receiver = (await engine.open(receiver, sealed.payload)).state;
    receives.push(performance.now() - start);
  }
  return { add: median(adds), receive: median(receives), send: median(sends) };
}

if (typeof self !== "undefined" && typeof document === "undefined")
  self.onmessage = async (event: MessageEvent<number>) => self.postMessage(await measure(event.data));
