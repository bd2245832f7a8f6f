/**
 * Opens a PrivateMessage and says who sent it. The library's own way in loses the sender, so its parts are called here:
 * first the sender data (who, which number), then the content, whose signature is checked against that sender's leaf.
 */
import type { ClientState } from "ts-mls/clientState.js";
import type { FramedContent } from "ts-mls/framedContent.js";
import { unprotectPrivateMessage } from "ts-mls/messageProtection.js";
import { decryptSenderData, type PrivateMessage } from "ts-mls/privateMessage.js";
import type { SecretTree } from "ts-mls/secretTree.js";
import { equal } from "../bytes/bytes.ts";
import { suite } from "./suite.ts";
import { leafOf, require } from "./tree.ts";
import { type Leaf, MlsError } from "./types.ts";

export type Opened = {
  readonly content: FramedContent;
  readonly sender: Leaf;
  /** The state after using up the message's key. Commits and proposals are not applied in it. */
  readonly after: ClientState;
  readonly spent: readonly Uint8Array[];
};

/** The secrets of the message's epoch. Throws MlsError `too-old` or `too-new`. */
function epochOf(state: ClientState, epoch: bigint) {
  const { groupContext, ratchetTree, secretTree, keySchedule } = state;
  if (epoch === groupContext.epoch)
    return { groupContext, ratchetTree, secretTree, senderDataSecret: keySchedule.senderDataSecret };
  const past = state.historicalReceiverData.get(epoch);
  if (past === undefined) throw new MlsError(epoch > groupContext.epoch ? "too-new" : "too-old");
  return past;
}

function after(state: ClientState, epoch: bigint, secretTree: SecretTree): ClientState {
  if (epoch === state.groupContext.epoch) return { ...state, secretTree };
  const past = state.historicalReceiverData.get(epoch);
  require(past !== undefined);
  return {
    ...state,
    historicalReceiverData: new Map(state.historicalReceiverData).set(epoch, { ...past, secretTree }),
  };
}

/** Throws MlsError: `own` for messages of this device, `used` for one that was opened before (or fell behind). */
export async function openContent(state: ClientState, message: PrivateMessage): Promise<Opened> {
  require(equal(message.groupId, state.groupContext.groupId));
  const past = epochOf(state, message.epoch);
  const crypto = await suite();
  const about = await decryptSenderData(message, past.senderDataSecret, crypto);
  require(about !== undefined);
  if (about.leafIndex === state.privatePath.leafIndex) throw new MlsError("own");
  const sender = leafOf(past.ratchetTree, about.leafIndex);
  const node = past.secretTree[about.leafIndex * 2];
  require(node !== undefined);
  const ratchet = message.contentType === "application" ? node.application : node.handshake;
  if (about.generation < ratchet.generation && !(about.generation in ratchet.unusedGenerations))
    throw new MlsError("used");
  const opened = await unprotectPrivateMessage(
    past.senderDataSecret,
    message,
    past.secretTree,
    past.ratchetTree,
    past.groupContext,
    state.clientConfig.keyRetentionConfig,
    crypto,
  );
  return {
    content: opened.content.content,
    sender,
    after: after(state, message.epoch, opened.tree),
    spent: opened.consumed,
  };
}
