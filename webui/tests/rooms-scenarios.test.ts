import assert from "node:assert/strict";
import { test } from "node:test";
import { toB64 } from "../src/bytes/text.ts";
import { amend } from "../src/rooms/messages.ts";
import type { WishError } from "../src/rooms/types.ts";
import { admit, assertAgreement, assertTalking, type Device, NAMES, PAIR, roomOf } from "./room-world.ts";

test("twelve people come, talk, leave and remove one another, and stay in agreement", async () => {
  const { all, of, person } = await roomOf(12);
  await assertAgreement(all);
  await assertTalking(all);
  const lea = of("Lea").in;
  assert.deepEqual(lea.members.map(({ name }) => name).sort(), [...NAMES]);
  const vouched = lea.members.find(({ name }) => name === "Lea")?.vouched;
  assert.deepEqual(vouched, [of("Ada"), of("Ben"), of("Cem")].map(({ identity }) => identity).sort());

  // Everybody replaces the keys of their KeyPackage, as their session asks them to.
  for (const each of all.slice(1)) {
    await each.sync();
    assert.ok(each.in.needs(each.now).some(({ type }) => type === "refresh"));
    await each.commit({});
    assert.ok(!each.in.needs(each.now).some(({ type }) => type === "refresh"));
  }
  await assertAgreement(all);

  // Gus leaves: his word is enough, and somebody else's device makes it so.
  await of("Gus").say(await of("Gus").in.leave(of("Gus").me, of("Gus").now));
  for (const each of all) await each.sync();
  const need = of("Ben").in.needs(of("Ben").now)[0];
  assert.ok(need?.type === "remove" && need.identity === of("Gus").identity);
  await of("Ben").commit({ remove: [need.identity] });
  assert.deepEqual((await of("Gus").sync()).at(-1), {
    type: "out",
    seq: of("Ben").in.position.seq,
    time: of("Ben").in.position.time,
    how: "left",
  });
  assert.equal(of("Gus").in.inside, false);
  const eleven = all.filter((each) => each !== of("Gus"));
  await assertAgreement(eleven);

  // Hal is voted out by six of the ten others; five are not enough.
  const voters = eleven.filter((each) => each !== of("Hal"));
  for (const each of voters.slice(0, 5))
    await each.say(await each.in.voteToRemove(each.me, of("Hal").identity, each.now));
  for (const each of eleven) await each.sync();
  await assert.rejects(of("Ada").plan({ remove: [of("Hal").identity] }), (error: WishError) => {
    assert.deepEqual(error.refusal, { code: "removal", identity: of("Hal").identity, have: 5, need: 6 });
    return true;
  });
  const sixth = voters[5] as Device;
  await sixth.say(await sixth.in.voteToRemove(sixth.me, of("Hal").identity, sixth.now));
  await of("Ada").sync();
  await of("Ada").commit({ remove: [of("Hal").identity] });
  const ten = eleven.filter((each) => each !== of("Hal"));
  await assertAgreement(ten);
  const before = of("Hal").in.position.seq;
  await of("Ada").text("not for Hal");
  assert.ok(!(await of("Hal").sync()).some(({ type }) => type === "message"), "Hal reads on after the vote");
  assert.ok(of("Hal").in.position.seq > before);

  // Hal is asked back: approvals from before would not count, new ones do.
  for (const each of ten) await each.sync();
  const again = await person("Hal");
  const back = Object.assign(again, { me: of("Hal").me });
  back.hub.now += 60;
  await admit(back, of("Ada"), ten.slice(0, 2), ten);
  await assertAgreement([...ten, back]);
  await assertTalking([...ten, back]);
});

test("a pair admits nobody after its second member", async () => {
  const { all, person, of } = await roomOf(2, PAIR);
  const third = await person("Cem");
  const ask = await third.ask();
  await of("Ada").say({ type: "ask", ask });
  for (const each of all) await each.sync();
  for (const each of all) await each.say(await each.in.approve(each.me, ask.id, each.now));
  await of("Ada").sync();
  const wish = { admit: [{ ask: ask.id, keyPackage: await third.claim() }] };
  await assert.rejects(of("Ada").plan(wish), { refusal: { code: "pair-full", identity: third.identity } });
});

test("a second device comes without approvals, is announced, and goes when it is revoked", async () => {
  const { all, of, device } = await roomOf(3);
  const phone = device("Ben's phone", of("Ben"));
  await phone.offer();
  await of("Ada").commit({ devices: [{ keyPackage: await phone.claim() }] });
  assert.ok(await phone.take());
  const announced = (await of("Cem").sync()).find(({ type }) => type === "device-added");
  assert.ok(announced?.type === "device-added" && announced.identity === of("Ben").identity);
  await assertAgreement([...all, phone]);
  await assertTalking([...all, phone]);
  assert.equal(of("Ada").in.members.length, 3);

  // What one device says, the other shows as one's own.
  await phone.text("from my phone");
  const heard = (await of("Ben").sync()).find(({ type }) => type === "message");
  assert.ok(heard?.type === "message" && heard.by === of("Ben").in.identity);

  // The first device is lost; the phone revokes it, and anybody's client makes it so.
  const lost = of("Ben");
  await phone.say(await phone.in.revoke(phone.me, lost.in.leaf));
  for (const each of [of("Ada"), of("Cem"), phone]) await each.sync();
  const need = of("Cem")
    .in.needs(of("Cem").now)
    .find(({ type }) => type === "remove-device");
  assert.ok(need?.type === "remove-device" && need.leaf === lost.in.leaf);
  await of("Cem").commit({ removeDevices: [need.leaf] });
  assert.equal((await lost.sync()).at(-1)?.type, "out");
  await assertAgreement([of("Ada"), of("Cem"), phone]);
  // Its key never comes back, and what it still sends is not shown.
  assert.deepEqual(of("Ada").in.policy.revoked, [lost.in.leaf]);
});

test("somebody who revoked their only device comes back without approvals", async () => {
  const { all, of, device } = await roomOf(3);
  await of("Ben").say(await of("Ben").in.revoke(of("Ben").me, of("Ben").in.leaf));
  await of("Ada").sync();
  await of("Ada").commit({ removeDevices: [of("Ben").in.leaf] });
  await of("Cem").sync();
  assert.equal(of("Cem").in.members.find(({ name }) => name === "Ben")?.leaves.length, 0);
  const fresh = device("Ben again", of("Ben"));
  await fresh.offer();
  await of("Cem").commit({ devices: [{ keyPackage: await fresh.claim() }] });
  assert.ok(await fresh.take());
  await assertAgreement([of("Ada"), of("Cem"), fresh]);
  await assertTalking([of("Ada"), of("Cem"), fresh]);
  assert.equal(all.length, 3);
});

test("of two commits at once the first counts, and the other is dropped and made again", async () => {
  const { all, of } = await roomOf(4);
  for (const each of all) await each.sync();
  await of("Ben").plan({});
  await of("Cem").plan({});
  assert.equal(await of("Cem").submit(), true);
  assert.equal(await of("Ben").submit(), false, "the hub knows a commit of the epoch that Ben has not seen");
  const dropped = (await of("Ben").sync()).find(({ type }) => type === "commit-dropped");
  assert.ok(dropped && of("Ben").in.pending === undefined);
  await of("Ben").commit({});
  await assertAgreement(all);
  await assertTalking(all);
});

test("messages sent while a commit is on its way are read by everybody, also after a restart", async () => {
  const { all, of } = await roomOf(3);
  for (const each of all) await each.sync();
  await of("Ben").plan({});
  await of("Ben").text("before my commit");
  await of("Cem").text("before Ben's commit");
  await of("Ben").restart();
  assert.ok(of("Ben").in.pending, "a pending commit survives a restart");
  await of("Ben").sync();
  const late = await of("Cem").in.sealEvent({ type: "message", id: toB64(new Uint8Array(16)), text: "late" });
  of("Cem").session = late.session;
  assert.ok(await of("Ben").submit());
  await of("Ben").text("after it");
  await of("Cem").sync();
  assert.ok(await of("Cem").hub.submit(of("Cem").mailbox, late.submission));
  for (const each of all) await each.sync();
  const read = (each: Device) =>
    each.changes.filter(({ type }) => type === "message").map((one) => (one as { text: string }).text);
  for (const each of all) {
    assert.deepEqual(read(each), ["before my commit", "before Ben's commit", "after it", "late"], each.name);
  }
  await assertAgreement(all);
});

test("a message that comes more than eight epochs late is sealed again", async () => {
  const { all, of } = await roomOf(2);
  for (const each of all) await each.sync();
  const { session, submission } = await of("Ben").in.sealEvent({ type: "title", text: "Tuesdays" });
  of("Ben").session = session;
  for (let epoch = 0; epoch < 9; epoch++) await of("Ada").commit({});
  await of("Ben").sync();
  await of("Ben").hub.submit(of("Ben").mailbox, submission);
  const again = (await of("Ben").sync()).find(({ type }) => type === "send-again");
  assert.ok(again?.type === "send-again" && again.event.type === "title");
  assert.deepEqual(
    (await of("Ada").sync()).map((change) => (change as { why: string }).why),
    ["too-old"],
  );
  assert.equal(of("Ben").in.view.title, "", "nobody else could have read it");
  await of("Ben").say(again.event);
  for (const each of all) await each.sync();
  assert.deepEqual(
    all.map((each) => each.in.view.title),
    ["Tuesdays", "Tuesdays"],
  );
});

test("a newcomer sees the title, names, open asks and votes that were there before", async () => {
  const { all, of, person } = await roomOf(3);
  await of("Ada").say({ type: "title", text: "Night shift" });
  await of("Ben").sync();
  await of("Ben").say(await of("Ben").in.profile(of("Ben").me, "Benno"));
  const waiting = await person("Kai");
  const ask = await waiting.ask();
  await of("Ben").say({ type: "ask", ask });
  for (const each of all) await each.sync();
  await of("Cem").say(await of("Cem").in.approve(of("Cem").me, ask.id, of("Cem").now));
  await of("Ada").say(await of("Ada").in.voteToRemove(of("Ada").me, of("Cem").identity, of("Ada").now));
  const dia = await person("Dia");
  await admit(dia, of("Ada"), all, all);
  assert.equal(dia.in.view.title, "Night shift");
  assert.deepEqual(
    dia.in.members.map(({ name }) => name),
    ["Ada", "Benno", "Cem", "Dia"],
  );
  assert.deepEqual(dia.in.view, of("Cem").in.view);
  assert.equal(dia.in.view.asks[0]?.approvals.length, 1);

  // What is said while the commit is on its way reaches the newcomer by a snapshot.
  const eva = await person("Eva");
  const second = await eva.ask();
  await of("Ada").say({ type: "ask", ask: second });
  const four = [...all, dia];
  for (const each of four) await each.sync();
  for (const each of all) await each.say(await each.in.approve(each.me, second.id, each.now));
  await of("Ada").sync();
  await of("Ada").plan({ admit: [{ ask: second.id, keyPackage: await eva.claim() }] });
  await of("Ben").say({ type: "title", text: "Late shift" });
  await of("Ada").submit();
  for (const each of four) await each.sync();
  assert.ok(await eva.take());
  await eva.sync();
  assert.equal(eva.in.view.title, "Night shift");
  const needs = of("Ada")
    .in.needs(of("Ada").now)
    .map(({ type }) => type);
  assert.ok(needs.includes("snapshot"), "the committer sees that it gave an older view");
  assert.ok(
    !of("Ben")
      .in.needs(of("Ben").now)
      .some(({ type }) => type === "snapshot"),
  );
  await of("Ada").say(of("Ada").in.snapshotEvent());
  await eva.sync();
  assert.equal(eva.in.view.title, "Late shift");
  assert.ok(
    !of("Ada")
      .in.needs(of("Ada").now)
      .some(({ type }) => type === "snapshot"),
  );
});

test("only the author edits and deletes", () => {
  const by = "a";
  const old = { id: "m", by, text: "one", attachments: [], edited: false, deleted: false };
  const at = { seq: 2, time: 2, id: "m" };
  assert.equal(amend(old, { type: "edit", ...at, by, text: "two" })?.text, "two");
  assert.equal(amend(old, { type: "edit", ...at, by: "b", text: "two" }), old);
  assert.equal(amend(old, { type: "delete", ...at, by: "b" }), old);
  const gone = amend(old, { type: "delete", ...at, by });
  assert.deepEqual([gone?.deleted, gone?.text], [true, ""]);
  assert.equal(amend(gone, { type: "edit", ...at, by, text: "two" }), gone);
  assert.equal(amend(undefined, { type: "delete", ...at, by }), undefined);
});
