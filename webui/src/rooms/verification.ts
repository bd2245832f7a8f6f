/** The number two members compare to know that nobody stands between them: the same on both devices. */
import { fields } from "../bytes/fields.ts";
import { fromB64 } from "../bytes/text.ts";
import type { B64, Primitives } from "./types.ts";

const GROUPS = 12;
const GROUP_BYTES = 5;
const DIGITS = 5;

/** Sixty digits in twelve groups of five, from both room identities in either order. */
export async function verificationNumber(primitives: Primitives, room: B64, one: B64, other: B64): Promise<string[]> {
  const [first, second] = [one, other].sort() as [B64, B64];
  const groups: string[] = [];
  for (let half = 0; half < 2; half++) {
    const message = fields("hedgerow verification v1", fromB64(room), fromB64(first), fromB64(second), half);
    const digest = await primitives.hash(message);
    for (let at = 0; at < GROUPS / 2; at++) {
      const bytes = digest.subarray(at * GROUP_BYTES, (at + 1) * GROUP_BYTES);
      const value = bytes.reduce((sum, byte) => sum * 256 + byte, 0);
      groups.push(String(value % 10 ** DIGITS).padStart(DIGITS, "0"));
    }
  }
  return groups;
}
