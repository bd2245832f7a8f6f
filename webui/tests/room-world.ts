/** A small world for tests of rooms: a hub that orders, devices of members, and chance out of a seed. */
import assert from "node:assert/strict";
import { toB64 } from "../src/bytes/text.ts";
import * as webcrypto from "../src/bytes/webcrypto.ts";
import { engine } from "../src/mls/engine.ts";
import type { MadeKeyPackage, ReadKeyPackage } from "../src/mls/types.ts";
import { makeCredential } from "../src/rooms/credentials.ts";
import { entryHash, START } from "../src/rooms/log.ts";
import { makeRoomId } from "../src/rooms/rules.ts";
import { createRoom, decodeRoom, joinRoom } from "../src/rooms/session.ts";
import { signProfile } from "../src/rooms/statements.ts";
import type {
  Ask,
  Change,
  CommitWish,
  Event,
  Lent,
  LogEntry,
  RoomIdentity,
  Rules,
  Session,
  Submission,
} from "../src/rooms/types.ts";

export const REAL: Lent = { engine, primitives: webcrypto };
export const ROOM: Rules = { approvals: "auto", kind: "room", version: 1 };
export const PAIR: Rules = { approvals: "auto", kind: "pair", version: 1 };
/** Real time: the engine looks at the clock when it adds a KeyPackage. */
export const NOW = Math.floor(Date.now() / 1000);

/** mulberry32: numbers in [0, 1) that a seed repeats. */
export function chance(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

type Welcome = { ref: string; payload: Uint8Array; entry: LogEntry };

/** Orders a room's entries as a node does (docs/protocol/delivery.md), without accounts and disks. */
export class Hub {
  readonly room: string;
  readonly lent: Lent;
  readonly log: LogEntry[] = [];
  readonly welcomes: Welcome[] = [];
  readonly #answers = new Map<string, LogEntry>();
  now = NOW;

  constructor(lent: Lent, room: string) {
    this.lent = lent;
    this.room = room;
  }

  /** The entry, or undefined when another commit of the epoch stands after `seen`. */
  async submit(mailbox: string, it: Submission): Promise<LogEntry | undefined> {
    const before = this.#answers.get(`${mailbox} ${it.id}`);
    if (before) return before;
    const taken = this.log.some(({ seq, kind, epoch }) => seq > it.seen && kind === "commit" && epoch === it.epoch);
    if (it.kind === "commit" && taken) return undefined;
    const entry = await this.append(it);
    this.#answers.set(`${mailbox} ${it.id}`, entry);
    for (const { ref, payload } of it.welcomes) this.welcomes.push({ ref, payload, entry });
    return entry;
  }

  async append(it: Pick<Submission, "id" | "kind" | "epoch" | "payload">): Promise<LogEntry> {
    const last = this.log.at(-1) ?? START;
    const { id, kind, epoch, payload } = it;
    const next = { seq: last.seq + 1, time: Math.max(this.now, last.time), id, kind, epoch, payload };
    const entry = { ...next, hash: await entryHash(this.lent.primitives, this.room, next, last.hash) };
    this.log.push(entry);
    return entry;
  }
}

/** One device: a room identity, a mailbox, and a session once it is in. */
export class Device {
  readonly name: string;
  readonly hub: Hub;
  readonly me: RoomIdentity;
  readonly mailbox: string;
  session: Session | undefined;
  offered: MadeKeyPackage | undefined;
  changes: Change[] = [];

  constructor(name: string, hub: Hub, me: RoomIdentity) {
    this.name = name;
    this.hub = hub;
    this.me = me;
    this.mailbox = toB64(hub.lent.primitives.random(16));
  }

  get lent(): Lent {
    return this.hub.lent;
  }
  get now(): number {
    return this.hub.now;
  }
  get in(): Session {
    assert.ok(this.session, `${this.name} is not in the room`);
    return this.session;
  }
  get identity(): string {
    return this.me.identity;
  }

  async offer(): Promise<MadeKeyPackage> {
    const credential = (key: Uint8Array) => makeCredential(this.lent.primitives, this.me, this.mailbox, key);
    this.offered = await this.lent.engine.makeKeyPackage(credential, this.now, 28);
    return this.offered;
  }

  async found(rules: Rules): Promise<this> {
    const { secrets } = await this.offer();
    const profile = await signProfile(this.lent.primitives, this.me, { version: 0, name: this.name });
    this.session = await createRoom(this.lent, { rules, me: this.me, own: secrets, mailbox: this.mailbox, profile });
    return this;
  }

  async ask(): Promise<Ask> {
    const { ref } = await this.offer();
    const { primitives } = this.lent;
    const profile = await signProfile(primitives, this.me, { version: 0, name: this.name });
    const id = toB64(primitives.random(16));
    return { id, identity: this.identity, ref: toB64(ref), consent: toB64(primitives.random(16)), profile };
  }

  /** What whoever claims the KeyPackage at the hub gets. */
  claim(): Promise<ReadKeyPackage> {
    assert.ok(this.offered, `${this.name} offers no KeyPackage`);
    return this.lent.engine.readKeyPackage(this.offered.keyPackage, this.now);
  }

  /** Takes the Welcome made for the KeyPackage on offer, if there is one. */
  async take(): Promise<boolean> {
    const { offered } = this;
    if (!offered) return false;
    const ref = toB64(offered.ref);
    const welcome = this.hub.welcomes.findLast((each) => each.ref === ref);
    if (!welcome) return false;
    const { payload, entry } = welcome;
    this.session = await joinRoom(this.lent, { welcome: payload, own: offered.secrets, me: this.me, at: entry });
    this.offered = undefined;
    return true;
  }

  /** Handles what the log has after the session's position, up to `until`. */
  async sync(until = Number.POSITIVE_INFINITY): Promise<Change[]> {
    const changes: Change[] = [];
    for (;;) {
      const entry = this.hub.log[this.in.position.seq];
      if (!entry || entry.seq > until) break;
      const handled = await this.in.handle(entry);
      assert.equal(handled.fault, undefined);
      this.session = handled.session;
      for (const secret of handled.spent) secret.fill(0);
      changes.push(...handled.changes);
    }
    this.changes.push(...changes);
    return changes;
  }

  /** As after closing and opening the app. */
  async restart(): Promise<void> {
    this.session = await decodeRoom(this.lent, this.in.encode());
  }

  async say(event: Event): Promise<LogEntry> {
    const { session, submission, spent } = await this.in.sealEvent(event);
    this.session = session;
    for (const secret of spent) secret.fill(0);
    const entry = await this.hub.submit(this.mailbox, submission);
    assert.ok(entry);
    return entry;
  }

  text(text: string): Promise<LogEntry> {
    return this.say({ type: "message", id: toB64(this.lent.primitives.random(16)), text });
  }

  async plan(wish: CommitWish): Promise<void> {
    this.session = (await this.in.commit(wish, this.now)).session;
  }

  /** Submits the pending commit; whether the hub took it. */
  async submit(): Promise<boolean> {
    const { pending } = this.in;
    return pending !== undefined && (await this.hub.submit(this.mailbox, pending)) !== undefined;
  }

  async commit(wish: CommitWish): Promise<Change[]> {
    await this.plan(wish);
    assert.ok(await this.submit(), `${this.name}'s commit was not taken`);
    return this.sync();
  }
}

export async function newIdentity(lent: Lent, room: string): Promise<RoomIdentity> {
  const seed = lent.primitives.random(32);
  return { room, seed, identity: toB64(await lent.primitives.publicKey(seed)) };
}

/** An empty room with its hub, and a way to make people. */
export async function world(lent: Lent, rules: Rules) {
  const hub = new Hub(lent, await makeRoomId(lent.primitives, rules));
  const person = async (name: string): Promise<Device> => new Device(name, hub, await newIdentity(lent, hub.room));
  const device = (name: string, of: Device): Device => new Device(name, hub, of.me);
  return { hub, person, device };
}

/** Lets `newcomer` in: shown by `by`, vouched for by `vouchers`, committed by `by`; all in `all` follow. */
export async function admit(newcomer: Device, by: Device, vouchers: readonly Device[], all: readonly Device[]) {
  const ask = await newcomer.ask();
  await by.say({ type: "ask", ask });
  for (const each of all) await each.sync();
  for (const each of vouchers) await each.say(await each.in.approve(each.me, ask.id, each.now));
  for (const each of all) await each.sync();
  await by.commit({ admit: [{ ask: ask.id, keyPackage: await newcomer.claim() }] });
  for (const each of all) await each.sync();
  assert.ok(await newcomer.take(), `${newcomer.name} has no Welcome`);
  await newcomer.sync();
  return ask;
}

export const NAMES = ["Ada", "Ben", "Cem", "Dia", "Eva", "Fay", "Gus", "Hal", "Ivy", "Jon", "Kai", "Lea"] as const;

/** A room with the first `count` of NAMES in it. */
export async function roomOf(count: number, rules: Rules = ROOM, lent: Lent = REAL) {
  const here = await world(lent, rules);
  const all: Device[] = [];
  for (const name of NAMES.slice(0, count)) {
    const person = await here.person(name);
    if (all.length === 0) await person.found(rules);
    else await admit(person, all[0] as Device, all.slice(0, 3), all);
    all.push(person);
  }
  return { ...here, all, of: (name: (typeof NAMES)[number]) => all[NAMES.indexOf(name)] as Device };
}

/** All agree about who is in, and everybody can read everybody. */
export async function assertAgreement(devices: readonly Device[]): Promise<void> {
  const [first] = devices;
  assert.ok(first);
  for (const each of devices) await each.sync();
  const agreement = toB64(await first.in.agreement());
  for (const each of devices) {
    assert.deepEqual(each.in.policy, first.in.policy, `${each.name} and ${first.name} see different members`);
    assert.equal(toB64(await each.in.agreement()), agreement, `${each.name} and ${first.name} have different keys`);
  }
}

export async function assertTalking(devices: readonly Device[]): Promise<void> {
  for (const speaker of devices) {
    const text = `hello from ${speaker.name} ${toB64(webcrypto.random(4))}`;
    await speaker.text(text);
    for (const each of devices) {
      const heard = (await each.sync()).find((change) => change.type === "message");
      assert.ok(heard?.text === text && heard.by === speaker.identity, `${each.name} did not read ${speaker.name}`);
    }
  }
}
