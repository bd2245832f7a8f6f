/** Changing what this device keeps of a room, in the room's queue. */
import type { Home } from "./home.ts";
import type { Room } from "./room.ts";
import { names, type StoredRoom } from "./stored.ts";

/** Changes a room's record. */
export async function change(home: Home, room: Room, make: (record: StoredRoom) => StoredRoom): Promise<void> {
  await room.serial.run(async () => {
    if (room.gone) return;
    const record = make(room.record);
    await home.core.vault.write(new Map([[names.room(room.id), record]]));
    room.record = record;
  });
  home.core.changed(room);
}
