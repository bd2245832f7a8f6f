/**
 * Lends the engine and a room to tests in another language: one JSON request a line on standard input, one answer a line
 * on standard output; bytes are hexadecimal. `tests/mls_peer.py` is the other end.
 */
import { createInterface } from "node:readline";
import { fromHex, toB64, toHex } from "../src/bytes/text.ts";
import { engine } from "../src/mls/engine.ts";
import type { KeyPackageSecrets, MlsState } from "../src/mls/types.ts";
import type { Ask } from "../src/rooms/types.ts";
import { type Device, NOW, roomOf } from "./room-world.ts";

type Request = { do: string; name: string; [key: string]: unknown };
const text = (request: Request, key: string): string => String(request[key] ?? "");
const bytes = (request: Request, key: string): Uint8Array => fromHex(text(request, key));
const list = (request: Request, key: string): string[] => (request[key] as string[] | undefined) ?? [];

// ---- bare engines, by name

const states = new Map<string, MlsState>();
const secrets = new Map<string, KeyPackageSecrets>();
const waiting = new Map<string, { current: MlsState; next: MlsState }>();
const stateOf = (name: string): MlsState => states.get(name) as MlsState;

const engines: Record<string, (request: Request) => Promise<unknown>> = {
  async package({ name }) {
    const made = await engine.makeKeyPackage(async () => new TextEncoder().encode(name), NOW, 28);
    secrets.set(name, made.secrets);
    return toHex(made.keyPackage);
  },
  async create(request) {
    states.set(
      request.name,
      await engine.create(bytes(request, "group"), secrets.get(request.name) as KeyPackageSecrets),
    );
  },
  async join(request) {
    const { state } = await engine.join(bytes(request, "welcome"), secrets.get(request.name) as KeyPackageSecrets);
    states.set(request.name, state);
  },
  async commit(request) {
    const plan = {
      add: list(request, "add").map(fromHex),
      remove: (request.remove as number[] | undefined) ?? [],
      data: bytes(request, "data"),
      forNewcomers: new TextEncoder().encode("for newcomers"),
    };
    const made = await engine.commit(stateOf(request.name), plan);
    waiting.set(request.name, made);
    return { payload: toHex(made.payload), welcome: made.welcome ? toHex(made.welcome) : null };
  },
  async adopt({ name }) {
    const made = waiting.get(name);
    if (made) states.set(name, engine.adopt(made.current, made.next));
  },
  async apply(request) {
    await engine.openCommit(stateOf(request.name), bytes(request, "payload"));
    const { state } = await engine.apply(stateOf(request.name), bytes(request, "payload"));
    states.set(request.name, engine.decode(engine.encode(state)));
    return engine.isOut(state);
  },
  async seal(request) {
    const made = await engine.seal(stateOf(request.name), bytes(request, "text"));
    states.set(request.name, made.state);
    return toHex(made.payload);
  },
  async open(request) {
    const opened = await engine.open(stateOf(request.name), bytes(request, "payload"));
    states.set(request.name, opened.state);
    return { text: toHex(opened.plaintext), sender: opened.sender.index };
  },
  async about({ name }) {
    const state = stateOf(name);
    const secret = await engine.exporter(state, "hedgerow test", new TextEncoder().encode("context"), 32);
    const leaves = engine.leaves(state).map(({ index, key }) => [index, toHex(key)]);
    return { epoch: engine.epoch(state), secret: toHex(secret), leaves, own: engine.ownIndex(state) };
  },
};

// ---- a room of three, into which the other end is let

let room: { all: Device[]; hub: Device["hub"] } | undefined;
const here = () => {
  if (room === undefined) throw new Error("there is no room yet");
  return { ...room, ada: room.all[0] as Device };
};
const told = async () => {
  const changes = [];
  for (const each of here().all) changes.push(await each.sync());
  return changes;
};

const rooms: Record<string, (request: Request) => Promise<unknown>> = {
  async room() {
    room = await roomOf(3);
    return { room: toHex(Buffer.from(room.hub.room, "base64url")), now: room.hub.now };
  },
  /** Shows the ask, lets two vouch, and lets the newcomer in. */
  async admit(request) {
    const { all, ada, hub } = here();
    const ask = request.ask as Ask;
    await ada.say({ type: "ask", ask });
    await told();
    for (const each of all.slice(0, 2)) await each.say(await each.in.approve(each.me, ask.id, each.now));
    await told();
    const keyPackage = await engine.readKeyPackage(bytes(request, "keyPackage"), hub.now);
    await ada.commit({ admit: [{ ask: ask.id, keyPackage }] });
    const changes = (await told())[1];
    const { payload } = hub.welcomes.at(-1) as { payload: Uint8Array };
    return { welcome: toHex(payload), epoch: ada.in.epoch, changes };
  },
  async say(request) {
    const entry = await here().ada.text(text(request, "text"));
    await told();
    return { payload: toHex(entry.payload as Uint8Array), epoch: entry.epoch, by: here().ada.identity };
  },
  async refresh() {
    await here().ada.commit({});
    await told();
    const entry = here().hub.log.at(-1);
    return { payload: toHex(entry?.payload as Uint8Array), policy: here().ada.in.policy };
  },
  /** What the other end has sealed comes into the log; answers what each device made of it. */
  async receive(request) {
    const kind = request.kind as "commit" | "message";
    const id = toB64(crypto.getRandomValues(new Uint8Array(16)));
    await here().hub.append({ id, kind, epoch: Number(request.epoch), payload: bytes(request, "payload") });
    return told();
  },
};

for await (const line of createInterface({ input: process.stdin })) {
  const request = JSON.parse(line) as Request;
  const run = engines[request.do] ?? rooms[request.do];
  try {
    if (run === undefined) throw new Error(`no such request: ${request.do}`);
    console.log(JSON.stringify({ is: (await run(request)) ?? null }));
  } catch (error) {
    console.log(JSON.stringify({ error: String((error as { fault?: string }).fault ?? error) }));
  }
}
