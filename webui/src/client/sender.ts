/**
 * The outbox: what a person wrote is saved first, sealed only when the room is caught up, saved again in its sealed
 * form, and sent until the hub has it. A submission keeps its id, so sending it twice puts it into the log once.
 *
 * Within a room everything goes one after the other. What the log shows leaves the outbox (`follower.ts`).
 */
import { Refused, Unreachable } from "../api/problems.ts";
import type { Accepted, EntryAnswer, SubmissionBody } from "../api/types.ts";
import { wipe } from "../bytes/bytes.ts";
import { toB64 } from "../bytes/text.ts";
import { random } from "../bytes/webcrypto.ts";
import type { Event, Submission } from "../rooms/types.ts";
import type { Batch } from "../vault/vault.ts";
import type { Core } from "./core.ts";
import { isPassing, isWaiting } from "./failures.ts";
import { readEntries } from "./follower.ts";
import { SIZES } from "./keys.ts";
import type { Room } from "./room.ts";
import { names, type StoredOutgoing } from "./stored.ts";

/** Milliseconds of the first and longest pause before a failed submission is tried again; the own node waits, too. */
const PAUSE_MS = { first: 1_000, longest: 60_000, waiting: 8_000 } as const;
/** Seconds by which this device's clock may be behind the node's before the person is told. */
const CLOCK_SECONDS = 600;
/** A submission that neither fails nor appears is given a rest after so many rounds. */
const ROUNDS = 4;

export type Upload = (room: Room, token: string) => Promise<void>;

export class Sender {
  readonly #core: Core;
  readonly #upload: Upload;
  readonly #running = new Map<Room, Promise<void>>();
  readonly #failures = new Map<Room, number>();
  readonly #retries = new Map<Room, () => void>();

  /** `upload` brings a file to the node before the message that names it. */
  constructor(core: Core, upload: Upload) {
    this.#core = core;
    this.#upload = upload;
  }

  /** Keeps an event until it is in the log. Durable when it returns; answers its id. */
  enqueue(
    room: Room,
    event: StoredOutgoing["event"],
    id: string = toB64(random(SIZES.id)),
    files: readonly string[] = [],
    more?: (batch: Batch, room: Room) => void,
  ): Promise<string> {
    return room.serial.run(async () => {
      if (room.outbox.some((one) => one.id === id)) return id;
      const n = (room.outbox.at(-1)?.n ?? 0) + 1;
      const one = { room: room.id, n, id, event, time: this.#core.now, files: [...files], sealed: "", failed: false };
      const batch: Batch = new Map([[names.outgoing(room.id, n), one]]);
      more?.(batch, room);
      await this.#core.vault.write(batch);
      room.outbox = [...room.outbox, one];
      this.#core.changed(room);
      this.kick(room);
      return id;
    });
  }

  /** Changes one waiting thing, or takes it away with null. */
  amend(room: Room, id: string, change: Partial<StoredOutgoing> | null): Promise<boolean> {
    return room.serial.run(async () => {
      const one = room.outbox.find((each) => each.id === id);
      if (!one) return false;
      const after = change && { ...one, ...change };
      const batch: Batch = new Map<(typeof names)["account"], unknown>([[names.outgoing(room.id, one.n), after]]);
      let session = room.session;
      if (!after) {
        for (const token of one.files) batch.set(names.file(token), null);
        if (one.sealed && session) {
          session = session.dropUnsent(one.sealed);
          batch.set(names.session(room.id), session.encode());
        }
      }
      await this.#core.vault.write(batch);
      room.session = session;
      room.outbox = room.outbox.flatMap((each) => (each === one ? (after ? [after] : []) : [each]));
      this.#core.changed(room);
      return true;
    });
  }

  /** Sends what waits in a room, if the node can be reached. */
  kick(room: Room): void {
    if (!this.#core.online || !room.inside || this.#running.has(room) || this.#retries.has(room)) return;
    const work = this.#drain(room)
      .then(
        () => this.#failures.delete(room),
        (problem: unknown) => this.#later(room, problem),
      )
      .finally(() => this.#running.delete(room));
    this.#running.set(
      room,
      work.then(() => {}),
    );
  }

  /** After coming back: pauses are over. */
  kickAll(): void {
    for (const cancel of this.#retries.values()) cancel();
    this.#retries.clear();
    this.#failures.clear();
    for (const room of this.#core.rooms.values()) this.kick(room);
  }

  get busy(): boolean {
    return this.#running.size > 0;
  }

  stop(): void {
    for (const cancel of this.#retries.values()) cancel();
    this.#retries.clear();
  }

  async idle(): Promise<void> {
    while (this.#running.size > 0) await Promise.all(this.#running.values());
  }

  #later(room: Room, problem: unknown): void {
    if (problem instanceof Refused && problem.status === 401) {
      this.#core.revoked();
      return;
    }
    if (this.#core.vault.phase !== "open") return;
    if (!(isPassing(problem) || problem instanceof Refused)) this.#core.world.report?.(problem, "send");
    const failures = this.#failures.get(room) ?? 0;
    this.#failures.set(room, failures + 1);
    const asked = problem instanceof Refused ? problem.retryAfter * 1000 : 0;
    const longest = isWaiting(problem) ? PAUSE_MS.waiting : PAUSE_MS.longest;
    const pause = Math.min(longest, PAUSE_MS.first * 2 ** failures) * (0.5 + this.#core.world.chance());
    const cancel = this.#core.world.later(Math.max(asked, pause), () => {
      this.#retries.delete(room);
      this.kick(room);
    });
    this.#retries.set(room, cancel);
  }

  async #drain(room: Room): Promise<void> {
    let rounds = 0;
    let last = "";
    while (this.#core.online && room.inside) {
      if (room.behind) {
        await this.#core.parts.follower.catchUp(room);
        if (room.behind) throw new Unreachable("the log could not be followed to its end");
      }
      const submission = await this.#next(room);
      if (!submission) return;
      rounds = submission.id === last ? rounds + 1 : 0;
      last = submission.id;
      if (rounds >= ROUNDS) throw new Unreachable("accepted, but not in the log");
      await this.#submit(room, submission);
    }
  }

  /** What goes out next: what was sealed before, then an own commit, then the oldest thing in the outbox. */
  async #next(room: Room): Promise<Submission | null> {
    const failed = new Set(room.outbox.filter((one) => one.failed).map((one) => one.sealed));
    const before = room.session?.unsent.find((one) => !failed.has(one.id));
    if (before) return before;
    if (room.session?.pending) return room.session.pending;
    const waiting = room.outbox.find((one) => !one.failed && one.sealed === "");
    if (!waiting) return null;
    try {
      for (const token of waiting.files) await this.#upload(room, token);
      return await room.serial.run(() => this.#seal(room, waiting));
    } catch (problem) {
      const passing = problem instanceof Unreachable || (problem instanceof Refused && problem.passing);
      if (passing || (problem instanceof Refused && problem.status === 401)) throw problem;
      this.#core.world.report?.(problem, "seal");
      await this.amend(room, waiting.id, { failed: true });
      return this.#next(room);
    }
  }

  async #seal(room: Room, waiting: StoredOutgoing): Promise<Submission | null> {
    const one = room.outbox.find((each) => each.n === waiting.n);
    const before = room.session;
    if (one?.sealed !== "" || !before?.inside || room.gone) return null;
    const event = one.event.type === "make" ? before.snapshotEvent() : (one.event as Event);
    const { session, submission, spent } = await before.sealEvent(event);
    const sealed = { ...one, sealed: submission.id };
    const batch: Batch = new Map<(typeof names)["account"], unknown>([[names.outgoing(room.id, one.n), sealed]]);
    batch.set(names.session(room.id), session.encode());
    await this.#core.vault.write(batch);
    room.session = session;
    room.outbox = room.outbox.map((each) => (each === one ? sealed : each));
    wipe(spent);
    return submission;
  }

  async #submit(room: Room, submission: Submission): Promise<void> {
    const session = room.session;
    if (!session) return;
    const { id, kind, epoch, payload, welcomes, removes } = submission;
    const farOf = ({ ref, mailbox }: (typeof welcomes)[number]) => {
      const home = room.claims.find((one) => one.ref === ref)?.home;
      return home ? { home, mailbox } : {};
    };
    const body = {
      mailbox: session.mailbox,
      id,
      kind,
      epoch,
      seen: session.position.seq,
      payload: toB64(payload),
      ...(welcomes.length
        ? { welcomes: welcomes.map((one) => ({ ref: one.ref, payload: toB64(one.payload), ...farOf(one) })) }
        : {}),
      ...(removes.length ? { removes } : {}),
    };
    const { follower } = this.#core.parts;
    try {
      const { seq, time, hash } = await this.#hand(room, body);
      // A repeated submission has the time of the first one: only a clock that is behind can be told from that.
      if (time - this.#core.now > CLOCK_SECONDS) this.#core.trouble("clock", null);
      await follower.take(room, [{ seq, time, kind, epoch, id, payload, hash }]);
    } catch (problem) {
      if (!(problem instanceof Refused)) throw problem;
      if (problem.status === 409 && problem.kind === "conflict") {
        const entries = problem.details.entries;
        if (Array.isArray(entries)) await follower.take(room, readEntries(entries as EntryAnswer[]));
        await follower.catchUp(room);
        return;
      }
      if (problem.passing || problem.status === 401) throw problem;
      await this.#refused(room, submission, problem);
    }
    if (room.behind) await follower.catchUp(room);
  }

  /** Over the live channel, which costs the node half as much as a request; by a request where it cannot be used. */
  async #hand(room: Room, body: SubmissionBody): Promise<Accepted> {
    const { live } = this.#core;
    try {
      const accepted = await live?.submit({ room: room.id, ...body });
      if (accepted) return accepted;
    } catch (problem) {
      // The channel ended in between. It may be in the log or not: with the same id it gets there once.
      if (!(problem instanceof Unreachable) || this.#core.live !== live) throw problem;
    }
    return this.#core.api.submit(room.id, body);
  }

  /** The hub does not want it, now or ever. */
  async #refused(room: Room, submission: Submission, problem: Refused): Promise<void> {
    this.#core.world.report?.(problem, `submit ${submission.kind}`);
    await this.#core.parts.follower.catchUp(room);
    if (submission.kind === "message") {
      const one = room.outbox.find((each) => each.sealed === submission.id);
      if (one) await this.amend(room, one.id, { failed: true });
      else await this.#forget(room, submission.id);
      return;
    }
    await room.serial.run(async () => {
      if (room.session?.pending?.id !== submission.id) return;
      const session = room.session.dropPending();
      const claims = room.claims.filter((one) => one.used !== submission.id);
      const batch: Batch = new Map<(typeof names)["account"], unknown>([[names.session(room.id), session.encode()]]);
      // What the KeyPackages in there were claimed for is asked anew, by whoever still wants it.
      for (const one of room.claims) if (one.used === submission.id) batch.set(names.claim(room.id, one.ref), null);
      await this.#core.vault.write(batch);
      room.session = session;
      room.claims = claims;
    });
  }

  /** A sealed event that nobody waits for any more. */
  async #forget(room: Room, id: string): Promise<void> {
    await room.serial.run(async () => {
      if (!room.session) return;
      const session = room.session.dropUnsent(id);
      await this.#core.vault.write(new Map([[names.session(room.id), session.encode()]]));
      room.session = session;
    });
  }
}
