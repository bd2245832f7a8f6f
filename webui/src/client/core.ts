/** What all parts of the client share: the vault, the node, the rooms, and the way to say that something changed. */
import { Http } from "../api/http.ts";
import type { Live } from "../api/live.ts";
import { NodeApi } from "../api/node.ts";
import { Refused } from "../api/problems.ts";
import type { AskAnswer } from "../api/types.ts";
import type { LogEntry } from "../rooms/types.ts";
import { StorageFailed } from "../vault/types.ts";
import type { Vault } from "../vault/vault.ts";
import { Failure, isPassing } from "./failures.ts";
import type { Room } from "./room.ts";
import { names, type StoredAccount, type StoredInvite, type StoredOutgoing, type StoredSettings } from "./stored.ts";
import type { ClientEvent, Connection, LinkState, Trouble } from "./types.ts";
import type { World } from "./world.ts";

/** Milliseconds in which changes are gathered before pages are told. */
const GATHER_MS = 16;
/** Troubles kept for the pages. */
const TROUBLES = 20;

/** What the parts ask of one another; `client.ts` puts them together. */
export interface Parts {
  readonly follower: {
    take(room: Room, entries: readonly LogEntry[]): Promise<void>;
    catchUp(room: Room): Promise<void>;
  };
  readonly sender: {
    enqueue(room: Room, event: StoredOutgoing["event"], id?: string, files?: readonly string[]): Promise<string>;
    kick(room: Room): void;
  };
  readonly chores: { look(room: Room): void };
  readonly welcomes: { collect(): Promise<void> };
  readonly intakes: { take(answer: AskAnswer): void; over(key: string): void };
  readonly moves: { adopt(room: Room, hub: string): Promise<boolean>; look(room: Room, notes?: number): void };
  readonly index: { touch(): void };
  readonly archive: { touch(room: Room): void };
}

export class Core {
  readonly world: World;
  readonly vault: Vault;
  readonly rooms = new Map<string, Room>();
  readonly invites = new Map<string, StoredInvite>();
  readonly listeners: ReadonlySet<(event: ClientEvent) => void>;
  account: StoredAccount | null = null;
  settings: StoredSettings = { lockAfter: null, trouble: [], returned: [] };
  connection: Connection = "offline";
  live: Live | null = null;
  linking: LinkState | null = null;
  lasting = true;
  parts!: Parts;
  /** Makes the events that tell pages what changed; set by the client. */
  tell: (rooms: ReadonlySet<Room>) => void = () => {};
  #api: NodeApi | null = null;
  #dirty: Set<Room> | null = null;

  constructor(world: World, vault: Vault, listeners: ReadonlySet<(event: ClientEvent) => void>) {
    this.world = world;
    this.vault = vault;
    this.listeners = listeners;
  }

  /** Throws Failure `no-account`. */
  get self(): StoredAccount {
    if (!this.account) throw new Failure(this.vault.phase === "locked" ? "locked" : "no-account");
    return this.account;
  }
  get online(): boolean {
    return this.connection === "online";
  }
  get now(): number {
    return this.world.now();
  }
  /** The account's own node. */
  get api(): NodeApi {
    this.#api ??= this.apiOf(this.self.node);
    return this.#api;
  }

  /** A node's open routes, and with `token` another device's. */
  apiOf(node: string, token?: string): NodeApi {
    return new NodeApi(new Http(this.world.network, node, () => token ?? this.account?.token ?? null));
  }

  forgetApi(): void {
    this.#api = null;
  }

  /** Throws Failure `not-in-room`. */
  room(id: string): Room {
    const room = this.rooms.get(id);
    if (!room || room.gone) throw new Failure("not-in-room");
    return room;
  }

  /** The node that orders a room and signs its heads. */
  hubOf(room: Room): string {
    return room.record.hub ?? this.self.nodeId;
  }

  async saveAccount(change: Partial<StoredAccount>): Promise<void> {
    const after = { ...this.self, ...change };
    await this.vault.write(new Map([[names.account, after]]));
    this.account = after;
    this.changed();
  }

  async saveSettings(change: Partial<StoredSettings>): Promise<void> {
    this.settings = { ...this.settings, ...change };
    await this.vault.write(new Map([[names.settings, this.settings]]));
    this.changed();
  }

  /** Pages are told soon: of the state, and of the room if one is given. */
  changed(room?: Room): void {
    if (!this.#dirty) {
      this.#dirty = new Set();
      this.world.later(GATHER_MS, () => {
        const dirty = this.#dirty;
        this.#dirty = null;
        if (dirty) this.tell(dirty);
      });
    }
    if (room) this.#dirty.add(room);
  }

  emit(event: ClientEvent): void {
    for (const listener of this.listeners) listener(event);
  }

  /** Something a person may need to know of; the same for the same room is said once an hour. */
  trouble(code: Trouble["code"], room: Room | null): void {
    const id = room?.id ?? null;
    const again = (one: Trouble) => one.code === code && one.room === id && this.now - one.time < 3600;
    if (this.settings.trouble.some(again)) return;
    const trouble = [...this.settings.trouble, { code, room: id, time: this.now }].slice(-TROUBLES);
    this.background("trouble", this.saveSettings({ trouble }));
  }

  /** Work nobody waits for. That the node is not there now is nothing special: it is tried again on coming back. */
  background(where: string, work: Promise<unknown>): void {
    work.catch((problem: unknown) => {
      if (isPassing(problem) || this.vault.phase !== "open") return;
      if (problem instanceof Refused && problem.status === 401) this.revoked();
      else if (problem instanceof StorageFailed) this.#storageFailed();
      else if (!(problem instanceof Refused && problem.passing)) this.world.report?.(problem, where);
    });
  }

  /** Shown, though it can't be kept. */
  #storageFailed(): void {
    const trouble = { code: "storage-failed", room: null, time: this.now } as const;
    const others = this.settings.trouble.filter((one) => one.code !== trouble.code);
    this.settings = { ...this.settings, trouble: [...others, trouble] };
    this.changed();
  }

  /** The node does not know this device any more. */
  revoked(): void {
    this.live?.stop();
    this.live = null;
    this.connection = "offline";
    if (this.account && !this.account.revoked) this.background("revoked", this.saveAccount({ revoked: true }));
  }
}
