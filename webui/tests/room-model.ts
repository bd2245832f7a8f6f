/**
 * A stand-in for the engine and the crypto: the same promises without any secrecy worth the name, thousands of times
 * quicker. Who has an epoch's number can open what was sealed in it; nobody else can.
 */
import { createHash } from "node:crypto";
import { concat, equal } from "../src/bytes/bytes.ts";
import { toB64 } from "../src/bytes/text.ts";
import { type Engine, type Leaf, MlsError, type MlsState, type Proposal } from "../src/mls/types.ts";
import type { Lent, Primitives } from "../src/rooms/types.ts";

const EPOCHS_KEPT = 8;
const sha = (...parts: readonly (string | Uint8Array)[]): Uint8Array => {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(part);
  return new Uint8Array(hash.digest());
};

type Epoch = { number: number; secret: string; leaves: Leaf[]; used: string[] };
type State = { group: string; own: number; out: boolean; sent: number; now: Epoch; past: Epoch[] };
type Change = { add: { leaf: Omit<Leaf, "index">; from: number; until: number }[]; remove: number[] };
type Body = {
  kind: "commit" | "message";
  by: number;
  number: string;
  text?: Uint8Array;
  data?: Uint8Array;
  change?: Change;
};
type Wire = { group: string; epoch: number; kind: "commit" | "message"; mark: string; body: Body };

const text = (value: unknown): Uint8Array =>
  new TextEncoder().encode(
    JSON.stringify(value, (_key, each) => (each instanceof Uint8Array ? { $: toB64(each) } : each)),
  );
const bytesOf = (each: unknown): unknown => {
  const found = (each as { $?: string } | null)?.$;
  return typeof found === "string" ? new Uint8Array(Buffer.from(found, "base64url")) : each;
};
const value = <T>(bytes: Uint8Array): T =>
  JSON.parse(Buffer.from(bytes).toString(), (_key, each) => bytesOf(each)) as T;
const inside = (state: MlsState): State => state.mls as State;
const mark = (secret: string, body: Body): string => toB64(sha(secret, text(body)));

function read(payload: Uint8Array): Wire {
  try {
    const wire = value<Wire>(payload);
    if (typeof wire.group !== "string" || typeof wire.body.by !== "number") throw new MlsError("broken");
    return wire;
  } catch {
    throw new MlsError("broken");
  }
}

function make(random: (length: number) => Uint8Array): Engine {
  const wire = (state: State, body: Omit<Body, "by" | "number">): Uint8Array => {
    const whole = { ...body, by: state.own, number: toB64(random(8)) };
    const { number, secret } = state.now;
    return text({ group: state.group, epoch: number, kind: body.kind, mark: mark(secret, whole), body: whole });
  };
  const opened = (state: State, payload: Uint8Array): { epoch: Epoch; body: Body; sender: Leaf } => {
    const { epoch: number, body, mark: given } = read(payload);
    const epoch = [state.now, ...state.past].find((each) => each.number === number);
    if (epoch === undefined) throw new MlsError(number > state.now.number ? "too-new" : "too-old");
    if (mark(epoch.secret, body) !== given) throw new MlsError("broken");
    if (body.by === state.own) throw new MlsError("own");
    const sender = epoch.leaves.find(({ index }) => index === body.by);
    if (sender === undefined) throw new MlsError("broken");
    return { epoch, body, sender };
  };
  const proposalsOf = ({ add, remove }: Change): Proposal[] => [
    ...remove.map((index) => ({ type: "remove" as const, index })),
    ...add.map((each) => ({ type: "add" as const, ...each })),
  ];
  const step = (state: State, change: Change, number: string): State => {
    if (change.remove.some((index) => !state.now.leaves.some((leaf) => leaf.index === index)))
      throw new MlsError("broken");
    const leaves = state.now.leaves.filter(({ index }) => !change.remove.includes(index));
    for (const { leaf } of change.add) {
      if (leaves.some(({ key }) => equal(key, leaf.key))) throw new MlsError("broken");
      let index = 0;
      while (leaves.some((each) => each.index === index)) index += 1;
      leaves.push({ ...leaf, index });
    }
    leaves.sort((a, b) => a.index - b.index);
    const out = change.remove.includes(state.own);
    const secret = out ? "none" : toB64(sha(state.now.secret, number));
    const now = { number: state.now.number + (out ? 0 : 1), secret, leaves, used: [] };
    return { ...state, out, now, past: [state.now, ...state.past].slice(0, EPOCHS_KEPT) };
  };
  const packageOf = (keyPackage: Uint8Array) =>
    value<{ leaf: Omit<Leaf, "index">; from: number; until: number }>(keyPackage);

  return {
    envelope(payload) {
      const { group, epoch, kind, body } = read(payload);
      const data = body.data ?? new Uint8Array();
      return { group: new Uint8Array(Buffer.from(group, "base64url")), epoch, kind, data };
    },
    async makeKeyPackage(credential, now, days) {
      const key = random(32);
      const leaf = { key, credential: await credential(key) };
      const keyPackage = text({ leaf, from: now - 86_400, until: now + days * 86_400 });
      const secrets = { keyPackage, init: random(1), encryption: random(1), signature: random(1) };
      return { keyPackage, ref: sha(keyPackage), secrets };
    },
    async readKeyPackage(keyPackage) {
      return { keyPackage, ref: sha(keyPackage), ...packageOf(keyPackage) };
    },
    async create(group, { keyPackage }) {
      const leaves = [{ ...packageOf(keyPackage).leaf, index: 0 }];
      const now = { number: 0, secret: toB64(random(8)), leaves, used: [] };
      return { mls: { group: toB64(group), own: 0, out: false, sent: 0, now, past: [] } satisfies State };
    },
    async join(welcome, { keyPackage }) {
      const { state, forNewcomers } = value<{ state: State; forNewcomers?: Uint8Array }>(welcome);
      const { leaf } = packageOf(keyPackage);
      const own = state.now.leaves.find(({ key }) => equal(key, leaf.key));
      if (own === undefined) throw new MlsError("broken");
      return { state: { mls: { ...state, own: own.index, past: [] } }, forNewcomers };
    },
    group: (state) => new Uint8Array(Buffer.from(inside(state).group, "base64url")),
    epoch: (state) => inside(state).now.number,
    leaves: (state) => inside(state).now.leaves,
    ownIndex: (state) => inside(state).own,
    isOut: (state) => inside(state).out,
    exporter: async (state, label, context, length) => sha(inside(state).now.secret, label, context).slice(0, length),
    authenticator: (state) => sha(inside(state).now.secret, "authenticator"),
    async seal(state, plaintext) {
      const here = inside(state);
      const payload = wire(here, { kind: "message", text: plaintext });
      return { state: { mls: { ...here, sent: here.sent + 1 } }, payload, spent: [] };
    },
    async open(state, payload) {
      const here = inside(state);
      const { epoch, body, sender } = opened(here, payload);
      if (body.text === undefined) throw new MlsError("broken");
      if (epoch.used.includes(body.number)) throw new MlsError("used");
      const used = { ...epoch, used: [...epoch.used, body.number] };
      const swap = (each: Epoch): Epoch => (each === epoch ? used : each);
      const after = { ...here, now: swap(here.now), past: here.past.map(swap) };
      return { state: { mls: after }, sender, plaintext: body.text, spent: [] };
    },
    async commit(state, { add, remove, data, forNewcomers }) {
      const here = inside(state);
      const change = { add: add.map(packageOf), remove: [...remove] };
      const payload = wire(here, { kind: "commit", data, change });
      const next = step(here, change, read(payload).body.number);
      const welcome = add.length > 0 ? { welcome: text({ state: { ...next, past: [] }, forNewcomers }) } : {};
      return { current: state, next: { mls: next }, payload, ...welcome, spent: [] };
    },
    async openCommit(state, payload) {
      const { body, sender } = opened(inside(state), payload);
      if (body.change === undefined || body.data === undefined) throw new MlsError("broken");
      return { committer: sender, proposals: proposalsOf(body.change), data: body.data };
    },
    async apply(state, payload) {
      const { body } = opened(inside(state), payload);
      if (body.change === undefined) throw new MlsError("broken");
      return { state: { mls: step(inside(state), body.change, body.number) }, spent: [] };
    },
    adopt(current, next) {
      const { now, past } = inside(current);
      return { mls: { ...inside(next), past: [now, ...past].slice(0, EPOCHS_KEPT) } };
    },
    encode: (state) => text(state.mls),
    decode: (bytes) => ({ mls: value<State>(bytes) }),
  };
}

/** A lent world whose chance is a seed's. Signatures are hashes: forging them is left to tests that make wrong ones. */
export function model(chance: () => number): Lent {
  const random = (length: number): Uint8Array => Uint8Array.from({ length }, () => Math.floor(chance() * 256));
  const tag = (key: Uint8Array, message: Uint8Array): Uint8Array => {
    const half = sha("signature", key, message);
    return concat(half, half);
  };
  const primitives: Primitives = {
    random,
    hash: async (bytes) => sha(bytes),
    publicKey: async (seed) => sha("public", seed),
    sign: async (seed, message) => tag(sha("public", seed), message),
    verify: async (key, message, signature) => equal(tag(key, message), signature),
    seal: async (key, _nonce, plaintext) => concat(sha("seal", key), plaintext),
    open: async (key, _nonce, sealed) => {
      if (!equal(sha("seal", key), sealed.slice(0, 32))) throw new Error("another key");
      return sealed.slice(32);
    },
  };
  return { engine: make(random), primitives };
}
