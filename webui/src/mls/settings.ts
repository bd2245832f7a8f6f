/** How rooms run the engine. */
import type { Capabilities } from "ts-mls/capabilities.js";
import type { ClientConfig } from "ts-mls/clientConfig.js";
import { defaultKeyPackageEqualityConfig } from "ts-mls/keyPackageEqualityConfig.js";
import { SUITE_NAME } from "./suite.ts";

/** Messages of one sender that may be overtaken by later ones and still be read. */
export const GENERATIONS_KEPT = 300;
/** Epochs before the current one whose messages can still be read. */
export const EPOCHS_KEPT = 8;
/** How far ahead one sender's messages may run: more would let a member make others derive keys for minutes. */
export const FORWARD_STEPS_MAX = 5000;

export const DAY_SECONDS = 86_400;
/** A KeyPackage of ours is for one ask, so it need not live longer than an ask and a long holiday. */
export const KEY_PACKAGE_DAYS_MAX = 84;
/** It begins a day early, for clocks that are behind. */
export const KEY_PACKAGE_EARLY_SECONDS = DAY_SECONDS;
/** The longest span that is taken from others: other implementations make them for a year and can't be told not to. */
export const KEY_PACKAGE_SPAN_MAX = 366 * DAY_SECONDS;

/** Leaves in one room: 200 members with a few devices each, and what a hostile Welcome can make us check. */
export const LEAVES_MAX = 600;
/** Bytes of one payload or Welcome, as at the hub. */
export const PAYLOAD_MAX = 1_048_576;
/** GroupInfo extension that carries the snapshot for newcomers (private use range of RFC 9420 section 17.3). */
export const NEWCOMERS_EXTENSION = 0xf048;

export const CAPABILITIES: Capabilities = {
  versions: ["mls10"],
  ciphersuites: [SUITE_NAME],
  extensions: [],
  proposals: [],
  credentials: ["basic"],
};

/**
 * Credentials are not judged here but by the room's rules, on the finished tree: they need to know who was in before.
 * Lifetimes of others' leaves are judged there too, against the log's time, so that all devices come to the same verdict.
 */
export const SETTINGS: ClientConfig = {
  keyRetentionConfig: {
    retainKeysForGenerations: GENERATIONS_KEPT,
    retainKeysForEpochs: EPOCHS_KEPT,
    maximumForwardRatchetSteps: FORWARD_STEPS_MAX,
  },
  lifetimeConfig: { maximumTotalLifetime: BigInt(KEY_PACKAGE_SPAN_MAX), validateLifetimeOnReceive: false },
  keyPackageEqualityConfig: defaultKeyPackageEqualityConfig,
  paddingConfig: { kind: "padUntilLength", padUntilLength: 256 },
  authService: { validateCredential: async (credential) => credential.credentialType === "basic" },
};
