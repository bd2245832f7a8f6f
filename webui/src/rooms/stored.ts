/** A session as bytes for the vault, and back. Only this device ever reads them: a wrong byte is a fault, not an attack. */
import { concat } from "../bytes/bytes.ts";
import { fromB64, toB64 } from "../bytes/text.ts";
import type { Engine } from "../mls/types.ts";
import type { SessionData } from "./session-data.ts";

const VERSION = 1;
const LENGTH = 4;
type Part = Uint8Array;

/** `version (1) ‖ length (4) ‖ JSON ‖ length ‖ MLS state ‖ length ‖ MLS state of the pending commit (or nothing)`. */
export function encodeData(engine: Engine, { mls, pending, ...rest }: SessionData): Uint8Array {
  const { next, spent: _, ...waiting } = pending ?? { next: undefined, spent: undefined };
  const plain = pending === undefined ? rest : { ...rest, pending: waiting };
  const text = JSON.stringify(plain, (_key, value) => (value instanceof Uint8Array ? { $: toB64(value) } : value));
  const states = [engine.encode(mls), next === undefined ? new Uint8Array() : engine.encode(next)];
  return join([new TextEncoder().encode(text), ...states]);
}

export function decodeData(engine: Engine, bytes: Uint8Array): SessionData {
  const [text, state, next] = split(bytes) as [Part, Part, Part];
  const plain = JSON.parse(new TextDecoder().decode(text), (_key, value) => {
    const isBytes = typeof value === "object" && value !== null && typeof value.$ === "string";
    return isBytes ? fromB64(value.$) : value;
  });
  const pending = plain.pending && { given: undefined, ...plain.pending, next: engine.decode(next), spent: [] };
  return { ...plain, mls: engine.decode(state), pending };
}

function join(parts: readonly Part[]): Uint8Array {
  const pieces = parts.flatMap((part) => {
    const length = new Uint8Array(LENGTH);
    new DataView(length.buffer).setUint32(0, part.length);
    return [length, part];
  });
  return concat(Uint8Array.of(VERSION), ...pieces);
}

function split(bytes: Uint8Array): Part[] {
  if (bytes[0] !== VERSION) throw new RangeError("this session was stored by another version");
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const parts: Part[] = [];
  for (let at = 1; at < bytes.length; ) {
    const end = at + LENGTH + view.getUint32(at);
    parts.push(bytes.subarray(at + LENGTH, end));
    at = end;
  }
  if (parts.length !== 3) throw new RangeError("this is no session");
  return parts;
}
