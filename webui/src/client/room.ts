/** One room in memory: its records, its session, and the queue in which it changes. */
import type { Session } from "../rooms/types.ts";
import type { Vault } from "../vault/vault.ts";
import { Serial } from "./serial.ts";
import { names, type StoredClaim, type StoredOutgoing, type StoredRoom } from "./stored.ts";
import type { TimelinePage } from "./timeline.ts";
import type { RoomKind, RoomStanding } from "./types.ts";

export class Room {
  record: StoredRoom;
  /** Null until the room let this device in. */
  session: Session | null;
  /** What is not in the log yet, oldest first. */
  outbox: StoredOutgoing[];
  claims: StoredClaim[];
  /** Everything that changes the session or the records goes through here. */
  readonly serial = new Serial();
  /** The newest place that the hub spoke of. */
  head = 0;
  /** The hub's log broke its own rules the last time it was read. */
  faulty = false;
  /** How many pages look at it, and what they see. */
  watchers = 0;
  page: TimelinePage | null = null;
  /** Files of which it is known where they are. */
  readonly files = new Map<string, "here" | "gone">();
  /** Forgotten: nothing may be written for it any more. */
  gone = false;

  constructor(record: StoredRoom, session: Session | null, outbox: StoredOutgoing[], claims: StoredClaim[]) {
    this.record = record;
    this.session = session;
    this.outbox = outbox;
    this.claims = claims;
    if (session) this.head = session.position.seq;
  }

  get id(): string {
    return this.record.room;
  }
  /** Whether this device takes part. */
  get inside(): boolean {
    return this.record.standing === "in" && !!this.session?.inside && !this.gone;
  }
  /** Of everybody who is in it, as far as this device knows. */
  get identities(): readonly string[] {
    return this.session?.policy.members.map(({ identity }) => identity) ?? [];
  }
  get behind(): boolean {
    return !!this.session && this.head > this.session.position.seq;
  }

  /** A member's or former member's name, "" while unknown. */
  nameOf(identity: string): string {
    const member = this.session?.members.find((one) => one.identity === identity);
    return member?.name || this.record.names[identity] || "";
  }
}

/** The record of a room nobody has been in yet. */
export function newRecord(given: {
  room: string;
  kind: RoomKind;
  standing: RoomStanding;
  name: string;
  mailbox: string;
  time: number;
  title?: string;
  hub?: string;
}): StoredRoom {
  return {
    title: "",
    ...given,
    readTo: 0,
    draft: { text: "", replyTo: null },
    dismissed: [],
    names: {},
    verified: [],
    latest: null,
    unread: 0,
    asking: null,
    stale: [],
    pairInvites: [],
    archive: false,
    pairFor: null,
  };
}

/** All rooms of a vault. `decode` makes sessions of their bytes. */
export async function loadRooms(vault: Vault, decode: (bytes: Uint8Array) => Promise<Session>): Promise<Room[]> {
  const records = await vault.list<StoredRoom>(names.rooms);
  return Promise.all(
    records.map(async (record) => {
      const bytes = await vault.bytes(names.session(record.room));
      const outbox = await vault.list<StoredOutgoing>(names.outbox(record.room));
      const claims = await vault.list<StoredClaim>(names.claims(record.room));
      return new Room(record, bytes ? await decode(bytes) : null, outbox, claims);
    }),
  );
}
