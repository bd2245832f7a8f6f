/**
 * Moving house: members agree in notes beside the log that another node shall keep the room. When more than half of
 * them have, each device tells its own node; and it goes on with the new node once it has checked that they did.
 */
import { Refused } from "../api/problems.ts";
import type { MoveAnswer } from "../api/types.ts";
import { fromB64, readB64, toB64 } from "../bytes/text.ts";
import { entryFault, headHolds } from "../rooms/log.ts";
import {
  type Decision,
  decided,
  epochOf,
  type MoveVote,
  moveHolds,
  openNote,
  sealNote,
  signMove,
} from "../rooms/moving.ts";
import type { LogHead, LogPosition, Session } from "../rooms/types.ts";
import type { Core } from "./core.ts";
import type { Engines } from "./engine.ts";
import { Failure } from "./failures.ts";
import { readEntries } from "./follower.ts";
import { roomIdentity } from "./keys.ts";
import type { Room } from "./room.ts";
import { names, type StoredItem, type StoredMoving } from "./stored.ts";
import { STEP } from "./timeline.ts";

/** Entries asked for at once. */
const PAGE = 200;
/** Votes kept of one room: more than its members can mean. */
const VOTES = 600;
/** So much higher a number of a move is taken over from other members. */
const AHEAD = 8;
const NEVER: StoredMoving = { moved: 0, read: 0, agreed: null, votes: [], told: 0 };

export const movingOf = (room: Room): StoredMoving => room.record.moving ?? NEVER;

/** What is decided and not done. */
export function decisionOf(room: Room): Decision | undefined {
  const { moved, votes } = movingOf(room);
  const members = room.identities;
  return decided(votes, members, moved);
}

/** Who had agreed to another node before counts on; the others who want the same count with them. */
function numberFor(room: Room): number {
  const { agreed, votes } = movingOf(room);
  if (!agreed) return 0;
  const same = votes.filter((vote) => vote.hub === agreed.hub && vote.number <= agreed.number + AHEAD);
  return Math.max(agreed.number, ...same.map(({ number }) => number));
}

export class Moves {
  readonly #core: Core;
  readonly #engines: Engines;
  /** Rooms with a note of a later epoch than this device's. */
  readonly #ahead = new Map<Room, number>();
  readonly #working = new Map<Room, Promise<void>>();

  constructor(core: Core, engines: Engines) {
    this.#core = core;
    this.#engines = engines;
  }

  get busy(): boolean {
    return this.#working.size > 0;
  }

  /** Agrees that a node shall keep the room. Kept when it returns; the others are told as soon as may be. */
  async agree(room: Room, hub: string): Promise<void> {
    const { moved, votes, agreed } = movingOf(room);
    if (!room.inside || !room.session || !readB64(hub, 32) || hub === this.#core.hubOf(room))
      throw new Failure("unknown");
    const open = decisionOf(room)?.number ?? moved;
    const asked = votes.filter((vote) => vote.number > open && vote.hub === hub).map(({ number }) => number);
    // The same number as the others who want this; a new one for whoever has agreed to another node before.
    const mine = votes.filter(({ by }) => by === room.session?.identity).map(({ number }) => number);
    const number = Math.max(open + 1, ...asked, ...mine.map((one) => (agreed?.hub === hub ? one : one + 1)));
    await this.#change(room, { agreed: { hub, number, epoch: -1 } });
    this.look(room);
  }

  /** A note has come, or something changed: do what follows. */
  look(room: Room, notes = 0): void {
    if (!this.#core.online || !room.inside || this.#working.has(room)) {
      const working = this.#working.get(room);
      if (working && notes > 0) working.then(() => this.look(room, notes));
      return;
    }
    const { read, agreed, told } = movingOf(room);
    const ahead = (this.#ahead.get(room) ?? Number.POSITIVE_INFINITY) <= (room.session?.epoch ?? 0);
    const untold =
      agreed !== null && !room.behind && (agreed.epoch !== room.session?.epoch || numberFor(room) > agreed.number);
    const decision = room.record.moving && decisionOf(room);
    const untaken = decision !== undefined && decision.number > told;
    if (!(notes > read || ahead || untold || untaken)) return;
    const work = this.#work(room).finally(() => this.#working.delete(room));
    this.#working.set(room, work);
    this.#core.background("moving", work);
  }

  async #work(room: Room): Promise<void> {
    await this.#collect(room);
    await this.#say(room);
    await this.#take(room);
    this.#core.changed(room);
  }

  async #collect(room: Room): Promise<void> {
    const { read, votes } = movingOf(room);
    const found = [...votes];
    let upTo = read;
    this.#ahead.delete(room);
    for (const { number, note } of await this.#core.api.notes(room.id, read)) {
      const { session } = room;
      const bytes = readB64(note);
      const epoch = bytes && epochOf(bytes);
      if (!session) return;
      if (bytes && epoch !== undefined && epoch > session.epoch) {
        this.#ahead.set(room, epoch);
        break;
      }
      upTo = number;
      const vote = bytes && epoch === session.epoch ? await this.#read(session, bytes) : undefined;
      if (vote && !found.some((one) => one.signature === vote.signature)) found.push(vote);
    }
    if (upTo !== read) await this.#change(room, { read: upTo, votes: found.slice(-VOTES) });
  }

  async #read(session: Session, note: Uint8Array): Promise<MoveVote | undefined> {
    const { primitives } = this.#engines.lent;
    const vote = await openNote(primitives, await session.noteKey(), note);
    return vote && (await moveHolds(primitives, session.room, vote)) ? vote : undefined;
  }

  /** Tells the others, in each epoch once more: who comes to it later can't read older notes. */
  async #say(room: Room): Promise<void> {
    const { agreed, moved, votes } = movingOf(room);
    const { session } = room;
    if (!agreed || !session || room.behind) return;
    if (agreed.number <= moved) return this.#change(room, { agreed: null });
    const number = numberFor(room);
    if (agreed.epoch === session.epoch && agreed.number === number) return;
    const { primitives } = this.#engines.lent;
    const me = await roomIdentity(fromB64(this.#core.self.secret), room.id);
    const vote = await signMove(primitives, me, { hub: agreed.hub, number }, session.position);
    const note = await sealNote(primitives, await session.noteKey(), session.epoch, vote);
    await this.#change(room, { votes: [...votes, vote].slice(-VOTES) });
    await this.#core.api.addNote(room.id, toB64(note));
    await this.#change(room, { agreed: { hub: agreed.hub, number, epoch: session.epoch } });
  }

  /** Tells the own node what was decided. */
  async #take(room: Room): Promise<void> {
    const decision = decisionOf(room);
    const { session } = room;
    if (!decision || !session || decision.number <= movingOf(room).told) return;
    const { number, hub, votes } = decision;
    const statements = votes.map(({ by, seq, hash, signature }) => ({ by, seq, hash, signature }));
    const mailboxes = session.policy.members.flatMap(({ leaves }) => leaves.map(({ mailbox }) => mailbox));
    try {
      await this.#core.api.move(room.id, { number, hub, statements, mailboxes });
    } catch (problem) {
      if (!(problem instanceof Refused) || problem.passing) throw problem;
      this.#core.world.report?.(problem, "move");
    }
    await this.#change(room, { told: number });
  }

  /** The own node names another hub: whether the members have moved the room there. Goes on with it, if so. */
  async adopt(room: Room, named: string): Promise<boolean> {
    if (named === this.#core.hubOf(room)) return true;
    const { moved } = movingOf(room);
    const moves = await this.#core.api.moves(room.id);
    const next = moves.filter(({ number, head }) => number > moved && head);
    for (const move of next.sort((a, b) => a.number - b.number)) {
      if (!(await this.#adoptOne(room, move, move.head as LogHead))) return false;
    }
    return named === this.#core.hubOf(room);
  }

  async #adoptOne(room: Room, { number, hub, statements }: MoveAnswer, head: LogHead): Promise<boolean> {
    const { primitives } = this.#engines.lent;
    if (!(await headHolds(primitives, hub, room.id, head)) || !(await this.#reach(room, head))) return false;
    const votes: MoveVote[] = [];
    for (const said of statements) {
      const vote = { ...said, hub, number };
      if (await moveHolds(primitives, room.id, vote)) votes.push(vote);
    }
    const members = room.identities;
    const decision = decided(votes, members, number - 1);
    if (decision?.hub !== hub || decision.number !== number || decision.least > head.seq) return false;
    await this.#goOn(room, decision, head);
    return true;
  }

  /** Comes to where the new node begins, forth or back; false when its log is not the one this device has. */
  async #reach(room: Room, head: LogHead): Promise<boolean> {
    const { follower } = this.#core.parts;
    for (;;) {
      const at = room.session?.position;
      if (!at) return false;
      if (at.seq === head.seq) return at.hash === head.hash && at.time === head.time;
      if (at.seq > head.seq) return (await this.#leads(room, head, at)) || this.#rewind(room, head, at);
      const { entries } = await this.#core.api.log(room.id, at.seq, Math.min(PAGE, head.seq - at.seq));
      await follower.take(room, readEntries(entries));
      if (room.session?.position.seq === at.seq) return false;
    }
  }

  /** Whether the node's log leads from one place to another. */
  async #leads(room: Room, from: LogPosition, to: LogPosition): Promise<boolean> {
    let at = from;
    while (at.seq < to.seq) {
      const { entries } = await this.#core.api.log(room.id, at.seq, Math.min(PAGE, to.seq - at.seq));
      const read = readEntries(entries);
      if (read.length === 0) return false;
      for (const entry of read) {
        if (await entryFault(this.#engines.lent.primitives, room.id, at, entry)) return false;
        at = entry;
      }
    }
    return at.hash === to.hash;
  }

  #rewind(room: Room, to: LogPosition, from: LogPosition): Promise<boolean> {
    return room.serial.run(async () => {
      if (room.session?.position.hash !== from.hash) return false;
      const session = room.session.rewind(to);
      const record = { ...room.record, rewound: Math.max(from.seq, room.record.rewound ?? 0) };
      await this.#core.vault.write(
        new Map<(typeof names)["account"], unknown>([
          [names.session(room.id), session.encode()],
          [names.room(room.id), record],
        ]),
      );
      Object.assign(room, { session, record, head: to.seq });
      return true;
    });
  }

  #goOn(room: Room, { hub, number, votes }: Decision, { seq, time }: LogHead): Promise<void> {
    return room.serial.run(async () => {
      const { hub: _, ...rest } = room.record;
      const { read, agreed, told, votes: all } = movingOf(room);
      const moving: StoredMoving = {
        moved: number,
        read,
        agreed: agreed && agreed.number > number ? agreed : null,
        votes: all.filter((vote) => vote.number > number),
        told,
      };
      const record = { ...rest, moving, ...(hub === this.#core.self.nodeId ? {} : { hub }) };
      const place = seq * STEP + STEP - 1;
      const by = votes.map((vote) => room.nameOf(vote.by));
      const moved: StoredItem = { kind: "notice", place, seq, time, code: "moved", names: [], by, reason: "" };
      await this.#core.vault.write(
        new Map<(typeof names)["account"], unknown>([
          [names.room(room.id), record],
          [names.item(room.id, place), moved],
        ]),
      );
      room.record = record;
      room.page?.take([moved]);
      this.#core.parts.index.touch();
      this.#core.changed(room);
    });
  }

  #change(room: Room, change: Partial<StoredMoving>): Promise<void> {
    return room.serial.run(async () => {
      const record = { ...room.record, moving: { ...movingOf(room), ...change } };
      await this.#core.vault.write(new Map([[names.room(room.id), record]]));
      room.record = record;
    });
  }
}
