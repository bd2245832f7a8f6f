/** Commits that break the rules: every honest device refuses them alike, and the next valid one counts for all. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { fromB64, toB64 } from "../src/bytes/text.ts";
import * as webcrypto from "../src/bytes/webcrypto.ts";
import { engine } from "../src/mls/engine.ts";
import { STATEMENT_SECONDS } from "../src/rooms/bounds.ts";
import { makeCredential } from "../src/rooms/credentials.ts";
import { signApproval, signLeave, signRemoval, signRevocation } from "../src/rooms/statements.ts";
import type { Approval, LogEntry, RefusalCode } from "../src/rooms/types.ts";
import {
  forge,
  forgeExternal,
  forgeIdentity,
  forgeProposals,
  forgeStray,
  place,
  stateOf,
  strike,
} from "./room-hostile.ts";
import { admit, assertAgreement, assertTalking, type Device, newIdentity, REAL, roomOf } from "./room-world.ts";

/** All follow the entry and skip it for the same reason, keeping what they had; the room goes on. */
async function refused(honest: readonly Device[], entry: LogEntry, code: RefusalCode): Promise<void> {
  for (const each of honest) {
    await each.sync(entry.seq - 1);
    const before = each.in.policy;
    const changes = await each.sync(entry.seq);
    assert.deepEqual(
      changes.map((change) => change.type),
      ["skipped"],
      `${each.name}: ${code}`,
    );
    assert.equal((changes[0] as { refusal: { code: string } }).refusal.code, code, each.name);
    assert.equal(each.in.policy, before);
  }
}

async function goesOn(honest: readonly Device[], first: Device): Promise<void> {
  await first.sync();
  await first.commit({});
  await assertAgreement(honest);
  await assertTalking(honest);
}

const newcomerOf = async (device: Device, name: string) => {
  const me = await newIdentity(REAL, device.in.room);
  const mailbox = toB64(webcrypto.random(16));
  const made = await engine.makeKeyPackage((key) => makeCredential(webcrypto, me, mailbox, key), device.now, 28);
  const { leaf } = await engine.readKeyPackage(made.keyPackage, device.now);
  const added = (vouched: readonly string[]) => [
    { identity: me.identity, leaf: { key: toB64(leaf.key), mailbox }, vouched },
  ];
  return { name, me, mailbox, made, add: [made.keyPackage], added };
};

test("nobody is added without the approvals of as many members as the rules ask for", async () => {
  const { all, of, hub } = await roomOf(4);
  const [ada, ben, cem, eve] = all as [Device, Device, Device, Device];
  const honest = [ada, ben, cem];
  const ghost = await newcomerOf(eve, "ghost");
  const ask = toB64(webcrypto.random(16));
  const about = { identity: ghost.me.identity, ask, expires: hub.now + STATEMENT_SECONDS };
  const own = await signApproval(webcrypto, eve.me, about);
  const bens = await signApproval(webcrypto, ben.me, about);
  const outsider = await newIdentity(REAL, hub.room);
  const attempts: Record<string, readonly Approval[]> = {
    "a lone Add": [],
    "only the committer's word": [own],
    "one word said twice": [own, own, { ...own }],
    "a forged signature": [own, { ...bens, signature: toB64(webcrypto.random(64)) }],
    "one member's signature under another's name": [own, { ...own, by: ben.identity }],
    "an outsider's approval": [own, await signApproval(webcrypto, outsider, about)],
    "an approval of somebody else": [
      own,
      await signApproval(webcrypto, ben.me, { ...about, identity: outsider.identity }),
    ],
    "approvals of two asks": [
      own,
      await signApproval(webcrypto, ben.me, { ...about, ask: toB64(webcrypto.random(16)) }),
    ],
    "an approval for another room": [
      own,
      await signApproval(webcrypto, { ...ben.me, room: toB64(webcrypto.random(32)) }, about),
    ],
    "an approval that is over": [own, await signApproval(webcrypto, ben.me, { ...about, expires: hub.now - 1 })],
    "an approval that holds for ever": [
      own,
      await signApproval(webcrypto, ben.me, { ...about, expires: hub.now + 2 * STATEMENT_SECONDS }),
    ],
  };
  for (const [name, approvals] of Object.entries(attempts)) {
    const vouched = [...new Set(approvals.map(({ by }) => by))];
    const entry = await strike(eve, { add: ghost.add, approvals, transition: { added: ghost.added(vouched) } });
    await refused(honest, entry, "approvals").catch((error) => assert.fail(`${name}: ${error.message}`));
  }
  await goesOn(all, ada);

  // The same commit with what it lacks is fine: the refusals above were not for something else.
  for (const each of all) await each.sync();
  const approvals = [own, bens];
  const vouched = [eve.identity, ben.identity].sort();
  const entry = await strike(eve, { add: ghost.add, approvals, transition: { added: ghost.added(vouched) } });
  assert.ok((await ada.sync()).some(({ type, seq }) => type === "joined" && seq === entry.seq));
  assert.equal(of("Ada").in.members.length, 5);
});

test("approvals from before somebody went do not bring them back", async () => {
  const { all, person, hub } = await roomOf(4);
  const [ada, ben, cem, dia] = all as [Device, Device, Device, Device];
  const eva = await person("Eva");
  await admit(eva, ada, [ada, ben], all);
  // Ada kept the approvals, and one of them was made just before the vote.
  const ask = toB64(webcrypto.random(16));
  const about = { identity: eva.identity, ask, expires: hub.now + STATEMENT_SECONDS };
  const kept = [await signApproval(webcrypto, ada.me, about), await signApproval(webcrypto, ben.me, about)];
  hub.now += 100;
  for (const each of [ada, ben, cem]) {
    await each.sync();
    await each.say(await each.in.voteToRemove(each.me, eva.identity, hub.now));
  }
  await dia.sync();
  await dia.commit({ remove: [eva.identity] });
  await ada.sync();
  const back = await newcomerOf(ada, "Eva again");
  const me = { ...back, me: eva.me };
  const made = await engine.makeKeyPackage((key) => makeCredential(webcrypto, eva.me, back.mailbox, key), hub.now, 28);
  const { leaf } = await engine.readKeyPackage(made.keyPackage, hub.now);
  const added = [
    {
      identity: me.me.identity,
      leaf: { key: toB64(leaf.key), mailbox: back.mailbox },
      vouched: [ada.identity, ben.identity].sort(),
    },
  ];
  hub.now += 100;
  await refused(
    [ben, cem, dia],
    await strike(ada, { add: [made.keyPackage], approvals: kept, transition: { added } }),
    "approvals",
  );
  const expires = hub.now + STATEMENT_SECONDS;
  const fresh = await Promise.all([ada, ben].map((each) => signApproval(webcrypto, each.me, { ...about, expires })));
  const entry = await strike(ada, { add: [made.keyPackage], approvals: fresh, transition: { added } });
  assert.ok((await ben.sync()).some(({ type, seq }) => type === "joined" && seq === entry.seq));
});

test("nobody is removed without votes, a leave or a revocation that hold", async () => {
  const { all, hub } = await roomOf(5);
  const [ada, ben, cem, dia, eve] = all as [Device, Device, Device, Device, Device];
  const honest = [ada, ben, cem, dia];
  hub.now += 100;
  const target = ada;
  const remove = [0];
  const transition = { departed: [target.identity] };
  const expires = hub.now + STATEMENT_SECONDS;
  const about = { identity: target.identity, expires };
  const vote = (each: Device, changed = {}) => signRemoval(webcrypto, each.me, { ...about, ...changed });
  const own = await vote(eve);
  const bens = await vote(ben);
  const attempts = {
    "no votes": {},
    "half of the others": { votes: [own, bens] },
    "one vote twice": { votes: [own, bens, { ...bens }] },
    "the target's own vote": { votes: [own, bens, await vote(target)] },
    "a forged vote": { votes: [own, bens, { ...own, by: cem.identity }] },
    "a vote against another": { votes: [own, bens, await vote(cem, { identity: dia.identity })] },
    "a vote that is over": { votes: [own, bens, await vote(cem, { expires: hub.now })] },
    "a vote from before they came": {
      votes: [own, bens, await vote(cem, { expires: target.in.policy.members[0]?.since ?? 0 })],
    },
    "another's leave": { leaves: [{ ...(await signLeave(webcrypto, eve.me, hub.now + 1)), by: target.identity }] },
    "an old leave": { leaves: [await signLeave(webcrypto, target.me, 1)] },
    "a leave from the future": { leaves: [await signLeave(webcrypto, target.me, hub.now + 7200)] },
    "another's revocation": {
      revocations: [{ ...(await signRevocation(webcrypto, eve.me, target.in.leaf)), by: target.identity }],
    },
    "a revocation of another device": { revocations: [await signRevocation(webcrypto, target.me, eve.in.leaf)] },
  };
  for (const [name, proofs] of Object.entries(attempts)) {
    const entry = await strike(eve, { remove, ...proofs, transition });
    await refused(honest, entry, "removal").catch((error) => assert.fail(`${name}: ${error.message}`));
  }
  await goesOn(all, ben);
  for (const each of all) await each.sync();
  const entry = await strike(eve, { remove, votes: [own, bens, await vote(cem)], transition });
  assert.ok((await dia.sync()).some(({ type, seq }) => type === "removed" && seq === entry.seq));
});

test("what is no commit of a member of this epoch is refused before the engine applies anything", async () => {
  const { all, hub, person } = await roomOf(3);
  const [ada, ben, eve] = all as [Device, Device, Device];
  for (const each of all) await each.sync();
  const honest = [ada, ben];
  const stranger = await person("stranger");
  const { secrets } = await stranger.offer();
  await refused(honest, await place(eve, await forgeExternal(eve, secrets)), "not-private");
  await refused(honest, await place(eve, webcrypto.random(500)), "not-private");
  await refused(honest, await place(eve, Uint8Array.of(0, 1, 0, 2, 9)), "broken");
  const far = await forgeProposals(eve, [{ proposalType: "remove", remove: { removed: 4_000_000 } }]);
  await refused(honest, await place(eve, far), "proofs");
  for (const removed of [7, 77, 2 ** 31, 2 ** 32 - 1]) {
    const proposals = [{ proposalType: "remove" as const, remove: { removed } }];
    const payload = await forgeProposals(eve, proposals);
    await assert.rejects(engine.apply(stateOf(ada), payload), { fault: "broken" });
  }
  const forbidden = [
    { proposalType: "group_context_extensions" as const, groupContextExtensions: { extensions: [] } },
    { proposalType: "external_init" as const, externalInit: { kemOutput: webcrypto.random(32) } },
    { proposalType: 0xf000, proposalData: webcrypto.random(8) },
    {
      proposalType: "reinit" as const,
      reinit: {
        groupId: fromB64(hub.room),
        version: "mls10" as const,
        cipherSuite: "MLS_128_DHKEMX25519_AES128GCM_SHA256_Ed25519" as const,
        extensions: [],
      },
    },
  ];
  for (const each of forbidden)
    await refused(honest, await place(eve, await forgeProposals(eve, [each])), "forbidden-proposal");
  const stray = await forgeStray(eve);
  await refused(honest, await place(eve, stray.proposal), "wrong-kind");
  await refused(honest, await place(eve, stray.commit), "forbidden-proposal");
  const good = await forge(eve, {});
  await refused(honest, await place(eve, good.payload, eve.in.epoch + 1), "wrong-epoch");
  await refused(honest, await place(eve, (await forge(eve, { data: new Uint8Array() })).payload), "proofs");
  await refused(honest, await place(eve, (await forge(eve, { data: webcrypto.random(200) })).payload), "proofs");
  const lie = { added: [], departed: [ada.identity], revoked: [] };
  await refused(honest, await strike(eve, { transition: lie }), "policy-differs");
  // An application message in a commit's place, and the other way round.
  const said = await eve.in.sealEvent({ type: "title", text: "hello" });
  await refused(honest, await place(eve, said.submission.payload), "wrong-kind");
  await hub.append({ id: toB64(webcrypto.random(16)), kind: "message", epoch: eve.in.epoch, payload: good.payload });
  await hub.append({ id: toB64(webcrypto.random(16)), kind: "message", epoch: eve.in.epoch, payload: stray.proposal });
  for (const each of honest)
    assert.deepEqual(
      (await each.sync()).map(({ type }) => type),
      ["unreadable", "unreadable"],
    );
  await goesOn(all, ada);
});

test("nobody becomes somebody else", async () => {
  const { all } = await roomOf(3);
  const [ada, ben, eve] = all as [Device, Device, Device];
  for (const each of all) await each.sync();
  const honest = [ada, ben];
  // Eve's fresh leaf claims Ada's identity, with Ada's own credential or one that Eve made up.
  const { leaves } = engine;
  const adas = leaves(stateOf(ada))[0]?.credential as Uint8Array;
  await refused(honest, await place(eve, await forgeIdentity(eve, adas)), "leaf-changed");
  const made = await makeCredential(
    webcrypto,
    { ...eve.me, identity: ada.identity },
    eve.mailbox,
    fromB64(eve.in.leaf),
  );
  await refused(honest, await place(eve, await forgeIdentity(eve, made)), "leaf-changed");
  // A new leaf that claims to be another device of Ada: not certified by her, or for another key, mailbox or room.
  const mailbox = toB64(webcrypto.random(16));
  const claims = {
    "signed by Eve": (key: Uint8Array) =>
      makeCredential(webcrypto, { ...eve.me, identity: ada.identity }, mailbox, key),
    "for another key": () => makeCredential(webcrypto, ada.me, mailbox, webcrypto.random(32)),
    "for another room": (key: Uint8Array) =>
      makeCredential(webcrypto, { ...ada.me, room: toB64(webcrypto.random(32)) }, mailbox, key),
  };
  for (const [name, credential] of Object.entries(claims)) {
    const { keyPackage } = await engine.makeKeyPackage(credential, eve.now, 28);
    const { leaf } = await engine.readKeyPackage(keyPackage, eve.now);
    const added = [{ identity: ada.identity, leaf: { key: toB64(leaf.key), mailbox } }];
    const entry = await strike(eve, { add: [keyPackage], transition: { added } });
    await refused(honest, entry, "certificate").catch((error) => assert.fail(`${name}: ${error.message}`));
  }
  // Two leaves with one mailbox, and no credential at all.
  const twice = await engine.makeKeyPackage((key) => makeCredential(webcrypto, eve.me, ada.mailbox, key), eve.now, 28);
  await refused(honest, await strike(eve, { add: [twice.keyPackage] }), "leaf-twice");
  const none = await engine.makeKeyPackage(async () => new Uint8Array(113), eve.now, 28);
  await refused(honest, await strike(eve, { add: [none.keyPackage] }), "credential");
  await goesOn(all, ada);
});

test("a revoked device does not come back, and what it says is not shown", async () => {
  const { all, device } = await roomOf(3);
  const [ada, ben, cem] = all as [Device, Device, Device];
  const phone = device("Ben's phone", ben);
  const { keyPackage } = await phone.offer();
  await ada.commit({ devices: [{ keyPackage: await phone.claim() }] });
  await phone.take();
  await ben.sync();
  await ben.say(await ben.in.revoke(ben.me, phone.in.leaf));
  const late = await phone.in.sealEvent({ type: "title", text: "mine" });
  await cem.sync();
  await cem.commit({ removeDevices: [phone.in.leaf] });
  await phone.hub.submit(phone.mailbox, late.submission);
  for (const each of [ada, ben, cem]) {
    const [last] = (await each.sync()).slice(-1);
    assert.ok(last?.type === "unreadable" && last.why === "not-member", each.name);
    assert.equal(each.in.view.title, "");
  }
  const leaf = { key: phone.in.leaf, mailbox: phone.mailbox };
  const entry = await strike(cem, { add: [keyPackage], transition: { added: [{ identity: ben.identity, leaf }] } });
  await refused([ada, ben], entry, "leaf-revoked");
  await goesOn([ada, ben, cem], ada);
});

test("a KeyPackage counts only while it lives, by the log's clock", async () => {
  const { all, hub, device } = await roomOf(2);
  const [ada, ben] = all as [Device, Device];
  const phone = device("Ben's phone", ben);
  const { keyPackage } = await phone.offer();
  const { leaf } = await engine.readKeyPackage(keyPackage, hub.now);
  const added = [{ identity: ben.identity, leaf: { key: toB64(leaf.key), mailbox: phone.mailbox } }];
  const made = await forge(ada, { add: [keyPackage], transition: { added } });
  hub.now += 29 * 86_400;
  await refused([ben], await place(ada, made.payload), "lifetime");
  await assert.rejects(engine.readKeyPackage(keyPackage, hub.now), { fault: "broken" });
  await assert.rejects(
    engine.makeKeyPackage(async () => leaf.credential, hub.now, 85),
    RangeError,
  );
});

test("a hostile commit placed first is skipped by all, and the third author drops theirs", async () => {
  const { all } = await roomOf(4);
  const [ada, ben, cem, eve] = all as [Device, Device, Device, Device];
  for (const each of all) await each.sync();
  await ben.plan({});
  await cem.plan({});
  const ghost = await newcomerOf(eve, "ghost");
  const entry = await strike(eve, { add: ghost.add, transition: { added: ghost.added([]) } });
  assert.equal(await ben.submit(), false, "the hub thinks Eve's commit was first");
  await refused([ben], entry, "approvals");
  assert.ok(ben.in.pending, "a refused commit does not take the place of one's own");
  assert.equal(await ben.submit(), true, "named as seen, it is no obstacle");
  assert.equal(await cem.submit(), false);
  const dropped = await cem.sync();
  assert.deepEqual(
    dropped.map(({ type }) => type),
    ["skipped", "commit-dropped"],
  );
  await assertAgreement([ada, ben, cem]);
  await assertTalking([ada, ben, cem]);
  // Eve's own client, had it been honest, would have skipped the commit too.
  await eve.sync();
  await assertAgreement(all);
  assert.equal(ada.in.skipped.length, 1);
  assert.equal(ada.in.skipped[0]?.by, eve.identity);
});

test("a message said again, or told by somebody else, is not heard twice", async () => {
  const { all, hub } = await roomOf(3);
  const [ada, ben, cem] = all as [Device, Device, Device];
  const entry = await ada.text("once");
  for (const epoch of [entry.epoch, entry.epoch + 1]) {
    await hub.append({ id: toB64(webcrypto.random(16)), kind: "message", epoch, payload: entry.payload as Uint8Array });
  }
  await hub.append({ id: entry.id, kind: "message", epoch: entry.epoch, payload: webcrypto.random(400) });
  for (const each of [ada, ben, cem]) {
    const changes = await each.sync();
    assert.equal(changes.filter(({ type }) => type === "message").length, 1, each.name);
    assert.deepEqual(
      changes.filter(({ type }) => type === "unreadable").map((change) => (change as { why: string }).why),
      ["used", "broken", "not-private"],
      each.name,
    );
  }
});

test("a hub that skips, changes or reorders entries is found out, and nothing of them is used", async () => {
  const { all, hub } = await roomOf(2);
  const [ada, ben] = all as [Device, Device];
  await ada.sync();
  for (const text of ["one", "two"]) await ada.text(text);
  const [one, two] = hub.log.slice(ben.in.position.seq) as [LogEntry, LogEntry];
  const cases: [LogEntry, string][] = [
    [two, "gap"],
    [{ ...two, seq: one.seq }, "hash"],
    [{ ...one, payload: two.payload }, "hash"],
    [{ ...one, time: one.time + 1 }, "hash"],
    [{ ...one, id: two.id }, "hash"],
    [{ ...one, kind: "commit" }, "hash"],
    [{ ...one, epoch: one.epoch + 1 }, "hash"],
    [{ ...one, time: 5 }, "time"],
    [{ ...one, hash: "?" }, "shape"],
    [{ ...one, seq: 0.5 }, "shape"],
  ];
  for (const [entry, fault] of cases) {
    const handled = await ben.in.handle(entry);
    assert.equal(handled.fault, fault);
    assert.equal(handled.session, ben.in);
  }
  await ben.sync();
  assert.equal(ben.changes.filter(({ type }) => type === "message").length, 2);
});
