/** Everything a person may read on this device, as one JSON file they can keep. */
import type { Core } from "./core.ts";
import type { Room } from "./room.ts";
import { names, type StoredItem } from "./stored.ts";

export async function exportAll(core: Core, only?: string): Promise<{ name: string; bytes: Uint8Array }> {
  const rooms = only === undefined ? [...core.rooms.values()].filter((room) => !room.gone) : [core.room(only)];
  const day = new Date(core.now * 1000).toISOString().slice(0, 10);
  const whole = {
    format: "hedgerow messages 1",
    made: new Date(core.now * 1000).toISOString(),
    community: core.account?.community ?? "",
    rooms: await Promise.all(rooms.map((room) => exportRoom(core, room))),
  };
  const bytes = new TextEncoder().encode(`${JSON.stringify(whole, null, 1)}\n`);
  return { name: `messages-${day}.json`, bytes };
}

async function exportRoom(core: Core, room: Room): Promise<unknown> {
  const items = await core.vault.list<StoredItem>(names.items(room.id));
  return {
    title: room.session?.view.title || room.record.title,
    kind: room.record.kind,
    people: (room.session?.members ?? []).map((member) => member.name),
    timeline: items.map((item) => {
      const time = new Date(item.time * 1000).toISOString();
      if (item.kind === "notice") return { time, notice: item.code, names: item.names, by: item.by };
      const files = item.attachments.map(({ name, media, size }) => ({ name, type: media, size }));
      const { id, text, replyTo, edited, deleted } = item;
      return { time, id, from: room.nameOf(item.by), text, replyTo, edited, deleted, files };
    }),
  };
}
