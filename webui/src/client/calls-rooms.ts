/** Calls about rooms and the people in them. */
import { Refused } from "../api/problems.ts";
import { fromB64, toB64 } from "../bytes/text.ts";
import { random } from "../bytes/webcrypto.ts";
import type { Event, Rules } from "../rooms/types.ts";
import { tidyName } from "./calls-account.ts";
import type { Handlers } from "./client.ts";
import { newRoomId, signProfile } from "./engine.ts";
import { exportAll } from "./exporting.ts";
import { Failure } from "./failures.ts";
import type { Home } from "./home.ts";
import { makeInvite } from "./invites.ts";
import { roomIdentity, SIZES } from "./keys.ts";
import { makeDevice } from "./packages.ts";
import { pairEvent } from "./pairing.ts";
import { change } from "./records.ts";
import { newRecord, Room } from "./room.ts";
import { names, type StoredRoom } from "./stored.ts";
import { TimelinePage } from "./timeline.ts";
import { BOUNDS, type RoomKind } from "./types.ts";
import { codeMatches, numberOf, verificationCode } from "./verifying.ts";
import { asksOf, viewOf } from "./views.ts";

type Names =
  | "createRoom"
  | "startPair"
  | "watch"
  | "unwatch"
  | "loadEarlier"
  | "loadUntil"
  | "setTitle"
  | "setName"
  | "approve"
  | "dismissAsk"
  | "voteRemoval"
  | "leave"
  | "forgetRoom"
  | "rejoin"
  | "places"
  | "moveRoom"
  | "setArchive"
  | "verification"
  | "setVerified"
  | "verifyScanned"
  | "exportArchive";

export const roomCalls: Pick<Handlers, Names> = {
  createRoom: async ({ home }, { title, name, approvals }) => {
    const rules: Rules = { approvals: approvals ?? "auto", kind: "room", version: 1 };
    const room = await createRoom(home, rules, tidyName(name));
    if (title.trim() !== "") await home.sender.enqueue(room, { type: "title", text: tidyTitle(title) });
    return { room: room.id };
  },
  startPair: async ({ home }, { name, with: other, words = "" }) => {
    const through = other && pairOf(home, other.room, other.member).room;
    const room = await createRoom(home, { approvals: "auto", kind: "pair", version: 1 }, tidyName(name), other ?? null);
    const { link, stored } = await makeInvite(home.core, { room: room.id, words, ...(other ? { uses: 0 } : {}) });
    if (through && other) {
      const event = await pairEvent(through.id, other.member, home.core.self, stored.secret, words);
      await home.sender.enqueue(through, event);
    }
    return { room: room.id, link };
  },
  watch: async ({ home }, input) => {
    const room = home.core.room(input.room);
    room.watchers++;
    await paged(home, room, async () => {});
    return viewOf(home.core, room);
  },
  unwatch: ({ home }, input) => {
    const room = home.core.rooms.get(input.room);
    if (!room || room.watchers === 0) return;
    room.watchers--;
    if (room.watchers === 0) room.page = null;
  },
  loadEarlier: async ({ home }, input) => {
    const room = home.core.room(input.room);
    const hasEarlier = await paged(home, room, async (page) => {
      await page.earlier();
      return page.hasEarlier;
    });
    home.core.changed(room);
    return { hasEarlier };
  },
  loadUntil: async ({ home }, { room: id, message }) => {
    const room = home.core.room(id);
    const found = await paged(home, room, (page) => page.reach(message));
    home.core.changed(room);
    return { found };
  },
  setTitle: async ({ home }, { room, title }) => {
    await say(home, room, () => ({ type: "title", text: tidyTitle(title) }));
  },
  setName: async ({ home }, { room: id, name }) => {
    const tidy = tidyName(name);
    await say(home, id, async (room, me) => (room.session as NonNullable<Room["session"]>).profile(me, tidy));
    await change(home, home.core.room(id), (record) => ({ ...record, name: tidy }));
    await home.core.saveAccount({ name: tidy });
  },
  approve: async ({ home }, { room: id, ask }) => {
    const known = asksOf(home.core.room(id), home.core.now).find((one) => one.ask === ask);
    if (!known) throw new Failure("unknown", "no such ask");
    if (known.mine) return;
    await say(home, id, (room, me) => (room.session as NonNullable<Room["session"]>).approve(me, ask, home.core.now));
  },
  dismissAsk: ({ home }, { room, ask }) =>
    change(home, home.core.room(room), (record) => ({
      ...record,
      dismissed: [...new Set([...record.dismissed, ask])].slice(-100),
    })),
  voteRemoval: async ({ home }, { room: id, member }) => {
    await say(home, id, (room, me) => {
      const { session } = room;
      if (!session?.members.some((one) => one.identity === member && !one.self)) throw new Failure("unknown");
      return session.voteToRemove(me, member, home.core.now);
    });
  },
  leave: async ({ home }, { room }) => {
    await say(home, room, (its, me) => (its.session as NonNullable<Room["session"]>).leave(me, home.core.now));
  },
  forgetRoom: ({ home }, { room }) => forgetRoom(home, home.core.room(room)),
  rejoin: ({ home }, { room }) => home.asking.askAgain(home.core.room(room)),
  places: async ({ home }, { room }) => (await import("./places.ts")).placesOf(home.core, home.core.room(room)),
  moveRoom: ({ home }, { room, node }) => home.moves.agree(home.core.room(room), node),

  setArchive: async ({ home }, { room: id, on }) => {
    const room = home.core.room(id);
    await home.index.sync();
    await home.index.archive(id, on);
    await change(home, room, (record) => ({ ...record, archive: on }));
    await (on ? home.archive.sync() : home.archive.erase(id));
    // Only now is it so for whoever comes back with the 24 words.
    await home.index.sync();
  },

  verification: async ({ home }, { room: id, member }) => {
    const { room, me } = pairOf(home, id, member);
    return {
      number: await numberOf(home.engines, id, me, member),
      code: verificationCode(id, me, member),
      verified: room.record.verified.includes(member),
    };
  },
  setVerified: ({ home }, { room: id, member, verified }) => setVerified(home, id, member, verified),
  verifyScanned: async ({ home }, { room: id, member, scanned }) => {
    const match = codeMatches(scanned, id, pairOf(home, id, member).me, member);
    if (match) await setVerified(home, id, member, true);
    return { match };
  },
  exportArchive: ({ home }, { room }) => exportAll(home.core, room),
};

/** Does something with the room's page while nothing is written to it, opening it if need be. */
function paged<Answer>(home: Home, room: Room, act: (page: TimelinePage) => Promise<Answer>): Promise<Answer> {
  return room.serial.run(async () => {
    room.page ??= await TimelinePage.open(home.core.vault, room.id);
    return act(room.page);
  });
}

/** Signs and keeps something to be said in a room. Throws Failure `not-in-room`. */
async function say(
  home: Home,
  id: string,
  make: (room: Room, me: Awaited<ReturnType<typeof roomIdentity>>) => Event | Promise<Event>,
): Promise<void> {
  const room = home.core.room(id);
  if (!room.inside) throw new Failure("not-in-room");
  const me = await roomIdentity(fromB64(home.core.self.secret), id);
  await home.sender.enqueue(room, await make(room, me));
}

async function createRoom(
  home: Home,
  rules: Rules,
  name: string,
  pairFor: StoredRoom["pairFor"] = null,
): Promise<Room> {
  const { core, engines } = home;
  const id = await newRoomId(engines, rules);
  const me = await roomIdentity(fromB64(core.self.secret), id);
  const mailbox = toB64(random(SIZES.id));
  const { secrets } = await makeDevice(engines, me, mailbox, core.now);
  const profile = await signProfile(engines, me, core.now, name);
  const session = await engines.create({ rules, me, own: secrets, mailbox, profile });
  await core.api.createRoom(id, mailbox);
  const kind: RoomKind = rules.kind;
  const record = { ...newRecord({ room: id, kind, standing: "in", name, mailbox, time: core.now }), pairFor };
  await core.vault.write(
    new Map<(typeof names)["account"], unknown>([
      [names.room(id), record],
      [names.session(id), session.encode()],
      [names.account, { ...core.self, name }],
    ]),
  );
  core.account = { ...core.self, name };
  const room = new Room(record, session, [], []);
  core.rooms.set(id, room);
  home.index.touch();
  core.changed(room);
  return room;
}

async function forgetRoom(home: Home, room: Room): Promise<void> {
  if (room.inside) throw new Failure("unknown", "leave it first");
  const { core } = home;
  await room.serial.run(async () => {
    room.gone = true;
    for (const table of [names.items, names.places, names.outbox, names.blobs, names.claims])
      await core.vault.drop(table(room.id));
    await core.vault.write(
      new Map<(typeof names)["account"], unknown>([
        [names.session(room.id), null],
        [names.room(room.id), null],
      ]),
    );
  });
  // Stays in memory as gone until the index has heard of it, so that it does not come back from there.
  home.index.touch();
  const asking = room.record.asking?.ref;
  if (asking) core.background("offer", core.api.withdrawOffer(asking).catch(passOver));
  core.changed();
}

function passOver(problem: unknown): void {
  if (!(problem instanceof Refused)) throw problem;
}

function pairOf(home: Home, id: string, member: string): { room: Room; me: string } {
  const room = home.core.room(id);
  const { session } = room;
  if (!session?.members.some((one) => one.identity === member && !one.self)) throw new Failure("unknown");
  return { room, me: session.identity };
}

async function setVerified(home: Home, id: string, member: string, verified: boolean): Promise<void> {
  const { room } = pairOf(home, id, member);
  await change(home, room, (record) => {
    const others = record.verified.filter((one) => one !== member);
    return { ...record, verified: verified ? [...others, member] : others };
  });
}

function tidyTitle(title: string): string {
  const tidy = title.normalize("NFC").replace(/\s+/g, " ").trim();
  if ([...tidy].length > BOUNDS.titleCharacters) throw new Failure("too-long", "a title");
  return tidy;
}
