/** Puts the parts of the client together over one opened vault, and keeps them in touch with the node. */
import { Live } from "../api/live.ts";
import type { AskAnswer, MailboxAnswer } from "../api/types.ts";
import { toB64 } from "../bytes/text.ts";
import { random } from "../bytes/webcrypto.ts";
import type { Vault } from "../vault/vault.ts";
import { refreshAccount } from "./accounts.ts";
import { Archives } from "./archive.ts";
import { Asking } from "./asking.ts";
import { Chores } from "./chores.ts";
import { Core } from "./core.ts";
import type { Engines } from "./engine.ts";
import { upload } from "./files.ts";
import { Follower } from "./follower.ts";
import { type Index, IndexRecord } from "./index-record.ts";
import type { Intakes } from "./intake.ts";
import { KeptCopy } from "./kept-copy.ts";
import { SIZES } from "./keys.ts";
import type { Linking } from "./linking.ts";
import { Moves } from "./moves.ts";
import { change } from "./records.ts";
import { loadRooms, newRecord, Room } from "./room.ts";
import { Search } from "./search.ts";
import { Sender } from "./sender.ts";
import { names, type StoredAccount, type StoredInvite, type StoredSettings } from "./stored.ts";
import type { ClientEvent } from "./types.ts";
import { stateOf, viewOf } from "./views.ts";
import { Welcomes } from "./welcomes.ts";
import type { World } from "./world.ts";

/** Milliseconds between two looks at what no message tells of (asks to repeat, needs whose time has come). */
const ROUND_MS = 15 * 60_000;

export class Home {
  readonly core: Core;
  readonly engines: Engines;
  readonly follower: Follower;
  readonly sender: Sender;
  readonly chores: Chores;
  readonly asking: Asking;
  readonly welcomes: Welcomes;
  readonly moves: Moves;
  readonly index: IndexRecord;
  readonly archive: Archives;
  readonly copy: KeptCopy;
  readonly search: Search;
  #linking: Promise<Linking> | null = null;
  #intakes: Promise<Intakes> | null = null;
  #asksWait = () => false;
  #round: () => void = () => {};
  #stopped = false;
  #under = 0;

  constructor(world: World, vault: Vault, engines: Engines, listeners: Set<(event: ClientEvent) => void>) {
    const core = new Core(world, vault, listeners);
    this.core = core;
    this.engines = engines;
    this.follower = new Follower(core);
    this.sender = new Sender(core, (room, token) => upload(core, room, token));
    this.asking = new Asking(core, engines);
    this.chores = new Chores(core, engines, (room) => this.asking.askAgain(room));
    this.moves = new Moves(core, engines);
    this.welcomes = new Welcomes(core, engines);
    this.index = new IndexRecord(core, (index) => this.#learn(index));
    this.search = new Search(core);
    this.archive = new Archives(core);
    this.copy = new KeptCopy(core);
    core.parts = this;
    core.tell = (rooms) => core.background("tell", this.#tell(rooms));
  }

  /** Reads what the vault holds. */
  async load(): Promise<void> {
    const { core } = this;
    const { vault } = core;
    core.lasting = await vault.lasting();
    core.account = (await vault.json<StoredAccount>(names.account)) ?? null;
    core.settings = (await vault.json<StoredSettings>(names.settings)) ?? core.settings;
    await this.index.load();
    for (const invite of await vault.list<StoredInvite>(names.invites)) core.invites.set(invite.invite, invite);
    for (const room of await loadRooms(vault, (bytes) => this.engines.decode(bytes))) core.rooms.set(room.id, room);
    await this.copy.load();
    core.changed();
  }

  /** Opens the live channel; it stays, or comes back by itself. */
  async connect(): Promise<void> {
    const { core } = this;
    if (this.#stopped || core.live || !core.account || core.account.revoked) return;
    const { node, token } = core.account;
    core.connection = "connecting";
    core.live = new Live(core.world, node, token, {
      hello: (waiting) => this.#work("hello", this.#hello(waiting)),
      entries: (entries) => {
        const its = (id: string) => entries.filter(({ room }) => room === id);
        for (const id of new Set(entries.map(({ room }) => room)))
          this.#work("entries", this.follower.push(id, its(id)));
      },
      heads: (heads) => {
        for (const { room: id, seq } of heads) this.#heard(id, seq);
      },
      welcomes: () => this.#work("welcomes", this.welcomes.collect()),
      asks: () => this.#work("asks", this.asking.collect(this.chores)),
      notes: (rooms) => {
        for (const room of this.#known(rooms)) this.moves.look(room, Number.POSITIVE_INFINITY);
      },
      moved: (rooms) => {
        // What is being caught up may have begun before.
        for (const room of this.#known(rooms))
          this.#work(
            "moved",
            this.follower.catchUp(room).then(() => this.follower.catchUp(room)),
          );
      },
      down: () => {
        core.connection = "offline";
        core.changed();
      },
      revoked: () => core.revoked(),
    });
    core.live.start();
    core.changed();
  }

  /** Linking a device is rare: its program is fetched for it. */
  linking(): Promise<Linking> {
    this.#linking ??= import("./linking.ts").then(({ Linking }) => new Linking(this.core, () => this.connect()));
    return this.#linking;
  }

  /** Most rooms have no intake: its program is fetched for the first one. */
  intakeParts(): Promise<Intakes> {
    this.#intakes ??= import("./intake.ts").then(({ Intakes }) => {
      const made = new Intakes(this.core, this.engines);
      this.#asksWait = () => made.busy;
      return made;
    });
    return this.#intakes;
  }

  #intake(work: (parts: Intakes) => Promise<void> | void): void {
    this.#work("intake", this.intakeParts().then(work));
  }

  /** What follows for the intakes of rooms; nobody waits for it. */
  readonly intakes = {
    take: (answer: AskAnswer): void => {
      const room = this.core.rooms.get(answer.room ?? "");
      if (room?.session?.view.intake?.open) this.#intake((parts) => parts.take(answer));
    },
    over: (key: string): void => this.#intake((parts) => parts.over(key)),
  };

  /** Try at once, whatever the pause says. */
  wake(): void {
    const { live } = this.core;
    if (!live) this.core.background("wake", this.connect());
    else if (!live.up) live.start();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#round();
    this.sender.stop();
    this.chores.stop();
    this.asking.stop();
    this.#linking?.then((linking) => linking.cancel());
    this.#intakes?.then((intakes) => intakes.stop());
    this.archive.stop();
    this.core.live?.stop();
    this.core.live = null;
    this.core.connection = "offline";
    await Promise.all([...this.core.rooms.values()].map((room) => room.serial.idle()));
  }

  /** Work that nobody waits for, but that counts as something being done. */
  #work(where: string, work: Promise<unknown>): void {
    this.#under++;
    const done = () => {
      this.#under--;
    };
    work.then(done, done);
    this.core.background(where, work);
  }

  /** Whether something is still being done that a program that is about to end should wait for. */
  get busy(): boolean {
    const { rooms, online } = this.core;
    const waiting = [...rooms.values()].some((room) => room.inside && room.outbox.some((one) => !one.failed));
    return (
      !online ||
      this.#under > 0 ||
      waiting ||
      this.chores.waiting ||
      this.index.waiting ||
      this.copy.waiting ||
      this.archive.waiting ||
      this.#asksWait() ||
      this.moves.busy ||
      this.follower.busy ||
      this.sender.busy
    );
  }

  async #hello(waiting: MailboxAnswer): Promise<void> {
    const { core } = this;
    core.connection = "online";
    core.changed();
    for (const { room: id, head, until, hub, notes } of waiting.rooms) {
      this.#heard(id, until ?? head.seq);
      const room = core.rooms.get(id);
      if (!room?.inside || until !== null) continue;
      if ((hub ?? core.self.nodeId) !== core.hubOf(room)) this.#work("moved", this.follower.catchUp(room));
      this.moves.look(room, notes);
    }
    this.sender.kickAll();
    await this.follower.flush();
    await refreshAccount(core);
    if (waiting.welcomes > 0) await this.welcomes.collect();
    if (waiting.asks > 0) await this.asking.collect(this.chores);
    await this.index.sync();
    await this.asking.repeat();
    this.chores.lookAll();
    this.#round();
    this.#round = core.world.later(ROUND_MS, () => core.background("round", this.#again()));
  }

  async #again(): Promise<void> {
    this.#round = this.core.world.later(ROUND_MS, () => this.core.background("round", this.#again()));
    if (!this.core.online) return;
    for (const room of this.core.rooms.values()) if (room.record.moving) this.moves.look(room);
    await this.asking.repeat();
    await this.asking.collect(this.chores);
    this.chores.lookAll();
  }

  #known(ids: readonly string[]): Room[] {
    return ids.flatMap((id) => this.core.rooms.get(id) ?? []);
  }

  #heard(id: string, seq: number): void {
    const room = this.core.rooms.get(id);
    if (!room?.session) return;
    room.head = Math.max(room.head, seq);
    if (room.behind) this.#work("catch up", this.follower.catchUp(room));
  }

  /** Takes in what other devices wrote into the index: rooms to ask for, links to answer for. */
  async #learn(index: Index): Promise<void> {
    const { core } = this;
    const fresh: Room[] = [];
    for (const [id, { kind, title, name, over, archive, hub }] of Object.entries(index.rooms)) {
      const known = core.rooms.get(id);
      if (known && known.record.archive !== archive) await change(this, known, (record) => ({ ...record, archive }));
      if (over || known) continue;
      const mailbox = toB64(random(SIZES.id));
      const given = { room: id, kind, title, name, ...(hub ? { hub } : {}) };
      const record = newRecord({ ...given, standing: "rejoining", mailbox, time: core.now });
      record.archive = archive;
      await core.vault.write(new Map([[names.room(id), record]]));
      const room = new Room(record, null, [], []);
      core.rooms.set(id, room);
      fresh.push(room);
    }
    for (const [id, { over, ...stored }] of Object.entries(index.invites)) {
      const here = core.invites.has(id);
      if (over === !here || (over && !here)) continue;
      await core.vault.write(new Map([[names.invite(id), over ? null : stored]]));
      if (over) core.invites.delete(id);
      else core.invites.set(id, stored);
    }
    const { name, sheetKept } = core.self;
    if ((!name && index.name) || (!sheetKept && index.sheetKept))
      await core.saveAccount({ name: name || index.name, sheetKept: sheetKept || index.sheetKept });
    if (fresh.length > 0) this.#work("rejoin", this.asking.repeat());
    if (fresh.some((room) => room.record.archive)) core.background("archive", this.archive.sync());
    core.changed();
  }

  async #tell(rooms: ReadonlySet<Room>): Promise<void> {
    const { core } = this;
    for (const room of rooms) {
      if (!room.inside) continue;
      this.#intakes?.then((intakes) => intakes.look(room));
      if (room.record.moving) this.moves.look(room);
      this.#work("pair", this.asking.approveInPair(room));
      this.#work(
        "links",
        this.asking.closeFullPair(room, (invite) => this.index.closeInvite(invite)),
      );
    }
    const lost = [...rooms].some(({ record }) => record.standing === "rejoining" && !record.asking);
    if (lost && core.online) this.#work("rejoin", this.asking.repeat());
    if (core.listeners.size === 0) return;
    core.emit({ kind: "state", state: stateOf(core) });
    for (const room of rooms)
      if (room.watchers > 0 && !room.gone) core.emit({ kind: "room", view: await viewOf(core, room) });
  }
}
