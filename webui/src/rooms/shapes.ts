/**
 * Readers of a stranger's JSON: any value in, a value of the right shape or undefined out. Fields nobody knows are
 * left out, so that a later version may add some.
 */
import { readB64 } from "../bytes/text.ts";
import * as bounds from "./bounds.ts";
import type { Approval, Ask, Attachment, B64, Leave, Profile, RemovalVote, Revocation } from "./types.ts";

export type Fields = Readonly<Record<string, unknown>>;
export type Reader<T> = (value: unknown) => T | undefined;

export function asFields(value: unknown): Fields | undefined {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Fields) : undefined;
}

/** base64url of so many bytes. */
export const b64 =
  (length: number): Reader<B64> =>
  (value) =>
    readB64(value, length) === undefined ? undefined : (value as B64);

export const identity = b64(bounds.IDENTITY_BYTES);
export const id = b64(bounds.ID_BYTES);
export const mailbox = b64(bounds.MAILBOX_BYTES);
export const signature = b64(bounds.SIGNATURE_BYTES);
export const leafKey = b64(bounds.IDENTITY_BYTES);
export const hash = b64(bounds.HASH_BYTES);

/** A whole number from 0 to `max`. */
export const whole =
  (max = Number.MAX_SAFE_INTEGER): Reader<number> =>
  (value) =>
    typeof value === "number" && Number.isSafeInteger(value) && value >= 0 && value <= max ? value : undefined;
export const time = whole(2 ** 40);

/** One line of text for people: no control characters, not only blanks, at most `max` code points. */
export const line =
  (max: number, min = 1): Reader<string> =>
  (value) => {
    if (typeof value !== "string" || value.length > 2 * max || /\p{Cc}|\p{Surrogate}|[\u2028\u2029]/u.test(value))
      return undefined;
    const length = [...value].length;
    return length <= max && value.trim().length >= min ? value : undefined;
  };
export const name = line(bounds.NAME_MAX);

/** Text of any lines, at most `max` bytes of UTF-8. */
export const prose =
  (max: number): Reader<string> =>
  (value) => {
    if (typeof value !== "string" || value.length > max || /[^\P{Cc}\n\t]|\p{Surrogate}/u.test(value)) return undefined;
    return new TextEncoder().encode(value).length <= max ? value : undefined;
  };

/** A list of at most `max`, each read by `reader`. One that can't be read spoils the list. */
export const list =
  <T>(reader: Reader<T>, max: number): Reader<T[]> =>
  (value) => {
    if (!Array.isArray(value) || value.length > max) return undefined;
    const read = value.map(reader);
    return read.includes(undefined) ? undefined : (read as T[]);
  };

/** An object with these fields; a reader may say that a field is optional. */
export function record<T>(
  readers: { [K in keyof T]-?: Reader<NonNullable<T[K]>> | Optional<NonNullable<T[K]>> },
): Reader<T> {
  const entries = Object.entries(readers) as [string, Reader<unknown> | Optional<unknown>][];
  return (value) => {
    const given = asFields(value);
    if (given === undefined) return undefined;
    const read: Record<string, unknown> = {};
    for (const [key, reader] of entries) {
      const here = Object.hasOwn(given, key) ? given[key] : undefined;
      if (typeof reader === "function") {
        read[key] = reader(here);
        if (read[key] === undefined) return undefined;
      } else if (here !== undefined) {
        const found = reader.optional(here);
        if (found === undefined) return undefined;
        read[key] = found;
      }
    }
    return read as T;
  };
}
type Optional<T> = { readonly optional: Reader<T> };
export const optional = <T>(reader: Reader<T>): Optional<T> => ({ optional: reader });

export const approval = record<Approval>({ by: identity, identity, ask: id, expires: time, signature });
export const vote = record<RemovalVote>({ by: identity, identity, expires: time, signature });
export const leave = record<Leave>({ by: identity, time, signature });
export const revocation = record<Revocation>({ by: identity, leaf: leafKey, signature });
export const profile = record<Profile>({ by: identity, version: whole(), name, signature });

const dimension = optional(whole(65_535));
export const attachment = record<Attachment>({
  blob: hash,
  key: b64(32),
  size: whole(bounds.BLOB_BYTES_MAX),
  media: line(100),
  name: line(200, 0),
  width: dimension,
  height: dimension,
});

const askFields = record<Ask>({
  id,
  identity,
  ref: hash,
  consent: line(128),
  profile,
  note: optional(prose(4 * bounds.NOTE_MAX)),
  home: optional(identity),
});
/** An ask whose profile is the newcomer's own. */
export const ask: Reader<Ask> = (value) => {
  const read = askFields(value);
  return read !== undefined && read.profile.by === read.identity ? read : undefined;
};
