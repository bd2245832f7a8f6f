/**
 * The archive, for rooms where the person wants it: what this device can read of them, sealed under a key of the 24
 * words and kept on the node, so that the words bring back more than the rooms themselves. Whoever has the words can
 * read it; taking a room out of it erases what it held there.
 *
 * It lies in the record of an entry of its own among the account's devices, which all devices derive from the secret.
 */
import { Refused } from "../api/problems.ts";
import { fromB64, toB64 } from "../bytes/text.ts";
import { derive, hash } from "../bytes/webcrypto.ts";
import type { Batch } from "../vault/vault.ts";
import type { Core } from "./core.ts";
import { Sealer, SIZES } from "./keys.ts";
import type { Room } from "./room.ts";
import { names, type StoredItem } from "./stored.ts";

const GATHER_MS = 10_000;
const TRIES = 5;
/** Seconds for which words stay in the archive. */
const KEPT_SECONDS = 365 * 86_400;
/** Bytes of the record before it is sealed (the node takes 16 MiB of base64): then the oldest months go. */
const BYTES_MAX = 11 * 1024 * 1024;

interface ArchivedRoom {
  /** Names of everybody who wrote. */
  names: Record<string, string>;
  /** By month ("2026-11") and place. */
  months: Record<string, StoredItem[]>;
}
interface Archive {
  v: 1;
  rooms: Record<string, ArchivedRoom>;
}

export class Archives {
  readonly #core: Core;
  #cancel: (() => void) | null = null;
  #working: Promise<void> | null = null;
  readonly #erased = new Set<string>();

  constructor(core: Core) {
    this.#core = core;
  }

  get waiting(): boolean {
    return this.#working !== null;
  }

  /** Something was written in a room. */
  touch(room: Room): void {
    if (!room.record.archive || this.#cancel || !this.#core.online) return;
    this.#cancel = this.#core.world.later(GATHER_MS, () => {
      this.#cancel = null;
      this.#core.background("archive", this.sync());
    });
  }

  stop(): void {
    this.#cancel?.();
    this.#cancel = null;
  }

  /** Erases a room's part. */
  async erase(room: string): Promise<void> {
    this.#erased.add(room);
    await this.sync();
  }

  /** Brings archive and rooms together: each has afterwards what either had. */
  sync(): Promise<void> {
    const after = (this.#working ?? Promise.resolve()).catch(() => {}).then(() => this.#sync());
    const work = after.finally(() => {
      if (this.#working === work) this.#working = null;
    });
    this.#working = work;
    return work;
  }

  /** The id of the archive's entry among the devices. */
  async id(): Promise<string> {
    return toB64(await derive(fromB64(this.#core.self.secret), "hedgerow archive id v1", SIZES.id));
  }

  async #sync(): Promise<void> {
    const core = this.#core;
    const secret = fromB64(core.self.secret);
    const token = await derive(secret, "hedgerow archive token v1", SIZES.token);
    const sealer = new Sealer(secret, "hedgerow archive seal v1");
    const id = await this.id();
    const api = core.apiOf(core.self.node, toB64(token));
    const wanted = [...core.rooms.values()].filter((room) => room.record.archive && !room.gone);
    // The same again is fine; an archive that is not wanted is not begun.
    if (wanted.length > 0) await core.api.addDevice({ id, token_hash: toB64(await hash(token)) });
    for (let tries = 0; tries < TRIES; tries++) {
      const { version, archive } = await this.#fetch(`vault-${id}`, api, sealer);
      if (version === 0 && wanted.length === 0) return;
      const before = JSON.stringify(archive);
      for (const room of this.#erased) delete archive.rooms[room];
      for (const room of wanted) await this.#both(room, archive);
      if (JSON.stringify(archive) === before) return;
      try {
        const bytes = fitting(archive);
        await api.putSealed(`vault-${id}`, version + 1, toB64(await sealer.sealBytes(bytes)));
        this.#erased.clear();
        return;
      } catch (problem) {
        if (!(problem instanceof Refused)) throw problem;
        // Another device has just taken the archive away.
        if (problem.status === 401) return;
        if (![409, 412].includes(problem.status)) throw problem;
      }
    }
  }

  async #fetch(
    name: string,
    api: ReturnType<Core["apiOf"]>,
    sealer: Sealer,
  ): Promise<{ version: number; archive: Archive }> {
    try {
      const { version, body } = await api.sealed(name);
      const archive = (await sealer.open(body)) as Archive | undefined;
      return { version, archive: archive ?? { v: 1, rooms: {} } };
    } catch (problem) {
      if (problem instanceof Refused && [401, 404].includes(problem.status))
        return { version: 0, archive: { v: 1, rooms: {} } };
      throw problem;
    }
  }

  /** Takes into the room what only the archive has, and into the archive what only the room has. */
  async #both(room: Room, archive: Archive): Promise<void> {
    const core = this.#core;
    const items = await core.vault.list<StoredItem>(names.items(room.id));
    const there = archive.rooms[room.id] ?? { names: {}, months: {} };
    const here = new Map(items.map((item) => [item.place, item]));
    const lost = Object.values(there.months)
      .flat()
      .filter((item) => !here.has(item.place));
    const batch: Batch = new Map();
    for (const item of lost) {
      batch.set(names.item(room.id, item.place), item);
      if (item.kind === "message") batch.set(names.place(room.id, item.id), item.place);
      here.set(item.place, item);
    }
    await room.serial.run(async () => {
      const record = { ...room.record, names: { ...there.names, ...room.record.names } };
      batch.set(names.room(room.id), record);
      await core.vault.write(batch);
      room.record = record;
    });
    if (lost.length > 0) {
      room.page?.take(lost);
      core.changed(room);
    }
    const months: Record<string, StoredItem[]> = {};
    for (const item of [...here.values()].sort((a, b) => a.place - b.place)) {
      if (core.now - item.time > KEPT_SECONDS) continue;
      const month = new Date(item.time * 1000).toISOString().slice(0, 7);
      months[month] ??= [];
      months[month].push(item);
    }
    archive.rooms[room.id] = { names: { ...room.record.names }, months };
  }
}

/** The archive as bytes; the oldest month goes until it fits. */
function fitting(archive: Archive): Uint8Array {
  for (;;) {
    const bytes = new TextEncoder().encode(JSON.stringify(archive));
    if (bytes.length <= BYTES_MAX) return bytes;
    const months = Object.values(archive.rooms).flatMap((room) => Object.keys(room.months));
    const oldest = months.sort()[0];
    if (oldest === undefined) return bytes;
    for (const room of Object.values(archive.rooms)) delete room.months[oldest];
  }
}
