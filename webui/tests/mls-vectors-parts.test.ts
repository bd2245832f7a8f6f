/** The parts of the engine against the working group's vectors: crypto, key schedule, messages, tree arithmetic. */
import assert from "node:assert/strict";
import { decodeAuthenticatedContent } from "ts-mls/authenticatedContent.js";
import { determineLength } from "ts-mls/codec/variableLength.js";
import { decodeCommit, encodeCommit } from "ts-mls/commit.js";
import { refhash } from "ts-mls/crypto/hash.js";
import { decryptWithLabel, encryptWithLabel } from "ts-mls/crypto/hpke.js";
import { deriveSecret, deriveTreeSecret, expandWithLabel } from "ts-mls/crypto/kdf.js";
import { signWithLabel, verifyWithLabel } from "ts-mls/crypto/signature.js";
import { verifyConfirmationTag } from "ts-mls/framedContent.js";
import { encodeGroupContext, type GroupContext } from "ts-mls/groupContext.js";
import { decodeGroupSecrets, encodeGroupSecrets } from "ts-mls/groupSecrets.js";
import { initializeEpoch, mlsExporter } from "ts-mls/keySchedule.js";
import { decodeMlsMessage, encodeMlsMessage, type MLSMessage } from "ts-mls/message.js";
import { protectApplicationData, unprotectPrivateMessage } from "ts-mls/messageProtection.js";
import { unprotectPublicMessage } from "ts-mls/messageProtectionPublic.js";
import { computePskSecret, type PreSharedKeyID } from "ts-mls/presharedkey.js";
import * as proposals from "ts-mls/proposal.js";
import { decodeRatchetTree, encodeRatchetTree } from "ts-mls/ratchetTree.js";
import { createSecretTree, ratchetToGeneration } from "ts-mls/secretTree.js";
import { expandSenderDataKey, expandSenderDataNonce, type ReuseGuard } from "ts-mls/sender.js";
import { createConfirmedHash, createInterimHash } from "ts-mls/transcriptHash.js";
import { leafWidth, left, nodeWidth, parent, right, root, sibling, toNodeIndex } from "ts-mls/treemath.js";
import { SETTINGS } from "../src/mls/settings.ts";
import { SUITE_NAME, suite } from "../src/mls/suite.ts";
import { hex, toHex, vectors, whole } from "./mls-vectors.ts";

const crypto = await suite();
type Hexes = Record<string, string>;
const is = (bytes: Uint8Array, expected: string | undefined, what = ""): void =>
  assert.equal(toHex(bytes), expected, what);

type Context = { group_id: string; epoch: number; tree_hash: string; confirmed_transcript_hash: string };
const contextOf = (it: Context) =>
  ({
    version: "mls10",
    cipherSuite: SUITE_NAME,
    groupId: hex(it.group_id),
    epoch: BigInt(it.epoch),
    treeHash: hex(it.tree_hash),
    confirmedTranscriptHash: hex(it.confirmed_transcript_hash),
    extensions: [],
  }) satisfies GroupContext;

type Basics = Record<string, { [key: string]: string } & { length: number; generation: number }>;
vectors<Basics>("crypto-basics", async (it) => {
  const part = (name: string) => {
    const found = it[name];
    assert.ok(found);
    const bytes = (key: string): Uint8Array => hex(found[key] as string);
    const { label = "", out = "", plaintext = "", length, generation } = found;
    return { label, out, plaintext, length, generation, bytes };
  };
  const ref = part("ref_hash");
  is(await refhash(ref.label, ref.bytes("value"), crypto.hash), ref.out);
  const expand = part("expand_with_label");
  is(
    await expandWithLabel(expand.bytes("secret"), expand.label, expand.bytes("context"), expand.length, crypto.kdf),
    expand.out,
  );
  const derive = part("derive_secret");
  is(await deriveSecret(derive.bytes("secret"), derive.label, crypto.kdf), derive.out);
  const tree = part("derive_tree_secret");
  is(await deriveTreeSecret(tree.bytes("secret"), tree.label, tree.generation, tree.length, crypto.kdf), tree.out);
  const sign = part("sign_with_label");
  const made = await signWithLabel(sign.bytes("priv"), sign.label, sign.bytes("content"), crypto.signature);
  for (const signature of [made, sign.bytes("signature")]) {
    assert.ok(await verifyWithLabel(sign.bytes("pub"), sign.label, sign.bytes("content"), signature, crypto.signature));
  }
  const box = part("encrypt_with_label");
  const { hpke } = crypto;
  const open = async (kem: Uint8Array, sealed: Uint8Array) =>
    decryptWithLabel(
      await hpke.importPrivateKey(box.bytes("priv")),
      box.label,
      box.bytes("context"),
      kem,
      sealed,
      hpke,
    );
  is(await open(box.bytes("kem_output"), box.bytes("ciphertext")), box.plaintext);
  const key = await hpke.importPublicKey(box.bytes("pub"));
  const again = await encryptWithLabel(key, box.label, box.bytes("context"), box.bytes("plaintext"), hpke);
  is(await open(again.enc, again.ct), box.plaintext);
});

vectors<{ vlbytes_header: string; length: number }>("deserialization", (it) => {
  assert.equal(determineLength(hex(it.vlbytes_header)).length, it.length);
});

type Epoch = Hexes & { exporter: { label: string; context: string; length: number; secret: string } };
vectors<{ group_id: string; initial_init_secret: string; epochs: Epoch[] }>("key-schedule", async (it) => {
  let init = hex(it.initial_init_secret);
  for (const [index, epoch] of it.epochs.entries()) {
    const bytes = (key: string): Uint8Array => hex(epoch[key] as string);
    const context = contextOf({ ...(epoch as unknown as Context), group_id: it.group_id, epoch: index });
    is(encodeGroupContext(context), epoch.group_context);
    const made = await initializeEpoch(init, bytes("commit_secret"), context, bytes("psk_secret"), crypto.kdf);
    const { keySchedule } = made;
    is(made.joinerSecret, epoch.joiner_secret);
    is(made.welcomeSecret, epoch.welcome_secret);
    is(made.encryptionSecret, epoch.encryption_secret);
    is(keySchedule.initSecret, epoch.init_secret);
    is(keySchedule.senderDataSecret, epoch.sender_data_secret);
    is(keySchedule.exporterSecret, epoch.exporter_secret);
    is(keySchedule.epochAuthenticator, epoch.epoch_authenticator);
    is(keySchedule.externalSecret, epoch.external_secret);
    is(keySchedule.confirmationKey, epoch.confirmation_key);
    is(keySchedule.membershipKey, epoch.membership_key);
    is(keySchedule.resumptionPsk, epoch.resumption_psk);
    const { publicKey } = await crypto.hpke.deriveKeyPair(keySchedule.externalSecret);
    is(await crypto.hpke.exportPublicKey(publicKey), epoch.external_pub);
    const { label, context: about, length, secret } = epoch.exporter;
    is(await mlsExporter(keySchedule.exporterSecret, label, hex(about), length, crypto), secret);
    init = keySchedule.initSecret;
  }
});

type Protection = Hexes;
vectors<Protection>("message-protection", async (it) => {
  const bytes = (key: string): Uint8Array => hex(it[key] as string);
  const context = contextOf(it as never);
  const tree = async () => createSecretTree(2, bytes("encryption_secret"), crypto.kdf);
  const openPrivate = async (message: MLSMessage) => {
    assert.ok(message.wireformat === "mls_private_message");
    const stub = [undefined, undefined, { nodeType: "leaf" }] as never;
    const args = [message.privateMessage, await tree(), stub, context, SETTINGS.keyRetentionConfig, crypto] as const;
    const opened = await unprotectPrivateMessage(bytes("sender_data_secret"), ...args, bytes("signature_pub"));
    return opened.content.content;
  };
  const openPublic = async (message: MLSMessage) => {
    assert.ok(message.wireformat === "mls_public_message");
    const [key, signer] = [bytes("membership_key"), bytes("signature_pub")];
    return (await unprotectPublicMessage(key, context, [], message.publicMessage, crypto, signer)).content;
  };
  const read = (key: string): MLSMessage => whole(decodeMlsMessage, bytes(key));
  for (const content of [await openPrivate(read("proposal_priv")), await openPublic(read("proposal_pub"))]) {
    assert.ok(content.contentType === "proposal");
    is(proposals.encodeProposal(content.proposal), it.proposal);
  }
  for (const content of [await openPrivate(read("commit_priv")), await openPublic(read("commit_pub"))]) {
    assert.ok(content.contentType === "commit");
    is(encodeCommit(content.commit), it.commit);
  }
  const content = await openPrivate(read("application_priv"));
  assert.ok(content.contentType === "application");
  is(content.applicationData, it.application);
  const made = await protectApplicationData(
    bytes("signature_priv"),
    bytes("sender_data_secret"),
    bytes("application"),
    new Uint8Array(),
    context,
    await tree(),
    1,
    SETTINGS.paddingConfig,
    crypto,
  );
  const wire = { version: "mls10", wireformat: "mls_private_message", privateMessage: made.privateMessage } as const;
  const again = await openPrivate(wire);
  assert.ok(again.contentType === "application");
  is(again.applicationData, it.application);
});

type Codec = readonly [
  string,
  (bytes: Uint8Array, at: number) => [never, number] | undefined,
  (value: never) => Uint8Array,
];
const codec = <T>(
  key: string,
  decode: (b: Uint8Array, at: number) => [T, number] | undefined,
  encode: (value: T) => Uint8Array,
) => [key, decode, encode] as unknown as Codec;
const MESSAGES = [
  "mls_welcome",
  "mls_group_info",
  "mls_key_package",
  "public_message_application",
  "public_message_proposal",
];
const CODECS: readonly Codec[] = [
  ...[...MESSAGES, "public_message_commit", "private_message"].map((key) =>
    codec(key, decodeMlsMessage, encodeMlsMessage),
  ),
  codec("ratchet_tree", decodeRatchetTree, encodeRatchetTree),
  codec("group_secrets", decodeGroupSecrets, encodeGroupSecrets),
  codec("add_proposal", proposals.decodeAdd, proposals.encodeAdd),
  codec("update_proposal", proposals.decodeUpdate, proposals.encodeUpdate),
  codec("remove_proposal", proposals.decodeRemove, proposals.encodeRemove),
  codec("pre_shared_key_proposal", proposals.decodePSK, proposals.encodePSK),
  codec("re_init_proposal", proposals.decodeReinit, proposals.encodeReinit),
  codec("external_init_proposal", proposals.decodeExternalInit, proposals.encodeExternalInit),
  codec(
    "group_context_extensions_proposal",
    proposals.decodeGroupContextExtensions,
    proposals.encodeGroupContextExtensions,
  ),
  codec("commit", decodeCommit, encodeCommit),
];
vectors<Hexes>("messages", (it) => {
  assert.equal(Object.keys(it).length, CODECS.length);
  for (const [key, decode, encode] of CODECS) is(encode(whole(decode, hex(it[key] as string))), it[key], key);
});

vectors<{ psks: { psk_id: string; psk: string; psk_nonce: string }[]; psk_secret: string }>(
  "psk_secret",
  async (it) => {
    const psks = it.psks.map(({ psk_id, psk, psk_nonce }): [PreSharedKeyID, Uint8Array] => [
      { psktype: "external", pskId: hex(psk_id), pskNonce: hex(psk_nonce) },
      hex(psk),
    ]);
    is(await computePskSecret(psks, crypto), it.psk_secret);
  },
);

type Generation = { generation: number } & Hexes;
type Secrets = { encryption_secret: string; sender_data: Hexes; leaves: Generation[][] };
vectors<Secrets>("secret-tree", async (it) => {
  const [secret, ciphertext] = [
    hex(it.sender_data.sender_data_secret as string),
    hex(it.sender_data.ciphertext as string),
  ];
  is(await expandSenderDataKey(crypto, secret, ciphertext), it.sender_data.key);
  is(await expandSenderDataNonce(crypto, secret, ciphertext), it.sender_data.nonce);
  const tree = await createSecretTree(it.leaves.length, hex(it.encryption_secret), crypto.kdf);
  const reuseGuard = new Uint8Array(4) as ReuseGuard;
  for (const [leafIndex, generations] of it.leaves.entries()) {
    for (const each of generations) {
      for (const [type, name] of [
        ["application", "application"],
        ["commit", "handshake"],
      ] as const) {
        const data = { leafIndex, generation: each.generation, reuseGuard };
        const made = await ratchetToGeneration(tree, data, type, SETTINGS.keyRetentionConfig, crypto);
        is(made.key, each[`${name}_key`]);
        is(made.nonce, each[`${name}_nonce`]);
      }
    }
  }
});

vectors<Hexes>("transcript-hashes", async (it) => {
  const bytes = (key: string): Uint8Array => hex(it[key] as string);
  const { content, auth, wireformat } = whole(decodeAuthenticatedContent, bytes("authenticated_content"));
  assert.ok(content.contentType === "commit" && auth.contentType === "commit");
  const input = { wireformat, content, signature: auth.signature };
  const confirmed = await createConfirmedHash(bytes("interim_transcript_hash_before"), input, crypto.hash);
  is(confirmed, it.confirmed_transcript_hash_after);
  assert.ok(await verifyConfirmationTag(bytes("confirmation_key"), auth.confirmationTag, confirmed, crypto.hash));
  is(await createInterimHash(confirmed, auth.confirmationTag, crypto.hash), it.interim_transcript_hash_after);
});

type Indexes = (number | null)[];
type Arithmetic = {
  n_leaves: number;
  n_nodes: number;
  root: number;
  left: Indexes;
  right: Indexes;
  parent: Indexes;
  sibling: Indexes;
};
vectors<Arithmetic>("tree-math", (it) => {
  assert.equal(nodeWidth(it.n_leaves), it.n_nodes);
  assert.equal(leafWidth(it.n_nodes), it.n_leaves);
  assert.equal(root(it.n_leaves), it.root);
  const or = (run: () => number): number | null => {
    try {
      return run();
    } catch {
      return null;
    }
  };
  for (let at = 0; at < it.n_nodes; at++) {
    const node = toNodeIndex(at);
    assert.equal(
      or(() => left(node)),
      it.left[at],
    );
    assert.equal(
      or(() => right(node)),
      it.right[at],
    );
    assert.equal(
      or(() => parent(node, it.n_leaves)),
      it.parent[at],
    );
    assert.equal(
      or(() => sibling(node, it.n_leaves)),
      it.sibling[at],
    );
  }
});
