/**
 * The sealed copy of this vault on the node, for browsers that forget everything when they close. Six words open it:
 * from them come, slowly, the name and token of an entry of its own in the account's devices (so it can be fetched
 * with nothing else at hand, and revoked like a device) and the key of the seal.
 *
 * The copy is the live state, not a backup: it is replaced within seconds of each change, by compare-and-swap, so that
 * two browsers never go on from the same one.
 */

import type { NodeApi } from "../api/node.ts";
import { Refused } from "../api/problems.ts";
import { ascii, concat } from "../bytes/bytes.ts";
import { fromB64, toB64 } from "../bytes/text.ts";
import { derive, hash, random } from "../bytes/webcrypto.ts";
import { STRONG, stretch } from "../vault/passphrase.ts";
import type { Core } from "./core.ts";
import { Failure } from "./failures.ts";
import { Sealer, SIZES } from "./keys.ts";
import { names, type StoredCopy } from "./stored.ts";
import { spoken, typedWords, unknownWords } from "./words.ts";

/** Words of the list: 66 bits, each guess at half a second and 64 MiB. */
const WORDS = 6;
/** Milliseconds between a change and the new copy: the first, and the most when changes don't end. */
const GATHER_MS = { quiet: 1_500, most: 8_000 } as const;

interface Keys {
  readonly id: string;
  readonly token: string;
  readonly sealer: Sealer;
}

async function keysOf(words: string, node: string): Promise<Keys> {
  const salt = (await hash(concat(ascii("hedgerow kept copy v1"), new TextEncoder().encode(node)))).slice(0, 16);
  const master = await stretch(words, { ...STRONG, salt });
  return {
    id: toB64(await derive(master, "hedgerow kept copy id v1", SIZES.id)),
    token: toB64(await derive(master, "hedgerow kept copy token v1", SIZES.token)),
    sealer: new Sealer(master, "hedgerow kept copy seal v1"),
  };
}

export class KeptCopy {
  readonly #core: Core;
  #stored: StoredCopy | null = null;
  #keys: Promise<Keys> | null = null;
  #cancel: (() => void) | null = null;
  #since = 0;
  #working: Promise<void> | null = null;
  #again = false;

  constructor(core: Core) {
    this.#core = core;
    core.vault.written = () => this.#touch();
  }

  async load(): Promise<void> {
    this.#stored = (await this.#core.vault.json<StoredCopy>(names.copy)) ?? null;
    if (this.#stored) this.#touch();
  }

  get waiting(): boolean {
    return this.#cancel !== null || this.#working !== null;
  }
  get id(): Promise<string> | null {
    return this.#stored && this.#ready().then(({ id }) => id);
  }

  /** Begins to keep a copy, or goes on. Answers the words. `listed` names its entry for the other devices. */
  async keep(listed: (id: string) => Promise<void>): Promise<string> {
    if (this.#stored) return this.#stored.words;
    const words = spoken(random(9), WORDS);
    const { id, token } = await keysOf(words, this.#core.self.node);
    await this.#core.api.addDevice({ id, token_hash: toB64(await hash(fromB64(token))) });
    await this.#save({ words, version: 0 });
    await listed(id);
    await this.upload();
    return words;
  }

  /** Takes the copy away. `unlisted` says so to the other devices. */
  async drop(unlisted: (id: string) => Promise<void>): Promise<void> {
    if (!this.#stored) return;
    const { id, token } = await this.#ready();
    try {
      await this.#core.apiOf(this.#core.self.node, token).deleteSealed(`vault-${id}`);
      await this.#core.api.revokeDevice(id);
    } catch (problem) {
      // Revoked from another device already.
      if (!(problem instanceof Refused) || ![401, 404].includes(problem.status)) throw problem;
    }
    await unlisted(id);
    await this.#core.vault.write(new Map([[names.copy, null]]), true);
    this.#stored = null;
    this.#keys = null;
  }

  /** Brings a copy into this empty browser. Throws Failure `wrong-words`. */
  async bring(node: string, typed: string): Promise<void> {
    const core = this.#core;
    if (core.account || core.vault.phase === "locked") throw new Failure("already-here");
    const given = typedWords(typed);
    if (given.length !== WORDS || unknownWords(given).length > 0) throw new Failure("wrong-words");
    const words = given.join(" ");
    const { id, token, sealer } = await keysOf(words, node);
    const { version, body } = await this.#fetch(core.apiOf(node, token), id);
    const dumped = await sealer.openBytes(fromB64(body));
    if (!dumped) throw new Failure("wrong-words", "it does not open");
    await core.vault.adopt(dumped);
    // From here on the copy is this browser's: whoever else wrote it hears so at the next try.
    await this.#save({ words, version });
  }

  async #fetch(api: NodeApi, id: string): Promise<{ version: number; body: string }> {
    try {
      return await api.sealed(`vault-${id}`);
    } catch (problem) {
      if (problem instanceof Refused && [401, 403, 404].includes(problem.status)) throw new Failure("wrong-words");
      throw problem;
    }
  }

  /** Puts the present state in the copy's place. */
  upload(): Promise<void> {
    this.#cancel?.();
    this.#cancel = null;
    this.#since = 0;
    if (this.#working) {
      this.#again = true;
      return this.#working;
    }
    this.#working = this.#upload().finally(() => {
      this.#working = null;
      if (this.#again) this.#touch();
      this.#again = false;
    });
    return this.#working;
  }

  async #upload(): Promise<void> {
    const core = this.#core;
    if (!this.#stored) return;
    const { id, token, sealer } = await this.#ready();
    const dumped = await core.vault.dump([...core.rooms.keys()].map((room) => names.blobs(room)));
    const version = this.#stored.version + 1;
    try {
      const body = toB64(await sealer.sealBytes(dumped));
      await core.apiOf(core.self.node, token).putSealed(`vault-${id}`, version, body);
      await this.#save({ ...this.#stored, version });
    } catch (problem) {
      if (!(problem instanceof Refused)) throw problem;
      // Another browser goes on from the copy: this one must not.
      if (problem.status === 409 || problem.status === 412) core.revoked();
      else if (problem.status === 401) await this.#save(null);
      else throw problem;
    }
  }

  #touch(): void {
    if (!this.#stored || !this.#core.online) return;
    this.#since ||= performance.now();
    this.#cancel?.();
    const left = Math.max(0, GATHER_MS.most - (performance.now() - this.#since));
    this.#cancel = this.#core.world.later(Math.min(GATHER_MS.quiet, left), () => {
      this.#cancel = null;
      this.#core.background("copy", this.upload());
    });
  }

  #ready(): Promise<Keys> {
    this.#keys ??= keysOf(this.#stored?.words ?? "", this.#core.self.node);
    return this.#keys;
  }

  async #save(stored: StoredCopy | null): Promise<void> {
    await this.#core.vault.write(new Map([[names.copy, stored]]), true);
    this.#stored = stored;
  }
}
