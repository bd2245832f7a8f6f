/**
 * Random lives of a room: people come, talk, leave, are voted out, lose devices, are offline, restart; messages and
 * commits wait and overtake one another; one member breaks the rules. At the end everybody comes online, and what must
 * be true is checked. A seed repeats a whole life, with the model's engine exactly, with the real one in its decisions.
 */
import assert from "node:assert/strict";
import { toB64 } from "../src/bytes/text.ts";
import { MlsError } from "../src/mls/types.ts";
import { makeCredential, readCredential } from "../src/rooms/credentials.ts";
import { ownerOf } from "../src/rooms/policy.ts";
import type { CommitWish, Lent, LogEntry, Need, Rules, Submission } from "../src/rooms/types.ts";
import { stateOf, strike } from "./room-hostile.ts";
import { type Device, newIdentity, world } from "./room-world.ts";

const EPOCHS_READABLE = 8;
const PEOPLE_MAX = 8;

type Said = { readonly entry: LogEntry; readonly text: string; readonly by: Device };
type Chance = () => number;
type Held = { readonly device: Device; readonly submission: Submission; readonly text: string };

class Life {
  readonly #chance: Chance;
  readonly #lent: Lent;
  readonly all: Device[] = [];
  readonly said: Said[] = [];
  /** Sealed, not submitted yet. */
  readonly #held: Held[] = [];
  /** Which leaves could read each epoch, by what any device adopted. */
  readonly readers = new Map<number, ReadonlySet<string>>();
  readonly #here: Awaited<ReturnType<typeof world>>;
  readonly #waiting: { newcomer: Device; ask: string }[] = [];
  #count = 0;

  private constructor(chance: Chance, lent: Lent, here: Awaited<ReturnType<typeof world>>) {
    this.#chance = chance;
    this.#lent = lent;
    this.#here = here;
  }

  static async begin(chance: Chance, lent: Lent, rules: Rules): Promise<Life> {
    const here = await world(lent, rules);
    const life = new Life(chance, lent, here);
    const founder = await here.person("person 0");
    await founder.found(rules);
    life.all.push(founder);
    life.#note(founder);
    return life;
  }

  get hub() {
    return this.#here.hub;
  }
  #below(limit: number): number {
    return Math.floor(this.#chance() * limit);
  }
  #pick<T>(list: readonly T[]): T | undefined {
    return list[this.#below(list.length)];
  }
  get inside(): Device[] {
    return this.all.filter(({ session }) => session?.inside);
  }

  #note(device: Device): void {
    const { epoch, policy } = device.in;
    const leaves = new Set(policy.members.flatMap((each) => each.leaves.map(({ key }) => key)));
    const known = this.readers.get(epoch);
    if (known) assert.deepEqual(leaves, known, `two devices see different members in epoch ${epoch}`);
    else this.readers.set(epoch, leaves);
  }

  async sync(device: Device, until?: number): Promise<void> {
    const end = Math.min(until ?? Number.POSITIVE_INFINITY, this.hub.log.length);
    while (device.in.position.seq < end) {
      const changes = await device.sync(device.in.position.seq + 1);
      if (device.in.inside) this.#note(device);
      for (const change of changes) if (change.type === "send-again") await this.#send(device, change.event as never);
    }
  }

  async #send(device: Device, event: { type: "message"; id: string; text: string }): Promise<void> {
    const { session, submission } = await device.in.sealEvent(event);
    device.session = session;
    const one = { device, submission, text: event.text };
    if (this.#chance() < 0.3) this.#held.push(one);
    else await this.#submit(one);
  }

  async #submit({ device, submission, text }: Held): Promise<void> {
    // An honest hub takes nothing from a device that is out; this one sometimes does.
    if (ownerOf(this.#latest().in.policy, device.in.leaf) === undefined && this.#chance() < 0.5) return;
    const entry = await this.hub.submit(device.mailbox, submission);
    assert.ok(entry);
    assert.equal(await this.hub.submit(device.mailbox, submission), entry, "the same again gives the same answer");
    this.said.push({ entry, text, by: device });
  }

  #latest(): Device {
    const inside = this.inside;
    return inside.reduce(
      (best, each) => (each.in.position.seq > best.in.position.seq ? each : best),
      inside[0] as Device,
    );
  }

  /** One random thing happens. */
  async step(): Promise<void> {
    const device = this.#pick(this.inside);
    if (device === undefined) return;
    // Within a day of the real clock, which the library looks at when it adds a KeyPackage.
    this.hub.now += this.#below(200);
    const dice = this.#chance();
    if (dice < 0.3) await this.sync(device, device.in.position.seq + 1 + this.#below(8));
    else if (dice < 0.5) await this.#talk(device);
    else if (dice < 0.6) await this.#someoneAsks(device);
    else if (dice < 0.72) await this.#approve(device);
    else if (dice < 0.9) await this.#act(device);
    else if (dice < 0.92) await this.#quarrel(device);
    else if (dice < 0.93) await device.say(await device.in.leave(device.me, device.now));
    else if (dice < 0.95) await this.#anotherDevice(device);
    else if (dice < 0.97) await this.#loseDevice(device);
    else if (dice < 0.98) await this.#attack(device);
    else await device.restart();
    if (this.#chance() < 0.2) await this.#release();
  }

  async #release(): Promise<void> {
    const at = this.#below(this.#held.length);
    const [one] = this.#held.splice(at, 1);
    if (one) await this.#submit(one);
  }

  async #talk(device: Device): Promise<void> {
    this.#count += 1;
    const id = toB64(this.#lent.primitives.random(16));
    await this.#send(device, { type: "message", id, text: `text ${this.#count}` });
  }

  async #someoneAsks(device: Device): Promise<void> {
    const people = new Set(this.all.map(({ identity }) => identity)).size;
    if (people >= PEOPLE_MAX) return;
    const newcomer = await this.#here.person(`person ${this.all.length}`);
    const ask = await newcomer.ask();
    await device.say({ type: "ask", ask });
    this.all.push(newcomer);
    this.#waiting.push({ newcomer, ask: ask.id });
  }

  async #approve(device: Device): Promise<void> {
    await this.sync(device);
    const open = this.#pick(device.in.inside ? device.in.view.asks : []);
    if (open) await device.say(await device.in.approve(device.me, open.ask.id, device.now));
  }

  async #quarrel(device: Device): Promise<void> {
    const other = this.#pick(device.in.members.filter((each) => !each.self));
    if (other) await device.say(await device.in.voteToRemove(device.me, other.identity, device.now));
  }

  async #anotherDevice(device: Device): Promise<void> {
    const theirs = this.inside.filter(({ identity }) => identity === device.identity).length;
    if (theirs > 2 || device.in.pending) return;
    const second = this.#here.device(`${device.name}'s ${this.all.length}`, device);
    await second.offer();
    const by = this.#pick(this.inside.filter((each) => !each.in.pending)) ?? device;
    // `by` may know already that they are out, or not yet that they are in.
    if (!by.in.members.some(({ identity }) => identity === device.identity)) return;
    this.all.push(second);
    await this.#plan(by, { devices: [{ keyPackage: await second.claim() }] });
  }

  async #loseDevice(device: Device): Promise<void> {
    const leaves = device.in.members.find(({ self }) => self)?.leaves ?? [];
    const lost = this.#pick(leaves.filter(({ key }) => key !== device.in.leaf));
    if (lost) await device.say(await device.in.revoke(device.me, lost.key));
  }

  /** Someone is let in by one member alone, or thrown out without a vote. */
  async #attack(device: Device): Promise<void> {
    const { primitives, engine } = this.#lent;
    const me = await newIdentity(this.#lent, this.hub.room);
    const mailbox = toB64(primitives.random(16));
    const made = await engine.makeKeyPackage((key) => makeCredential(primitives, me, mailbox, key), this.hub.now, 28);
    const { leaf } = await engine.readKeyPackage(made.keyPackage, this.hub.now);
    const others = engine.leaves(stateOf(device)).filter(({ index }) => index !== engine.ownIndex(stateOf(device)));
    const victim = this.#pick(others);
    const owner = victim && readCredential(victim.credential);
    if (this.#chance() < 0.5 && victim && owner) {
      await strike(device, { remove: [victim.index], transition: { departed: [owner.identity] } });
      return;
    }
    // In a room of one, one's own approval is enough: then the attack is none.
    if (device.in.members.length < 2) return;
    const added = [{ identity: me.identity, leaf: { key: toB64(leaf.key), mailbox }, vouched: [] }];
    await strike(device, { add: [made.keyPackage], transition: { added } });
  }

  /** Does what the session says it needs, as a client would. */
  async #act(device: Device): Promise<void> {
    if (this.#chance() < 0.7) await this.sync(device);
    if (!device.in.inside) return;
    if (device.in.pending) {
      await this.#submitCommit(device);
      return;
    }
    const need = this.#pick(device.in.needs(device.now));
    if (need) await this.meet(device, need);
    else if (this.#chance() < 0.3) await this.#plan(device, {});
  }

  async meet(device: Device, need: Need): Promise<void> {
    if (need.type === "profile") await device.say(await device.in.profile(device.me, device.name));
    else if (need.type === "snapshot") await device.say(device.in.snapshotEvent());
    else if (need.type === "refresh") await this.#plan(device, {});
    else if (need.type === "remove") await this.#plan(device, { remove: [need.identity] });
    else if (need.type === "remove-device") await this.#plan(device, { removeDevices: [need.leaf] });
    else if (need.type === "admit") {
      const { newcomer } = this.#waiting.find(({ ask }) => ask === need.ask.ask.id) ?? {};
      assert.ok(newcomer?.offered);
      await this.#plan(device, { admit: [{ ask: need.ask.ask.id, keyPackage: await newcomer.claim() }] });
    } else assert.fail(`${device.name} lost the room`);
  }

  async #plan(device: Device, wish: CommitWish): Promise<void> {
    await device.plan(wish);
    if (this.#chance() < 0.7) await this.#submitCommit(device);
  }

  async #submitCommit(device: Device): Promise<void> {
    if (this.#chance() < 0.3) await device.restart();
    if (!(await device.submit())) return;
    if (this.#chance() < 0.5) await this.sync(device);
    for (const newcomer of this.all.filter(({ session }) => !session)) await this.#arrive(newcomer);
  }

  /** Takes a Welcome. One that came with a refused commit leads to a room of its own: then another is awaited. */
  async #arrive(newcomer: Device): Promise<void> {
    const before = this.hub.welcomes.length;
    if (before === 0) return;
    for (const each of this.inside) await this.sync(each);
    const known = this.inside.some((each) =>
      each.in.members.some((one) => one.leaves.some(({ mailbox }) => mailbox === newcomer.mailbox)),
    );
    if (known && (await newcomer.take())) this.#note(newcomer);
  }

  /** Everybody comes online until nothing is left to do. */
  async settle(): Promise<void> {
    while (this.#held.length > 0) await this.#release();
    for (let round = 0; round < 200; round++) {
      for (const each of this.inside) await this.sync(each);
      const busy = this.inside.find((each) => each.in.pending ?? each.in.needs(each.now).length);
      if (busy === undefined) return;
      if (busy.in.pending) await this.#submitCommit(busy);
      else await this.meet(busy, busy.in.needs(busy.now)[0] as Need);
    }
    assert.fail("the room does not come to rest");
  }

  /** Throws unless all that must be true is; returns how often what happened, for whoever wants to know that it did. */
  async check(): Promise<Record<string, number>> {
    const [first, ...rest] = this.inside;
    const counts: Record<string, number> = { read: 0, epochs: first?.in.epoch ?? 0 };
    for (const { type } of this.all.flatMap(({ changes }) => changes)) counts[type] = (counts[type] ?? 0) + 1;
    if (first === undefined) return counts;
    const agreement = toB64(await first.in.agreement());
    for (const each of rest) {
      assert.deepEqual(each.in.policy, first.in.policy);
      assert.equal(toB64(await each.in.agreement()), agreement);
    }
    for (const each of this.said) {
      for (const device of this.all) if (this.#checkRead(each, device)) counts.read = (counts.read ?? 0) + 1;
    }
    for (const device of this.all) if (device.session && !device.session.inside) await this.#checkShutOut(device);
    return counts;
  }

  /** Who could read it did, once; who could not did not. */
  #checkRead({ entry, text }: Said, device: Device): boolean {
    if (!device.session) return false;
    const heard = device.changes.filter((change) => change.type === "message" && change.seq === entry.seq);
    for (const each of heard) assert.equal((each as { text: string }).text, text);
    const out = device.changes.find(({ type }) => type === "out");
    const came = device.changes[0]?.seq ?? Number.POSITIVE_INFINITY;
    const entitled = this.readers.get(entry.epoch)?.has(device.in.leaf) ?? false;
    const gone = out !== undefined && out.seq < entry.seq;
    const gap = device.changes.find((change) => change.type === "unreadable" && change.seq === entry.seq);
    // Too late for everybody (it is sealed again), or from somebody who had to go before it came.
    const why = gap?.type === "unreadable" ? gap.why : undefined;
    const again = device.changes.some((change) => change.type === "send-again" && change.seq === entry.seq);
    const excused = why === "too-old" || why === "not-member" || again;
    if (why === "too-old")
      assert.ok(this.#epochAt(entry.seq) - entry.epoch > EPOCHS_READABLE, `${text} was not too old`);
    if (why === "not-member") assert.ok(this.#wasRemoved(entry), `${text} came from a member`);
    const expected = entitled && !gone && !excused && came <= entry.seq ? 1 : 0;
    assert.equal(heard.length, expected, `${device.name}: ${text} (entry ${entry.seq}, epoch ${entry.epoch}, ${why})`);
    return heard.length > 0;
  }

  /** The epoch of the room when the entry came. */
  #epochAt(seq: number): number {
    let epoch = 0;
    const commits = this.#latest().changes;
    for (const entry of this.hub.log) {
      if (entry.seq >= seq) break;
      const refused = commits.some((change) => change.type === "skipped" && change.seq === entry.seq);
      if (entry.kind === "commit" && entry.epoch === epoch && !refused) epoch += 1;
    }
    return epoch;
  }

  #wasRemoved(entry: LogEntry): boolean {
    const { by } = this.said.find((each) => each.entry === entry) as Said;
    return !(this.readers.get(this.#epochAt(entry.seq))?.has(by.in.leaf) ?? false);
  }

  /** A device that is out can open nothing of a later epoch, however hard it tries. */
  async #checkShutOut(device: Device): Promise<void> {
    const state = stateOf(device);
    const last = this.#lent.engine.epoch(state);
    for (const { entry } of this.said) {
      if (entry.epoch <= last || !entry.payload) continue;
      await assert.rejects(this.#lent.engine.open(state, entry.payload), MlsError);
    }
  }
}

/** Lives one seed's life. Returns how many readings there were, so that nobody mistakes silence for success. */
export async function live(seed: number, chance: Chance, lent: Lent, rules: Rules, steps: number) {
  try {
    const life = await Life.begin(chance, lent, rules);
    for (let count = 0; count < steps; count++) await life.step();
    await life.settle();
    return await life.check();
  } catch (error) {
    throw new Error(`seed ${seed}: ${(error as Error).message}`, { cause: error });
  }
}
