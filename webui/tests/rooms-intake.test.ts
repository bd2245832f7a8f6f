/** The intake of a room, as all members see it alike: opened, renewed, closed, given to newcomers, stale when one goes. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { toB64 } from "../src/bytes/text.ts";
import { random } from "../src/bytes/webcrypto.ts";
import type { Event, Intake } from "../src/rooms/types.ts";
import { admit, type Device, roomOf } from "./room-world.ts";

const b64 = (length: number): string => toB64(random(length));
const DAY = 86_400;

type IntakeSaid = Extract<Event, { type: "intake" }>;

function opening(by: Device, expires = by.now + 300 * DAY): IntakeSaid {
  return { type: "intake", node: b64(32), key: b64(32), secret: b64(32), open: true, expires };
}

/** What every one of them sees, which must be the same. */
async function seen(devices: readonly Device[]): Promise<Intake | undefined> {
  for (const each of devices) await each.sync();
  const [first, ...others] = devices.map((each) => each.in.view.intake);
  for (const each of others) assert.deepEqual(each, first);
  return first;
}

async function leave(device: Device, by: Device): Promise<void> {
  await device.say(await device.in.leave(device.me, device.now));
  await by.sync();
  await by.commit({ remove: [device.identity] });
}

test("any member opens it, the newest word counts, closed it holds no secret", async () => {
  const { all, of } = await roomOf(3);
  assert.equal(await seen(all), undefined);
  const first = opening(of("Ada"));
  await of("Ada").say(first);
  const { type: _, ...said } = first;
  const opened = await seen(all);
  assert.deepEqual({ ...opened, seq: 0, time: 0 }, { ...said, seq: 0, time: 0, stale: false });
  assert.deepEqual(of("Ben").changes.at(-1), {
    type: "intake",
    seq: opened?.seq,
    time: opened?.time,
    by: of("Ada").identity,
    open: true,
    before: "",
  });

  const second = opening(of("Ben"));
  await of("Ben").say(second);
  assert.equal((await seen(all))?.key, second.key);
  const change = of("Cem").changes.at(-1);
  assert.ok(change?.type === "intake" && change.before === opened?.key && change.open);

  // The same key for longer is a renewal, not news.
  const many = of("Ada").changes.length;
  await of("Cem").say({ ...second, expires: of("Cem").now + 380 * DAY });
  assert.equal((await seen(all))?.expires, of("Cem").now + 380 * DAY);
  assert.equal(of("Ada").changes.length, many);

  const { node, key } = second;
  await of("Cem").say({ type: "intake", node, key, open: false, expires: 0 });
  const closed = await seen(all);
  assert.equal(closed?.open, false);
  assert.equal(closed?.secret, undefined);
  const last = of("Ada").changes.at(-1);
  assert.ok(last?.type === "intake" && !last.open && last.before === key);
});

test("one that is over, or lasts for ever, has no effect", async () => {
  const { all, of } = await roomOf(2);
  await of("Ada").say(opening(of("Ada"), of("Ada").now - DAY));
  await of("Ada").say(opening(of("Ada"), of("Ada").now + 500 * DAY));
  assert.equal(await seen(all), undefined);
});

test("one that runs out is closed, and its secret forgotten", async () => {
  const { all, of, hub } = await roomOf(2);
  await of("Ada").say(opening(of("Ada"), of("Ada").now + 5 * DAY));
  assert.equal((await seen(all))?.open, true);
  hub.now += 6 * DAY;
  await of("Ben").text("a week later");
  const over = await seen(all);
  assert.deepEqual([over?.open, over?.secret, over?.stale], [false, undefined, false]);
});

test("newcomers have it, and a restart keeps it", async () => {
  const { all, of, person } = await roomOf(2);
  await of("Ada").say(opening(of("Ada")));
  const opened = await seen(all);
  const newcomer = await person("Noa");
  await admit(newcomer, of("Ada"), all, all);
  assert.deepEqual(newcomer.in.view.intake, opened);
  await newcomer.restart();
  assert.deepEqual(await seen([...all, newcomer]), opened);
});

test("what came while somebody was let in reaches them by the snapshot", async () => {
  const { all, of, person } = await roomOf(2);
  const newcomer = await person("Noa");
  const ask = await newcomer.ask();
  await of("Ada").say({ type: "ask", ask });
  for (const each of all) await each.sync();
  for (const each of all) await each.say(await each.in.approve(each.me, ask.id, each.now));
  await seen(all);
  await of("Ada").plan({ admit: [{ ask: ask.id, keyPackage: await newcomer.claim() }] });
  await of("Ben").say(opening(of("Ben")));
  assert.ok(await of("Ada").submit());
  const opened = await seen(all);
  assert.ok(await newcomer.take());
  await newcomer.sync();
  assert.equal(newcomer.in.view.intake, undefined);
  assert.ok(
    of("Ada")
      .in.needs(of("Ada").now)
      .some(({ type }) => type === "snapshot"),
  );
  await of("Ada").say(of("Ada").in.snapshotEvent());
  assert.deepEqual(await seen([...all, newcomer]), opened);
  // An older view of somebody takes nothing back.
  const older = of("Ben").in.snapshotEvent();
  await of("Ada").say(opening(of("Ada")));
  const newest = await seen(all);
  await of("Ben").say(older);
  assert.deepEqual(await seen([...all, newcomer]), newest);
});

test("it is stale once somebody went who knows the secret, until there is another key", async () => {
  const { all, of } = await roomOf(4);
  const first = opening(of("Ada"));
  await of("Ada").say(first);
  assert.equal((await seen(all))?.stale, false);
  await leave(of("Dia"), of("Ben"));
  const staying = all.filter((each) => each !== of("Dia"));
  assert.equal((await seen(staying))?.stale, true);
  await of("Ada").say({ ...first, expires: of("Ada").now + 380 * DAY });
  assert.equal((await seen(staying))?.stale, true, "the same key is as stale as before");
  await of("Ada").say(opening(of("Ada")));
  assert.equal((await seen(staying))?.stale, false);
  // A commit in which nobody goes changes nothing.
  await of("Ben").commit({});
  assert.equal((await seen(staying))?.stale, false);
});

test("an ask tells by which listing it came, to newcomers as well", async () => {
  const { all, of, person } = await roomOf(2);
  const [noa, kim] = [await person("Noa"), await person("Kim")];
  await of("Ada").say({ type: "ask", ask: await noa.ask(), listing: "Parents after loss" });
  await admit(kim, of("Ada"), all, all);
  for (const each of [...all, kim]) {
    await each.sync();
    assert.deepEqual(
      each.in.view.asks.map(({ listing }) => listing),
      ["Parents after loss"],
    );
  }
});
