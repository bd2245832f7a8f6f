/**
 * Reading the 24 words of a recovery sheet as people type, paste or dictate them. Pure: the list of words is lent.
 *
 * Every word of the list (BIP39, English) is known by its first four letters, so a word may be cut short; numbers,
 * stops and case don't matter; of a wrong letter or two the nearest words are suggested.
 */

export const SHEET_WORDS = 24;
const NEAR_MAX = 2;
const SUGGESTIONS_MAX = 4;

/** "1. Abandon, 2) ability…" → ["abandon", "ability", …] */
export function splitWords(text: string): string[] {
  return text
    .normalize("NFKD")
    .toLowerCase()
    .split(/[^\p{L}\p{M}]+/u)
    .map((word) => word.replace(/\p{M}/gu, ""))
    .filter(Boolean);
}

/** The word itself, or the only one that begins so; null when there is none or more than one. */
export function completeWord(typed: string, list: readonly string[]): string | null {
  if (list.includes(typed)) return typed;
  if (typed.length < 3) return null;
  const begun = list.filter((word) => word.startsWith(typed));
  if (begun.length === 1) return begun[0] as string;
  // Four letters name one word: what follows them may be mistyped ("abandom").
  const [known] = typed.length > 4 ? list.filter((word) => word.startsWith(typed.slice(0, 4))) : [];
  if (!known) return null;
  const far = distance(known, typed);
  // "winer" may be "wine" or "winner": then somebody must say which.
  const others = list.some((word) => word !== known && distance(word, typed) <= far);
  return far <= NEAR_MAX && !others ? known : null;
}

/** Words that may be meant, the likeliest first. */
export function suggestWords(typed: string, list: readonly string[]): string[] {
  if (typed.length < 2) return [];
  const begun = list.filter((word) => word.startsWith(typed));
  if (begun.length > 0) return begun.slice(0, SUGGESTIONS_MAX);
  return list
    .map((word) => [distance(word, typed), word] as const)
    .filter(([far]) => far <= NEAR_MAX)
    .sort(([a], [b]) => a - b)
    .slice(0, SUGGESTIONS_MAX)
    .map(([, word]) => word);
}

export interface ReadWords {
  /** What was understood, in order; words that were not are left as typed. */
  readonly words: readonly string[];
  /** Places (from 0) of words that are not in the list. */
  readonly unknown: readonly number[];
  /** 24 words, each of the list. (Whether they belong together only their checksum says.) */
  readonly complete: boolean;
}

export function readWords(text: string, list: readonly string[]): ReadWords {
  const typed = splitWords(text);
  const unknown: number[] = [];
  const words = typed.map((word, index) => {
    const found = completeWord(word, list);
    if (found === null) unknown.push(index);
    return found ?? word;
  });
  return { words, unknown, complete: words.length === SHEET_WORDS && unknown.length === 0 };
}

/** The text with the word at one place (from 0) replaced; what stands between the words stays. */
export function replaceWord(text: string, place: number, word: string): string {
  let at = -1;
  return text.replace(/[\p{L}\p{M}]+/gu, (typed) => {
    at += 1;
    return at === place ? word : typed;
  });
}

/** Letters to change, add, drop or swap with their neighbour (optimal string alignment). */
export function distance(a: string, b: string): number {
  if (Math.abs(a.length - b.length) > NEAR_MAX) return NEAR_MAX + 1;
  let before: number[] = [];
  let above = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row += 1) {
    const line = [row];
    for (let column = 1; column <= b.length; column += 1) {
      const same = a[row - 1] === b[column - 1];
      let least = Math.min(
        (above[column] as number) + 1,
        (line[column - 1] as number) + 1,
        (above[column - 1] as number) + (same ? 0 : 1),
      );
      if (row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1]) {
        least = Math.min(least, (before[column - 2] as number) + 1);
      }
      line.push(least);
    }
    before = above;
    above = line;
  }
  return above[b.length] as number;
}
