/**
 * The sealed index on the node: which rooms, devices and links an account has, for the day when all that is left are
 * the 24 words, and for its other devices. Written by compare-and-swap; each part carries its time, and the newer wins.
 */
import { Refused } from "../api/problems.ts";
import { fromB64 } from "../bytes/text.ts";
import type { Batch } from "../vault/vault.ts";
import type { Core } from "./core.ts";
import { indexSealer } from "./keys.ts";
import { Serial } from "./serial.ts";
import { names, type StoredInvite } from "./stored.ts";
import type { RoomKind } from "./types.ts";

/** Milliseconds in which changes are gathered. */
const GATHER_MS = 1_500;
const TRIES = 5;
/** Seconds for which rooms that are over and links that expired stay, so that every device hears of it. */
const KEPT_SECONDS = 90 * 86_400;

export interface IndexedRoom {
  kind: RoomKind;
  title: string;
  /** One's own name in there. */
  name: string;
  over: boolean;
  archive: boolean;
  /** The node that keeps it, if it is another one than the account's. */
  hub?: string;
  time: number;
}
export interface IndexedDevice {
  name: string;
  /** The leaf this device has in each room: what to revoke when it is lost. */
  leaves: Record<string, string>;
  over: boolean;
  /** Not a browser, but the copy of one that is kept on the node. */
  copy?: boolean;
  time: number;
}

export interface Index {
  v: 1;
  name: string;
  sheetKept: boolean;
  rooms: Record<string, IndexedRoom>;
  devices: Record<string, IndexedDevice>;
  invites: Record<string, StoredInvite & { over: boolean }>;
}

interface StoredIndex {
  version: number;
  index: Index;
}

const EMPTY: Index = { v: 1, name: "", sheetKept: false, rooms: {}, devices: {}, invites: {} };

export class IndexRecord {
  readonly #core: Core;
  readonly #learned: (index: Index) => Promise<void>;
  #stored: StoredIndex = { version: 0, index: EMPTY };
  #cancel: (() => void) | null = null;
  #working: Promise<void> | null = null;
  #again = false;
  readonly #serial = new Serial();

  /** `learned` takes in what other devices wrote. */
  constructor(core: Core, learned: (index: Index) => Promise<void>) {
    this.#core = core;
    this.#learned = learned;
  }

  get index(): Index {
    return this.#stored.index;
  }

  async load(): Promise<void> {
    this.#stored = (await this.#core.vault.json<StoredIndex>(names.index)) ?? { version: 0, index: EMPTY };
  }

  /** Something in it changed; it is written soon. */
  touch(): void {
    if (this.#cancel || !this.#core.online) return;
    this.#cancel = this.#core.world.later(GATHER_MS, () => {
      this.#cancel = null;
      this.#core.background("index", this.sync());
    });
  }

  get waiting(): boolean {
    return this.#cancel !== null || this.#working !== null;
  }

  /** Brings both sides together now. */
  sync(): Promise<void> {
    this.#cancel?.();
    this.#cancel = null;
    if (this.#working) {
      this.#again = true;
      return this.#working;
    }
    this.#working = this.#sync().finally(() => {
      this.#working = null;
      if (this.#again) this.touch();
      this.#again = false;
    });
    return this.#working;
  }

  /** Names a device, or says that it is no more. */
  device(id: string, change: { name?: string; over?: boolean; copy?: boolean }): Promise<void> {
    return this.#change((index) => {
      const before = index.devices[id] ?? { name: "", leaves: {}, over: false, time: 0 };
      index.devices[id] = { ...before, ...change, time: later(before, this.#core.now) };
    });
  }

  /** Whether a room is archived, for all devices. */
  archive(id: string, archive: boolean): Promise<void> {
    return this.#change((index) => {
      const before = index.rooms[id];
      if (before) index.rooms[id] = { ...before, archive, time: later(before, this.#core.now) };
    });
  }

  /** A link was withdrawn. */
  closeInvite(id: string): Promise<void> {
    return this.#change((index) => {
      const before = index.invites[id];
      if (before) index.invites[id] = { ...before, over: true, time: later(before, this.#core.now) };
    });
  }

  async #change(make: (index: Index) => void): Promise<void> {
    await this.#serial.run(async () => {
      const index = structuredClone(this.index);
      make(index);
      await this.#keep(this.#stored.version, index);
    });
    this.touch();
  }

  async #sync(): Promise<void> {
    const sealer = indexSealer(fromB64(this.#core.self.secret));
    for (let tries = 0; tries < TRIES; tries++) {
      const there = await this.#fetch();
      const merged = await this.#serial.run(async () => {
        const both = merge(this.index, there.index);
        await this.#learned(both);
        const index = this.#own(both, this.#core.now);
        await this.#keep(there.version, index);
        return index;
      });
      if (JSON.stringify(merged) === JSON.stringify(there.index)) return;
      const version = there.version + 1;
      try {
        await this.#core.api.putSealed("index", version, await sealer.seal(merged));
      } catch (problem) {
        if (problem instanceof Refused && [409, 412].includes(problem.status)) continue;
        throw problem;
      }
      // What was changed meanwhile is kept; it goes out with the next one.
      await this.#serial.run(() => this.#keep(version, this.index));
      return;
    }
    this.#core.trouble("index-conflict", null);
  }

  async #fetch(): Promise<StoredIndex> {
    try {
      const { version, body } = await this.#core.api.sealed("index");
      const index = await indexSealer(fromB64(this.#core.self.secret)).open(body);
      // What the node gives back can only be what a device of this account has sealed, or nothing.
      return { version, index: index ? { ...EMPTY, ...(index as Index) } : EMPTY };
    } catch (problem) {
      if (problem instanceof Refused && problem.status === 404) return { version: 0, index: EMPTY };
      throw problem;
    }
  }

  async #keep(version: number, index: Index): Promise<void> {
    const stored: StoredIndex = { version, index };
    const batch: Batch = new Map([[names.index, stored]]);
    await this.#core.vault.write(batch);
    this.#stored = stored;
  }

  /** The index with what this device knows best: its rooms, its leaves, its links. */
  #own(index: Index, now: number): Index {
    const { self, rooms, invites } = this.#core;
    const after = structuredClone(index);
    after.name = self.name || after.name;
    after.sheetKept = after.sheetKept || self.sheetKept;
    const leaves: Record<string, string> = {};
    for (const room of rooms.values()) {
      const { kind, standing, name, hub } = room.record;
      if (room.inside && room.session) leaves[room.id] = room.session.leaf;
      const over = room.gone || standing === "left" || standing === "removed";
      const title = room.session?.view.title || room.record.title;
      const before = after.rooms[room.id];
      const same = before?.kind === kind && before.title === title && before.name === name && before.over === over;
      const knows = room.inside || over || !before;
      const archive = before?.archive ?? room.record.archive;
      if (knows && standing !== "asked" && standing !== "refused" && !same)
        after.rooms[room.id] = { kind, title, name, over, archive, ...(hub ? { hub } : {}), time: later(before, now) };
    }
    const device = after.devices[self.device];
    if (!device || JSON.stringify(device.leaves) !== JSON.stringify(leaves))
      after.devices[self.device] = { name: device?.name ?? "", leaves, over: false, time: later(device, now) };
    for (const stored of invites.values()) after.invites[stored.invite] ??= { ...stored, over: false };
    return pruned(after, now);
  }
}

/** Now, but after what it takes the place of, whatever second that was written in. */
function later(before: { time: number } | undefined, now: number): number {
  return Math.max(now, (before?.time ?? 0) + 1);
}

function merge(a: Index, b: Index): Index {
  return {
    v: 1,
    name: b.name || a.name,
    sheetKept: a.sheetKept || b.sheetKept,
    rooms: newer(a.rooms, b.rooms),
    devices: newer(a.devices, b.devices),
    invites: newer(a.invites, b.invites),
  };
}

function newer<Each extends { time: number }>(a: Record<string, Each>, b: Record<string, Each>): Record<string, Each> {
  const both = { ...a };
  for (const [key, value] of Object.entries(b)) if (!both[key] || both[key].time <= value.time) both[key] = value;
  return Object.fromEntries(Object.entries(both).sort(([one], [other]) => (one < other ? -1 : 1)));
}

function pruned(index: Index, now: number): Index {
  const recent = ({ time, over }: { time: number; over: boolean }) => !over || now - time < KEPT_SECONDS;
  const rooms = Object.fromEntries(Object.entries(index.rooms).filter(([, room]) => recent(room)));
  const devices = Object.fromEntries(Object.entries(index.devices).filter(([, device]) => recent(device)));
  const invites = Object.fromEntries(
    Object.entries(index.invites).filter(([, one]) => recent(one) && one.expires + KEPT_SECONDS > now),
  );
  return { ...index, rooms, devices, invites };
}
