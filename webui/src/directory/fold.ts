/**
 * What counts as a word: case and accents don't matter. Does the same as the server's `directory/search_words.py`,
 * letter by letter; `tests/vectors/folding.json` holds both to it.
 */

export const WORD_CHARACTERS_MAX = 40;
export const TERMS_MAX = 8;

const IOTA_BELOW = "\u0345"; // the one mark of the highest combining class, 240
const DOTLESS = "ı"; // folds to itself, though its capital is I

const foldings = new Map<string, string>();

/** Whether a character is a mark that stacks on the one before: then NFD sorts it below the highest class. */
function combines(character: string): boolean {
  if (character === IOTA_BELOW) return true;
  const pair = IOTA_BELOW + character;
  return pair.normalize("NFD") !== pair;
}

function foldOne(character: string): string {
  let folded = foldings.get(character);
  if (folded === undefined) {
    const caseless = character === DOTLESS ? character : caseFold(character);
    folded = "";
    for (const each of caseless.normalize("NFKD")) {
      if (!combines(each)) folded += /[\p{L}\p{N}\p{M}]/u.test(each) ? each : " ";
    }
    foldings.set(character, folded);
  }
  return folded;
}

/** Unicode's full case folding of one character, by way of its capitals. */
function caseFold(character: string): string {
  let folded = "";
  for (const capital of character.toUpperCase()) folded += capital.toLowerCase();
  return folded;
}

/** The words of a text, folded, in their order. */
export function words(text: string): string[] {
  let folded = "";
  for (const character of text) folded += foldOne(character);
  return folded
    .split(" ")
    .filter((word) => word !== "")
    .map((word) => (word.length > WORD_CHARACTERS_MAX ? [...word].slice(0, WORD_CHARACTERS_MAX).join("") : word));
}

/** A text prepared for `contains`. */
export function haystack(...texts: string[]): string {
  return ` ${texts.flatMap(words).join(" ")} `;
}

/** Whether all terms are words of the haystack; the last may be the beginning of one, as somebody is still typing. */
export function contains(prepared: string, terms: readonly string[]): boolean {
  return terms.every((term, index) => prepared.includes(index === terms.length - 1 ? ` ${term}` : ` ${term} `));
}
