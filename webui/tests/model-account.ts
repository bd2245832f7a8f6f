/** Ann's device and her account at a model of a node, as they are kept. */
import { toB64 } from "../src/bytes/text.ts";
import { random } from "../src/bytes/webcrypto.ts";
import { names, type StoredAccount } from "../src/client/stored.ts";
import { MemoryStorage } from "../src/vault/records.ts";
import { Vault } from "../src/vault/vault.ts";

export const HOME = "http://home.example.org";

/** Her account at a node with this name. */
export const account = (nodeId: string): StoredAccount => ({
  node: HOME,
  nodeId,
  community: "Home",
  account: toB64(new Uint8Array(32)),
  device: toB64(new Uint8Array(16)),
  token: toB64(new Uint8Array(32)),
  secret: toB64(random(32)),
  name: "Ann",
  mayInvite: true,
  sheetKept: true,
  sheetPutOff: 0,
  wrote: true,
  revoked: false,
});

/** All that is kept on a device that has nothing but this account. */
export async function withAccountAt(nodeId: string): Promise<MemoryStorage> {
  const kept = new MemoryStorage();
  const vault = await Vault.in(kept);
  await vault.create();
  await vault.write(new Map([[names.account, account(nodeId)]]));
  return kept;
}

/** Pauses are a fiftieth of what they are for people. */
export const later = (milliseconds: number, run: () => void) => {
  const timer = setTimeout(run, milliseconds / 50);
  // A test that fails half-way ends all the same.
  timer.unref();
  return () => clearTimeout(timer);
};
