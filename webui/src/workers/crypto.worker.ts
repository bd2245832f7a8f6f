/** The worker in which the client lives: keys, the engine and the network are in here, pages only see views. */
import { LocalClient } from "../client/client.ts";
import { failureOf } from "../client/failures.ts";
import type { CallName, Calls } from "../client/types.ts";
import { systemNetwork, systemTime } from "../client/world.ts";
import { IndexedStorage } from "../vault/indexed.ts";
import { MemoryStorage } from "../vault/records.ts";
import type { Storage } from "../vault/types.ts";
import type { FromClientWorker, Poison, ToClientWorker } from "./messages.ts";

const say = (message: FromClientWorker, transfer: Transferable[] = []): void => self.postMessage(message, { transfer });

let client: Promise<LocalClient> | null = null;

/** Some browsers let nothing be stored (private windows): then all of it lasts as long as the tab. */
async function storage(): Promise<Storage> {
  try {
    return await IndexedStorage.open();
  } catch {
    return new MemoryStorage();
  }
}

async function open(poison: Poison | null): Promise<LocalClient> {
  const world = {
    ...systemTime,
    network: systemNetwork,
    storage: await storage(),
    busy: (entry: Poison | null) => say({ kind: "busy", entry }),
    report: (problem: unknown, where: string) => console.warn(`hedgerow: ${where}`, problem),
  };
  const opened = await LocalClient.open(world, poison);
  opened.listen((event) => say({ kind: "event", event }));
  return opened;
}

async function call(ticket: number, name: CallName, input: unknown): Promise<void> {
  try {
    const answer = await (await (client as Promise<LocalClient>)).call(name, input as Calls[typeof name]["input"]);
    say({ kind: "answer", ticket, answer });
  } catch (problem) {
    const { code, detail } = failureOf(problem);
    say({ kind: "failure", ticket, code, detail });
  }
}

self.addEventListener("message", ({ data }: MessageEvent<ToClientWorker>) => {
  if (data.kind === "call") {
    call(data.ticket, data.name, data.input);
    return;
  }
  client = open(data.poison);
  client.then(
    () => say({ kind: "opened" }),
    (problem: unknown) => {
      const { code, detail } = failureOf(problem);
      say({ kind: "broken", code, detail });
    },
  );
});
