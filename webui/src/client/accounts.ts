/** Accounts: making one from a link, coming back from the 24 words, being let in by another device. */
import { Refused } from "../api/problems.ts";
import type { AccountAnswer, NewDevice } from "../api/types.ts";
import { fromB64, toB64 } from "../bytes/text.ts";
import { hash, random } from "../bytes/webcrypto.ts";
import type { Core } from "./core.ts";
import { Failure } from "./failures.ts";
import type { OpenedInvite } from "./invites.ts";
import { accountKey, SIZES } from "./keys.ts";
import { names, type StoredAccount, type StoredBeginning } from "./stored.ts";
import { fromWords, toWords, typedWords, unknownWords } from "./words.ts";

/** A device before the node knows it. */
export interface FreshDevice {
  readonly token: string;
  readonly public: NewDevice;
}

export async function freshDevice(): Promise<FreshDevice> {
  const token = random(SIZES.token);
  return { token: toB64(token), public: { id: toB64(random(SIZES.id)), token_hash: toB64(await hash(token)) } };
}

/** Makes an account from an invite. Its secret is kept before the node is asked, so that no account is ever lost. */
export async function register(core: Core, invite: OpenedInvite, name: string): Promise<void> {
  if (core.account) throw new Failure("already-here");
  if (!invite.answer.accounts) throw new Failure("invite-no-account");
  const { secret, device } = await beginning(core, invite.id);
  const { key } = await accountKey(secret);
  const body = { invite: { id: invite.id, proof: invite.proof }, account_key: key, device: device.public };
  let answer: AccountAnswer;
  try {
    answer = await core.apiOf(invite.node).register(body);
  } catch (problem) {
    if (problem instanceof Refused && [404, 409, 410].includes(problem.status)) throw new Failure("invite-gone");
    throw problem;
  }
  await settle(core, { node: invite.node, secret, name, device, answer, sheetKept: false });
}

/** The secret and device of an account to be made; the same again when its answer was lost. */
async function beginning(core: Core, invite: string): Promise<{ secret: Uint8Array; device: FreshDevice }> {
  if (core.vault.phase === "empty") await core.vault.create();
  const before = await core.vault.json<StoredBeginning>(names.beginning);
  if (before?.invite === invite) {
    const token_hash = toB64(await hash(fromB64(before.token)));
    const device = { token: before.token, public: { id: before.device, token_hash } };
    return { secret: fromB64(before.secret), device };
  }
  const secret = random(SIZES.account);
  const device = await freshDevice();
  const kept: StoredBeginning = { invite, secret: toB64(secret), device: device.public.id, token: device.token };
  await core.vault.write(new Map([[names.beginning, kept]]));
  return { secret, device };
}

/** Comes back with the words. Throws Failure `wrong-words`, `unknown-account`. */
export async function recover(core: Core, node: string, typed: string): Promise<void> {
  if (core.account) throw new Failure("already-here");
  const secret = await fromWords(typedWords(typed));
  if (secret?.length !== SIZES.account) throw new Failure("wrong-words");
  const api = core.apiOf(node);
  const { key, sign } = await accountKey(secret);
  const device = await freshDevice();
  const { challenge } = await api.challenge();
  const { id, token_hash } = device.public;
  const said = [fromB64(challenge), fromB64(id), fromB64(token_hash)];
  const signature = await sign("hedgerow account recovery v1", ...said);
  let answer: AccountAnswer;
  try {
    answer = await api.recover({ account_key: key, challenge, signature, device: device.public });
  } catch (problem) {
    if (problem instanceof Refused && [401, 403, 404].includes(problem.status)) throw new Failure("unknown-account");
    throw problem;
  }
  await settle(core, { node, secret, name: "", device, answer, sheetKept: true });
}

/** Checks words while they are typed. */
export async function checkWords(typed: string): Promise<{ unknown: string[]; complete: boolean }> {
  const words = typedWords(typed);
  // The last word may be half typed.
  const finished = /[^a-zA-Z]$/.test(typed) ? words : words.slice(0, -1);
  return { unknown: unknownWords(finished), complete: (await fromWords(words))?.length === SIZES.account };
}

export async function sheet(core: Core): Promise<{ words: string[]; code: string }> {
  const words = await toWords(fromB64(core.self.secret, SIZES.account));
  return { words, code: words.join(" ") };
}

/** Makes the vault of a device that was let in. */
export async function settle(
  core: Core,
  given: {
    node: string;
    secret: Uint8Array;
    name: string;
    device: FreshDevice;
    answer: AccountAnswer;
    sheetKept: boolean;
  },
): Promise<void> {
  const { node, secret, name, device, answer, sheetKept } = given;
  const account: StoredAccount = {
    node,
    nodeId: answer.node_id,
    community: answer.title,
    account: answer.account,
    device: device.public.id,
    token: device.token,
    secret: toB64(secret),
    name,
    mayInvite: answer.may_invite ?? false,
    sheetKept,
    sheetPutOff: 0,
    wrote: false,
    revoked: false,
  };
  if (core.vault.phase === "empty") await core.vault.create();
  await core.vault.write(
    new Map<(typeof names)["account"], unknown>([
      [names.account, account],
      [names.beginning, null],
      [names.settings, core.settings],
    ]),
  );
  core.account = account;
  core.forgetApi();
  core.lasting = await core.vault.lasting();
  core.changed();
}

/** Takes over what the node says of the account: its community's name, and what it allows. */
export async function refreshAccount(core: Core): Promise<void> {
  const answer = await core.api.self();
  const { community, mayInvite, nodeId } = core.self;
  if (answer.node_id !== nodeId) core.trouble("node-changed", null);
  const allowed = answer.may_invite ?? mayInvite;
  if (answer.title !== community || allowed !== mayInvite)
    await core.saveAccount({ community: answer.title, mayInvite: allowed });
}
