/**
 * Linking a device. The new one shows a code with a secret; both leave messages at a meeting place of the node whose
 * names and contents only the secret opens. They agree on a key (X25519), both people see four words of it, and only
 * when the person says on the old device that they match does the account's secret go over.
 */
import { Refused } from "../api/problems.ts";
import { concat, own } from "../bytes/bytes.ts";
import { isSoundX25519 } from "../bytes/curve.ts";
import { fields } from "../bytes/fields.ts";
import { readB64, toB64 } from "../bytes/text.ts";
import { derive, hash, random } from "../bytes/webcrypto.ts";
import { type FreshDevice, freshDevice, settle } from "./accounts.ts";
import type { Core } from "./core.ts";
import { Failure, failureOf } from "./failures.ts";
import { readLink, Sealer, SIZES, tidyNode } from "./keys.ts";
import type { LinkState } from "./types.ts";
import { fromWords, spoken, toWords, typedWords } from "./words.ts";

/** Milliseconds between two looks at the meeting place, and until both give up (the node keeps it ten minutes). */
const LOOK_MS = 1_500;
const PATIENCE_MS = 9.5 * 60_000;

/** What the new device leaves: its half of the key, and what the node needs to know it by. */
interface Hello {
  readonly key: string;
  readonly device: string;
  readonly token_hash: string;
}
interface Gift {
  readonly secret: string;
  readonly nodeId: string;
  readonly account: string;
  readonly community: string;
  readonly name: string;
  readonly mayInvite: boolean;
  readonly sheetKept: boolean;
}

/** One linking under way; the core's `linking` shows where it stands. */
export class Linking {
  readonly #core: Core;
  readonly #linked: () => Promise<void>;
  #run = 0;
  #answer: ((match: boolean) => void) | null = null;

  /** `linked` is called on the new device once it has an account. */
  constructor(core: Core, linked: () => Promise<void>) {
    this.#core = core;
    this.#linked = linked;
  }

  /** On the new device. The rest goes on behind, and shows in the state. */
  async begin(node: string): Promise<LinkState> {
    if (this.#core.account) throw new Failure("already-here");
    const secret = random(SIZES.link);
    const words = (await toWords(secret)).join(" ");
    const code = `${node}/link#${toB64(secret)}`;
    const run = this.#start({ side: "new", step: "showing", code, words, compare: "", failure: null });
    this.#follow(run, this.#new(run, node, secret));
    return this.#core.linking as LinkState;
  }

  /** On the device that is in: with the scanned link or the twelve words. */
  async join(typed: string): Promise<LinkState> {
    const { node } = this.#core.self;
    const link = readLink(typed, "link");
    if (link && tidyNode(link.node) !== node) throw new Failure("other-node");
    const secret = link?.secret ?? (await fromWords(typedWords(typed)));
    if (secret?.length !== SIZES.link) throw new Failure("bad-link");
    const run = this.#start({ side: "old", step: "showing", code: "", words: "", compare: "", failure: null });
    this.#follow(run, this.#old(run, secret));
    return this.#core.linking as LinkState;
  }

  confirm(match: boolean): void {
    if (!this.#answer) throw new Failure("unknown", "nothing to confirm");
    this.#answer(match);
    this.#answer = null;
  }

  cancel(): void {
    this.#run++;
    this.#answer?.(false);
    this.#answer = null;
    this.#core.linking = null;
    this.#core.changed();
  }

  async #new(run: number, node: string, secret: Uint8Array): Promise<void> {
    const core = this.#core;
    const meeting = await Meeting.at(core, node, secret);
    const pair = await freshPair();
    const device = await freshDevice();
    const hello: Hello = { key: pair.public, device: device.public.id, token_hash: device.public.token_hash };
    await meeting.leave("a", hello);
    const { key } = (await this.#wait(run, () => meeting.look("b"))) as { key?: string };
    const channel = await agree(secret, pair, pair.public, key, key);
    this.#show(run, { step: "comparing", compare: channel.words });
    const found = await this.#wait(run, () => meeting.look("b", "gift"));
    const gift = (await channel.sealer.open((found as { sealed?: string }).sealed ?? "")) as Gift | undefined;
    const given = readB64(gift?.secret, SIZES.account);
    if (!gift || !given || this.#run !== run) throw new Failure("link-failed");
    this.#show(run, { step: "sending" });
    await this.#take(node, device, gift, given);
    await this.#linked();
    this.#show(run, { step: "done" });
  }

  async #take(node: string, device: FreshDevice, gift: Gift, secret: Uint8Array): Promise<void> {
    const answer = {
      account: gift.account,
      device: device.public.id,
      node_id: gift.nodeId,
      title: gift.community,
      may_invite: gift.mayInvite,
    };
    await settle(this.#core, { node, secret, name: gift.name, device, answer, sheetKept: gift.sheetKept });
  }

  async #old(run: number, secret: Uint8Array): Promise<void> {
    const core = this.#core;
    const meeting = await Meeting.at(core, core.self.node, secret);
    const hello = (await this.#wait(run, () => meeting.look("a"))) as Partial<Hello>;
    if (!readB64(hello.device, SIZES.id) || !readB64(hello.token_hash, 32)) throw new Failure("link-failed");
    const pair = await freshPair();
    await meeting.leave("b", { key: pair.public });
    const channel = await agree(secret, pair, hello.key, pair.public, hello.key);
    this.#show(run, { step: "comparing", compare: channel.words });
    const match = await new Promise<boolean>((answer) => {
      this.#answer = answer;
    });
    if (!match || this.#run !== run) throw new Failure("link-failed", "the words do not match");
    this.#show(run, { step: "sending" });
    await core.api.addDevice({ id: hello.device as string, token_hash: hello.token_hash as string });
    const { secret: account, nodeId, account: name, community, name: own, mayInvite, sheetKept } = core.self;
    const gift: Gift = { secret: account, nodeId, account: name, community, name: own, mayInvite, sheetKept };
    await meeting.leave("b", { sealed: await channel.sealer.seal(gift) }, "gift");
    this.#show(run, { step: "done" });
  }

  #start(state: LinkState): number {
    this.#run++;
    this.#core.linking = state;
    this.#core.changed();
    return this.#run;
  }

  #show(run: number, change: Partial<LinkState>): void {
    if (run !== this.#run || !this.#core.linking) return;
    this.#core.linking = { ...this.#core.linking, ...change };
    this.#core.changed();
  }

  #follow(run: number, work: Promise<void>): void {
    work.catch((problem: unknown) => {
      const { code } = problem instanceof Failure ? problem : failureOf(problem);
      if (code === "bug") this.#core.world.report?.(problem, "link");
      this.#show(run, { step: "failed", failure: code === "bug" ? "link-failed" : code });
    });
  }

  /** Looks again and again; throws Failure `link-failed` when nobody comes or it was cancelled. */
  async #wait(run: number, look: () => Promise<unknown>): Promise<unknown> {
    for (let waited = 0; waited < PATIENCE_MS && run === this.#run; waited += LOOK_MS) {
      const found = await look();
      if (found !== undefined) return found;
      await new Promise<void>((resolve) => this.#core.world.later(LOOK_MS, resolve));
    }
    throw new Failure("link-failed");
  }
}

interface Pair {
  readonly secret: CryptoKey;
  readonly public: string;
}

async function freshPair(): Promise<Pair> {
  const pair = (await crypto.subtle.generateKey("X25519", false, ["deriveBits"])) as CryptoKeyPair;
  return {
    secret: pair.privateKey,
    public: toB64(new Uint8Array(await crypto.subtle.exportKey("raw", pair.publicKey))),
  };
}

/** The key both share, bound to everything that was said, and the words to compare. `theirs` is the other's half. */
async function agree(secret: Uint8Array, pair: Pair, fromNew: unknown, fromOld: unknown, theirs: unknown) {
  const [a, b, other] = [readB64(fromNew, 32), readB64(fromOld, 32), readB64(theirs, 32)];
  if (!a || !b || !other || !isSoundX25519(other)) throw new Failure("link-failed");
  const key = await crypto.subtle.importKey("raw", own(other), "X25519", false, []);
  const shared = new Uint8Array(await crypto.subtle.deriveBits({ name: "X25519", public: key }, pair.secret, 256));
  const said = await hash(fields("hedgerow link v1", secret, a, b));
  const words = spoken(await hash(fields("hedgerow link words v1", said, shared)), 4);
  return { words, sealer: new Sealer(concat(shared, said), "hedgerow link gift v1") };
}

/** The places of one secret at a node. */
class Meeting {
  readonly #core: Core;
  readonly #node: string;
  readonly #places: Readonly<Record<"hello" | "gift", string>>;
  readonly #sealer: Sealer;

  private constructor(core: Core, node: string, places: Record<"hello" | "gift", string>, sealer: Sealer) {
    this.#core = core;
    this.#node = node;
    this.#places = places;
    this.#sealer = sealer;
  }

  static async at(core: Core, node: string, secret: Uint8Array): Promise<Meeting> {
    const place = async (label: string) => toB64(await derive(secret, label, 16));
    const [hello, gift] = [await place("hedgerow link place v1"), await place("hedgerow link gift place v1")];
    return new Meeting(core, node, { hello, gift }, new Sealer(secret, "hedgerow link seal v1"));
  }

  async leave(side: "a" | "b", value: unknown, place: "hello" | "gift" = "hello"): Promise<void> {
    const sealed = await this.#sealer.seal({ side, place, value });
    await this.#core.apiOf(this.#node).putRendezvous(this.#places[place], side, sealed);
  }

  /** Undefined until something is there. Throws Failure `link-failed` when somebody else was here. */
  async look(side: "a" | "b", place: "hello" | "gift" = "hello"): Promise<unknown> {
    let body: string;
    try {
      ({ body } = await this.#core.apiOf(this.#node).rendezvous(this.#places[place], side));
    } catch (problem) {
      if (problem instanceof Refused && problem.status === 404) return undefined;
      throw problem;
    }
    const opened = (await this.#sealer.open(body)) as { side?: string; place?: string; value?: unknown } | undefined;
    if (opened?.side !== side || opened.place !== place || !opened.value) throw new Failure("link-failed");
    return opened.value;
  }
}
