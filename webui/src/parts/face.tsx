/** A small round sign beside a name: its first letter on one of six quiet colours. Not a picture of anybody. */

const TONES = 6;

/** The same name or id always gets the same colour. */
export function toneOf(seed: string): number {
  let sum = 7;
  for (const letter of seed) sum = (sum * 31 + (letter.codePointAt(0) ?? 0)) % 65_521;
  return sum % TONES;
}

export function Face({ name, seed }: { name: string; seed: string }) {
  const [letter = "·"] = [...name.replace(/[\u2066-\u2069]/g, "").trim()];
  return (
    <span class={`face tone-${toneOf(seed)}`} aria-hidden="true">
      {letter.toUpperCase()}
    </span>
  );
}
