import assert from "node:assert/strict";
import { test } from "node:test";
import { toB64 } from "../src/bytes/text.ts";
import { random } from "../src/bytes/webcrypto.ts";
import { LocalClient } from "../src/client/client.ts";
import { settle } from "../src/client/settling.ts";
import { systemTime } from "../src/client/world.ts";
import { MemoryStorage } from "../src/vault/records.ts";
import type { Change, Storage } from "../src/vault/types.ts";
import { later, withAccountAt } from "./model-account.ts";
import { ModelNode } from "./model-node.ts";

/** A storage whose process may die before or after any write; what was written stays. */
class MortalStorage implements Storage {
  readonly device = null;
  readonly #inner: MemoryStorage;
  readonly #tap: () => void;

  constructor(inner: MemoryStorage, tap: () => void) {
    this.#inner = inner;
    this.#tap = tap;
  }
  get = (key: string) => this.#inner.get(key);
  range: Storage["range"] = (span) => this.#inner.range(span);
  async write(changes: readonly Change[]): Promise<void> {
    this.#tap();
    await this.#inner.write(changes);
    this.#tap();
  }
  lasting = async () => true;
  clear = () => this.#inner.clear();
  close = () => this.#inner.close();
}

class Dead extends Error {}

async function beginning(submitBytes = 0): Promise<{ node: ModelNode; kept: MemoryStorage }> {
  const node = await new ModelNode().open();
  node.submitBytes = submitBytes;
  return { node, kept: await withAccountAt(node.nodeId) };
}

const openOn = (node: ModelNode, storage: Storage) =>
  LocalClient.open({ ...systemTime, later, now: () => node.now, network: node.network, storage });

async function online(client: LocalClient): Promise<void> {
  await settle(client, 20);
  assert.equal((await client.call("state", {})).connection, "online");
}

async function texts(client: LocalClient, room: string): Promise<string[]> {
  const { timeline } = await client.call("watch", { room });
  return timeline.flatMap((item) => (item.kind === "message" ? [`${item.text} ${item.status}`] : []));
}

test("what was written is sent in order, and shown as sent", async () => {
  const { node, kept } = await beginning();
  const client = await openOn(node, kept);
  await online(client);
  const { room } = await client.call("createRoom", { title: "Walks", name: "Ann" });
  for (const text of ["one", "two", "three"]) await client.call("send", { room, text });
  await settle(client, 20);
  assert.deepEqual(await texts(client, room), ["one sent", "two sent", "three sent"]);
  assert.equal((await client.call("watch", { room })).title, "Walks");
  assert.deepEqual(
    node.logs.get(room)?.map(({ seq }) => seq),
    [1, 2, 3, 4],
  );
  await client.finish();
});

test("over the live channel: short things by it, long ones and those whose line was cut by a request, each once", async () => {
  const { node, kept } = await beginning(4_000);
  const client = await openOn(node, kept);
  await online(client);
  const ways: string[] = [];
  let cut: boolean | null = null;
  node.tap = (method, path, reached) => {
    if (!path.endsWith("/log") || method === "GET") return;
    if (method === "SUBMIT" && reached === cut) {
      cut = null;
      ways.push("cut");
      throw new Dead();
    }
    if (reached) ways.push(method);
  };
  const { room } = await client.call("createRoom", { title: "Walks", name: "Ann" });
  await settle(client, 20);
  assert.ok(ways.length > 0 && ways.every((way) => way === "SUBMIT"), `${ways}`);
  const before = node.logs.get(room)?.length ?? 0;
  const say = async (text: string, expected: string[]) => {
    ways.length = 0;
    await client.call("send", { room, text });
    await settle(client, 20);
    assert.deepEqual(ways, expected, text.slice(0, 20));
  };
  await say("one", ["SUBMIT"]);
  await say("two, and it is long ".repeat(300), ["POST"]);
  cut = false;
  await say("three, which the node never heard of", ["cut", "POST"]);
  cut = true;
  await say("four, which it had written down", ["cut", "POST"]);
  await say("five", ["SUBMIT"]);
  assert.deepEqual(
    (await texts(client, room)).map((text) => text.slice(0, 4)),
    ["one ", "two,", "thre", "four", "five"],
  );
  assert.equal(node.logs.get(room)?.length, before + 5);
  await client.finish();
});

test("a node that refuses a message for good leaves it marked; it can be tried again or dropped", async () => {
  const { node, kept } = await beginning();
  const client = await openOn(node, kept);
  await online(client);
  const { room } = await client.call("createRoom", { title: "", name: "Ann" });
  const fetch = node.network.fetch;
  let refuse = true;
  Object.assign(node.network, {
    fetch: (address: string, init: RequestInit) =>
      refuse && init.method === "POST" && address.endsWith("/log")
        ? Promise.resolve(Response.json({ status: 413 }, { status: 413 }))
        : fetch(address, init),
  });
  const { id } = await client.call("send", { room, text: "first" });
  await settle(client, 20);
  const { id: second } = await client.call("send", { room, text: "second" });
  await settle(client, 20);
  assert.deepEqual(await texts(client, room), ["first failed", "second failed"]);
  assert.deepEqual((await client.call("state", {})).outbox, { waiting: 0, failed: 2 });
  refuse = false;
  await client.call("drop", { room, id });
  await client.call("retry", { room, id: second });
  await settle(client, 20);
  assert.deepEqual(await texts(client, room), ["second sent"]);
  await client.finish();
});

interface Session {
  readonly node: ModelNode;
  readonly kept: MemoryStorage;
  readonly room: string;
}

/** A device with one empty room. */
async function founded(submitBytes: number): Promise<Session> {
  const { node, kept } = await beginning(submitBytes);
  const client = await openOn(node, kept);
  await online(client);
  const { room } = await client.call("createRoom", { title: "", name: "Ann" });
  await settle(client, 20);
  await client.home.stop();
  return { node, kept, room };
}

/** Goes on from a copy and dies at its `moment`-th step: a write to the storage or a request, before or after it. */
async function sessionUntil(moment: number, from: Session): Promise<Session & { died: boolean; said: string[] }> {
  const { node, room } = from;
  const kept = new MemoryStorage();
  const records = await from.kept.range({ from: "", to: "\uffff" });
  await kept.write(records.map(([key, value]) => ({ key, value })));
  node.logs.set(room, []);
  let step = 0;
  let died = false;
  const tap = () => {
    if (died || step++ >= moment) {
      died = true;
      throw new Dead();
    }
  };
  const said: string[] = [];
  node.tap = (_method, path) => {
    if (path.endsWith("/log")) tap();
  };
  const client = await openOn(node, new MortalStorage(kept, tap));
  for (const text of ["one", "two"]) {
    try {
      await client.call("send", { room, text });
      said.push(text);
    } catch {
      // Died before it was kept: the person was never told that it was.
    }
  }
  for (let round = 0; !died && !(await settle(client, 0.2)); round++) assert.ok(round < 100, "never quiet");
  await client.home.stop();
  node.tap = () => {};
  return { died, node, kept, room, said };
}

for (const [how, submitBytes] of [
  ["by requests", 0],
  ["over the live channel", 32_768],
] as const)
  test(`killed at any step between writing and hearing back ${how}: nothing kept is lost or there twice`, async () => {
    const from = await founded(submitBytes);
    let moment = 0;
    for (let died = true; died; moment++) {
      const session = await sessionUntil(moment, from);
      died = session.died;
      const client = await openOn(session.node, session.kept);
      await online(client);
      await settle(client, 20);
      const seen = await texts(client, session.room);
      const kept = session.said.map((text) => `${text} sent`);
      // One that was not said to be kept may be there all the same, when death came after the write.
      assert.ok(seen.length === new Set(seen).size && kept.every((text) => seen.includes(text)), `${moment}: ${seen}`);
      assert.deepEqual(seen, [...seen].sort(), `${moment}: in order`);
      assert.equal(session.node.logs.get(session.room)?.length, seen.length, `${moment}: in the log`);
      await client.finish();
    }
    assert.ok(moment > 12, `only ${moment} moments to die`);
  });

test("a message that names itself is sent once, however often it is asked for", async () => {
  const { node, kept } = await beginning();
  const client = await openOn(node, kept);
  await online(client);
  const { room } = await client.call("createRoom", { title: "One", name: "Ann" });
  const id = toB64(random(16));
  const twice = [1, 2].map(() => client.call("send", { room, text: "hello", id }));
  for (const answer of await Promise.all(twice)) assert.deepEqual(answer, { id });
  await settle(client, 20);
  // Also once it stands in the log, and to a client that was opened anew.
  assert.deepEqual(await client.call("send", { room, text: "hello", id }), { id });
  await client.call("send", { room, text: "another", id: toB64(random(16)) });
  await settle(client, 20);
  assert.deepEqual(await texts(client, room), ["hello sent", "another sent"]);
  await assert.rejects(client.call("send", { room, text: "hello", id: "no id" }));
  await client.finish();
});

test("what was taken as the line went dead is acknowledged after coming back", async () => {
  const { node, kept } = await beginning();
  const client = await openOn(node, kept);
  await online(client);
  const { room } = await client.call("createRoom", { title: "", name: "Ann" });
  await settle(client, 20);
  const { core, follower } = client.home;
  core.live?.stop(); // so that it is said over HTTP, where this test hears it
  const acknowledged: string[] = [];
  node.tap = (method, path, reached) => {
    if (reached && path === "/mailbox/acknowledge") acknowledged.push(method);
    if (reached && method === "POST" && path.endsWith("/log")) core.connection = "offline";
  };
  await client.call("send", { room, text: "one" });
  for (let round = 0; follower.busy || core.room(room).outbox.length > 0; round++) {
    assert.ok(round < 400, "never quiet");
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  assert.deepEqual(acknowledged, []);
  core.connection = "online";
  await follower.flush();
  assert.deepEqual(acknowledged, ["POST"]);
  await client.finish();
});
