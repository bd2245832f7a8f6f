/**
 * The MLS engine of rooms: ts-mls 1.6.4 with the patch of `webui/patches`, suite 0x0001, PrivateMessage only. Nothing
 * here knows the rules of a room. What comes from strangers is looked at on the outside first (`wire.ts`), then opened
 * without being applied (`openCommit`), and only then applied; external commits have no way in at all.
 */
import { type ClientState, createGroup, joinGroupWithExtensions } from "ts-mls/clientState.js";
import { createCommit } from "ts-mls/createCommit.js";
import { createApplicationMessage } from "ts-mls/createMessage.js";
import { generateKeyPackageWithKey, makeKeyPackageRef } from "ts-mls/keyPackage.js";
import { mlsExporter } from "ts-mls/keySchedule.js";
import { encodeMlsMessage } from "ts-mls/message.js";
import { processPrivateMessage } from "ts-mls/processMessages.js";
import type { Proposal as LibraryProposal } from "ts-mls/proposal.js";
import type { ProposalOrRef } from "ts-mls/proposalOrRefType.js";
import { emptyPskIndex } from "ts-mls/pskIndex.js";
import { consumeRatchet } from "ts-mls/secretTree.js";
import { patchedForHedgerow } from "ts-mls/treemath.js";
import { publicKey, random } from "../bytes/webcrypto.ts";
import { type Opened, openContent } from "./opening.ts";
import {
  CAPABILITIES,
  DAY_SECONDS,
  KEY_PACKAGE_DAYS_MAX,
  KEY_PACKAGE_EARLY_SECONDS,
  NEWCOMERS_EXTENSION,
  SETTINGS,
} from "./settings.ts";
import { decodeState, encodeState, tidy, unwrap, withPast, wrap } from "./state.ts";
import { suite } from "./suite.ts";
import { checkTree, leavesOf, require } from "./tree.ts";
import type { CommitPlan, Engine, KeyPackageSecrets, MadeCommit, MadeKeyPackage } from "./types.ts";
import { MlsError, type MlsState, type OpenedCommit, type Proposal } from "./types.ts";
import { checkPackage, guard, lifetimeOf, readPackage, readPrivate, readWelcome } from "./wire.ts";

const KINDS = { application: "message", commit: "commit", proposal: "proposal" } as const;
/** Importing this from an unpatched library fails, in Node.js, in the bundler and in the type checker. */
const PATCH: 1 = patchedForHedgerow;

async function makeKeyPackage(
  credential: (leafKey: Uint8Array) => Promise<Uint8Array>,
  now: number,
  days: number,
): Promise<MadeKeyPackage> {
  if (!(days > 0 && days <= KEY_PACKAGE_DAYS_MAX))
    throw new RangeError(`a KeyPackage lives 1 to ${KEY_PACKAGE_DAYS_MAX} days`);
  const crypto = await suite();
  const signKey = random(32);
  const key = await publicKey(signKey);
  // Whole days (UTC): nodes read these, and the second in which somebody's devices for several rooms were made
  // would tell two of them that it was one person.
  const lifetime = {
    notBefore: BigInt(Math.floor((now - KEY_PACKAGE_EARLY_SECONDS) / DAY_SECONDS) * DAY_SECONDS),
    notAfter: BigInt(Math.ceil((now + days * DAY_SECONDS) / DAY_SECONDS) * DAY_SECONDS),
  };
  const identity = await credential(key);
  const { publicPackage, privatePackage } = await generateKeyPackageWithKey(
    { credentialType: "basic", identity },
    CAPABILITIES,
    lifetime,
    [],
    { signKey, publicKey: key },
    crypto,
  );
  const keyPackage = encodeMlsMessage({ version: "mls10", wireformat: "mls_key_package", keyPackage: publicPackage });
  const secrets = {
    keyPackage,
    init: privatePackage.initPrivateKey,
    encryption: privatePackage.hpkePrivateKey,
    signature: signKey,
  };
  return { keyPackage, ref: await makeKeyPackageRef(publicPackage, crypto.hash), secrets };
}

/** Copies, because states overwrite what they have used up and callers overwrite what they have handed over. */
function privateKeys(own: KeyPackageSecrets) {
  return {
    initPrivateKey: own.init.slice(),
    hpkePrivateKey: own.encryption.slice(),
    signaturePrivateKey: own.signature.slice(),
  };
}

async function create(group: Uint8Array, own: KeyPackageSecrets): Promise<MlsState> {
  const state = await createGroup(group, readPackage(own.keyPackage), privateKeys(own), [], await suite(), SETTINGS);
  return wrap(tidy(state));
}

function join(welcome: Uint8Array, own: KeyPackageSecrets) {
  return guard(async () => {
    const read = readWelcome(welcome);
    const keyPackage = readPackage(own.keyPackage);
    const [state, extensions] = await joinGroupWithExtensions(
      read,
      keyPackage,
      privateKeys(own),
      emptyPskIndex,
      await suite(),
      undefined,
      undefined,
      SETTINGS,
    );
    require(state.groupContext.extensions.length === 0);
    checkTree(state.ratchetTree);
    const found = extensions.filter((each) => each.extensionType === NEWCOMERS_EXTENSION);
    require(found.length <= 1);
    return { state: wrap(tidy(state)), forNewcomers: found[0]?.extensionData.slice() };
  });
}

async function seal(state: MlsState, plaintext: Uint8Array) {
  const made = await createApplicationMessage(unwrap(state), plaintext, await suite());
  const payload = encodeMlsMessage({
    version: "mls10",
    wireformat: "mls_private_message",
    privateMessage: made.privateMessage,
  });
  return { state: wrap(made.newState), payload, spent: made.consumed };
}

function open(state: MlsState, payload: Uint8Array) {
  return guard(async () => {
    const opened = await openContent(unwrap(state), readPrivate(payload));
    require(opened.content.contentType === "application");
    const plaintext = opened.content.applicationData.slice();
    return { state: wrap(opened.after), sender: opened.sender, plaintext, spent: opened.spent };
  });
}

function plainProposal(each: ProposalOrRef): Proposal {
  if (each.proposalOrRefType === "reference") return { type: "other", name: "reference" };
  const { proposal } = each;
  switch (proposal.proposalType) {
    case "add": {
      const { keyPackage } = (proposal as LibraryProposal & { proposalType: "add" }).add;
      const { credential, signaturePublicKey } = keyPackage.leafNode;
      require(credential.credentialType === "basic" && keyPackage.extensions.length === 0);
      return {
        type: "add",
        leaf: { key: signaturePublicKey, credential: credential.identity },
        ...lifetimeOf(keyPackage),
      };
    }
    case "remove":
      return { type: "remove", index: (proposal as LibraryProposal & { proposalType: "remove" }).remove.removed };
    default:
      return { type: "other", name: String(proposal.proposalType) };
  }
}

function openCommit(state: MlsState, payload: Uint8Array): Promise<OpenedCommit> {
  return guard(async () => {
    const message = readPrivate(payload);
    const current = unwrap(state);
    if (message.epoch !== current.groupContext.epoch)
      throw new MlsError(message.epoch < current.groupContext.epoch ? "too-old" : "too-new");
    const opened: Opened = await openContent(current, message);
    require(opened.content.contentType === "commit");
    const proposals = opened.content.commit.proposals.map(plainProposal);
    return { committer: opened.sender, proposals, data: message.authenticatedData.slice() };
  });
}

function apply(state: MlsState, payload: Uint8Array) {
  return guard(async () => {
    const message = readPrivate(payload);
    const current = unwrap(state);
    require(message.contentType === "commit" && message.epoch === current.groupContext.epoch);
    const result = await processPrivateMessage(current, message, emptyPskIndex, await suite());
    require(result.kind === "newState" && result.actionTaken === "accept");
    const next = result.newState;
    checkTree(next.ratchetTree);
    if (next.groupActiveState.kind === "removedFromGroup") return { state: wrap(next), spent: result.consumed };
    require(next.groupActiveState.kind === "active" && next.groupContext.extensions.length === 0);
    return { state: wrap(withPast(current, tidy(next))), spent: result.consumed };
  });
}

/** Throws MlsError too when this device's clock is outside a KeyPackage's lifetime: the library asks it here. */
const commit = (state: MlsState, plan: CommitPlan): Promise<MadeCommit> => guard(() => makeCommit(state, plan));

async function makeCommit(state: MlsState, plan: CommitPlan): Promise<MadeCommit> {
  const crypto = await suite();
  const before = unwrap(state);
  const add = plan.add.map((bytes) => ({ proposalType: "add" as const, add: { keyPackage: readPackage(bytes) } }));
  const remove = plan.remove.map((removed) => ({ proposalType: "remove" as const, remove: { removed } }));
  const extension = { extensionType: NEWCOMERS_EXTENSION, extensionData: plan.forNewcomers ?? new Uint8Array() };
  const made = await createCommit(
    { state: before, cipherSuite: crypto, pskIndex: emptyPskIndex },
    {
      extraProposals: [...remove, ...add],
      ratchetTreeExtension: true,
      authenticatedData: plan.data,
      groupInfoExtensions: plan.forNewcomers === undefined ? [] : [extension],
    },
  );
  checkTree(made.newState.ratchetTree);
  // The message key of this commit is used up: another try in the same epoch must not encrypt with it again.
  const own = before.privatePath.leafIndex * 2;
  const used = await consumeRatchet(before.secretTree, own, "commit", crypto);
  const payload = encodeMlsMessage(made.commit);
  const welcome =
    made.welcome && encodeMlsMessage({ version: "mls10", wireformat: "mls_welcome", welcome: made.welcome });
  return {
    current: wrap({ ...before, secretTree: used.newTree }),
    next: wrap(tidy(made.newState)),
    payload,
    ...(welcome === undefined ? {} : { welcome }),
    spent: made.consumed,
  };
}

const active = (state: ClientState): boolean => state.groupActiveState.kind === "active";

/** The one engine. `PATCH` keeps the import that an unpatched library does not have. */
export const engine: Engine & { readonly patch: typeof PATCH } = {
  patch: PATCH,
  envelope(payload) {
    const message = readPrivate(payload);
    const { groupId: group, authenticatedData: data } = message;
    return { group, epoch: Number(message.epoch), kind: KINDS[message.contentType], data };
  },
  makeKeyPackage,
  readKeyPackage: checkPackage,
  create,
  join,
  group: (state) => unwrap(state).groupContext.groupId,
  epoch: (state) => Number(unwrap(state).groupContext.epoch),
  leaves: (state) => leavesOf(unwrap(state).ratchetTree),
  ownIndex: (state) => unwrap(state).privatePath.leafIndex,
  isOut: (state) => !active(unwrap(state)),
  exporter: async (state, label, context, length) =>
    mlsExporter(unwrap(state).keySchedule.exporterSecret, label, context, length, await suite()),
  authenticator: (state) => unwrap(state).keySchedule.epochAuthenticator,
  seal,
  open,
  commit,
  openCommit,
  apply,
  adopt: (current, next) => wrap(withPast(unwrap(current), unwrap(next))),
  encode: encodeState,
  decode: decodeState,
};
