import assert from "node:assert/strict";
import { test } from "node:test";
import encodeQr from "qr";
import { fields } from "../src/bytes/fields.ts";
import { fromB64, toB64 } from "../src/bytes/text.ts";
import * as webcrypto from "../src/bytes/webcrypto.ts";
import { publicKey, random, sign } from "../src/bytes/webcrypto.ts";
import { LocalClient } from "../src/client/client.ts";
import type { Failure } from "../src/client/failures.ts";
import { inviteParts, linkOf, readLink, roomIdentity } from "../src/client/keys.ts";
import { settle } from "../src/client/settling.ts";
import { names, type StoredRoom } from "../src/client/stored.ts";
import { systemTime } from "../src/client/world.ts";
import { findLink } from "../src/pages/found-link.ts";
import { decodeEvent, encodeEvent } from "../src/rooms/events.ts";
import { signMove } from "../src/rooms/moving.ts";
import type { Ask, LogPosition, RoomIdentity, Session } from "../src/rooms/types.ts";
import type { MemoryStorage } from "../src/vault/records.ts";
import { Vault } from "../src/vault/vault.ts";
import { account, HOME, later, withAccountAt } from "./model-account.ts";
import { ModelNode } from "./model-node.ts";

const OTHER = toB64(random(32));

/** A device with an account at a node whose key is `nodeId`, over what is kept. */
async function device(node: ModelNode, nodeId: string): Promise<{ client: LocalClient; kept: MemoryStorage }> {
  const kept = await withAccountAt(nodeId);
  return { client: await opened(node, kept), kept };
}

async function opened(node: ModelNode, kept: MemoryStorage): Promise<LocalClient> {
  const client = await LocalClient.open({
    ...systemTime,
    later,
    now: () => node.now,
    network: node.network,
    storage: kept,
  });
  await settle(client, 20);
  return client;
}

test("a link names its node or, as before, does not; both are read, and fit into a code", () => {
  const secret = toB64(random(16));
  const address = "https://a-rather-long-name-of-a-community.example.org/below";
  const link = linkOf(address, OTHER, secret);
  assert.deepEqual(readLink(link, "join"), { node: address, secret: fromB64(secret), nodeId: OTHER });
  assert.deepEqual(readLink(`${address}/join#${secret}`, "join"), { node: address, secret: fromB64(secret) });
  assert.deepEqual(readLink(`${address}/join#${secret}.x`, "join"), { node: address, secret: fromB64(secret) });
  assert.equal(readLink(`${address}/join#.${OTHER}`, "join"), undefined);
  // 57 modules a side are read from a phone's screen at arm's length.
  assert.ok(encodeQr(link, "raw", { ecc: "medium", border: 1 }).length - 2 <= 57);
  for (const text of [`Come: ${link}.`, `<${link}>`, `(${link})`, link]) assert.equal(findLink(text), link);
  assert.equal(findLink(`See ${address}/join#${secret}. Ann`), `${address}/join#${secret}`);
});

test("an ask says where its newcomer lives, or nothing: then it is what it always was", () => {
  const b64 = (size: number) => toB64(random(size));
  const identity = b64(32);
  const profile = { by: identity, version: 1, name: "Cleo", signature: b64(64) };
  const ask: Ask = { id: b64(16), identity, ref: b64(32), consent: b64(32), profile };
  assert.deepEqual(decodeEvent(encodeEvent({ type: "ask", ask })), { type: "ask", ask });
  const far = { ...ask, home: OTHER };
  assert.deepEqual(decodeEvent(encodeEvent({ type: "ask", ask: far })), { type: "ask", ask: far });
  assert.throws(() => encodeEvent({ type: "ask", ask: { ...ask, home: b64(31) } }), TypeError);
  const view = { title: "", titled: 0, profiles: {}, votes: [], leaves: [], revocations: [], invitations: [] };
  const asks = [{ ask: far, by: identity, time: 5, approvals: [] }];
  const snapshot = { type: "snapshot", view: { ...view, asks } } as const;
  assert.deepEqual(decodeEvent(encodeEvent(snapshot)), snapshot);
});

test("a link of another community goes by one's own node, which is told which one; nobody else is asked", async () => {
  const node = await new ModelNode().open();
  const { client } = await device(node, node.nodeId);
  const asked: [string, string | undefined][] = [];
  const fetch = node.network.fetch;
  const secret = random(16);
  const { id, sealer } = await inviteParts(secret);
  const note = await sealer.seal({ v: 1, from: "Ben", words: "" });
  Object.assign(node.network, {
    fetch: (address: string, init: RequestInit) => {
      if (!address.includes("/invites/")) return fetch(address, init);
      asked.push([address, (init.headers as Record<string, string>).Authorization]);
      return Promise.resolve(
        Response.json({ title: "Away", expires: node.now + 9, uses_left: 0, accounts: false, note }),
      );
    },
  });
  const open = (link: string) => client.call("openInvite", { link });
  const token = `Bearer ${toB64(new Uint8Array(32))}`;

  const view = await open(linkOf("http://away.example.org", OTHER, toB64(secret)));
  assert.deepEqual([view.community, view.known, view.from], ["Away", true, "Ben"]);
  // Another address of the own node.
  assert.equal((await open(linkOf("http://onion.example.org", node.nodeId, toB64(secret)))).known, true);
  assert.deepEqual(asked, [
    [`${HOME}/api/v1/invites/${id}?node=${OTHER}`, token],
    [`${HOME}/api/v1/invites/${id}`, undefined],
  ]);
  const old = open(`http://away.example.org/join#${toB64(secret)}`);
  await assert.rejects(old, (failure: Failure) => failure.code === "other-node");
  assert.equal(asked.length, 2);
  await client.finish();
});

/** A room whose hub is the model, on a device that has its account elsewhere. */
async function farRoom(): Promise<{ node: ModelNode; kept: MemoryStorage; room: string }> {
  const node = await new ModelNode().open();
  const { client, kept } = await device(node, node.nodeId);
  const { room } = await client.call("createRoom", { title: "Walks", name: "Ann" });
  await settle(client, 20);
  await client.finish();
  const vault = await Vault.in(kept);
  const record = (await vault.json(names.room(room))) as StoredRoom;
  await vault.write(
    new Map<(typeof names)["account"], unknown>([
      [names.room(room), { ...record, hub: node.nodeId }],
      [names.account, account(OTHER)],
    ]),
  );
  node.hub = node.nodeId;
  return { node, kept, room };
}

const brokenIn = async (client: LocalClient, room: string) =>
  (await client.call("state", {})).trouble.some((one) => one.code === "log-broken" && one.room === room);

test("heads of a room elsewhere are its hub's, and the hub stays who it was", async () => {
  const { node, kept, room } = await farRoom();
  let client = await opened(node, kept);
  await client.call("send", { room, text: "one" });
  await settle(client, 20);
  assert.equal((await client.call("watch", { room })).far, true);
  assert.equal(await brokenIn(client, room), false);
  await client.finish();
  for (const hub of [undefined, toB64(await publicKey(random(32)))]) {
    node.hub = hub;
    client = await opened(node, kept);
    await client.home.follower.catchUp(client.home.core.room(room));
    await settle(client, 20);
    assert.equal(await brokenIn(client, room), true, "another hub");
    await client.home.core.saveSettings({ trouble: [] });
    await client.finish();
  }
  // The same name, but a signature that is not its own.
  const forger = await new ModelNode().open();
  forger.logs.set(room, node.logs.get(room) ?? []);
  forger.hub = node.nodeId;
  client = await opened(forger, kept);
  await client.home.follower.catchUp(client.home.core.room(room));
  assert.equal(await brokenIn(client, room), true, "another signature");
  await client.finish();
});

test("another hub counts only when more than half of the members have moved the room there", async () => {
  const node = await new ModelNode().open();
  const { client: first, kept } = await device(node, node.nodeId);
  const { room } = await first.call("createRoom", { title: "Walks", name: "Ann" });
  await first.call("send", { room, text: "before" });
  await settle(first, 20);
  const me = await roomIdentity(fromB64(first.home.core.self.secret), room);
  const position = first.home.core.room(room).session?.position as LogPosition;
  await first.finish();
  const vault = await Vault.in(kept);
  const record = (await vault.json(names.room(room))) as StoredRoom;
  await vault.write(new Map([[names.room(room), { ...record, hub: OTHER }]]));
  const stranger = { ...me, seed: random(32), identity: toB64(await publicKey(random(32))) };
  const head = await node.head(room);
  const hub = node.nodeId;
  const words = async (by: RoomIdentity, number = 1, where = hub, at = position) => {
    const { hub: _, number: __, ...said } = await signMove(webcrypto, by, { hub: where, number }, at);
    return said;
  };
  const later = { ...position, seq: position.seq + 1 };
  const mine = await words(me);
  for (const move of [
    { number: 1, hub, head, statements: [] },
    { number: 1, hub, head, statements: [await words(stranger)] },
    { number: 1, hub, head, statements: [{ ...mine, by: stranger.identity }] },
    { number: 1, hub, head, statements: [await words(me, 2)] },
    { number: 1, hub, head, statements: [await words(me, 1, OTHER)] },
    { number: 1, hub, head: null, statements: [mine] },
    { number: 1, hub, head: { ...head, signature: toB64(random(64)) }, statements: [mine] },
    { number: 1, hub, head, statements: [await words(me, 1, hub, later)] },
  ]) {
    node.moves = [move];
    const client = await opened(node, kept);
    await client.home.follower.catchUp(client.home.core.room(room));
    assert.equal(client.home.core.room(room).record.hub, OTHER, JSON.stringify(move));
    assert.equal(await brokenIn(client, room), true);
    await client.home.core.saveSettings({ trouble: [] });
    await client.finish();
  }
  node.moves = [{ number: 1, hub, head, statements: [mine] }];
  const client = await opened(node, kept);
  await client.call("send", { room, text: "after" });
  await settle(client, 20);
  assert.equal(await brokenIn(client, room), false);
  assert.equal(client.home.core.room(room).record.hub, undefined, "the own node keeps it now");
  const { timeline, far } = await client.call("watch", { room });
  assert.equal(far, false);
  const shown = timeline.map((item) => (item.kind === "message" ? item.text : item.code));
  assert.deepEqual(shown.slice(-3), ["before", "moved", "after"]);
  await client.finish();
});

test("a wish to move shows to whoever has not agreed to it, and names a community as it named itself", async () => {
  const { node, kept, room } = await farRoom();
  const client = await opened(node, kept);
  const { core } = client.home;
  const here = core.room(room);
  const answers = node.network.fetch;
  const cedar = toB64(random(32));
  Object.assign(node.network, {
    fetch: async (address: string, init: RequestInit) => {
      const places = { hub: node.nodeId, followers: [cedar] };
      return address.endsWith("/places") ? Response.json(places) : answers(address, init);
    },
  });
  const seen = async () => (await client.call("watch", { room })).moving;
  const session = here.session as Session;
  const { hash, seq } = session.position;
  const vote = { by: session.identity, hub: cedar, number: 1, seq, hash, signature: toB64(random(64)) };
  const moving = { moved: 0, read: 0, agreed: null, votes: [vote], told: 0 };
  assert.equal(await seen(), false);
  here.record = { ...here.record, moving };
  assert.equal(await seen(), true);
  const other = await client.call("createRoom", { title: "Another", name: "Ann" });
  const elsewhere = core.room(other.room);
  assert.equal((await client.call("places", { room })).moves[0]?.community, "");
  elsewhere.record = { ...elsewhere.record, via: { nodeId: cedar, community: "Cedar" } };
  const { moves, choices } = await client.call("places", { room });
  assert.deepEqual([moves[0]?.community, choices[0]?.community], ["Cedar", "Cedar"]);
  for (const without of [
    { ...moving, moved: 1 },
    { ...moving, agreed: { hub: cedar, number: 1, epoch: -1 } },
    { ...moving, votes: [{ ...vote, by: toB64(random(32)) }] },
    { ...moving, votes: [] },
  ]) {
    here.record = { ...here.record, moving: without };
    assert.equal(await seen(), false, JSON.stringify(without));
  }
  here.record = { ...here.record, moving: { ...moving, agreed: { hub: node.nodeId, number: 1, epoch: -1 } } };
  assert.equal(await seen(), true, "agreed to another one");
  await client.finish();
});

test("what is on its way to another node is neither failed nor sent twice", async () => {
  const { node, kept, room } = await farRoom();
  const client = await opened(node, kept);
  const before = node.logs.get(room)?.length ?? 0;
  const fetch = node.network.fetch;
  let tries = 0;
  Object.assign(node.network, {
    fetch: async (address: string, init: RequestInit) => {
      if (init.method !== "POST" || !address.endsWith("/log") || tries++ > 1) return fetch(address, init);
      // The second time it is in the log already, but this node does not know yet.
      if (tries === 2) await fetch(address, init);
      const problem = { type: "tag:hedgerow,2026:problem/waiting", status: 503, detail: "On its way." };
      return Response.json(problem, { status: 503, headers: { "Retry-After": "1" } });
    },
  });
  await client.call("send", { room, text: "one" });
  const { id } = await client.call("send", { room, text: "two" });
  const { timeline } = await client.call("watch", { room });
  assert.ok(timeline.some((item) => item.id === id && item.kind === "message" && item.status === "waiting"));
  await settle(client, 20);
  const after = await client.call("watch", { room });
  const said = after.timeline.flatMap((item) => (item.kind === "message" ? [`${item.text} ${item.status}`] : []));
  assert.deepEqual(said, ["one sent", "two sent"]);
  assert.equal(node.logs.get(room)?.length, before + 2);
  assert.ok(tries >= 3);
  assert.equal(await brokenIn(client, room), false);
  await client.finish();
});

test("two stories of a hub are shown only with its own signatures under both", async () => {
  const seed = random(32);
  const hub = toB64(await publicKey(seed));
  const { node, kept, room } = await farRoom();
  const vault = await Vault.in(kept);
  const record = (await vault.json(names.room(room))) as StoredRoom;
  const via = { nodeId: hub, community: "Away" };
  await vault.write(new Map([[names.room(room), { ...record, hub, via }]]));
  const head = async (signer: Uint8Array, hash: Uint8Array) => {
    const said = fields("hedgerow log head v1", fromB64(room), 7, hash, 70);
    return { seq: 7, time: 70, hash: toB64(hash), signature: toB64(await sign(signer, said)) };
  };
  const [one, other] = [random(32), random(32)];
  const cases = [
    [await head(seed, one), await head(seed, other), true],
    [await head(seed, one), await head(seed, one), false],
    [await head(seed, one), await head(random(32), other), false],
  ] as const;
  const client = await opened(node, kept);
  const fetch = node.network.fetch;
  for (const [first, second, proven] of cases) {
    const answer = { hub, followers: [OTHER], faulty: [first, second] };
    Object.assign(node.network, {
      fetch: (address: string, init: RequestInit) =>
        address.endsWith("/places") ? Promise.resolve(Response.json(answer)) : fetch(address, init),
    });
    const places = await client.call("places", { room });
    assert.deepEqual([places.here, places.community, places.others], [false, "Away", 1]);
    assert.match(places.words, /^[a-z]+( [a-z]+){3}$/);
    assert.equal(places.proof !== "", proven);
    if (proven) assert.deepEqual(JSON.parse(places.proof), { hub, room, heads: [first, second] });
  }
  await client.finish();
});
