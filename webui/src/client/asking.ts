/** Asking to be let in, and answering those who ask by one's own links. */
import { Refused } from "../api/problems.ts";
import type { AskAnswer } from "../api/types.ts";
import { fields } from "../bytes/fields.ts";
import { fromB64, readB64, toB64 } from "../bytes/text.ts";
import { random, sign, verify } from "../bytes/webcrypto.ts";
import type { Ask } from "../rooms/types.ts";
import type { Batch } from "../vault/vault.ts";
import type { Chores } from "./chores.ts";
import type { Core } from "./core.ts";
import { type Engines, readAsk, signProfile } from "./engine.ts";
import { Failure, isWaiting, passWaiting } from "./failures.ts";
import { type OpenedInvite, sealerOf, withdrawInvite } from "./invites.ts";
import { roomIdentity, SIZES } from "./keys.ts";
import { makeOffer } from "./packages.ts";
import { newRecord, Room } from "./room.ts";
import { type AskLetter, names, type PairLink, type StoredRoom } from "./stored.ts";
import { BOUNDS } from "./types.ts";

/** Seconds before a device that waits to be let in again asks once more, with a new KeyPackage. */
const AGAIN_SECONDS = 6 * 3600;

/** Seconds for which an ask that came at a bad time (too many at once, a node in trouble) is tried again. */
const PATIENCE_SECONDS = 24 * 3600;

/** Milliseconds until this device asks its node once more what became of an ask. */
const LOOK_MS = 60_000;

/**
 * Seconds for which the link of a one-on-one must be gone, with no Welcome here, before whoever asked by it is told no:
 * with the same node, and where a Welcome comes from another one. A Welcome that is later still opens the room.
 */
const GRACE_SECONDS = { near: 5, far: 30 } as const;

/** What goes into an ask by a link, sealed with the link's secret. */
interface SealedAsk {
  readonly v: 1;
  readonly ask: Ask;
  /** Who one is in another room, signed there, for a one-on-one that was made for that member. */
  readonly known?: { readonly room: string; readonly member: string; readonly signature: string };
}

export class Asking {
  readonly #core: Core;
  readonly #engines: Engines;
  readonly #busy = new Set<string>();
  /** When the link of a one-on-one was first seen to be gone. */
  readonly #gone = new Map<string, number>();
  #waits: (() => void) | undefined;

  constructor(core: Core, engines: Engines) {
    this.#core = core;
    this.#engines = engines;
  }

  stop(): void {
    this.#waits?.();
    this.#waits = undefined;
  }

  /** Asks to join the room of a link. The room stands in the list as `asked` from then on. */
  async ask(
    invite: OpenedInvite,
    name: string,
    words: string,
    known?: { room: string; member: string },
  ): Promise<string> {
    const core = this.#core;
    const place = invite.note.room;
    if (!place) throw new Failure("bad-link", "the link leads to no room");
    const before = core.rooms.get(place.room);
    if (before?.inside || before?.record.standing === "rejoining") return place.room;
    const me = await roomIdentity(fromB64(core.self.secret), place.room);
    const mailbox = toB64(random(SIZES.id));
    const given = { room: place.room, kind: place.kind, standing: "asked", name, mailbox, title: place.title } as const;
    const hub = before?.record.hub;
    const record = newRecord({ ...given, time: core.now, ...(hub ? { hub } : {}) });
    record.via = { nodeId: invite.far ?? core.self.nodeId, community: invite.answer.title };
    const made = await makeOffer(core, this.#engines, me, mailbox);
    const { id, proof, far } = invite;
    const pair = place.kind === "pair" ? { pair: { invite: id, proof, ...(far ? { far } : {}) } } : {};
    record.asking = { ref: made.ref, since: core.now, tries: 1, ...pair };
    this.#gone.delete(place.room);
    const batch: Batch = new Map<(typeof names)["account"], unknown>([[names.keyPackage(made.ref), made.stored]]);
    batch.set(names.room(place.room), record);
    await core.vault.write(batch);
    const offered = await made.publish();
    const room = new Room(record, before?.session ?? null, [], []);
    core.rooms.set(place.room, room);
    const profile = await signProfile(this.#engines, me, core.now, name);
    const note = [...words].slice(0, BOUNDS.wordsCharacters).join("");
    const ask: Ask = {
      id: toB64(random(SIZES.id)),
      identity: me.identity,
      ...offered,
      profile,
      ...(note ? { note } : {}),
      ...(invite.far ? { home: core.self.nodeId } : {}),
    };
    const sealed: SealedAsk = { v: 1, ask, ...(known ? { known: await this.#prove(known, ask) } : {}) };
    const letter: AskLetter = { invite: id, proof, ask: await invite.sealer.seal(sealed), ...(far ? { far } : {}) };
    await this.#hand(room, letter);
    core.parts.index.touch();
    core.changed();
    return place.room;
  }

  /** Hands in an ask. It is kept until it was taken or refused: both may be known much later. */
  async #hand(room: Room, letter: AskLetter): Promise<void> {
    await this.#keepLetter(room, "asked", letter);
    const { invite, proof, ask, far } = letter;
    try {
      await this.#core.api.askByInvite(invite, { proof, ask }, far);
    } catch (problem) {
      if (isWaiting(problem)) return this.#later();
      if (!(problem instanceof Refused)) throw problem;
      const late = this.#core.now - (room.record.asking?.since ?? 0) > PATIENCE_SECONDS;
      if (problem.status === 401 || (problem.passing && !late)) {
        if (far) return;
        throw problem;
      }
      await this.#keepLetter(room, "refused");
      if (!far) throw problem;
      return;
    }
    await this.#keepLetter(room, "asked");
    if (room.record.asking?.pair) this.#later(GRACE_SECONDS.near * 1000);
  }

  /** Looks again in a while what became of asks, until each was taken or refused. */
  #later(pause = LOOK_MS): void {
    this.#waits ||= this.#core.world.later(pause, () => {
      this.#waits = undefined;
      if (this.#core.online) this.#core.background("asked", this.repeat());
    });
  }

  async #keepLetter(room: Room, standing: "asked" | "refused", letter?: AskLetter): Promise<void> {
    const core = this.#core;
    await room.serial.run(async () => {
      // Perhaps a Welcome was first.
      if (room.gone || room.inside || !room.record.asking) return;
      const { letter: _, ...rest } = room.record.asking;
      const asking = { ...rest, ...(letter ? { letter } : {}) };
      const record: StoredRoom = { ...structuredClone(room.record), standing, asking };
      await core.vault.write(new Map([[names.room(room.id), record]]));
      room.record = record;
    });
    core.changed(room);
  }

  /** Asks that this device be let into a room where one is a member already. */
  async askAgain(room: Room): Promise<void> {
    if (this.#busy.has(room.id)) return;
    this.#busy.add(room.id);
    try {
      await this.#askAgain(room);
    } finally {
      this.#busy.delete(room.id);
    }
  }

  async #askAgain(room: Room): Promise<void> {
    const core = this.#core;
    const me = await roomIdentity(fromB64(core.self.secret), room.id);
    const mailbox = toB64(random(SIZES.id));
    const made = await makeOffer(core, this.#engines, me, mailbox);
    await room.serial.run(async () => {
      const record: StoredRoom = { ...structuredClone(room.record), standing: "rejoining", mailbox };
      if (room.session?.inside) record.stale = [...new Set([...record.stale, room.session.leaf])];
      record.asking = { ref: made.ref, since: core.now, tries: (record.asking?.tries ?? 0) + 1 };
      const batch: Batch = new Map<(typeof names)["account"], unknown>([[names.keyPackage(made.ref), made.stored]]);
      batch.set(names.room(room.id), record);
      await core.vault.write(batch);
      room.record = record;
    });
    const { ref, consent } = await made.publish();
    const ask = new TextEncoder().encode(JSON.stringify({ v: 1, ref, consent, home: core.self.nodeId }));
    await core.api.askAgain(room.id, toB64(ask)).catch(passWaiting);
    core.changed(room);
  }

  /**
   * Repeats asks that nobody has answered for long (a device may have died with our KeyPackage in its hands), and
   * hands those in once more of which no other node has said that it took them.
   */
  async repeat(): Promise<void> {
    for (const room of [...this.#core.rooms.values()]) {
      const { asking, standing } = room.record;
      if (standing === "asked" && asking?.letter) await this.#handAgain(room, asking.letter);
      else if (standing === "asked" && asking?.pair) await this.#lookAtLink(room, asking.pair, asking.since);
      if (standing !== "rejoining" || room.gone) continue;
      if (asking && this.#core.now - asking.since < AGAIN_SECONDS) continue;
      await this.askAgain(room).catch(passOver404);
    }
  }

  async #handAgain(room: Room, letter: AskLetter): Promise<void> {
    if (this.#busy.has(room.id) || room.gone) return;
    this.#busy.add(room.id);
    try {
      await this.#hand(room, letter);
    } catch (problem) {
      if (!(problem instanceof Refused)) throw problem;
    } finally {
      this.#busy.delete(room.id);
    }
  }

  /**
   * Two people may use one link into a one-on-one at once: only one is let in, and the link is withdrawn. The other is
   * told by that: nobody else would say it.
   */
  async #lookAtLink(room: Room, { invite, proof, far }: PairLink, since: number): Promise<void> {
    const core = this.#core;
    if (room.gone) return;
    const there = await core.api.readInvite(invite, proof, far).then(
      () => true,
      (problem: unknown) => !(problem instanceof Refused && [403, 404, 409, 410].includes(problem.status)),
    );
    const { now } = core;
    const first = this.#gone.get(room.id) ?? now;
    if (there) this.#gone.delete(room.id);
    else this.#gone.set(room.id, first);
    const over = !there && now - first >= GRACE_SECONDS[far ? "far" : "near"];
    // Perhaps a Welcome is there already, and this device has not heard of it.
    if (over) await core.parts.welcomes.collect().then(() => this.#keepLetter(room, "refused"), passOver404);
    if (over) this.#gone.delete(room.id);
    // Often while it is new, then less: the other one may be away for days.
    else this.#later(Math.min(Math.max(GRACE_SECONDS.near, there ? now - since : 0) * 1000, LOOK_MS));
  }

  /** Everything that waits at the node: asks by own links go into their rooms, devices to the chores. */
  async collect(chores: Chores): Promise<void> {
    for (const answer of await this.#core.api.asks()) {
      if (this.#busy.has(answer.id)) continue;
      this.#busy.add(answer.id);
      try {
        if (answer.invite === null) this.#device(answer, chores);
        else if (!this.#core.invites.has(answer.invite)) this.#core.parts.intakes.take(answer);
        else await this.#newcomer(answer);
      } finally {
        this.#busy.delete(answer.id);
      }
    }
  }

  #device(answer: AskAnswer, chores: Chores): void {
    const room = answer.room ? this.#core.rooms.get(answer.room) : undefined;
    const body = readB64(answer.ask);
    if (!room?.inside || !body) return;
    try {
      const { ref, consent, home } = JSON.parse(new TextDecoder().decode(body)) as Record<string, unknown>;
      if (!readB64(ref, 32) || !readB64(consent)) return;
      const from = readB64(home, 32) ? { home: home as string } : {};
      chores.deviceAsks(room, { ref: ref as string, consent: consent as string, nodeAsk: answer.id, ...from });
    } catch {
      // Whoever wrote that is no program of ours; the node drops it after 30 days.
    }
  }

  async #newcomer(answer: AskAnswer): Promise<void> {
    const core = this.#core;
    const stored = core.invites.get(answer.invite ?? "");
    const room = stored?.room ? core.rooms.get(stored.room) : undefined;
    if (!stored || !room?.inside || !room.session) return;
    const opened = (await (await sealerOf(stored)).open(answer.ask)) as Partial<SealedAsk> | undefined;
    const ask = opened && (await readAsk(this.#engines, room.id, opened.ask));
    if (ask && (await this.#welcome(room, ask, opened.known))) await this.#show(room, ask);
    await core.api.deleteAsk(answer.id).catch(passOver404);
  }

  /** Whether an ask is worth the room's attention. */
  async #welcome(room: Room, ask: Ask, known: SealedAsk["known"]): Promise<boolean> {
    const session = room.session;
    if (!session || session.members.some((member) => member.identity === ask.identity)) return false;
    if (session.view.asks.some((open) => open.ask.id === ask.id)) return false;
    if (session.rules.kind !== "pair") return true;
    if (session.members.length > 1) return false;
    const wanted = room.record.pairFor;
    if (!wanted) return true;
    if (known?.room !== wanted.room || known.member !== wanted.member) return false;
    const [member, signature] = [readB64(known.member, 32), readB64(known.signature, 64)];
    return !!member && !!signature && verify(member, provenBytes(known, ask), signature);
  }

  async #show(room: Room, ask: Ask): Promise<void> {
    const queued = room.outbox.some((one) => one.event.type === "ask" && one.event.ask.id === ask.id);
    // Whoever asked knows only this node; the others of the room start from its hub.
    const { home = this.#core.self.nodeId, ...rest } = ask;
    const shown = home === this.#core.hubOf(room) ? rest : { ...rest, home };
    if (!queued) await this.#core.parts.sender.enqueue(room, { type: "ask", ask: shown });
  }

  async #prove(known: { room: string; member: string }, ask: Ask): Promise<NonNullable<SealedAsk["known"]>> {
    const me = await roomIdentity(fromB64(this.#core.self.secret), known.room);
    if (me.identity !== known.member) throw new Failure("not-in-room");
    return { ...known, signature: toB64(await sign(me.seed, provenBytes(known, ask))) };
  }

  /**
   * A one-on-one that has its two people lets nobody else in: its links are withdrawn, so that whoever opens one later
   * is told so at once instead of waiting for an answer. `closed` tells one's other devices.
   */
  async closeFullPair(room: Room, closed: (invite: string) => Promise<void>): Promise<void> {
    const core = this.#core;
    if (room.session?.rules.kind !== "pair" || room.session.members.length < 2 || !core.online) return;
    for (const { invite, room: leads } of [...core.invites.values()]) {
      if (leads !== room.id || this.#busy.has(invite)) continue;
      this.#busy.add(invite);
      try {
        await withdrawInvite(core, invite, () => closed(invite));
      } finally {
        this.#busy.delete(invite);
      }
    }
  }

  /** A one-on-one needs no ceremony: whoever has the link was chosen by the person who made it. */
  async approveInPair(room: Room): Promise<void> {
    const session = room.session;
    if (!room.inside || !session || session.rules.kind !== "pair" || session.members.length !== 1) return;
    const [open] = session.view.asks;
    if (!open || open.approvals.some((one) => one.by === session.identity)) return;
    const queued = room.outbox.some((one) => one.event.type === "approval");
    if (queued) return;
    const me = await roomIdentity(fromB64(this.#core.self.secret), room.id);
    await this.#core.parts.sender.enqueue(room, await session.approve(me, open.ask.id, this.#core.now));
  }
}

function provenBytes(known: { room: string; member: string }, ask: Ask): Uint8Array {
  const [room, member, id] = [fromB64(known.room), fromB64(known.member), fromB64(ask.id)];
  return fields("hedgerow invitation answer v1", room, member, id);
}

function passOver404(problem: unknown): void {
  if (!(problem instanceof Refused) || ![404, 403, 409].includes(problem.status)) throw problem;
}
