/**
 * The one place where the client meets the MLS engine and the rules of rooms; everything else goes through here, so
 * that the engine is loaded only when there is a room to work on, and tests can lend another.
 */
import * as primitives from "../bytes/webcrypto.ts";
import { makeCredential, type Owner, readCredential } from "../rooms/credentials.ts";
import { makeRoomId } from "../rooms/rules.ts";
import { createRoom, decodeRoom, joinRoom } from "../rooms/session.ts";
import * as shapes from "../rooms/shapes.ts";
import * as statements from "../rooms/statements.ts";
import type { Ask, CreateRoom, JoinRoom, Lent, Profile, RoomIdentity, Rules, Session } from "../rooms/types.ts";

export interface Engines {
  readonly lent: Lent;
  create(given: CreateRoom): Promise<Session>;
  join(given: JoinRoom): Promise<Session>;
  decode(bytes: Uint8Array): Promise<Session>;
}

/** The real thing: `ts-mls` with WebCrypto. */
export async function loadEngines(): Promise<Engines> {
  const { engine } = await import("../mls/engine.ts");
  const lent: Lent = { engine, primitives };
  return {
    lent,
    create: (given) => createRoom(lent, given),
    join: (given) => joinRoom(lent, given),
    decode: (bytes) => decodeRoom(lent, bytes),
  };
}

export const leafCredential = (engines: Engines, me: RoomIdentity, leafKey: Uint8Array, mailbox: string) =>
  makeCredential(engines.lent.primitives, me, mailbox, leafKey);

export function credentialOf(credential: Uint8Array): Owner | undefined {
  return readCredential(credential);
}

export const newRoomId = (engines: Engines, rules: Rules): Promise<string> =>
  makeRoomId(engines.lent.primitives, rules);

/** Says one's name in a room; a later version takes the place of an earlier one. */
export const signProfile = (engines: Engines, me: RoomIdentity, version: number, name: string): Promise<Profile> =>
  statements.signProfile(engines.lent.primitives, me, { version, name });

/** An ask out of a stranger's JSON, with the name signed by whoever asks; undefined for anything else. */
export async function readAsk(engines: Engines, room: string, value: unknown): Promise<Ask | undefined> {
  const ask = shapes.ask(value);
  if (!ask || ask.profile.by !== ask.identity) return undefined;
  return (await statements.profileHolds(engines.lent.primitives, room, ask.profile)) ? ask : undefined;
}
