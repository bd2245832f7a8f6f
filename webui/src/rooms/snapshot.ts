/**
 * What a newcomer is given with the Welcome (inside the GroupInfo, so it comes with the keys or not at all): the policy
 * and the view. The policy is held against the tree, which MLS has verified; every later commit names its hash.
 */
import { canonicalBytes, readCanonical } from "../bytes/canonical.ts";
import { fromB64, toB64 } from "../bytes/text.ts";
import type { Leaf } from "../mls/types.ts";
import * as bounds from "./bounds.ts";
import { isCertified, readCredential } from "./credentials.ts";
import { readIntake } from "./intake.ts";
import { PRESENT, policyHash } from "./policy.ts";
import { EXPORTER_BYTES, openProofs } from "./proofs.ts";
import { isRoomOf, readRules } from "./rules.ts";
import * as shapes from "./shapes.ts";
import { profileHolds } from "./statements.ts";
import type { B64, OpenAsk, Policy, PolicyLeaf, PolicyMember, Primitives, Profile, Snapshot, View } from "./types.ts";

const { record, list, identity, time } = shapes;
const people = list(identity, bounds.MEMBERS_MAX);

const away: shapes.Reader<number> = (value) => (value === PRESENT ? PRESENT : time(value));
const member = record<PolicyMember>({
  identity,
  since: time,
  vouched: people,
  leaves: list(record<PolicyLeaf>({ key: shapes.leafKey, mailbox: shapes.mailbox }), bounds.DEVICES_MAX),
  away,
});
/** Past members are not bounded by time alone: rooms with much coming and going keep more of them than members. */
const PAST_MAX = 2000;
const policy = record<Policy>({
  rules: readRules,
  epoch: shapes.whole(),
  members: list(member, 2 * bounds.MEMBERS_MAX),
  gone: list(record<Policy["gone"][number]>({ identity, time }), PAST_MAX),
  revoked: list(shapes.leafKey, PAST_MAX),
});

const profiles: shapes.Reader<View["profiles"]> = (value) => {
  const given = shapes.asFields(value);
  if (given === undefined || Object.keys(given).length > 2 * bounds.MEMBERS_MAX) return undefined;
  const read: Record<B64, Profile> = {};
  for (const [by, each] of Object.entries(given)) {
    const profile = shapes.profile(each);
    if (profile === undefined || profile.by !== by) return undefined;
    read[by] = profile;
  }
  return read;
};
export const readView = record<View>({
  title: shapes.line(bounds.TITLE_MAX, 0),
  titled: shapes.whole(),
  profiles,
  asks: list(
    record<OpenAsk>({
      ask: shapes.ask,
      by: identity,
      time,
      approvals: list(shapes.approval, bounds.MEMBERS_MAX),
      listing: shapes.optional(shapes.line(bounds.TITLE_MAX)),
    }),
    bounds.OPEN_MAX,
  ),
  votes: list(shapes.vote, bounds.MEMBERS_MAX ** 2),
  leaves: list(shapes.leave, bounds.MEMBERS_MAX),
  revocations: list(shapes.revocation, bounds.MEMBERS_MAX * bounds.DEVICES_MAX),
  invitations: list(
    record<View["invitations"][number]>({ id: shapes.id, by: identity, expires: time }),
    bounds.OPEN_MAX,
  ),
  intake: shapes.optional(readIntake),
});

/** With the key that opens the proofs of the commit it came with, so that the newcomer can hold them against it. */
type Given = Snapshot & { readonly key: B64 };
const readGiven = record<Given>({ policy, view: readView, key: shapes.b64(EXPORTER_BYTES) });

export function encodeSnapshot({ policy: agreed, view }: Snapshot, key: Uint8Array): Uint8Array {
  return canonicalBytes({ policy: agreed, view, key: toB64(key) });
}

/**
 * The snapshot in a Welcome's bytes if it fits the room, the epoch, the tree that came with it, and the policy that the
 * adding commit names in its authenticated data (`proofs`): the one all others have agreed on. Names whose signatures do
 * not hold are left out. Undefined otherwise: then this is no room one should be in.
 */
export async function takeSnapshot(
  primitives: Primitives,
  room: B64,
  epoch: number,
  tree: readonly Leaf[],
  bytes: Uint8Array | undefined,
  proofs: Uint8Array,
): Promise<Snapshot | undefined> {
  if (bytes === undefined || bytes.length > bounds.SNAPSHOT_BYTES_MAX) return undefined;
  const snapshot = readGiven(readCanonical(bytes));
  if (snapshot === undefined || snapshot.policy.epoch !== epoch) return undefined;
  const agreed = await openProofs(primitives, fromB64(snapshot.key), proofs);
  if (agreed?.policy !== (await policyHash(primitives, snapshot.policy))) return undefined;
  if (!(await isRoomOf(primitives, room, snapshot.policy.rules))) return undefined;
  if (!(await fitsTree(primitives, room, snapshot.policy, tree))) return undefined;
  const held: Record<B64, Profile> = {};
  for (const profile of Object.values(snapshot.view.profiles)) {
    if (await profileHolds(primitives, room, profile)) held[profile.by] = profile;
  }
  return { policy: snapshot.policy, view: { ...snapshot.view, profiles: held } };
}

/** Every leaf of the tree is certified and stands once in the policy, and nothing else does. */
async function fitsTree(
  primitives: Primitives,
  room: B64,
  { members, revoked }: Policy,
  tree: readonly Leaf[],
): Promise<boolean> {
  const listed = new Map<B64, string>();
  for (const { identity: who, leaves } of members) {
    for (const { key, mailbox } of leaves) listed.set(key, `${who} ${mailbox}`);
  }
  const count = members.reduce((sum, { leaves }) => sum + leaves.length, 0);
  if (count !== tree.length || listed.size !== tree.length) return false;
  if (new Set(members.map((each) => each.identity)).size !== members.length) return false;
  const mailboxes = new Set<B64>();
  for (const leaf of tree) {
    const owner = readCredential(leaf.credential);
    const key = toB64(leaf.key);
    if (owner === undefined || listed.get(key) !== `${owner.identity} ${owner.mailbox}`) return false;
    if (revoked.includes(key) || !(await isCertified(primitives, room, leaf))) return false;
    mailboxes.add(owner.mailbox);
  }
  return mailboxes.size === tree.length;
}
