/** Events: what is inside the application messages of a room. Canonical JSON, padded; any bytes give one or nothing. */
import { canonicalBytes, readCanonical } from "../bytes/canonical.ts";
import { pad, unpad } from "../bytes/padding.ts";
import { ATTACHMENTS_MAX, TEXT_BYTES_MAX, TITLE_MAX } from "./bounds.ts";
import { readIntakeEvent } from "./intake.ts";
import * as shapes from "./shapes.ts";
import { readView } from "./snapshot.ts";
import type { Event } from "./types.ts";

type Of<T extends Event["type"]> = Omit<Extract<Event, { type: T }>, "type">;

const { record, optional, id, identity, signature, time } = shapes;
const text = shapes.prose(TEXT_BYTES_MAX);

const READERS: { [T in Exclude<Event["type"], "unknown">]: shapes.Reader<Of<T>> } = {
  message: record<Of<"message">>({
    id,
    text,
    reply_to: optional(id),
    attachments: optional(shapes.list(shapes.attachment, ATTACHMENTS_MAX)),
  }),
  edit: record<Of<"edit">>({ id, text }),
  delete: record<Of<"delete">>({ id }),
  profile: record<Of<"profile">>({ version: shapes.whole(), name: shapes.name, signature }),
  title: record<Of<"title">>({ text: shapes.line(TITLE_MAX) }),
  ask: record<Of<"ask">>({ ask: shapes.ask, listing: optional(shapes.line(TITLE_MAX)) }),
  approval: record<Of<"approval">>({ identity, ask: id, expires: time, signature }),
  "removal-vote": record<Of<"removal-vote">>({ identity, expires: time, signature }),
  leave: record<Of<"leave">>({ time, signature }),
  revocation: record<Of<"revocation">>({ leaf: shapes.leafKey, signature }),
  invitation: record<Of<"invitation">>({ id, expires: time }),
  intake: readIntakeEvent,
  snapshot: record<Of<"snapshot">>({ view: readView }),
};

/** Padded bytes of an event. Throws RangeError or TypeError for one that nobody would accept. */
export function encodeEvent(event: Event): Uint8Array {
  const value = event.type === "unknown" ? { ...event.value, type: event.name } : event;
  const bytes = canonicalBytes(value);
  if (readEvent(bytes) === undefined) throw new TypeError(`not an event that a room accepts: ${event.type}`);
  return pad(bytes);
}

/** The event in padded bytes, or undefined when there is none. */
export function decodeEvent(padded: Uint8Array): Event | undefined {
  const bytes = unpad(padded);
  return bytes === undefined ? undefined : readEvent(bytes);
}

function readEvent(bytes: Uint8Array): Event | undefined {
  const value = shapes.asFields(readCanonical(bytes));
  const type = value?.type;
  if (value === undefined || typeof type !== "string" || !/^[a-z][a-z-]{0,39}$/.test(type)) return undefined;
  if (!Object.hasOwn(READERS, type)) return { type: "unknown", name: type, value };
  const read = READERS[type as keyof typeof READERS](value);
  if (read === undefined || (type === "message" && !hasContent(read as Of<"message">))) return undefined;
  return { type, ...read } as Event;
}

function hasContent({ text: words, attachments }: Of<"message">): boolean {
  return words.trim() !== "" || (attachments?.length ?? 0) > 0;
}
