/**
 * What a room needs and any member's device may do: let in who was approved, take out who left, carry a refresh. The
 * fold says what is needed and how far back in the queue this member stands; later ranks wait longer, and a little by
 * chance, so that mostly one device does it. When two do, the log decides and the other drops its commit.
 */
import { Refused } from "../api/problems.ts";
import { wipe } from "../bytes/bytes.ts";
import { fromB64 } from "../bytes/text.ts";
import { rankOf } from "../rooms/needs.ts";
import type { CommitWish, Need } from "../rooms/types.ts";
import { WishError } from "../rooms/types.ts";
import type { Batch } from "../vault/vault.ts";
import type { Core } from "./core.ts";
import { credentialOf, type Engines } from "./engine.ts";
import { isPassing, isWaiting } from "./failures.ts";
import { roomIdentity } from "./keys.ts";
import { claim, dropClaim, readClaim } from "./packages.ts";
import type { Room } from "./room.ts";
import { names, type StoredClaim } from "./stored.ts";

/** Milliseconds that each device further back in the queue waits longer, at most, and the part left to chance. */
const TURN_MS = { each: 1_500, most: 12_000 } as const;
const CHANCE_MS = 300;
/** Seconds for which something that could not be done is left to others. */
const REST_SECONDS = 120;
/** KeyPackages in one commit: a commit stays far below the hub's limit. */
const ADDS = 16;

/** Another device of a member that asks to be let in. */
export interface DeviceAsk {
  readonly ref: string;
  readonly consent: string;
  readonly nodeAsk: string;
  /** The node that keeps its KeyPackage; absent: the room's hub. */
  readonly home?: string;
}

interface Wish {
  wish: Required<{ -readonly [Part in keyof CommitWish]: NonNullable<CommitWish[Part]>[number][] }>;
  claims: StoredClaim[];
}

export class Chores {
  readonly #core: Core;
  readonly #engines: Engines;
  readonly #again: (room: Room) => Promise<void>;
  readonly #due = new Map<Room, Map<string, number>>();
  readonly #rest = new Map<string, number>();
  readonly #timers = new Map<Room, () => void>();
  readonly #devices = new Map<string, Map<string, DeviceAsk>>();
  readonly #working = new Map<Room, Promise<void>>();

  /** `again` asks to be let into a room anew. */
  constructor(core: Core, engines: Engines, again: (room: Room) => Promise<void>) {
    this.#core = core;
    this.#engines = engines;
    this.#again = again;
  }

  /** Looks what a room needs, and puts it on the clock. */
  look(room: Room): void {
    if (!this.#core.online || this.#working.has(room)) return;
    this.#timers.get(room)?.();
    this.#timers.delete(room);
    const needs = this.#needs(room);
    const before = this.#due.get(room) ?? new Map<string, number>();
    const due = new Map<string, number>();
    for (const need of needs) due.set(keyOf(need), before.get(keyOf(need)) ?? this.#moment(need));
    this.#due.set(room, due);
    if (due.size === 0) return;
    const first = Math.max(0, Math.min(...due.values()) - this.#clock());
    this.#timers.set(
      room,
      this.#core.world.later(first, () => this.#work(room)),
    );
  }

  lookAll(): void {
    for (const room of this.#core.rooms.values()) this.look(room);
  }

  /** A device of a member waits at the node; the first to see it is not always the one to act. */
  deviceAsks(room: Room, ask: DeviceAsk): void {
    const asks = this.#devices.get(room.id) ?? new Map<string, DeviceAsk>();
    asks.set(ask.ref, ask);
    this.#devices.set(room.id, asks);
    this.look(room);
  }

  stop(): void {
    for (const cancel of this.#timers.values()) cancel();
    this.#timers.clear();
  }

  async idle(): Promise<void> {
    while (this.#working.size > 0) await Promise.all(this.#working.values());
  }

  /** Whether anything waits for its turn in any room (a headless client stays until nothing does). */
  get waiting(): boolean {
    return this.#timers.size > 0 || this.#working.size > 0;
  }

  #clock(): number {
    return performance.now();
  }

  #moment(need: WideNeed): number {
    const rank = "rank" in need ? need.rank : 0;
    return this.#clock() + Math.min(rank * TURN_MS.each, TURN_MS.most) + this.#core.world.chance() * CHANCE_MS;
  }

  #needs(room: Room): WideNeed[] {
    const session = room.session;
    if (!room.inside || !session || room.behind || session.pending) return [];
    const resting = (need: WideNeed) => (this.#rest.get(`${room.id} ${keyOf(need)}`) ?? 0) > this.#core.now;
    const devices = [...(this.#devices.get(room.id)?.values() ?? [])].map((ask): WideNeed => {
      return { type: "device", ask, rank: rankOf(session.policy, session.leaf, ask.ref) };
    });
    return [...session.needs(this.#core.now), ...devices].filter((need) => !resting(need));
  }

  #work(room: Room): void {
    this.#timers.delete(room);
    const work = this.#turn(room)
      .catch((problem: unknown) => {
        if (!isPassing(problem)) this.#core.world.report?.(problem, "chores");
        const seconds = problem instanceof Refused && isWaiting(problem) ? problem.retryAfter : REST_SECONDS;
        for (const need of this.#needs(room)) this.#later(room, need, seconds);
      })
      .finally(() => {
        this.#working.delete(room);
        this.look(room);
      });
    this.#working.set(room, work);
  }

  #later(room: Room, need: WideNeed, seconds = REST_SECONDS): void {
    this.#rest.set(`${room.id} ${keyOf(need)}`, this.#core.now + seconds);
    const wake = () => this.look(room);
    this.#core.world.later((seconds + 1) * 1000, wake);
  }

  async #turn(room: Room): Promise<void> {
    const due = this.#due.get(room);
    const now = this.#clock();
    const needs = this.#needs(room).filter((need) => (due?.get(keyOf(need)) ?? 0) <= now);
    const made: Wish = { wish: { admit: [], devices: [], remove: [], removeDevices: [] }, claims: [] };
    let refresh = false;
    for (const need of needs) {
      if (need.type === "refresh") refresh = true;
      else if (need.type === "admit" || need.type === "device") await this.#addTo(made, room, need);
      else if (need.type === "remove") made.wish.remove.push(need.identity);
      else if (need.type === "remove-device") made.wish.removeDevices.push(need.leaf);
      else await this.#say(room, need);
    }
    const empty = Object.values(made.wish).every((part) => part.length === 0);
    if (!empty || refresh) await this.#commit(room, made, needs);
  }

  /** Events, not commits. */
  async #say(room: Room, need: WideNeed): Promise<void> {
    const { sender } = this.#core.parts;
    const queued = room.outbox.some((one) => (one.event.type === "make" ? "snapshot" : one.event.type) === need.type);
    if (queued || !room.session) return;
    if (need.type === "snapshot") await sender.enqueue(room, { type: "make", what: "snapshot" });
    if (need.type === "profile") {
      const me = await roomIdentity(fromB64(this.#core.self.secret), room.id);
      await sender.enqueue(room, await room.session.profile(me, room.record.name));
    }
    if (need.type === "rejoin") {
      await this.#again(room);
      this.#later(room, need);
    }
  }

  async #addTo(made: Wish, room: Room, need: Extract<WideNeed, { type: "admit" | "device" }>): Promise<void> {
    if (made.claims.length >= ADDS) return;
    const ask = need.type === "admit" ? need.ask.ask : need.ask;
    const ids = need.type === "admit" ? { ask: need.ask.ask.id, nodeAsk: "" } : { ask: "", nodeAsk: need.ask.nodeAsk };
    const held = await claim(this.#core, room, { ref: ask.ref, consent: ask.consent, home: ask.home, ...ids });
    const keyPackage = held && (await readClaim(this.#core, this.#engines, held));
    if (!held || !keyPackage) return this.#hopeless(room, need, held);
    if (need.type === "admit") made.wish.admit.push({ ask: ids.ask, keyPackage });
    else {
      const known = credentialOf(keyPackage.leaf.credential);
      const member = room.session?.policy.members.find((one) => one.identity === known?.identity);
      if (!member) return this.#hopeless(room, need, held);
      if (member.leaves.some((leaf) => leaf.mailbox === known?.mailbox)) return this.#hopeless(room, need, held);
      made.wish.devices.push({ keyPackage });
    }
    made.claims.push(held);
  }

  /** Somebody else has it, or it is no good: rest, and forget a device's ask that leads nowhere. */
  async #hopeless(room: Room, need: WideNeed, held: StoredClaim | undefined): Promise<void> {
    if (held) await dropClaim(this.#core, room, held);
    if (need.type === "device") {
      this.#devices.get(room.id)?.delete(need.ask.ref);
      if (held) this.#core.background("ask", this.#core.api.deleteAsk(need.ask.nodeAsk));
    }
    this.#later(room, need);
  }

  async #commit(room: Room, made: Wish, needs: readonly WideNeed[]): Promise<void> {
    try {
      await room.serial.run(async () => {
        const before = room.session;
        if (!before?.inside || before.pending || room.gone || room.behind) return;
        const { session, submission, spent } = await before.commit(made.wish, this.#core.now);
        const used = made.claims.map((one) => ({ ...one, used: submission.id }));
        const batch: Batch = new Map<(typeof names)["account"], unknown>(
          used.map((one) => [names.claim(room.id, one.ref), one]),
        );
        batch.set(names.session(room.id), session.encode());
        await this.#core.vault.write(batch);
        room.session = session;
        room.claims = room.claims.map((one) => used.find((each) => each.ref === one.ref) ?? one);
        wipe(spent);
        for (const { ref } of used) this.#devices.get(room.id)?.delete(ref);
      });
    } catch (problem) {
      if (!(problem instanceof WishError) && !(problem instanceof Refused)) throw problem;
      // Together they can't be had (somebody left meanwhile, a device is there already): ask for each again later.
      this.#core.world.report?.(problem, "commit");
      for (const need of needs) this.#later(room, need);
      for (const held of made.claims) if (held.ask === "") await dropClaim(this.#core, room, held);
    }
    this.#core.parts.sender.kick(room);
  }
}

type WideNeed = Need | { readonly type: "device"; readonly ask: DeviceAsk; readonly rank: number };

function keyOf(need: WideNeed): string {
  switch (need.type) {
    case "admit":
      return `admit ${need.ask.ask.id}`;
    case "device":
      return `device ${need.ask.ref}`;
    case "remove":
      return `remove ${need.identity}`;
    case "remove-device":
      return `remove-device ${need.leaf}`;
    default:
      return need.type;
  }
}
