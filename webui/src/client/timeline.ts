/** Turns what entries of the log change into records of a room's timeline, and finds them again. */
import { amend } from "../rooms/messages.ts";
import type { Change } from "../rooms/types.ts";
import type { Batch, Vault } from "../vault/vault.ts";
import { names, type StoredItem, type StoredRoom } from "./stored.ts";
import { BOUNDS, type NoticeItem } from "./types.ts";

/** Places between two entries of the log: one entry may bring several notices. */
export const STEP = 64;
/** Characters of the newest message shown in the list of rooms. */
const LATEST_CHARACTERS = 120;

type Message = Extract<StoredItem, { kind: "message" }>;
type Notice = Extract<StoredItem, { kind: "notice" }>;

export interface Written {
  /** New or changed items, by place. */
  readonly items: Map<number, StoredItem>;
  /** Messages of others that are new. */
  readonly arrived: Message[];
}

/** Writes one batch of changes; lookups see what the batch itself has written. */
export class TimelineWriter {
  readonly #vault: Vault;
  readonly #record: StoredRoom;
  readonly #batch: Batch;
  readonly #me: string;
  readonly #nameOf: (identity: string) => string;
  readonly #places = new Map<string, number>();
  readonly written: Written = { items: new Map(), arrived: [] };

  /** Changes `record` in place and adds to `batch`; `nameOf` tells the name to keep in a notice. */
  constructor(vault: Vault, record: StoredRoom, batch: Batch, me: string, nameOf: (identity: string) => string) {
    this.#vault = vault;
    this.#record = record;
    this.#batch = batch;
    this.#me = me;
    this.#nameOf = nameOf;
  }

  async add(change: Change): Promise<void> {
    switch (change.type) {
      case "message":
        return this.#message(change);
      case "edit":
      case "delete":
        return this.#amend(change);
      case "joined":
        return this.#notice(change, "joined", [change.name], change.vouched);
      case "removed":
        return this.#notice(change, change.how === "left" ? "left" : "removed", [change.name], []);
      case "out":
        return this.#notice(change, change.how === "left" ? "left" : "removed", [this.#record.name], []);
      case "device-added":
      case "device-removed":
        return this.#notice(change, change.type, [this.#nameOf(change.identity)], []);
      case "title":
        return change.text === change.before ? undefined : this.#notice(change, "title", [change.text], [change.by]);
      case "intake":
        return this.#notice(change, intakeNotice(change), [], [change.by]);
      case "profile":
        if (change.before === "" || change.before === change.name) return undefined;
        return this.#notice(change, "renamed", [change.before, change.name], []);
      case "skipped":
        return this.#notice(change, "skipped", [], change.by ? [change.by] : [], change.refusal.code);
      default:
        return undefined;
    }
  }

  async #message(change: Extract<Change, { type: "message" }>): Promise<void> {
    // An id that was used before is somebody repeating themselves (or another): the first one stays.
    if ((await this.#placeOf(change.id)) !== undefined) return;
    let place = change.seq * STEP;
    // Where the room went back, what was shown here before keeps its place.
    if (change.seq <= (this.#record.rewound ?? 0)) while (await this.#item(place)) place++;
    const item: Message = {
      kind: "message",
      place,
      id: change.id,
      seq: change.seq,
      time: change.time,
      by: change.by,
      text: change.text,
      replyTo: change.replyTo ?? null,
      attachments: change.attachments,
      edited: false,
      deleted: false,
    };
    this.#put(item);
    this.#places.set(change.id, item.place);
    this.#batch.set(names.place(this.#record.room, change.id), item.place);
    const mine = change.by === this.#me;
    this.#record.latest = { text: shortened(change.text), by: mine ? "" : change.by, time: change.time };
    if (mine || change.seq <= this.#record.readTo) return;
    this.#record.unread++;
    this.written.arrived.push(item);
  }

  async #amend(change: Extract<Change, { type: "edit" | "delete" }>): Promise<void> {
    const place = await this.#placeOf(change.id);
    const item = place === undefined ? undefined : await this.#item(place);
    if (item?.kind !== "message") return;
    const after = amend(item, change);
    if (!after || after === item) return;
    this.#put(after);
    if (change.type === "delete") {
      for (const { blob } of item.attachments) this.#batch.set(names.blob(this.#record.room, blob), null);
      if (change.by !== this.#me && item.seq > this.#record.readTo && this.#record.unread > 0) this.#record.unread--;
    }
    if (this.#record.latest?.time === item.time) this.#record.latest.text = shortened(after.text);
  }

  async #notice(
    change: { seq: number; time: number },
    code: NoticeItem["code"],
    about: readonly string[],
    by: readonly string[],
    reason = "",
  ): Promise<void> {
    let place = change.seq * STEP + 1;
    while (this.written.items.has(place) && place < change.seq * STEP + STEP - 1) place++;
    const { seq, time } = change;
    const item: Notice = { kind: "notice", place, seq, time, code, names: about, by: by.map(this.#nameOf), reason };
    this.#put(item);
  }

  #put(item: StoredItem): void {
    this.written.items.set(item.place, item);
    // Written again when it changes again within the batch: the last one counts.
    this.#batch.set(names.item(this.#record.room, item.place), item);
  }

  async #placeOf(id: string): Promise<number | undefined> {
    return this.#places.get(id) ?? (await this.#vault.json<number>(names.place(this.#record.room, id)));
  }

  async #item(place: number): Promise<StoredItem | undefined> {
    return this.written.items.get(place) ?? (await this.#vault.json<StoredItem>(names.item(this.#record.room, place)));
  }
}

function intakeNotice({ open, before }: Extract<Change, { type: "intake" }>): NoticeItem["code"] {
  return open ? (before ? "intake-changed" : "intake-opened") : "intake-closed";
}

export function shortened(text: string): string {
  const line = text.replace(/\s+/g, " ").trim();
  return line.length <= LATEST_CHARACTERS ? line : `${line.slice(0, LATEST_CHARACTERS - 1)}…`;
}

/** The part of a room's timeline that somebody looks at: a page of messages, more on demand, and what comes after. */
export class TimelinePage {
  readonly #vault: Vault;
  readonly #room: string;
  readonly #items = new Map<number, StoredItem>();
  #hasEarlier = false;

  private constructor(vault: Vault, room: string) {
    this.#vault = vault;
    this.#room = room;
  }

  static async open(vault: Vault, room: string): Promise<TimelinePage> {
    const page = new TimelinePage(vault, room);
    await page.earlier();
    return page;
  }

  get items(): StoredItem[] {
    return [...this.#items.values()].sort((a, b) => a.place - b.place);
  }
  get hasEarlier(): boolean {
    return this.#hasEarlier;
  }

  /** Reaches one page of messages further back. */
  async earlier(): Promise<void> {
    let messages = 0;
    while (messages < BOUNDS.pageMessages) {
      const to = this.#oldest();
      const span = { limit: BOUNDS.pageMessages - messages, backwards: true };
      const found = await this.#vault.list<StoredItem>(
        names.items(this.#room),
        to === undefined ? span : { ...span, to },
      );
      for (const item of found) {
        this.#items.set(item.place, item);
        if (item.kind === "message") messages++;
      }
      if (found.length < span.limit) {
        this.#hasEarlier = false;
        return;
      }
    }
    const to = this.#oldest() ?? 0;
    this.#hasEarlier = (await this.#vault.list(names.items(this.#room), { to, limit: 1 })).length > 0;
  }

  /** Reaches back to one message. False when it is not here. */
  async reach(message: string): Promise<boolean> {
    const place = await this.#vault.json<number>(names.place(this.#room, message));
    if (place === undefined) return false;
    while ((this.#oldest() ?? 0) > place && this.#hasEarlier) await this.earlier();
    return this.#items.has(place);
  }

  /** Takes in what was written; what is older than this page stays out, unless it is shown already. */
  take(items: Iterable<StoredItem>): void {
    const oldest = this.#oldest() ?? 0;
    for (const item of items) {
      if (item.place >= oldest || !this.#hasEarlier) this.#items.set(item.place, item);
    }
  }

  #oldest(): number | undefined {
    let oldest: number | undefined;
    for (const place of this.#items.keys()) if (oldest === undefined || place < oldest) oldest = place;
    return oldest;
  }
}
