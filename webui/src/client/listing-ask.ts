/** From a listing to a room: what a listing says about joining, and asking the group behind it. */
import { Refused } from "../api/problems.ts";
import type { ListingAnswer } from "../api/types.ts";
import type { Core } from "./core.ts";
import { Failure, isWaiting } from "./failures.ts";
import { type IntakePlace, intakeParts, readPlace, sealAsk } from "./intake-keys.ts";
import type { OpenedInvite } from "./invites.ts";
import { BOUNDS, type ListingView } from "./types.ts";

const LISTING = /^[a-z2-7]{32}$/;
/** Characters of a listing's description that are shown. */
const SUMMARY = 600;

/** Throws Failure `unknown` for a listing that this node does not show. */
async function fetchListing(core: Core, node: string, listing: string): Promise<ListingAnswer> {
  if (!LISTING.test(listing)) throw new Failure("unknown", "no such listing");
  try {
    return await core.apiOf(node).listing(listing);
  } catch (problem) {
    if (problem instanceof Refused && problem.status === 404) throw new Failure("unknown", "no such listing");
    throw problem;
  }
}

/** `node`: whose listings are meant; there need be no account. */
export async function viewListing(core: Core, node: string, listing: string): Promise<ListingView> {
  const said = await fetchListing(core, node, listing);
  const place = said.joining === "ask" ? readPlace(said.intake) : undefined;
  const room = place && core.rooms.get(place.room);
  return {
    listing,
    name: titleOf(said),
    summary: cut(said.summary, SUMMARY),
    joining: said.joining === "ask" || said.joining === "invitation" ? said.joining : "come",
    howToJoin: cut(said.how_to_join, SUMMARY),
    asks: place !== undefined,
    known: !!core.account && !core.account.revoked,
    room: room && !room.gone ? room.id : "",
    standing: room && !room.gone ? room.record.standing : null,
  };
}

/** The way to the group, as asking by a link takes it. Throws Failure `unknown`, `invite-gone`. */
export async function openListing(core: Core, listing: string): Promise<OpenedInvite> {
  const { node, nodeId } = core.self;
  const said = await fetchListing(core, node, listing);
  const place = said.joining === "ask" ? readPlace(said.intake) : undefined;
  if (!place) throw new Failure("invite-gone");
  const { id, proof } = await intakeParts(place.key);
  const far = place.node === nodeId ? undefined : place.node;
  const name = titleOf(said);
  return {
    node,
    far,
    id,
    proof,
    sealer: { seal: (value) => sealAsk(place, { ...(value as object), listing: name }) },
    answer: { title: await community(core, place, far), expires: 0, uses_left: 0, accounts: false, note: "" },
    note: { v: 1, from: "", words: "", room: { room: place.room, kind: "room", title: name } },
  };
}

/** Whose node takes the asks, which is also whether it still does. "" while that node does not answer. */
async function community(core: Core, { key }: IntakePlace, far: string | undefined): Promise<string> {
  const { id, proof } = await intakeParts(key);
  try {
    return (await core.api.readInvite(id, proof, far)).title;
  } catch (problem) {
    if (isWaiting(problem)) return "";
    if (problem instanceof Refused && [403, 404, 409, 410].includes(problem.status)) throw new Failure("invite-gone");
    throw problem;
  }
}

function titleOf(said: ListingAnswer): string {
  return cut(said.name, BOUNDS.titleCharacters);
}

/** Anything may stand in a listing. */
function cut(text: unknown, most: number): string {
  return typeof text === "string" ? [...text].slice(0, most).join("") : "";
}
