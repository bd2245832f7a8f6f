/** A member (or an outsider) who breaks the rules: makes commits that the session would refuse to make. */
import type { ClientState } from "ts-mls/clientState.js";
import { createCommit, createGroupInfoWithExternalPubAndRatchetTree, joinGroupExternal } from "ts-mls/createCommit.js";
import { createProposal } from "ts-mls/createMessage.js";
import { createContentCommitSignature } from "ts-mls/framedContent.js";
import { encodeMlsMessage } from "ts-mls/message.js";
import { protect } from "ts-mls/messageProtection.js";
import type { Proposal } from "ts-mls/proposal.js";
import { emptyPskIndex } from "ts-mls/pskIndex.js";
import { toB64 } from "../src/bytes/text.ts";
import * as webcrypto from "../src/bytes/webcrypto.ts";
import { suite } from "../src/mls/suite.ts";
import type { KeyPackageSecrets, MlsState } from "../src/mls/types.ts";
import { readPackage } from "../src/mls/wire.ts";
import { policyHash, step, type Transition } from "../src/rooms/policy.ts";
import { sealProofs } from "../src/rooms/proofs.ts";
import { proofsKey } from "../src/rooms/receiving.ts";
import { decodeData } from "../src/rooms/stored.ts";
import type { Approval, Leave, LogEntry, Proofs, RemovalVote, Revocation } from "../src/rooms/types.ts";
import { type Device, REAL } from "./room-world.ts";

export const NO_PROOFS: Omit<Proofs, "policy"> = { approvals: [], votes: [], leaves: [], revocations: [] };

/** The device's MLS state, taken out of what it stores. */
export const stateOf = (device: Device): MlsState => decodeData(device.lent.engine, device.in.encode()).mls;

export type Attack = {
  readonly add?: readonly Uint8Array[];
  readonly remove?: readonly number[];
  readonly approvals?: readonly Approval[];
  readonly votes?: readonly RemovalVote[];
  readonly leaves?: readonly Leave[];
  readonly revocations?: readonly Revocation[];
  /** What the policy becomes, so that its hash is right; without it the hash is that of a commit without effect. */
  readonly transition?: Partial<Transition>;
  /** Instead of sealed proofs. */
  readonly data?: Uint8Array;
};

/** A commit as hostile as asked for, in every other respect perfect. */
export async function forge(device: Device, attack: Attack): Promise<{ payload: Uint8Array; welcome?: Uint8Array }> {
  const { primitives } = device.lent;
  const state = stateOf(device);
  const { approvals = [], votes = [], leaves = [], revocations = [] } = attack;
  const transition = { added: [], departed: [], revoked: [], ...attack.transition };
  const policy = await policyHash(primitives, step(device.in.policy, transition));
  const key = await proofsKey(device.lent, device.in.room, state);
  const data = attack.data ?? (await sealProofs(primitives, key, { approvals, votes, leaves, revocations, policy }));
  return device.lent.engine.commit(state, {
    add: attack.add ?? [],
    remove: attack.remove ?? [],
    data,
    forNewcomers: new Uint8Array(),
  });
}

/** Puts a payload into the log as a commit of the device's epoch, whatever it is. */
export function place(device: Device, payload: Uint8Array, epoch = device.in.epoch): Promise<LogEntry> {
  return device.hub.append({ id: toB64(webcrypto.random(16)), kind: "commit", epoch, payload });
}

export async function strike(device: Device, attack: Attack): Promise<LogEntry> {
  return place(device, (await forge(device, attack)).payload);
}

/** A commit with any proposals at all, well signed and encrypted; nothing about what it does to the tree is true. */
export async function forgeProposals(device: Device, proposals: readonly Proposal[]): Promise<Uint8Array> {
  const state = stateOf(device).mls as ClientState;
  const crypto = await suite();
  const sender = { senderType: "member" as const, leafIndex: state.privatePath.leafIndex };
  const commit = {
    proposals: proposals.map((proposal) => ({ proposalOrRefType: "proposal" as const, proposal })),
    path: undefined,
  };
  const data = new Uint8Array();
  const { framedContent, signature } = await createContentCommitSignature(
    state.groupContext,
    "mls_private_message",
    commit,
    sender,
    data,
    state.signaturePrivateKey,
    crypto.signature,
  );
  const auth = { contentType: "commit" as const, signature, confirmationTag: webcrypto.random(32) };
  const { privateMessage } = await protect(
    state.keySchedule.senderDataSecret,
    data,
    state.groupContext,
    state.secretTree,
    { ...framedContent, auth },
    sender.leafIndex,
    state.clientConfig.paddingConfig,
    crypto,
  );
  return encodeMlsMessage({ version: "mls10", wireformat: "mls_private_message", privateMessage });
}

/** An empty commit whose fresh leaf claims to belong to somebody else. */
export async function forgeIdentity(device: Device, credential: Uint8Array): Promise<Uint8Array> {
  const state = stateOf(device).mls as ClientState;
  const own = state.privatePath.leafIndex * 2;
  const node = state.ratchetTree[own];
  if (node?.nodeType !== "leaf") throw new Error("no leaf of one's own");
  const leaf = { ...node.leaf, credential: { credentialType: "basic" as const, identity: credential } };
  const ratchetTree = state.ratchetTree.map((each, at) => (at === own ? { nodeType: "leaf" as const, leaf } : each));
  const key = await proofsKey(REAL, device.in.room, stateOf(device));
  const policy = await policyHash(webcrypto, step(device.in.policy, { added: [], departed: [], revoked: [] }));
  const authenticatedData = await sealProofs(webcrypto, key, { ...NO_PROOFS, policy });
  const context = { state: { ...state, ratchetTree }, cipherSuite: await suite(), pskIndex: emptyPskIndex };
  const made = await createCommit(context, { authenticatedData });
  return encodeMlsMessage(made.commit);
}

/** A proposal on its own, and the state in which its sender could commit it by reference. */
export async function forgeStray(device: Device): Promise<{ proposal: Uint8Array; commit: Uint8Array }> {
  const state = stateOf(device).mls as ClientState;
  const remove = { proposalType: "remove" as const, remove: { removed: state.privatePath.leafIndex === 0 ? 1 : 0 } };
  const stray = await createProposal(state, false, remove, await suite());
  const made = await createCommit({ state: stray.newState, cipherSuite: await suite(), pskIndex: emptyPskIndex });
  return { proposal: encodeMlsMessage(stray.message), commit: encodeMlsMessage(made.commit) };
}

/** Somebody who got hold of the GroupInfo lets themselves in. */
export async function forgeExternal(device: Device, own: KeyPackageSecrets): Promise<Uint8Array> {
  const state = stateOf(device).mls as ClientState;
  // Sessions throw this secret away; an attacker's client would not have.
  const keySchedule = { ...state.keySchedule, externalSecret: webcrypto.random(32) };
  const crypto = await suite();
  const info = await createGroupInfoWithExternalPubAndRatchetTree({ ...state, keySchedule }, [], crypto);
  const keys = { initPrivateKey: own.init, hpkePrivateKey: own.encryption, signaturePrivateKey: own.signature };
  const settings = state.clientConfig;
  const joined = await joinGroupExternal(info, readPackage(own.keyPackage), keys, false, crypto, undefined, settings);
  return encodeMlsMessage({ version: "mls10", wireformat: "mls_public_message", publicMessage: joined.publicMessage });
}
