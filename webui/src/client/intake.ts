/**
 * Asks by a listing. A node tells all devices of a room that somebody asks; whichever comes first opens the ask with
 * the secret that the room holds, shows it to the room and takes it from the node. It is fetched only where it is needed.
 */
import { Refused } from "../api/problems.ts";
import type { AskAnswer } from "../api/types.ts";
import { OPEN_OF_MEMBER_MAX } from "../rooms/bounds.ts";
import { rankOf } from "../rooms/needs.ts";
import type { Ask, Event, Intake } from "../rooms/types.ts";
import type { Core } from "./core.ts";
import { type Engines, readAsk } from "./engine.ts";
import { Failure, isPassing, passGone } from "./failures.ts";
import { fits, intakeCode, intakeParts, makeIntakeKey, openAsk } from "./intake-keys.ts";
import type { Room } from "./room.ts";
import { BOUNDS, type IntakeView } from "./types.ts";

/** Seconds an intake is good for: as long as a listing at most. */
const LASTS = 400 * 86_400;
/** Milliseconds that each device further back in the queue waits longer, at most, and the part left to chance. */
const TURN_MS = { each: 1_500, most: 12_000 } as const;
const CHANCE_MS = 300;
/** Milliseconds in which the devices of a room come to take back what is over, each at its own moment. */
const OVER_MS = 5_000;

/** An ask that was opened and is not in the room yet, as far as this device sees. */
interface Waiting {
  readonly ask: Ask;
  readonly listing: string;
  /** The intake it came by. */
  readonly key: string;
  /** When it is this device's turn, by the monotonic clock. */
  readonly due: number;
}

export class Intakes {
  readonly #core: Core;
  readonly #engines: Engines;
  /** By room, then by the ask's id at the node. */
  readonly #waiting = new Map<string, Map<string, Waiting>>();
  readonly #timers = new Map<string, () => void>();
  /** Asks that are on their way into the outbox. */
  readonly #showing = new Set<string>();

  constructor(core: Core, engines: Engines) {
    this.#core = core;
    this.#engines = engines;
  }

  /** Whether an ask waits for this device's turn. */
  get busy(): boolean {
    return this.#timers.size > 0;
  }

  stop(): void {
    for (const cancel of this.#timers.values()) cancel();
    this.#timers.clear();
  }

  /** An ask for a room, by an invitation that nobody here made. */
  async take(answer: AskAnswer): Promise<void> {
    const room = this.#core.rooms.get(answer.room ?? "");
    const intake = room?.session?.view.intake;
    if (!room?.inside || !room.session || !intake?.secret) return;
    const waiting = this.#waiting.get(room.id) ?? new Map<string, Waiting>();
    if (waiting.has(answer.id) || (await intakeParts(intake.key)).id !== answer.invite) return;
    const said = await openAsk({ room: room.id, key: intake.key, secret: intake.secret }, answer.ask);
    const { ask: given, listing } = (said ?? {}) as { ask?: unknown; listing?: unknown };
    const ask = await readAsk(this.#engines, room.id, given);
    if (!ask) {
      // Everybody knows the key, so anybody may seal anything: nobody in the room could do more with it.
      if (await fits(intake.key, intake.secret)) await this.#handled(answer.id);
      return;
    }
    for (const [id, other] of waiting) {
      if (other.ask.identity !== ask.identity) continue;
      waiting.delete(id); // they asked again, with a new KeyPackage
      this.#core.background("ask", this.#handled(id));
    }
    const rank = rankOf(room.session.policy, room.session.leaf, answer.id);
    const due = performance.now() + Math.min(rank * TURN_MS.each, TURN_MS.most) + this.#core.world.chance() * CHANCE_MS;
    waiting.set(answer.id, { ask, listing: tidy(listing), key: intake.key, due });
    this.#waiting.set(room.id, waiting);
    this.look(room);
  }

  /** The room changed, or it is this device's turn. */
  look(room: Room): void {
    const waiting = this.#waiting.get(room.id);
    const { session } = room;
    if (!waiting || !session) return;
    this.#timers.get(room.id)?.();
    this.#timers.delete(room.id);
    const now = performance.now();
    for (const [id, one] of waiting) {
      const { intake } = session.view;
      if (!room.inside || intake?.key !== one.key || !intake.open) waiting.delete(id);
      else if (isThere(room, one.ask)) {
        waiting.delete(id);
        this.#core.background("ask", this.#handled(id));
      } else if (one.due <= now && !room.behind) this.#core.background("ask", this.#show(room, intake, one));
    }
    if (waiting.size === 0) this.#waiting.delete(room.id);
    const next = [...waiting.values()].filter(({ due }) => due > now).map(({ due }) => due);
    if (next.length === 0) return;
    const run = () => this.look(room);
    this.#timers.set(room.id, this.#core.world.later(Math.max(1, Math.min(...next) - now), run));
  }

  async #show(room: Room, intake: Intake, { ask, listing }: Waiting): Promise<void> {
    const { session } = room;
    const queued = room.outbox.some((one) => one.event.type === "ask" && one.event.ask.id === ask.id);
    const mine = session?.view.asks.filter((open) => open.by === session.identity) ?? [];
    // One member may show so many: the rest is for others, or waits at the node.
    if (queued || this.#showing.has(ask.id) || mine.length >= OPEN_OF_MEMBER_MAX) return;
    // Whoever asked knows only the node of the listing; the others of the room start from its hub.
    const { home = intake.node, ...rest } = ask;
    const shown = home === this.#core.hubOf(room) ? rest : { ...rest, home };
    this.#showing.add(ask.id);
    await this.#core.parts.sender
      .enqueue(room, { type: "ask", ask: shown, listing })
      .finally(() => this.#showing.delete(ask.id));
  }

  #handled(id: string): Promise<unknown> {
    return this.#core.api.deleteAsk(id).catch(passGone);
  }

  /** A key is no longer good: whoever has an account where it was kept takes it from there. */
  over(key: string): void {
    const pause = this.#core.world.chance() * OVER_MS;
    this.#core.world.later(pause, () => this.#core.background("intake", this.#withdraw(key)));
  }

  /** At once where it can be; whoever sees the room's change does it where this device cannot (`over`). */
  async #withdrawHere({ node, key }: Intake): Promise<void> {
    if (node === this.#core.self.nodeId) await this.#withdraw(key).catch(passOverPassing);
  }

  async #withdraw(key: string): Promise<void> {
    await this.#core.api.withdrawInvite((await intakeParts(key)).id).catch(passGone);
  }

  /** Opens it, anew if need be. Throws Failure `not-in-room`. */
  async open(room: Room): Promise<void> {
    const before = this.#member(room).view.intake;
    await this.#say(room, await makeIntakeKey());
    if (before) await this.#withdrawHere(before);
  }

  /** For another year: under the same key, so that the listing may stay as it is, if all who know its secret are here. */
  async renew(room: Room): Promise<void> {
    const intake = this.#member(room).view.intake;
    const kept = intake?.secret && !intake.stale && intake.node === this.#core.self.nodeId;
    if (!kept || !(await fits(intake.key, intake.secret))) return this.open(room);
    try {
      await this.#say(room, { key: intake.key, secret: intake.secret });
    } catch (problem) {
      // It ran out, and somebody else took its name meanwhile, which everybody knows.
      if (!(problem instanceof Refused) || problem.status !== 409) throw problem;
      await this.open(room);
    }
  }

  async close(room: Room): Promise<void> {
    const intake = this.#member(room).view.intake;
    if (!intake?.open) return;
    const { node, key } = intake;
    await this.#withdrawHere(intake);
    await this.#core.parts.sender.enqueue(room, { type: "intake", node, key, open: false, expires: 0 });
  }

  async #say(room: Room, { key, secret }: { key: string; secret: string }): Promise<void> {
    const core = this.#core;
    const { id, proofHash } = await intakeParts(key);
    const expires = core.now + LASTS;
    // At the node first: a code that leads nowhere would be a dead end.
    await core.api.makeInvite({ id, proof_hash: proofHash, expires, uses: 0, room: room.id, note: "" });
    const event: Event = { type: "intake", node: core.self.nodeId, key, secret, open: true, expires };
    await core.parts.sender.enqueue(room, event);
  }

  #member(room: Room): NonNullable<Room["session"]> {
    if (!room.inside || !room.session || room.record.kind !== "room") throw new Failure("not-in-room");
    return room.session;
  }

  /** What the page about the room shows; null while it is closed. */
  async view(room: Room): Promise<IntakeView | null> {
    const intake = room.session?.view.intake;
    if (!room.inside || !intake?.secret || intake.expires <= this.#core.now) return null;
    const { node, key, secret, stale, expires } = intake;
    return {
      code: await intakeCode({ node, room: room.id, key }),
      expires,
      here: node === this.#core.self.nodeId,
      newCode: stale || !(await fits(key, secret)),
      asks: room.session?.view.asks.filter((open) => open.listing !== undefined).length ?? 0,
    };
  }
}

function isThere(room: Room, ask: Ask): boolean {
  const { session } = room;
  if (session?.members.some((member) => member.identity === ask.identity)) return true;
  return session?.view.asks.some((open) => open.ask.id === ask.id) ?? false;
}

function passOverPassing(problem: unknown): void {
  if (!isPassing(problem)) throw problem;
}

function tidy(listing: unknown): string {
  const line = typeof listing === "string" ? listing.replace(/[\p{Cc}\p{Surrogate}\u2028\u2029\s]+/gu, " ").trim() : "";
  return [...line].slice(0, BOUNDS.titleCharacters).join("") || "?";
}
