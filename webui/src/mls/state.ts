/** Group states: inside and out, what is kept of past epochs, and as bytes. */
import { type ClientState, decodeGroupState, encodeGroupState } from "ts-mls/clientState.js";
import type { EpochReceiverData } from "ts-mls/epochReceiverData.js";
import type { GenerationSecret, SecretTree } from "ts-mls/secretTree.js";
import { EPOCHS_KEPT, SETTINGS } from "./settings.ts";
import { require } from "./tree.ts";
import type { MlsState } from "./types.ts";

const NOTHING = new Uint8Array();
const NO_SECRET: GenerationSecret = { secret: NOTHING, generation: 0, unusedGenerations: {} };
const NO_NODE = { handshake: NO_SECRET, application: NO_SECRET };

export const wrap = (state: ClientState): MlsState => ({ mls: state });
export const unwrap = (state: MlsState): ClientState => state.mls as ClientState;

/**
 * Takes out what rooms never use: the secrets of external commits, of public messages and of resumption (so that the
 * refused paths could not work even by mistake), and message secrets of nodes that are not leaves.
 */
export function tidy(state: ClientState): ClientState {
  return {
    ...state,
    keySchedule: { ...state.keySchedule, externalSecret: NOTHING, membershipKey: NOTHING, resumptionPsk: NOTHING },
    secretTree: state.secretTree.map((node, at) => (at % 2 === 0 ? node : NO_NODE)),
  };
}

/** A past epoch's secrets: no commit of it is ever opened again, and nobody opens their own messages. */
function past(tree: SecretTree, own: number): SecretTree {
  return tree.map((node, at) => (at === own * 2 ? NO_NODE : { handshake: NO_SECRET, application: node.application }));
}

/** `next` with the past as `current` knows it, the current epoch included. */
export function withPast(current: ClientState, next: ClientState): ClientState {
  const { groupContext, ratchetTree, keySchedule } = current;
  const ending: EpochReceiverData = {
    groupContext,
    ratchetTree,
    secretTree: past(current.secretTree, current.privatePath.leafIndex),
    senderDataSecret: keySchedule.senderDataSecret,
    resumptionPsk: NOTHING,
  };
  const epochs = [...current.historicalReceiverData, [groupContext.epoch, ending] as const];
  epochs.sort(([a], [b]) => (a < b ? -1 : 1));
  return { ...next, historicalReceiverData: new Map(epochs.slice(-EPOCHS_KEPT)) };
}

/** Without the settings, which are the same everywhere. */
export function encodeState(state: MlsState): Uint8Array {
  return encodeGroupState(unwrap(state));
}

/** Throws MlsError `broken`. The bytes are copied, because secrets are later overwritten in place. */
export function decodeState(bytes: Uint8Array): MlsState {
  const copy = bytes.slice();
  const decoded = decodeGroupState(copy, 0);
  require(decoded !== undefined && decoded[1] === copy.length);
  return wrap({ ...decoded[0], clientConfig: SETTINGS });
}
