/** The client: one vault, one account, every call that pages may make. Runs in a worker and in Node.js alike. */
import { Vault } from "../vault/vault.ts";
import { accountCalls } from "./calls-account.ts";
import { listingCalls } from "./calls-listings.ts";
import { messageCalls } from "./calls-messages.ts";
import { roomCalls } from "./calls-rooms.ts";
import { type Engines, loadEngines } from "./engine.ts";
import { failureOf } from "./failures.ts";
import { Home } from "./home.ts";
import { names, type StoredRoom, type StoredSettings } from "./stored.ts";
import type { CallName, Calls, Client, ClientEvent } from "./types.ts";
import { stateOf } from "./views.ts";
import type { World } from "./world.ts";

/** What a call is given: the parts, and what reaches beyond one opened vault. */
export interface Place {
  readonly home: Home;
  readonly client: LocalClient;
}
export type Handlers = { [Name in CallName]: (place: Place, input: Calls[Name]["input"]) => unknown };

const handlers: Handlers = { ...accountCalls, ...roomCalls, ...messageCalls, ...listingCalls };

/** Calls that don't mean that somebody is at the keyboard. */
const QUIET: ReadonlySet<CallName> = new Set(["state", "wake", "watch", "unwatch"]);

export class LocalClient implements Client {
  readonly #world: World;
  readonly #vault: Vault;
  readonly #engines: Engines;
  readonly #listeners = new Set<(event: ClientEvent) => void>();
  #home: Home;
  #node = "";
  #poison: { room: string; seq: number } | null = null;
  #locking: () => void = () => {};

  private constructor(world: World, vault: Vault, engines: Engines) {
    this.#world = world;
    this.#vault = vault;
    this.#engines = engines;
    this.#home = new Home(world, vault, engines, this.#listeners);
  }

  /**
   * Opens what the storage holds, and connects if it needs no passphrase. `poison` names an entry that hung the
   * engine the last time; it is set aside for good.
   */
  static async open(world: World, poison: { room: string; seq: number } | null = null): Promise<LocalClient> {
    const client = new LocalClient(world, await Vault.in(world.storage), await loadEngines());
    client.#poison = poison;
    await client.opened();
    return client;
  }

  get home(): Home {
    return this.#home;
  }
  /** The node whose page this is, until there is an account. */
  get node(): string {
    return this.#home.core.account?.node ?? this.#node;
  }
  set node(address: string) {
    this.#node = address;
  }

  async call<Name extends CallName>(name: Name, input: Calls[Name]["input"]): Promise<Calls[Name]["answer"]> {
    if (!QUIET.has(name)) this.#restartLock();
    try {
      const answer = await handlers[name]({ home: this.#home, client: this }, input);
      return (answer ?? null) as Calls[Name]["answer"];
    } catch (problem) {
      const failure = failureOf(problem);
      if (failure.code === "bug") this.#world.report?.(problem, `call ${name}`);
      if (failure.code === "revoked") this.#home.core.revoked();
      throw failure;
    }
  }

  listen(listener: (event: ClientEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  close(): void {
    this.#home.core.background("close", this.finish());
  }

  /** Ends everything and lets the storage go. */
  async finish(): Promise<void> {
    this.#locking();
    await this.#home.stop();
    await this.#vault.close();
  }

  /** After the vault was opened: read it and connect. */
  async opened(): Promise<void> {
    if (this.#vault.phase !== "open") return;
    const poison = this.#poison;
    if (poison) await this.#vault.write(new Map([[names.poison(poison.room, poison.seq), true]]));
    this.#poison = null;
    await this.#home.load();
    if (poison) this.#home.core.trouble("poisonous", this.#home.core.rooms.get(poison.room) ?? null);
    await this.#home.connect();
    this.#restartLock();
  }

  /** After the vault came back from the node: its rooms are trusted only once they are caught up. */
  async returned(): Promise<void> {
    const settings = await this.#vault.json<StoredSettings>(names.settings);
    const returned = (await this.#vault.list<StoredRoom>(names.rooms)).map(({ room }) => room);
    if (settings) await this.#vault.write(new Map([[names.settings, { ...settings, returned }]]));
    await this.opened();
  }

  /** Drops every key and every word from memory. */
  async lock(): Promise<void> {
    await this.#home.stop();
    this.#vault.lock();
    this.#fresh();
  }

  /** Takes everything away from this device. */
  async wipe(): Promise<void> {
    await this.#home.stop();
    await this.#vault.clear();
    this.#fresh();
  }

  #fresh(): void {
    this.#home = new Home(this.#world, this.#vault, this.#engines, this.#listeners);
    for (const listener of this.#listeners) listener({ kind: "state", state: stateOf(this.#home.core) });
  }

  /** Counts anew the seconds until it locks by itself. */
  #restartLock(): void {
    this.#locking();
    this.#locking = () => {};
    const { lockAfter } = this.#home.core.settings;
    if (lockAfter === null || !this.#vault.hasPassphrase || this.#vault.phase !== "open") return;
    this.#locking = this.#world.later(lockAfter * 1000, () => this.#home.core.background("lock", this.lock()));
  }
}
