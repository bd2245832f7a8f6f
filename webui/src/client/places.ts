/** Where a room is kept, and whether the node that keeps it was caught telling two stories. Fetched when asked for. */
import { readB64 } from "../bytes/text.ts";
import * as primitives from "../bytes/webcrypto.ts";
import { contradict, headHolds } from "../rooms/log.ts";
import type { LogHead } from "../rooms/types.ts";
import type { Core } from "./core.ts";
import type { Room } from "./room.ts";
import type { PlacesView } from "./types.ts";
import { spoken } from "./words.ts";

/** Words in a node's short name: two nodes with the same ones are no accident, and no proof either. */
const WORDS = 4;

/** Throws Refused `unknown` where this device is not in the room. */
export async function placesOf(core: Core, room: Room): Promise<PlacesView> {
  const hub = core.hubOf(room);
  const { followers, faulty } = await core.api.places(room.id);
  const here = hub === core.self.nodeId;
  const { via } = room.record;
  const community = here ? core.self.community : via?.nodeId === hub ? via.community : "";
  const key = readB64(hub, 32);
  return {
    here,
    community,
    words: key ? spoken(key, WORDS) : "",
    others: followers.length,
    proof: faulty && (await lied(hub, room.id, faulty)) ? JSON.stringify({ hub, room: room.id, heads: faulty }) : "",
  };
}

/** A node may say much: only what its own signatures prove counts. */
async function lied(hub: string, room: string, [one, other]: readonly [LogHead, LogHead]): Promise<boolean> {
  const signed = await Promise.all([one, other].map((head) => headHolds(primitives, hub, room, head)));
  return signed.every(Boolean) && contradict(one, other);
}
