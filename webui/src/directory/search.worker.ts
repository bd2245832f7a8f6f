/** The search worker: fetches the list once and answers queries; what is looked for never leaves the browser. */
import { readList } from "./list.ts";
import type { FromWorker, ToWorker } from "./messages.ts";
import { Searcher } from "./search.ts";

let searcher: Searcher | null = null;

function say(message: FromWorker): void {
  self.postMessage(message);
}

async function load(address: string, access: readonly string[]): Promise<void> {
  const answer = await fetch(address, { credentials: "omit" });
  if (!answer.ok) throw new Error(`the list was refused with ${answer.status}`);
  const list = readList(await answer.json());
  if ("regions" in list) {
    say({ kind: "regions", regions: list.regions });
    return;
  }
  searcher = new Searcher(list, access);
  say({ kind: "ready" });
}

self.addEventListener("message", (event: MessageEvent<ToWorker>) => {
  const message = event.data;
  switch (message.kind) {
    case "load":
      load(message.address, message.access).catch(() => say({ kind: "failed" }));
      return;
    case "search":
      if (searcher) {
        const answer = searcher.search(message.query, message.now, message.zone);
        say({ kind: "answer", ticket: message.ticket, answer });
      }
      return;
  }
});
