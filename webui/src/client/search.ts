/** Search in what this device can read. The words never leave it, and neither does what is looked for. */
import type { Core } from "./core.ts";
import type { Room } from "./room.ts";
import { names, type StoredItem } from "./stored.ts";
import type { SearchHit } from "./types.ts";

const HITS = 50;
/** Characters before and after the first match. */
const AROUND = { before: 50, after: 110 } as const;

type Message = Extract<StoredItem, { kind: "message" }>;

export class Search {
  readonly #core: Core;

  constructor(core: Core) {
    this.#core = core;
  }

  /** Messages that hold all the words, newest first. Case and accents make no difference. */
  async find(text: string, only: string | undefined, limit = HITS): Promise<SearchHit[]> {
    const words = fold(text)
      .split(/\s+/)
      .filter((word) => word !== "");
    if (words.length === 0) return [];
    const hits: SearchHit[] = [];
    for (const room of this.#core.rooms.values()) {
      if (room.gone || (only !== undefined && room.id !== only)) continue;
      for (const message of await this.#messages(room)) {
        const folded = fold(message.text);
        if (words.every((word) => folded.includes(word))) hits.push(hitOf(room, message, words));
      }
    }
    return hits.sort((a, b) => b.time - a.time || b.seq - a.seq).slice(0, Math.min(limit, HITS));
  }

  async #messages(room: Room): Promise<Message[]> {
    const items = await this.#core.vault.list<StoredItem>(names.items(room.id));
    return items.filter((item): item is Message => item.kind === "message" && !item.deleted);
  }
}

/** Text as it is compared: without case, accents and differences of writing the same letter. */
export function fold(text: string): string {
  return text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();
}

function hitOf(room: Room, message: Message, words: readonly string[]): SearchHit {
  return {
    room: room.id,
    roomTitle: room.session?.view.title || room.record.title,
    message: message.id,
    seq: message.seq,
    time: message.time,
    name: room.nameOf(message.by),
    mine: message.by === room.session?.identity,
    excerpt: excerpt(message.text, words[0] as string),
  };
}

function excerpt(text: string, word: string): string {
  const line = text.replace(/\s+/g, " ").trim();
  // Folding may change lengths, so the place is looked for letter by letter.
  let at = 0;
  const letters = [...line];
  while (at < letters.length && !fold(letters.slice(at).join("")).startsWith(word)) at++;
  const from = at === letters.length ? 0 : Math.max(0, at - AROUND.before);
  const to = Math.min(letters.length, from + AROUND.before + AROUND.after);
  return `${from > 0 ? "…" : ""}${letters.slice(from, to).join("")}${to < letters.length ? "…" : ""}`;
}
