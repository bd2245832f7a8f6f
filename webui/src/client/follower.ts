/**
 * Follows the rooms' logs: what the live channel brings, what was missed, and Welcomes into new rooms.
 *
 * An entry's effects (session, timeline, outbox, cursor) are saved in one transaction before the hub is told that it
 * may forget them. Entries are taken in batches, so that catching up does not wait for the disk five thousand times.
 */
import { Refused, Unreachable } from "../api/problems.ts";
import type { EntryAnswer, LogAnswer } from "../api/types.ts";
import { wipe } from "../bytes/bytes.ts";
import { fields } from "../bytes/fields.ts";
import { fromB64, readB64 } from "../bytes/text.ts";
import { verify } from "../bytes/webcrypto.ts";
import type { Change, LogEntry, Session } from "../rooms/types.ts";
import type { Batch } from "../vault/vault.ts";
import type { Core } from "./core.ts";
import { learnPairInvite } from "./pairing.ts";
import type { Room } from "./room.ts";
import { names, type StoredClaim, type StoredOutgoing } from "./stored.ts";
import { TimelineWriter } from "./timeline.ts";

/** Entries taken in one transaction. */
const BATCH = 50;
/** Entries asked for at once. */
const PAGE = 200;
/** Milliseconds in which acknowledgements are gathered: nothing at the node needs them sooner. */
const ACKNOWLEDGE_MS = 1_000;

/** What is about to become the room's present. */
interface Draft {
  session: Session;
  batch: Batch;
  outbox: StoredOutgoing[];
  claims: StoredClaim[];
  spent: Uint8Array[];
  writer: TimelineWriter;
  record: Room["record"];
  changes: Change[];
}

export class Follower {
  readonly #core: Core;
  readonly #catching = new Map<Room, Promise<void>>();
  readonly #acknowledged = new Map<string, number>();
  #acknowledging = false;

  constructor(core: Core) {
    this.#core = core;
  }

  /** Takes entries in order; those that were taken before are passed over, and a gap ends it (`catchUp` fills it). */
  async take(room: Room, entries: readonly LogEntry[]): Promise<void> {
    for (const { seq } of entries) room.head = Math.max(room.head, seq);
    for (let at = 0; at < entries.length; ) {
      // The queue is left between batches, so that somebody who writes meanwhile does not wait for all of them.
      const next = await room.serial.run(() => this.#takeSome(room, entries, at));
      if (next === at) break;
      at = next;
    }
    this.#core.parts.chores.look(room);
    this.#core.parts.sender.kick(room);
  }

  /** Fetches and takes everything that this device has not seen. */
  catchUp(room: Room): Promise<void> {
    const running = this.#catching.get(room);
    if (running) return running;
    const work = this.#catchUp(room).finally(() => this.#catching.delete(room));
    this.#catching.set(room, work);
    return work;
  }

  async #catchUp(room: Room): Promise<void> {
    for (;;) {
      const from = room.session?.position.seq;
      if (from === undefined || !room.inside) return;
      const answer = await this.#core.api.log(room.id, from, PAGE);
      if (!(await this.#headHolds(room, answer))) return;
      await this.take(room, readEntries(answer.entries));
      const reached = room.session?.position.seq ?? 0;
      if (answer.entries.length === 0) room.head = reached;
      const { returned } = this.#core.settings;
      if (reached >= answer.head.seq && returned.includes(room.id))
        await this.#core.saveSettings({ returned: returned.filter((one) => one !== room.id) });
      if (reached >= answer.head.seq || reached === from) return;
    }
  }

  /** What still waits to be acknowledged is no work: `flush` says it at once. */
  get busy(): boolean {
    return this.#catching.size > 0;
  }

  /** What the live channel brings. */
  async push(id: string, entries: readonly EntryAnswer[]): Promise<void> {
    const room = this.#core.rooms.get(id);
    if (!room?.session) return;
    await this.take(room, readEntries(entries));
    if (room.behind) await this.catchUp(room);
  }

  /** Saves what was acknowledged but not said yet. */
  async flush(): Promise<void> {
    const pairs = [...this.#acknowledged];
    this.#acknowledged.clear();
    this.#acknowledging = false;
    if (pairs.length === 0 || this.#core.live?.acknowledge(pairs)) return;
    await this.#core.api.acknowledge(pairs.map(([room, seq]) => ({ room, seq })));
  }

  /** Takes up to a batch of entries from `start` and saves them. Answers the index of the next one. */
  async #takeSome(room: Room, entries: readonly LogEntry[], start: number): Promise<number> {
    const before = room.session;
    if (!before || room.gone || room.record.standing !== "in") return start;
    const draft = this.#draft(room, before);
    let at = start;
    let taken = 0;
    for (; at < entries.length && taken < BATCH; at++) {
      const entry = entries[at] as LogEntry;
      if (!draft.session.inside || draft.record.standing !== "in") break;
      if (entry.seq <= draft.session.position.seq) continue;
      if (entry.seq !== draft.session.position.seq + 1 || !(await this.#takeOne(room, draft, entry))) break;
      taken++;
    }
    if (taken > 0) await this.#save(room, draft);
    return at;
  }

  #draft(room: Room, session: Session): Draft {
    const record = structuredClone(room.record);
    const batch: Batch = new Map();
    const writer = new TimelineWriter(this.#core.vault, record, batch, session.identity, (who) => room.nameOf(who));
    const outbox = [...room.outbox];
    return { session, batch, outbox, claims: [...room.claims], spent: [], writer, record, changes: [] };
  }

  /** False when the hub broke the log's rules: then nothing of the entry counts. */
  async #takeOne(room: Room, draft: Draft, entry: LogEntry): Promise<boolean> {
    const poisonous = await this.#core.vault.json<boolean>(names.poison(room.id, entry.seq));
    this.#core.world.busy?.({ room: room.id, seq: entry.seq });
    const handled = await draft.session
      .handle(poisonous ? { ...entry, payload: null } : entry)
      .finally(() => this.#core.world.busy?.(null));
    if (handled.fault) {
      room.faulty = true;
      this.#core.trouble("log-broken", room);
      return false;
    }
    room.faulty = false;
    draft.session = handled.session;
    draft.spent.push(...handled.spent);
    for (const change of handled.changes) {
      await draft.writer.add(change);
      if (change.type === "unknown")
        await learnPairInvite(draft.record, this.#core.self.secret, draft.session.identity, change);
      this.#queue(draft, change);
      draft.changes.push(change);
    }
    return true;
  }

  /** What a change means for things that wait to be sent, and for where one stands. */
  #queue(draft: Draft, change: Change): void {
    switch (change.type) {
      case "sent": {
        const sent = draft.outbox.filter((one) => one.sealed === change.id || one.id === change.id);
        draft.outbox = draft.outbox.filter((one) => !sent.includes(one));
        for (const one of sent) {
          draft.batch.set(names.outgoing(one.room, one.n), null);
          for (const token of one.files) draft.batch.set(names.file(token), null);
        }
        return;
      }
      case "send-again": {
        draft.outbox = draft.outbox.map((one) => {
          if (one.sealed !== change.id && one.id !== change.id) return one;
          const again = { ...one, sealed: "" };
          draft.batch.set(names.outgoing(one.room, one.n), again);
          return again;
        });
        return;
      }
      case "commit-accepted":
      case "commit-dropped": {
        for (const claim of draft.claims.filter((one) => one.used === change.id)) {
          const after = change.type === "commit-accepted" ? null : { ...claim, used: "" };
          draft.claims = draft.claims.flatMap((one) => (one === claim ? (after ? [after] : []) : [one]));
          draft.batch.set(names.claim(claim.room, claim.ref), after);
        }
        return;
      }
      case "unreadable":
        // Something of one's own that this state did not send: it was older than what was sent since. Never go on with it.
        if (change.why === "used" && this.#core.settings.returned.includes(draft.record.room)) {
          draft.record.stale = [...draft.record.stale, draft.session.leaf];
          draft.record.standing = "rejoining";
        }
        return;
      case "leave":
        // Leaving needs nobody: whoever said it is out, whenever the others' devices come to it.
        if (change.by === draft.session.identity) draft.record.standing = "left";
        return;
      case "out":
        if (draft.record.standing !== "left")
          draft.record.standing = change.how === "left" ? "left" : change.how === "revoked" ? "rejoining" : "removed";
        return;
    }
  }

  async #save(room: Room, draft: Draft): Promise<void> {
    for (const { identity, name } of draft.session.members) if (name) draft.record.names[identity] = name;
    draft.batch.set(names.room(room.id), draft.record);
    draft.batch.set(names.session(room.id), draft.session.encode());
    await this.#core.vault.write(draft.batch);
    const claimed = room.claims.filter((one) => !draft.claims.some((kept) => kept.ref === one.ref));
    room.record = draft.record;
    room.session = draft.session;
    room.outbox = draft.outbox;
    room.claims = draft.claims;
    wipe(draft.spent);
    room.page?.take(draft.writer.written.items.values());
    this.#acknowledge(room.id, draft.session.position.seq);
    this.#after(room, draft, claimed);
  }

  /** What follows from what was saved; nothing in here is lost by a crash, because it is all found again. */
  #after(room: Room, draft: Draft, claimed: readonly StoredClaim[]): void {
    const core = this.#core;
    for (const item of draft.writer.written.arrived) {
      const name = room.nameOf(item.by);
      core.emit({ kind: "arrived", room: room.id, message: item.id, name, text: item.text });
    }
    for (const { nodeAsk } of claimed) if (nodeAsk) core.background("ask", core.api.deleteAsk(nodeAsk));
    const skipped = draft.changes.some((change) => change.type === "skipped");
    if (skipped) core.background("mailboxes", this.#putBack(room, draft.session));
    for (const change of draft.changes)
      if (change.type === "intake" && change.before) core.parts.intakes.over(change.before);
    const touching = ["title", "profile", "joined", "out", "device-added", "device-removed"];
    if (draft.changes.some((change) => touching.includes(change.type))) core.parts.index.touch();
    if (draft.writer.written.items.size > 0) core.parts.archive.touch(room);
    core.changed(room);
  }

  /** A commit that does not count may have told the hub to cut mailboxes off: put all members' back. */
  async #putBack(room: Room, session: Session): Promise<void> {
    for (const member of session.policy.members) {
      for (const { mailbox } of member.leaves) {
        if (mailbox === session.mailbox) continue;
        try {
          await this.#core.api.putBack(room.id, mailbox, session.position.seq);
        } catch (problem) {
          if (problem instanceof Unreachable) throw problem;
          if (!(problem instanceof Refused)) throw problem;
        }
      }
    }
  }

  #acknowledge(room: string, seq: number): void {
    this.#acknowledged.set(room, seq);
    if (this.#acknowledging) return;
    this.#acknowledging = true;
    this.#core.world.later(ACKNOWLEDGE_MS, () => {
      // Offline it is said on coming back, or with the next entry.
      this.#acknowledging = false;
      if (this.#core.online) this.#core.background("acknowledge", this.flush());
    });
  }

  /** The head is signed by the room's hub, which was pinned on coming in, and is what this device saw. */
  async #headHolds(room: Room, { head, hub }: LogAnswer): Promise<boolean> {
    const { nodeId } = this.#core.self;
    if (!(await this.#core.parts.moves.adopt(room, hub ?? nodeId))) {
      this.#core.trouble("log-broken", room);
      return false;
    }
    const [key, signature] = [readB64(this.#core.hubOf(room), 32), readB64(head.signature, 64)];
    const hash = readB64(head.hash, 32);
    if (!key || !signature || !hash) return false;
    const said = fields("hedgerow log head v1", fromB64(room.id), head.seq, hash, head.time);
    if (!(await verify(key, said, signature))) {
      this.#core.trouble(hub ? "log-broken" : "node-changed", room);
      return false;
    }
    const position = room.session?.position;
    if (position && position.seq === head.seq && head.seq > 0 && position.hash !== head.hash) {
      this.#core.trouble("log-broken", room);
      return false;
    }
    room.head = Math.max(room.head, head.seq);
    return true;
  }
}

/** Entries as the rules want them. One that is malformed ends the list: what follows it would be a gap. */
export function readEntries(answers: readonly EntryAnswer[]): LogEntry[] {
  const entries: LogEntry[] = [];
  for (const { seq, time, kind, epoch, id, payload, payload_hash, hash } of answers) {
    const bytes = payload === null ? null : readB64(payload);
    if (bytes === undefined) break;
    const pruned = payload_hash === undefined ? {} : { payloadHash: payload_hash };
    entries.push({ seq, time, kind, epoch, id, payload: bytes, ...pruned, hash });
  }
  return entries;
}
