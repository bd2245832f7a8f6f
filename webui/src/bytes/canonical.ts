/**
 * JSON in one form only: keys sorted by UTF-16 code units, no spaces, whole numbers, no `undefined`. Two devices that
 * mean the same write the same bytes.
 */

export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/** The canonical text. Throws TypeError on anything that has none (fractions, functions, half a surrogate pair). */
export function canonical(value: unknown): string {
  if (value === null || typeof value === "boolean") return String(value);
  if (typeof value === "number") {
    if (!Number.isSafeInteger(value) || Object.is(value, -0)) throw new TypeError("only whole numbers are canonical");
    return String(value);
  }
  if (typeof value === "string") {
    if (/\p{Surrogate}/u.test(value)) throw new TypeError("the text is not well formed");
    return JSON.stringify(value);
  }
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  if (typeof value === "object") {
    const entries = Object.entries(value as Record<string, unknown>).filter(([, each]) => each !== undefined);
    entries.sort(([a], [b]) => (a < b ? -1 : 1));
    return `{${entries.map(([key, each]) => `${canonical(key)}:${canonical(each)}`).join(",")}}`;
  }
  throw new TypeError(`a ${typeof value} has no canonical form`);
}

export const canonicalBytes = (value: unknown): Uint8Array => new TextEncoder().encode(canonical(value));

/**
 * A stranger's JSON: any bytes give a value or undefined, nothing else. Repeated keys, numbers that are not whole and
 * other forms than the canonical one are refused, by writing the value again and comparing.
 */
export function readCanonical(bytes: Uint8Array): Json | undefined {
  try {
    const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
    const value = JSON.parse(text) as Json;
    return canonical(value) === text ? value : undefined;
  } catch {
    return undefined;
  }
}
