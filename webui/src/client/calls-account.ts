/** Calls about the account, its devices, its lock and its links. */
import { Refused } from "../api/problems.ts";
import { fromB64 } from "../bytes/text.ts";
import { checkWords, recover, register, sheet } from "./accounts.ts";
import type { Handlers, Place } from "./client.ts";
import { Failure } from "./failures.ts";
import { makeInvite, openLink, ownInvites, viewInvite, withdrawInvite } from "./invites.ts";
import { readLink, roomIdentity, tidyNode } from "./keys.ts";
import { cameThrough, withoutInvite } from "./pairing.ts";
import { change } from "./records.ts";
import { BOUNDS, type Calls, type DeviceView } from "./types.ts";
import { stateOf } from "./views.ts";

/** A name as it may stand in a room: one line, not empty. Throws Failure `too-long`. */
export function tidyName(name: string): string {
  const tidy = name.normalize("NFC").replace(/\s+/g, " ").trim();
  if (tidy === "" || [...tidy].length > BOUNDS.nameCharacters) throw new Failure("too-long", "a name");
  return tidy;
}

type Names =
  | "start"
  | "state"
  | "touch"
  | "wake"
  | "openInvite"
  | "register"
  | "ask"
  | "sheetWords"
  | "sheetDone"
  | "recover"
  | "checkWords"
  | "deleteAccount"
  | "forgetEverything"
  | "setPassphrase"
  | "setLockAfter"
  | "lock"
  | "unlock"
  | "keepOnNode"
  | "returnFromNode"
  | "devices"
  | "renameDevice"
  | "revokeDevice"
  | "linkNew"
  | "linkOld"
  | "linkConfirm"
  | "linkCancel"
  | "makeInvite"
  | "invites"
  | "withdrawInvite";

export const accountCalls: Pick<Handlers, Names> = {
  start: ({ client, home }, { node }) => {
    client.node = tidyNode(node);
    home.wake();
    return stateOf(home.core);
  },
  state: ({ home }) => stateOf(home.core),
  touch: () => null,
  wake: ({ home }) => home.wake(),

  openInvite: ({ home }, { link }) => viewInvite(home.core, link),
  register: async ({ home }, input) => {
    const name = tidyName(input.name);
    const invite = await openLink(home.core, input.link);
    // The account was made the last time, but what came after it failed.
    if (home.core.account?.node !== invite.node || !invite.note.room) await register(home.core, invite, name);
    const room = invite.note.room ? await home.asking.ask(invite, name, input.words ?? "") : null;
    await home.connect();
    return { room };
  },
  ask: async (place, input) => ({ room: await ask(place, input) }),
  sheetWords: ({ home }) => sheet(home.core),
  sheetDone: ({ home }, { kept }) =>
    home.core
      .saveAccount(kept ? { sheetKept: true } : { sheetPutOff: home.core.now })
      .then(() => (kept ? home.index.touch() : undefined)),
  recover: async ({ home, client }, { words, node }) => {
    await recover(home.core, node ? tidyNode(node) : client.node, words);
    await home.index.sync();
    await home.connect();
    return { rooms: home.core.rooms.size };
  },
  checkWords: (_, { words }) => checkWords(words),
  deleteAccount: async ({ home, client }) => {
    await home.core.api.deleteAccount();
    await client.wipe();
  },
  forgetEverything: async ({ home, client }) => {
    const { account } = home.core;
    // The node forgets this device too, if it can be reached; nothing here waits for that.
    const api = account && home.core.apiOf(account.node, account.token);
    await client.wipe();
    api?.revokeDevice(account?.device ?? "").catch(() => {});
  },

  setPassphrase: async ({ home }, { passphrase, current }) => {
    if (passphrase !== null && [...passphrase.trim()].length < BOUNDS.passphraseCharacters)
      throw new Failure("weak-passphrase");
    const { vault } = home.core;
    // The saved client asks for one before there is anything to keep.
    if (vault.phase === "empty") await vault.create(passphrase);
    else await vault.setPassphrase(passphrase, current);
    home.core.changed();
  },
  setLockAfter: ({ home }, { seconds }) => home.core.saveSettings({ lockAfter: seconds }),
  lock: ({ client, home }) => {
    if (!home.core.vault.hasPassphrase) throw new Failure("unknown", "there is no passphrase");
    return client.lock();
  },
  unlock: async ({ home, client }, { passphrase }) => {
    await home.core.vault.unlock(passphrase);
    await client.opened();
  },

  keepOnNode: async ({ home }, { keep }) => {
    if (keep) return { words: await home.copy.keep((id) => home.index.device(id, { copy: true })) };
    await home.copy.drop((id) => home.index.device(id, { over: true }));
    return { words: "" };
  },
  returnFromNode: async ({ home, client }, { words, node }) => {
    await home.copy.bring(node ? tidyNode(node) : client.node, words);
    await client.returned();
  },

  devices: ({ home }) => devices(home),
  renameDevice: ({ home }, { device, name }) => home.index.device(device, { name: tidyName(name) }),
  revokeDevice: ({ home }, { device }) => revokeDevice(home, device),
  linkNew: async ({ home, client }, { node }) => (await home.linking()).begin(node ? tidyNode(node) : client.node),
  linkOld: async ({ home }, { code }) => (await home.linking()).join(code),
  linkConfirm: async ({ home }, { match }) => (await home.linking()).confirm(match),
  linkCancel: async ({ home }) => (await home.linking()).cancel(),

  makeInvite: async ({ home }, input) => {
    const { link, stored } = await makeInvite(home.core, input);
    return { invite: stored.invite, link, expires: stored.expires };
  },
  invites: ({ home }) => ownInvites(home.core),
  withdrawInvite: ({ home }, { invite }) => withdrawInvite(home.core, invite, () => home.index.closeInvite(invite)),
};

async function ask({ home }: Place, input: Calls["ask"]["input"]): Promise<string> {
  const { core } = home;
  const name = tidyName(input.name);
  core.self;
  const through = cameThrough(core.rooms.values(), readLink(input.link, "join")?.secret);
  const known = through?.session ? { room: through.id, member: through.session.identity } : undefined;
  const room = await home.asking.ask(await openLink(core, input.link), name, input.words ?? "", known);
  await core.saveAccount({ name });
  if (through) await change(home, through, (record) => withoutInvite(record, input.link));
  return room;
}

async function devices(home: Place["home"]): Promise<DeviceView[]> {
  const answers = await home.core.api.devices();
  const known = home.index.index.devices;
  const archive = await home.archive.id();
  return answers
    .filter(({ id }) => id !== archive)
    .map(({ id, created_day, this: current }) => {
      const { name = "", copy = false } = known[id] ?? {};
      return { device: id, name, current, created: created_day, copy };
    });
}

/** The node forgets the device at once; its place in each room is taken away by the members' devices. */
async function revokeDevice(home: Place["home"], device: string): Promise<void> {
  const { core } = home;
  if (device === core.self.device) throw new Failure("unknown", "this is the device in use");
  try {
    await core.api.revokeDevice(device);
  } catch (problem) {
    // Half done before: go on with the rooms.
    if (!(problem instanceof Refused) || problem.status !== 404) throw problem;
  }
  await home.index.sync();
  const leaves = home.index.index.devices[device]?.leaves ?? {};
  for (const [id, leaf] of Object.entries(leaves)) {
    const room = core.rooms.get(id);
    const own = room?.session?.members.find((member) => member.self);
    if (!room?.inside || !room.session || !own?.leaves.some(({ key }) => key === leaf)) continue;
    const me = await roomIdentity(fromB64(core.self.secret), id);
    await home.sender.enqueue(room, await room.session.revoke(me, leaf));
  }
  await home.index.device(device, { over: true });
}
