/** What members sign with their room identity, and whether it holds. Each is bound to one room and one purpose. */
import { type Field, fields } from "../bytes/fields.ts";
import { fromB64, toB64 } from "../bytes/text.ts";
import type { Approval, B64, Leave, Primitives, Profile, RemovalVote, Revocation, RoomIdentity } from "./types.ts";

type Unsigned<T> = Omit<T, "signature">;

const bytes = {
  approval: (room: B64, { identity, ask, expires }: Unsigned<Approval>): Field[] => [
    fromB64(room),
    fromB64(identity),
    fromB64(ask),
    expires,
  ],
  removal: (room: B64, { identity, expires }: Unsigned<RemovalVote>): Field[] => [
    fromB64(room),
    fromB64(identity),
    expires,
  ],
  leave: (room: B64, { by, time }: Unsigned<Leave>): Field[] => [fromB64(room), fromB64(by), time],
  revocation: (room: B64, { by, leaf }: Unsigned<Revocation>): Field[] => [fromB64(room), fromB64(by), fromB64(leaf)],
  profile: (room: B64, { version, name }: Unsigned<Profile>): Field[] => [fromB64(room), version, name],
};

async function signed<T extends { by: B64 }>(
  primitives: Primitives,
  me: RoomIdentity,
  kind: keyof typeof bytes,
  statement: T,
): Promise<T & { signature: B64 }> {
  const message = messageOf(kind, me.room, statement);
  return { ...statement, signature: toB64(await primitives.sign(me.seed, message)) };
}

function messageOf(kind: keyof typeof bytes, room: B64, statement: unknown): Uint8Array {
  const list = bytes[kind] as (room: B64, statement: unknown) => Field[];
  return fields(`hedgerow ${kind} v1`, ...list(room, statement));
}

async function holds(
  primitives: Primitives,
  room: B64,
  kind: keyof typeof bytes,
  statement: { by: B64; signature: B64 },
): Promise<boolean> {
  const message = messageOf(kind, room, statement);
  return primitives.verify(fromB64(statement.by), message, fromB64(statement.signature));
}

export const signApproval = (
  primitives: Primitives,
  me: RoomIdentity,
  about: { identity: B64; ask: B64; expires: number },
): Promise<Approval> => signed(primitives, me, "approval", { by: me.identity, ...about });

export const signRemoval = (
  primitives: Primitives,
  me: RoomIdentity,
  about: { identity: B64; expires: number },
): Promise<RemovalVote> => signed(primitives, me, "removal", { by: me.identity, ...about });

export const signLeave = (primitives: Primitives, me: RoomIdentity, time: number): Promise<Leave> =>
  signed(primitives, me, "leave", { by: me.identity, time });

export const signRevocation = (primitives: Primitives, me: RoomIdentity, leaf: B64): Promise<Revocation> =>
  signed(primitives, me, "revocation", { by: me.identity, leaf });

export const signProfile = (
  primitives: Primitives,
  me: RoomIdentity,
  about: { version: number; name: string },
): Promise<Profile> => signed(primitives, me, "profile", { by: me.identity, ...about });

// The statements below have the right shapes already (see `shapes.ts`); these say whether the signature is theirs.
export const approvalHolds = (primitives: Primitives, room: B64, it: Approval) =>
  holds(primitives, room, "approval", it);
export const removalHolds = (primitives: Primitives, room: B64, it: RemovalVote) =>
  holds(primitives, room, "removal", it);
export const leaveHolds = (primitives: Primitives, room: B64, it: Leave) => holds(primitives, room, "leave", it);
export const revocationHolds = (primitives: Primitives, room: B64, it: Revocation) =>
  holds(primitives, room, "revocation", it);
export const profileHolds = (primitives: Primitives, room: B64, it: Profile) => holds(primitives, room, "profile", it);
