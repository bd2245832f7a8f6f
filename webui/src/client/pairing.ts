/** One-on-ones between members of a room: the link goes to the other inside the room, readable by them alone. */
import { fromB64, readB64, toB64 } from "../bytes/text.ts";
import type { Change, Event } from "../rooms/types.ts";
import { linkOf, readLink, roomIdentity, SIZES } from "./keys.ts";
import type { Room } from "./room.ts";
import type { StoredAccount, StoredRoom } from "./stored.ts";
import { openAs, sealTo } from "./to-member.ts";
import { BOUNDS } from "./types.ts";

/** The event's name; rooms' rules know nothing of it. */
const NAME = "pair-invite";
/** Invitations of this kind that a room keeps for one person. */
const KEPT = 20;

/** `at` is the node that keeps the invitation: the other person's may be another one. */
export async function pairEvent(
  room: string,
  member: string,
  { node, nodeId }: { node: string; nodeId: string },
  secret: string,
  words: string,
): Promise<Event> {
  const sealed = await sealTo(member, room, { secret, words, node, nodeId });
  return { type: "unknown", name: NAME, value: { to: member, sealed } };
}

/** Takes in an invitation that is for this person, and from somebody else. Changes `record`. */
export async function learnPairInvite(
  record: StoredRoom,
  account: string,
  me: string,
  { name, value, by, time }: Extract<Change, { type: "unknown" }>,
): Promise<void> {
  if (name !== NAME || value.to !== me || by === me) return;
  const identity = await roomIdentity(fromB64(account), record.room);
  const said = (await openAs(identity, record.room, value.sealed)) as Partial<Record<string, unknown>> | undefined;
  const secret = said?.secret;
  if (!readB64(secret, SIZES.invite)) return;
  const words = typeof said?.words === "string" ? said.words.slice(0, BOUNDS.wordsCharacters) : "";
  const link = `${said?.node}/join#${secret}.${said?.nodeId}`;
  const { node, nodeId } = readLink(link, "join") ?? {};
  const others = record.pairInvites.filter((one) => one.from !== by);
  const at = node && nodeId ? { node, nodeId } : {};
  record.pairInvites = [...others, { from: by, secret: secret as string, words, time, ...at }].slice(-KEPT);
}

/** The link to accept it with. */
export function linkOfPair(self: StoredAccount, invite: StoredRoom["pairInvites"][number]): string {
  const { node, nodeId, secret } = { ...self, ...invite };
  return linkOf(node, nodeId, secret);
}

/** The room through which a link with this secret came, if it came so. */
export function cameThrough(rooms: Iterable<Room>, secret: Uint8Array | undefined): Room | undefined {
  const text = secret && toB64(secret);
  for (const room of rooms) if (room.record.pairInvites.some((one) => one.secret === text)) return room;
  return undefined;
}

/** The room's record once somebody has said yes. */
export function withoutInvite(record: StoredRoom, link: string): StoredRoom {
  return { ...record, pairInvites: record.pairInvites.filter(({ secret }) => !link.includes(`#${secret}`)) };
}
