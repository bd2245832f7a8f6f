// Lets nostr-tools begin a reconciliation: the first line of input is {items: [[seconds, hex]], frameLimit}, then each
// message of ours is printed as a line of hex and answered by one; the last line is {have, need} as JSON.
import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";

const { Negentropy, NegentropyStorageVector } = await import(pathToFileURL(process.argv[2]).href);
const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const { items, frameLimit } = JSON.parse((await lines.next()).value);

const storage = new NegentropyStorageVector();
for (const [seconds, id] of items) storage.insert(seconds, id);
storage.seal();

const side = new Negentropy(storage, frameLimit);
const have = new Set();
const need = new Set();
let message = side.initiate();
while (message !== null) {
  process.stdout.write(`${message}\n`);
  const answer = (await lines.next()).value;
  message = side.reconcile(answer, (id) => have.add(id), (id) => need.add(id));
}
process.stdout.write(`${JSON.stringify({ have: [...have], need: [...need] })}\n`);
process.stdin.destroy();
