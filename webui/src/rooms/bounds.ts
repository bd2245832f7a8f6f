/** What a room accepts, each with its unit and reason. All devices must agree on these: they are part of the rules. */

export const ROOM_BYTES = 32;
export const IDENTITY_BYTES = 32;
export const MAILBOX_BYTES = 16;
export const ID_BYTES = 16;
export const SIGNATURE_BYTES = 64;
export const HASH_BYTES = 32;

const DAY = 86_400;

/** Seconds. How long an approval or a vote holds from the moment it was given. */
export const STATEMENT_SECONDS = 30 * DAY;
/** Seconds. By how much a member's clock may run ahead of the hub's. */
export const CLOCK_SECONDS = 3600;
/** Seconds. For so long somebody who went can't be let in with approvals from before they went. */
export const GONE_SECONDS = 30 * DAY;
/** Seconds. A member without a device may come back with a new one for so long, without being vouched for again. */
export const AWAY_SECONDS = 90 * DAY;
/** Seconds. A KeyPackage's lifetime may begin so much later than the log's time. */
export const KEY_PACKAGE_AHEAD_SECONDS = DAY;
/** Seconds. An ask is on the table for as long as its approvals hold. */
export const ASK_SECONDS = STATEMENT_SECONDS;

/** Seconds. An intake is good for as long as a listing at most: then somebody has to want it again. */
export const INTAKE_SECONDS_MAX = 400 * DAY + CLOCK_SECONDS;

/** Members. More can't know one another; the tree and every commit grow with them. */
export const MEMBERS_MAX = 200;
/** Devices of one member: nobody may fill the tree by themselves. */
export const DEVICES_MAX = 10;
/** Approvals that rules may ask for. */
export const APPROVALS_MAX = 20;

/** Statements of one kind in one commit: every member's, and each has to be verified by everybody. */
export const PROOFS_MAX = 256;
/** Bytes. The sealed proofs of one commit. */
export const PROOFS_BYTES_MAX = 131_072;
/** Bytes. What newcomers are given with the Welcome: at the hub a Welcome has 512 KiB, the tree is in it too. */
export const SNAPSHOT_BYTES_MAX = 262_144;

/** Characters (code points). */
export const NAME_MAX = 64;
export const TITLE_MAX = 120;
export const NOTE_MAX = 1000;
/** Bytes of UTF-8: about 2,500 words. Longer things are files. */
export const TEXT_BYTES_MAX = 16_384;
export const ATTACHMENTS_MAX = 10;
/** Bytes. As the hub takes them. */
export const BLOB_BYTES_MAX = 10 * 1024 * 1024;

/** Asks (and invitations) on the table that one member has shown: what one person can answer for. */
export const OPEN_OF_MEMBER_MAX = 16;
/** Asks (and invitations) on the table: more can't be talked about. */
export const OPEN_MAX = 256;
/** Skipped commits that are remembered. */
export const SKIPPED_MAX = 20;
