import assert from "node:assert/strict";
import { test } from "node:test";
import { toB64 } from "../src/bytes/text.ts";
import { random } from "../src/bytes/webcrypto.ts";
import { LocalClient } from "../src/client/client.ts";
import { inviteParts, linkOf } from "../src/client/keys.ts";
import { settle } from "../src/client/settling.ts";
import { systemTime } from "../src/client/world.ts";
import { later, withAccountAt } from "./model-account.ts";
import { ModelNode } from "./model-node.ts";

const OTHER = toB64(random(32));
const ROOM = toB64(random(32));

/** What the own node says to an ask by a link of another community, one after the other; the last again and again. */
async function asker(...answers: (() => Response)[]) {
  return askerOf("room", ...answers);
}

async function askerOf(kind: "room" | "pair", ...answers: (() => Response)[]) {
  const node = await new ModelNode().open();
  const storage = await withAccountAt(node.nodeId);
  const secret = random(16);
  const { sealer } = await inviteParts(secret);
  const room = { room: ROOM, kind, title: "Walks" };
  const note = await sealer.seal({ v: 1, from: "Ben", words: "", room });
  const asked: string[] = [];
  const kept = { looks: 0, said: () => Response.json(invite) };
  const fetch = node.network.fetch;
  const invite = { title: "Away", expires: node.now + 9999, uses_left: 0, accounts: false, note };
  Object.assign(node.network, {
    fetch: async (address: string, init: RequestInit) => {
      if (!address.includes("/invites/")) return fetch(address, init);
      if (init.method !== "POST") {
        kept.looks++;
        return kept.said();
      }
      asked.push(String(init.body));
      return (answers.length > 1 ? answers.shift() : answers[0])?.() as Response;
    },
  });
  const open = async () => {
    const client = await LocalClient.open({
      ...systemTime,
      later,
      now: () => node.now,
      network: node.network,
      storage,
    });
    await settle(client, 20);
    return client;
  };
  const link = linkOf("http://away.example.org", OTHER, toB64(secret));
  return { node, asked, kept, link, open };
}

const waiting = () =>
  Response.json({ type: "https://x/problems/waiting", status: 503 }, { status: 503, headers: { "Retry-After": "10" } });
const taken = () => Response.json({ id: toB64(random(16)) }, { status: 201 });
const no = (status: number) => () => Response.json({ type: `https://x/problems/no`, status }, { status });

async function standing(client: LocalClient): Promise<string | undefined> {
  return (await client.call("state", {})).rooms.find(({ room }) => room === ROOM)?.standing;
}

async function until(is: () => Promise<boolean>, what: string): Promise<void> {
  const end = Date.now() + 30_000;
  while (!(await is())) {
    assert.ok(Date.now() < end, what);
    await new Promise((done) => setTimeout(done, 50));
  }
}

test("an ask that is taken is not handed in again", async () => {
  const { asked, link, open } = await asker(taken);
  const client = await open();
  await client.call("ask", { link, name: "Ann" });
  assert.equal(await standing(client), "asked");
  await client.home.asking.repeat();
  assert.equal(asked.length, 1);
  await client.finish();
});

test("an ask that another node has not answered is asked about, the same, until it is taken", async () => {
  const { asked, link, open } = await asker(waiting, waiting, taken);
  const client = await open();
  await client.call("ask", { link, name: "Ann" });
  await until(async () => asked.length === 3, "asked about by itself");
  assert.equal(new Set(asked).size, 1, "the same, so that it counts once");
  await client.home.asking.repeat();
  assert.deepEqual([asked.length, await standing(client)], [3, "asked"]);
  await client.finish();
});

for (const status of [404, 409, 410])
  test(`who asked is told that it was refused (${status}), at once or much later`, async () => {
    const { link, open } = await asker(no(status));
    const client = await open();
    await client.call("ask", { link, name: "Ann" });
    assert.equal(await standing(client), "refused");
    await client.finish();

    const slow = await asker(waiting, no(status), taken);
    let device = await slow.open();
    await device.call("ask", { link: slow.link, name: "Ann" });
    assert.equal(await standing(device), "asked");
    await device.finish();
    // The device was closed meanwhile.
    device = await slow.open();
    await until(async () => (await standing(device)) === "refused", "told later");
    // Asking once more is a new ask.
    await device.call("ask", { link: slow.link, name: "Ann" });
    assert.equal(await standing(device), "asked");
    assert.equal(new Set(slow.asked).size, 2);
    assert.equal((await device.call("watch", { room: ROOM })).standing, "asked");
    await device.finish();
  });

test("too many at once passes: it is tried for a day, then told", async () => {
  const { node, asked, link, open } = await asker(no(429));
  const client = await open();
  await client.call("ask", { link, name: "Ann" });
  await client.home.asking.repeat();
  assert.deepEqual([asked.length, await standing(client)], [2, "asked"]);
  node.now += 24 * 3600 + 1;
  await client.home.asking.repeat();
  assert.equal(await standing(client), "refused");
  await client.call("forgetRoom", { room: ROOM });
  assert.equal(await standing(client), undefined);
  await client.finish();
});

for (const status of [404, 410])
  test(`who asked to join a one-on-one is told once its link is gone for good (${status})`, async () => {
    const { node, kept, link, open } = await askerOf("pair", taken);
    let client = await open();
    await client.call("ask", { link, name: "Ann" });
    const { looks } = kept;
    await until(async () => kept.looks > looks, "looked at by itself");
    assert.equal(await standing(client), "asked");
    // Somebody else was let in while this device was closed.
    await client.finish();
    kept.said = no(status);
    client = await open();
    await client.home.asking.repeat();
    assert.equal(await standing(client), "asked", "a Welcome may be on its way");
    // It was a mistake of a moment: the count starts again.
    kept.said = no(503);
    await client.home.asking.repeat();
    node.now += 31;
    kept.said = no(status);
    await client.home.asking.repeat();
    assert.equal(await standing(client), "asked");
    node.now += 31;
    await until(async () => (await standing(client)) === "refused", "told by itself");
    await client.finish();
  });

test("a link into a room of many is not looked at again", async () => {
  const { node, kept, link, open } = await asker(taken);
  const client = await open();
  await client.call("ask", { link, name: "Ann" });
  const { looks } = kept;
  kept.said = no(404);
  for (let times = 0; times < 3; times++) {
    await client.home.asking.repeat();
    node.now += 31;
  }
  assert.deepEqual([kept.looks, await standing(client)], [looks, "asked"]);
  await client.finish();
});
