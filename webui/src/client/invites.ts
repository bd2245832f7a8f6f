/** Invitations: reading a link somebody gave, making one's own. What a link says is sealed; the node never reads it. */
import { Refused } from "../api/problems.ts";
import type { InviteAnswer } from "../api/types.ts";
import { fromB64, readB64, toB64 } from "../bytes/text.ts";
import { random } from "../bytes/webcrypto.ts";
import type { Core } from "./core.ts";
import { Failure } from "./failures.ts";
import { inviteParts, linkOf, readLink, type Sealer, SIZES, tidyNode } from "./keys.ts";
import type { Room } from "./room.ts";
import { names, type StoredInvite } from "./stored.ts";
import { BOUNDS, type InviteView, type OwnInvite, type RoomKind } from "./types.ts";

const DAY = 86_400;
/** Days an invite is good for unless somebody says otherwise, and at most. */
const DAYS = { usual: 7, most: 30 } as const;

/** What the maker of a link says in it. */
export interface Note {
  readonly v: 1;
  readonly from: string;
  readonly words: string;
  readonly room?: { readonly room: string; readonly kind: RoomKind; readonly title: string };
}

export interface OpenedInvite {
  readonly node: string;
  /** The node that keeps it, where it is not the account's own. */
  readonly far?: string | undefined;
  readonly id: string;
  readonly proof: string;
  readonly sealer: { seal(value: unknown): Promise<string> };
  readonly answer: InviteAnswer;
  readonly note: Note;
}

/**
 * Reads a link: with the node it names, or, from an account at another one, with that one's help, so that nobody hears
 * a person's address but their own node. Throws Failure `bad-link`, `other-node`, `invite-gone`, or Unreachable.
 */
export async function openLink(core: Core, link: string): Promise<OpenedInvite> {
  const read = readLink(link, "join");
  if (!read) throw new Failure("bad-link");
  const { id, proof, sealer } = await inviteParts(read.secret);
  const { node, far } = placeOf(core, tidyNode(read.node), read.nodeId);
  let answer: InviteAnswer;
  try {
    answer = await (far ? core.api : core.apiOf(node)).readInvite(id, proof, far);
  } catch (problem) {
    if (problem instanceof Refused && [403, 404, 409, 410].includes(problem.status)) throw new Failure("invite-gone");
    throw problem;
  }
  return { node, far, id, proof, sealer, answer, note: readNote(await sealer.open(answer.note)) };
}

/** Where to ask: the node itself, or `far`, of which the account's own one asks. Throws Failure `other-node`. */
function placeOf({ account }: Core, node: string, nodeId: string | undefined): { node: string; far?: string } {
  if (!account || account.revoked || (!nodeId && node === account.node)) return { node };
  if (!nodeId) throw new Failure("other-node");
  // One node may have several addresses: its own people use the one they know.
  return nodeId === account.nodeId ? { node: account.node } : { node, far: nodeId };
}

export async function viewInvite(core: Core, link: string): Promise<InviteView> {
  const { node, far, answer, note } = await openLink(core, link);
  return {
    node,
    community: answer.title,
    expires: answer.expires,
    open: answer.expires > core.now,
    accounts: answer.accounts,
    known: !!core.account && !core.account.revoked && (!!far || core.account.node === node),
    far: !!far,
    room: note.room ?? null,
    from: note.from,
    words: note.words,
  };
}

/** Anything may have been sealed by whoever made the link: only what is right is taken over. */
function readNote(value: unknown): Note {
  const note = (value ?? {}) as Partial<Note>;
  const text = (given: unknown, most: number) => (typeof given === "string" ? [...given].slice(0, most).join("") : "");
  const room = note.room;
  const sound = room && readB64(room.room, 32) && (room.kind === "pair" || room.kind === "room");
  return {
    v: 1,
    from: text(note.from, BOUNDS.nameCharacters),
    words: text(note.words, BOUNDS.wordsCharacters),
    ...(sound ? { room: { room: room.room, kind: room.kind, title: text(room.title, BOUNDS.titleCharacters) } } : {}),
  };
}

export interface InviteWish {
  readonly room?: string;
  readonly uses?: number;
  readonly days?: number;
  readonly name?: string;
  readonly words?: string;
  readonly accounts?: boolean;
}

/** Makes a link. A room's link makes accounts too, unless the community forbids it to members. */
export async function makeInvite(core: Core, wish: InviteWish): Promise<{ link: string; stored: StoredInvite }> {
  const room = wish.room === undefined ? undefined : core.room(wish.room);
  if (room && !room.inside) throw new Failure("not-in-room");
  const { mayInvite, node, nodeId } = core.self;
  if (!room && !mayInvite) throw new Failure("may-not-invite");
  const accounts = (wish.accounts ?? true) && mayInvite;
  const uses = wish.uses ?? 1;
  const secret = random(SIZES.invite);
  const { id, proofHash, sealer } = await inviteParts(secret);
  const expires = core.now + Math.min(Math.max(wish.days ?? DAYS.usual, 1), DAYS.most) * DAY;
  const title = room ? titleOf(room) : core.self.community;
  const note: Note = {
    v: 1,
    from: wish.name ?? room?.record.name ?? core.self.name,
    words: wish.words ?? "",
    ...(room ? { room: { room: room.id, kind: room.record.kind, title } } : {}),
  };
  const stored: StoredInvite = {
    invite: id,
    secret: toB64(secret),
    room: room?.id ?? null,
    title,
    expires,
    time: core.now,
  };
  // Kept first: a link that works but that nobody here can answer would be a dead end.
  await core.vault.write(new Map([[names.invite(id), stored]]));
  core.invites.set(id, stored);
  const sealed = await sealer.seal(note);
  const body = { id, proof_hash: proofHash, expires, uses: accounts ? uses : 0, note: sealed };
  try {
    await core.api.makeInvite(room ? { ...body, room: room.id } : body);
  } catch (problem) {
    if (!(problem instanceof Refused)) throw problem;
    await forgetInvite(core, id);
    if (problem.status === 403) throw new Failure("may-not-invite", problem.message);
    throw problem;
  }
  core.parts.index.touch();
  core.changed(room);
  // The others see that there is a link into their room; the link itself stays with whoever made it.
  if (room?.record.kind === "room") await core.parts.sender.enqueue(room, { type: "invitation", id, expires });
  return { link: linkOf(node, nodeId, stored.secret), stored };
}

export async function ownInvites(core: Core): Promise<OwnInvite[]> {
  // An intake is the room's, and stands on its page.
  const answers = (await core.api.invites()).filter(({ uses, room, note }) => uses > 0 || !room || note !== "");
  return answers.map(({ id, expires, uses_left, room }) => {
    const stored = core.invites.get(id);
    const link = stored ? linkOf(core.self.node, core.self.nodeId, stored.secret) : "";
    const title = (room && core.rooms.get(room)?.session?.view.title) || stored?.title || "";
    return { invite: id, link, room: room ?? null, title, expires, usesLeft: uses_left };
  });
}

/** `closed` tells the other devices. */
export async function withdrawInvite(core: Core, id: string, closed: () => Promise<void>): Promise<void> {
  try {
    await core.api.withdrawInvite(id);
  } catch (problem) {
    if (!(problem instanceof Refused) || problem.status !== 404) throw problem;
  }
  await forgetInvite(core, id);
  await closed();
  core.changed();
}

async function forgetInvite(core: Core, id: string): Promise<void> {
  core.invites.delete(id);
  await core.vault.write(new Map([[names.invite(id), null]]));
}

/** The sealer of one's own invite, to read what people answer to it. */
export async function sealerOf(stored: StoredInvite): Promise<Sealer> {
  return (await inviteParts(fromB64(stored.secret, SIZES.invite))).sealer;
}

export function titleOf(room: Room): string {
  return room.session?.view.title || room.record.title;
}
