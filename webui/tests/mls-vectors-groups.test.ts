/** The patched engine against the working group's vectors of whole groups: trees, paths, Welcomes, commits. */
import assert from "node:assert/strict";
import { type ClientState, joinGroup, makePskIndex, validateRatchetTree } from "ts-mls/clientState.js";
import { applyUpdatePathSecret } from "ts-mls/createCommit.js";
import { deriveSecret } from "ts-mls/crypto/kdf.js";
import type { GroupContext } from "ts-mls/groupContext.js";
import { verifyGroupInfoConfirmationTag, verifyGroupInfoSignature } from "ts-mls/groupInfo.js";
import { acceptAll } from "ts-mls/incomingMessageAction.js";
import { makeKeyPackageRef } from "ts-mls/keyPackage.js";
import { decodeMlsMessage, type MLSMessage } from "ts-mls/message.js";
import { verifyParentHashes } from "ts-mls/parentHash.js";
import { pathToRoot } from "ts-mls/pathSecrets.js";
import { processPrivateMessage, processPublicMessage } from "ts-mls/processMessages.js";
import { decodeRatchetTree, resolution } from "ts-mls/ratchetTree.js";
import { treeHash, treeHashRoot } from "ts-mls/treeHash.js";
import { leafWidth, root, toLeafIndex, toNodeIndex } from "ts-mls/treemath.js";
import { applyUpdatePath, decodeUpdatePath } from "ts-mls/updatePath.js";
import { bytesToBase64 } from "ts-mls/util/byteArray.js";
import { decryptGroupInfo, decryptGroupSecrets } from "ts-mls/welcome.js";
import { SETTINGS } from "../src/mls/settings.ts";
import { SUITE_NAME, suite } from "../src/mls/suite.ts";
import { hex, toHex, vectors, whole } from "./mls-vectors.ts";

const crypto = await suite();
const is = (bytes: Uint8Array | undefined, expected: string): void => assert.equal(bytes && toHex(bytes), expected);

type Tree = { tree: string; group_id: string; tree_hashes: string[]; resolutions: number[][] };
vectors<Tree>("tree-validation", async (it) => {
  const tree = whole(decodeRatchetTree, hex(it.tree));
  for (const [at, expected] of it.tree_hashes.entries())
    is(await treeHash(tree, toNodeIndex(at), crypto.hash), expected);
  for (const [at, expected] of it.resolutions.entries()) assert.deepEqual(resolution(tree, toNodeIndex(at)), expected);
  assert.ok(await verifyParentHashes(tree, crypto.hash));
  const hash = await treeHashRoot(tree, crypto.hash);
  const context = contextOf({ group_id: it.group_id, epoch: 1, confirmed_transcript_hash: "" }, hash);
  const { lifetimeConfig, authService } = SETTINGS;
  assert.equal(await validateRatchetTree(tree, context, lifetimeConfig, authService, hash, crypto), undefined);
});

function contextOf(
  it: { group_id: string; epoch: number; confirmed_transcript_hash: string },
  treeHashAfter: Uint8Array,
): GroupContext {
  return {
    version: "mls10",
    cipherSuite: SUITE_NAME,
    groupId: hex(it.group_id),
    epoch: BigInt(it.epoch),
    treeHash: treeHashAfter,
    confirmedTranscriptHash: hex(it.confirmed_transcript_hash),
    extensions: [],
  };
}

type Private = { index: number; encryption_priv: string; path_secrets: { node: number; path_secret: string }[] };
type Path = {
  sender: number;
  update_path: string;
  path_secrets: (string | null)[];
  commit_secret: string;
  tree_hash_after: string;
};
type TreeKem = {
  group_id: string;
  epoch: number;
  confirmed_transcript_hash: string;
  ratchet_tree: string;
  leaves_private: Private[];
  update_paths: Path[];
};
vectors<TreeKem>("treekem", async (it) => {
  const tree = whole(decodeRatchetTree, hex(it.ratchet_tree));
  for (const each of it.update_paths) {
    const path = whole(decodeUpdatePath, hex(each.update_path));
    const sender = toLeafIndex(each.sender);
    const after = await applyUpdatePath(tree, sender, path, crypto.hash);
    is(await treeHashRoot(after, crypto.hash), each.tree_hash_after);
    const context = contextOf(it, hex(each.tree_hash_after));
    for (const own of it.leaves_private) {
      if (own.index === each.sender) continue;
      const privateKeys: Record<number, Uint8Array> = { [own.index * 2]: hex(own.encryption_priv) };
      for (const { node, path_secret } of own.path_secrets) {
        const pair = await crypto.hpke.deriveKeyPair(await deriveSecret(hex(path_secret), "node", crypto.kdf));
        privateKeys[node] = await crypto.hpke.exportPrivateKey(pair.privateKey);
      }
      const held = { leafIndex: own.index, privateKeys };
      const found = await applyUpdatePathSecret(after, held, sender, context, path, [], crypto);
      is(found.pathSecret, each.path_secrets[own.index] ?? "");
      const secrets = await pathToRoot(after, toNodeIndex(found.nodeIndex), found.pathSecret, crypto.kdf);
      const top = secrets[root(leafWidth(after.length))];
      assert.ok(top);
      is(await deriveSecret(top, "path", crypto.kdf), each.commit_secret);
    }
  }
});

const message = <F extends MLSMessage["wireformat"]>(text: string, format: F) => {
  const read = whole(decodeMlsMessage, hex(text));
  assert.equal(read.wireformat, format);
  return read as Extract<MLSMessage, { wireformat: F }>;
};

vectors<{ init_priv: string; key_package: string; signer_pub: string; welcome: string }>("welcome", async (it) => {
  const { keyPackage } = message(it.key_package, "mls_key_package");
  const { welcome } = message(it.welcome, "mls_welcome");
  const ref = await makeKeyPackageRef(keyPackage, crypto.hash);
  const key = await crypto.hpke.importPrivateKey(hex(it.init_priv));
  const secrets = await decryptGroupSecrets(key, ref, welcome, crypto.hpke);
  assert.ok(secrets);
  const none = new Uint8Array(crypto.kdf.size);
  const info = await decryptGroupInfo(welcome, secrets.joinerSecret, none, crypto);
  assert.ok(info);
  assert.ok(await verifyGroupInfoSignature(info, hex(it.signer_pub), crypto.signature));
  assert.ok(await verifyGroupInfoConfirmationTag(info, secrets.joinerSecret, none, crypto));
});

type Client = {
  external_psks: { psk_id: string; psk: string }[];
  key_package: string;
  signature_priv: string;
  encryption_priv: string;
  init_priv: string;
  welcome: string;
  ratchet_tree: string | null;
  initial_epoch_authenticator: string;
  epochs: { proposals: string[]; commit: string; epoch_authenticator: string }[];
};

async function passive(it: Client): Promise<void> {
  const psks = Object.fromEntries(it.external_psks.map(({ psk_id, psk }) => [bytesToBase64(hex(psk_id)), hex(psk)]));
  const { keyPackage } = message(it.key_package, "mls_key_package");
  const keys = {
    initPrivateKey: hex(it.init_priv),
    hpkePrivateKey: hex(it.encryption_priv),
    signaturePrivateKey: hex(it.signature_priv),
  };
  const tree = it.ratchet_tree === null ? undefined : whole(decodeRatchetTree, hex(it.ratchet_tree));
  const { welcome } = message(it.welcome, "mls_welcome");
  let state = await joinGroup(
    welcome,
    keyPackage,
    keys,
    makePskIndex(undefined, psks),
    crypto,
    tree,
    undefined,
    SETTINGS,
  );
  is(state.keySchedule.epochAuthenticator, it.initial_epoch_authenticator);
  const follow = async (text: string): Promise<ClientState> => {
    const read = whole(decodeMlsMessage, hex(text));
    const index = makePskIndex(state, psks);
    if (read.wireformat === "mls_public_message")
      return (await processPublicMessage(state, read.publicMessage, index, crypto, acceptAll)).newState;
    assert.ok(read.wireformat === "mls_private_message");
    return (await processPrivateMessage(state, read.privateMessage, index, crypto, acceptAll)).newState;
  };
  for (const epoch of it.epochs) {
    for (const proposal of epoch.proposals) state = await follow(proposal);
    state = await follow(epoch.commit);
    is(state.keySchedule.epochAuthenticator, epoch.epoch_authenticator);
  }
}

vectors<Client>("passive-client-welcome", passive);
vectors<Client>("passive-client-handling-commit", passive);
