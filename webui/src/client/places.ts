/** Where a room is kept, and whether the node that keeps it was caught telling two stories. Fetched when asked for. */
import { readB64 } from "../bytes/text.ts";
import * as primitives from "../bytes/webcrypto.ts";
import { contradict, headHolds } from "../rooms/log.ts";
import type { LogHead } from "../rooms/types.ts";
import type { Core } from "./core.ts";
import { decisionOf, movingOf } from "./moves.ts";
import type { Room } from "./room.ts";
import type { MoveChoice, MoveView, PlacesView } from "./types.ts";
import { spoken } from "./words.ts";

/** Words in a node's short name: two nodes with the same ones are no accident, and no proof either. */
const WORDS = 4;
/** Seconds for which a node may be away before members are told that others can take over. */
const AWAY_SECONDS = 3600;

/** Throws Refused `unknown` where this device is not in the room. */
export async function placesOf(core: Core, room: Room): Promise<PlacesView> {
  const hub = core.hubOf(room);
  const { followers, faulty, away_since: since } = await core.api.places(room.id);
  const { here, community, words } = choiceOf(core, room, hub);
  const others = followers.filter((node) => node !== hub).map((node) => choiceOf(core, room, node));
  return {
    here,
    community,
    words,
    others: followers.length,
    choices: others.sort((a, b) => Number(b.here) - Number(a.here) || (a.words < b.words ? -1 : 1)),
    away: since !== undefined && core.now - since > AWAY_SECONDS,
    moves: movesOf(core, room),
    proof: faulty && (await lied(hub, room.id, faulty)) ? JSON.stringify({ hub, room: room.id, heads: faulty }) : "",
  };
}

function choiceOf(core: Core, room: Room, node: string): MoveChoice {
  const here = node === core.self.nodeId;
  const community = here ? core.self.community : heardOf(core, room, node);
  const key = readB64(node, 32);
  return { node, here, community, words: key ? spoken(key, WORDS) : "" };
}

/** What a node called its community when somebody of this device asked there: in this room, or in another one. */
function heardOf(core: Core, room: Room, node: string): string {
  return [room, ...core.rooms.values()].find(({ record }) => record.via?.nodeId === node)?.record.via?.community ?? "";
}

/** What members want, of those moves that still count. */
function movesOf(core: Core, room: Room): MoveView[] {
  const { moved, votes, agreed } = movingOf(room);
  const members = room.identities;
  const open = votes.filter(({ by, number }) => number > moved && members.includes(by));
  const wanted = new Set(open.map(({ hub }) => hub));
  if (agreed) wanted.add(agreed.hub);
  const decision = decisionOf(room);
  return [...wanted].map((hub) => {
    const by = new Set(open.filter((vote) => vote.hub === hub).map((vote) => vote.by));
    const mine = agreed?.hub === hub;
    if (mine && room.session) by.add(room.session.identity);
    return {
      ...choiceOf(core, room, hub),
      names: [...by].map((who) => room.nameOf(who)),
      needed: Math.floor(members.length / 2) + 1,
      mine,
      decided: decision?.hub === hub,
    };
  });
}

/** A node may say much: only what its own signatures prove counts. */
async function lied(hub: string, room: string, [one, other]: readonly [LogHead, LogHead]): Promise<boolean> {
  const signed = await Promise.all([one, other].map((head) => headHolds(primitives, hub, room, head)));
  return signed.every(Boolean) && contradict(one, other);
}
