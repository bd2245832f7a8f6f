/** Welcomes: how a room opens to this device. */
import { Refused } from "../api/problems.ts";
import type { LogAnswer, WelcomeAnswer } from "../api/types.ts";
import { fromB64, readB64, toB64 } from "../bytes/text.ts";
import { random } from "../bytes/webcrypto.ts";
import type { Session } from "../rooms/types.ts";
import type { Batch } from "../vault/vault.ts";
import type { Core } from "./core.ts";
import type { Engines } from "./engine.ts";
import { readEntries } from "./follower.ts";
import { roomIdentity, SIZES } from "./keys.ts";
import { secretsOf } from "./packages.ts";
import type { Room } from "./room.ts";
import { names, type StoredItem, type StoredKeyPackage, type StoredRoom } from "./stored.ts";
import { STEP } from "./timeline.ts";

/** Milliseconds. */
const LATER_MS = 3_000;

export class Welcomes {
  readonly #core: Core;
  readonly #engines: Engines;
  #running: Promise<void> | null = null;
  #again = false;

  constructor(core: Core, engines: Engines) {
    this.#core = core;
    this.#engines = engines;
  }

  /** Fetches and takes all that wait. */
  collect(): Promise<void> {
    if (this.#running) {
      this.#again = true;
      return this.#running;
    }
    const work = this.#collect().finally(() => {
      this.#running = null;
    });
    this.#running = work;
    return work;
  }

  async #collect(): Promise<void> {
    for (;;) {
      this.#again = false;
      const waiting = await this.#core.api.welcomes();
      let taken = 0;
      for (const welcome of waiting) taken += Number(await this.#take(welcome));
      if (taken < waiting.length)
        this.#core.world.later(LATER_MS, () => this.#core.background("welcomes", this.collect()));
      if (!this.#again && taken === 0) return;
    }
  }

  /** False when the entry that it belongs to is still on its way from another node: then it is taken later. */
  async #take(welcome: WelcomeAnswer): Promise<boolean> {
    const core = this.#core;
    const stored = await core.vault.json<StoredKeyPackage>(names.keyPackage(welcome.ref));
    const room = core.rooms.get(welcome.room);
    // For nobody here: taken already before a crash, or to another room than the one we asked for.
    if (stored && room && !room.gone && stored.room === welcome.room) {
      const page = await core.api.log(room.id, welcome.seq - 1, 1);
      if (page.entries.length === 0) return false;
      const session = await this.#join(room, stored, welcome, page);
      const moves = await core.api.moves(room.id);
      const moved = Math.max(0, ...moves.filter(({ head }) => head).map(({ number }) => number));
      if (session) await this.#enter(room, stored, session, page.hub, moved);
    }
    await core.api.deleteWelcome(welcome.id).catch((problem: unknown) => {
      if (!(problem instanceof Refused) || problem.status !== 404) throw problem;
    });
    if (!room?.inside) return true;
    await core.parts.follower.catchUp(room);
    await this.#clean(room);
    core.parts.chores.look(room);
    core.parts.sender.kick(room);
    return true;
  }

  /** Undefined when the Welcome does not hold: whoever made it is to be doubted, not the room. */
  async #join(
    room: Room,
    stored: StoredKeyPackage,
    welcome: WelcomeAnswer,
    page: LogAnswer,
  ): Promise<Session | undefined> {
    const core = this.#core;
    const payload = readB64(welcome.payload);
    const [at] = readEntries(page.entries);
    const poisonous = at && (await core.vault.json<boolean>(names.poison(room.id, at.seq)));
    if (!payload || !at || poisonous) return undefined;
    const me = await roomIdentity(fromB64(core.self.secret), room.id);
    core.world.busy?.({ room: room.id, seq: at.seq });
    try {
      return await this.#engines.join({ welcome: payload, own: secretsOf(stored), me, at });
    } catch (problem) {
      core.world.report?.(problem, "welcome");
      core.trouble("commit-unreadable", room);
      return undefined;
    } finally {
      core.world.busy?.(null);
    }
  }

  async #enter(
    room: Room,
    stored: StoredKeyPackage,
    session: Session,
    hub: string | undefined,
    moved: number,
  ): Promise<void> {
    const core = this.#core;
    await room.serial.run(async () => {
      const record: StoredRoom = {
        ...structuredClone(room.record),
        standing: "in",
        mailbox: stored.mailbox,
        asking: null,
      };
      record.kind = session.rules.kind;
      const again = room.session !== null;
      // From the first time on only the members change it.
      if (hub && !again) record.hub ??= hub;
      if (!again && moved > 0) record.moving = { moved, read: 0, agreed: null, votes: [], told: moved };
      const self = session.members.find((member) => member.self);
      const { seq, time } = session.position;
      const joined: StoredItem = {
        kind: "notice",
        place: seq * STEP + 1,
        seq,
        time,
        code: "joined",
        names: [record.name],
        by: (self?.vouched ?? []).map((who) => session.members.find((one) => one.identity === who)?.name ?? ""),
        reason: "",
      };
      const batch: Batch = new Map<(typeof names)["account"], unknown>([[names.keyPackage(stored.ref), null]]);
      const fresh = ["asked", "refused"].includes(room.record.standing) && !again;
      if (fresh) batch.set(names.item(room.id, joined.place), joined);
      // What was sealed for the old session is sealed anew.
      const outbox = room.outbox.map((one) => ({ ...one, sealed: "" }));
      for (const one of outbox) batch.set(names.outgoing(room.id, one.n), one);
      batch.set(names.room(room.id), record);
      batch.set(names.session(room.id), session.encode());
      await core.vault.write(batch);
      Object.assign(room, { record, session, outbox, head: Math.max(room.head, seq) });
      if (fresh) room.page?.take([joined]);
    });
    core.parts.index.touch();
    core.changed(room);
  }

  /** Takes this device's own dead leaves out. */
  async #clean(room: Room): Promise<void> {
    const session = room.session;
    const { stale } = room.record;
    if (!session || stale.length === 0) return;
    const me = await roomIdentity(fromB64(this.#core.self.secret), room.id);
    const own = session.members.find((member) => member.self)?.leaves.map((leaf) => leaf.key) ?? [];
    for (const leaf of stale.filter((key) => own.includes(key) && key !== session.leaf))
      await this.#core.parts.sender.enqueue(room, await session.revoke(me, leaf), toB64(random(SIZES.id)));
    await room.serial.run(async () => {
      const record = { ...room.record, stale: [] };
      await this.#core.vault.write(new Map([[names.room(room.id), record]]));
      room.record = record;
    });
  }
}
