import assert from "node:assert/strict";
import { test } from "node:test";
import { toB64 } from "../src/bytes/text.ts";
import { random } from "../src/bytes/webcrypto.ts";
import { LocalClient } from "../src/client/client.ts";
import { newRecord } from "../src/client/room.ts";
import { settle } from "../src/client/settling.ts";
import { names } from "../src/client/stored.ts";
import { systemTime } from "../src/client/world.ts";
import { Vault } from "../src/vault/vault.ts";
import { later, withAccountAt } from "./model-account.ts";
import { ModelNode } from "./model-node.ts";
import { roomOf } from "./room-world.ts";

test("after a commit that does not count, the others' mailboxes are put back, as far as was read", async () => {
  const { hub, of } = await roomOf(3);
  const [ada, ben, cem] = [of("Ada"), of("Ben"), of("Cem")];
  const node = await new ModelNode().open();
  node.now = hub.now;
  const kept = await withAccountAt(node.nodeId);
  const record = newRecord({
    room: hub.room,
    kind: "room",
    standing: "in",
    name: "Ada",
    mailbox: ada.mailbox,
    time: hub.now,
  });
  await (await Vault.in(kept)).write(
    new Map<(typeof names)["account"], unknown>([
      [names.room(hub.room), record],
      [names.session(hub.room), ada.in.encode()],
    ]),
  );
  const share = () =>
    node.logs.set(
      hub.room,
      hub.log.map(({ id, payload, hash, ...rest }) => ({
        ...rest,
        id,
        payload: toB64(payload as Uint8Array),
        hash,
      })),
    );
  share();
  const asked: unknown[] = [];
  const { fetch } = node.network;
  Object.assign(node.network, {
    fetch: async (address: string, init: RequestInit) => {
      if (address.endsWith(`/rooms/${hub.room}/mailboxes`)) asked.push(JSON.parse(String(init.body)));
      return fetch(address, init);
    },
  });
  const client = await LocalClient.open({
    ...systemTime,
    later,
    now: () => node.now,
    network: node.network,
    storage: kept,
  });
  await settle(client, 20);
  assert.deepEqual(asked, []);

  // Somebody's program lets the hub take everybody out with bytes that are no commit; then somebody writes.
  await hub.append({ id: toB64(random(16)), kind: "commit", epoch: ben.in.epoch, payload: random(200) });
  await ben.sync();
  await ben.say({ type: "message", id: toB64(random(16)), text: "Good evening." });
  share();
  const room = client.home.core.room(hub.room);
  await client.home.follower.catchUp(room);
  await settle(client, 20);
  const seen = hub.log.length;
  assert.equal(room.session?.position.seq, seen);
  const sorted = (all: unknown[]) => all.map((each) => JSON.stringify(each)).sort();
  assert.deepEqual(sorted(asked), sorted([ben, cem].map(({ mailbox }) => ({ mailbox, seen }))));
  await client.finish();
});
