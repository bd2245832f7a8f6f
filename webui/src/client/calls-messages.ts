/** Calls about messages. */
import { readB64, toB64 } from "../bytes/text.ts";
import { random } from "../bytes/webcrypto.ts";
import type { Handlers } from "./client.ts";
import { Failure } from "./failures.ts";
import { attach, attachmentsOf, detach, fetchFile } from "./files.ts";
import type { Home } from "./home.ts";
import { SIZES } from "./keys.ts";
import { change } from "./records.ts";
import type { Room } from "./room.ts";
import { names, type StoredItem } from "./stored.ts";
import { STEP } from "./timeline.ts";
import { BOUNDS } from "./types.ts";

type Names =
  | "send"
  | "edit"
  | "delete"
  | "retry"
  | "drop"
  | "attach"
  | "detach"
  | "openAttachment"
  | "draft"
  | "markRead"
  | "search";
/** Seconds. For which a file that is not there may still be on its way from another node. */
const COMING_SECONDS = 86_400;

type Message = Extract<StoredItem, { kind: "message" }>;

export const messageCalls: Pick<Handlers, Names> = {
  send: async ({ home }, { room: id, text, replyTo, attachments: tokens = [], id: chosen }) => {
    const room = inside(home, id);
    checkText(text, tokens.length > 0);
    if (chosen !== undefined && !readB64(chosen, SIZES.id)) throw new Failure("unknown", "no name for a message");
    if (chosen !== undefined && (await isKept(home, room, chosen))) return { id: chosen };
    const attachments = await attachmentsOf(home.core, room, tokens);
    const message = chosen ?? toB64(random(SIZES.id));
    const event = {
      type: "message",
      id: message,
      text,
      ...(replyTo === undefined ? {} : { reply_to: replyTo }),
      ...(attachments.length === 0 ? {} : { attachments }),
    } as const;
    await home.sender.enqueue(room, event, message, tokens, (batch) => {
      room.record = { ...room.record, draft: { text: "", replyTo: null } };
      batch.set(names.room(room.id), room.record);
    });
    for (const { blob } of attachments) room.files.set(blob, "here");
    if (!home.core.self.wrote) await home.core.saveAccount({ wrote: true });
    return { id: message };
  },
  edit: async ({ home }, { room: id, id: message, text }) => {
    const room = inside(home, id);
    checkText(text, false);
    await ownMessage(home, room, message);
    await home.sender.enqueue(room, { type: "edit", id: message, text });
  },
  delete: async ({ home }, { room: id, id: message }) => {
    const room = inside(home, id);
    await ownMessage(home, room, message);
    await home.sender.enqueue(room, { type: "delete", id: message });
  },
  retry: async ({ home }, { room: id, id: message }) => {
    const room = home.core.room(id);
    if (!(await home.sender.amend(room, message, { failed: false }))) throw new Failure("unknown");
    home.sender.kick(room);
  },
  drop: async ({ home }, { room: id, id: message }) => {
    if (!(await home.sender.amend(home.core.room(id), message, null))) throw new Failure("unknown");
  },
  attach: async ({ home }, { room, ...file }) => ({ attachment: await attach(home.core, inside(home, room), file) }),
  detach: ({ home }, { attachment }) => detach(home.core, attachment),
  openAttachment: async ({ home }, { room: id, message, index }) => {
    const room = home.core.room(id);
    const { attachments, time } = await anyMessage(home, room, message);
    const attachment = attachments[index];
    if (!attachment) throw new Failure("unknown", "no such file");
    try {
      const bytes = await fetchFile(home.core, room, attachment);
      mark(home, room, attachment.blob, "here");
      return { name: attachment.name, type: attachment.media, bytes };
    } catch (problem) {
      if (!(problem instanceof Failure && problem.code === "gone")) throw problem;
      // Between nodes a message goes faster than its file.
      if (problem.detail === "" && home.core.now - time < COMING_SECONDS)
        throw new Failure("waiting", "the file has not come yet");
      mark(home, room, attachment.blob, "gone");
      throw problem;
    }
  },
  draft: ({ home }, { room, text, replyTo }) =>
    change(home, home.core.room(room), (record) => ({
      ...record,
      draft: { text: text.slice(0, BOUNDS.textCharacters), replyTo: replyTo ?? null },
    })),
  markRead: ({ home }, { room: id, seq }) => markRead(home, home.core.room(id), seq),
  search: ({ home }, { text, room, limit }) => home.search.find(text, room, limit),
};

function inside(home: Home, id: string): Room {
  const room = home.core.room(id);
  if (!room.inside) throw new Failure("not-in-room");
  return room;
}

function checkText(text: string, mayBeEmpty: boolean): void {
  if (text.trim() === "" && !mayBeEmpty) throw new Failure("unknown", "nothing to send");
  if (new TextEncoder().encode(text).length > BOUNDS.textBytes) throw new Failure("too-long", "a message");
}

/** Whether a message waits to be sent or was sent already. */
async function isKept(home: Home, room: Room, id: string): Promise<boolean> {
  if (room.outbox.some((one) => one.id === id)) return true;
  return (await home.core.vault.json<number>(names.place(room.id, id))) !== undefined;
}

async function anyMessage(home: Home, room: Room, id: string): Promise<Pick<Message, "by" | "attachments" | "time">> {
  const place = await home.core.vault.json<number>(names.place(room.id, id));
  const item = place === undefined ? undefined : await home.core.vault.json<StoredItem>(names.item(room.id, place));
  if (item?.kind === "message") return item;
  const event = room.outbox.find((one) => one.id === id)?.event;
  if (event?.type !== "message") throw new Failure("unknown", "no such message");
  return { by: room.session?.identity ?? "", attachments: event.attachments ?? [], time: home.core.now };
}

async function ownMessage(home: Home, room: Room, id: string): Promise<void> {
  const message = await anyMessage(home, room, id);
  if (message.by !== room.session?.identity) throw new Failure("unknown", "somebody else's message");
}

function mark(home: Home, room: Room, blob: string, place: "here" | "gone"): void {
  if (room.files.get(blob) === place) return;
  room.files.set(blob, place);
  home.core.changed(room);
}

async function markRead(home: Home, room: Room, seq: number): Promise<void> {
  if (seq <= room.record.readTo) return;
  const after = await home.core.vault.list<StoredItem>(names.items(room.id), { from: (seq + 1) * STEP });
  const me = room.session?.identity;
  const unread = after.filter((item) => item.kind === "message" && item.by !== me && !item.deleted).length;
  await change(home, room, (record) => ({ ...record, readTo: Math.max(record.readTo, seq), unread }));
}
