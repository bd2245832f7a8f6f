/** Comparing with a person, face to face or by telephone, that both see the same keys. */

import type { Session } from "../rooms/types.ts";
import { verificationNumber } from "../rooms/verification.ts";
import type { Engines } from "./engine.ts";
import { toWords } from "./words.ts";

const CODE = "hedgerow-verify:";

/** 60 digits over both identities of one room, the same whoever asks. */
export async function numberOf(engines: Engines, room: string, me: string, them: string): Promise<string> {
  return (await verificationNumber(engines.lent.primitives, room, me, them)).join(" ");
}

/** What one device shows as QR: the room, who I am, who I think you are. */
export function verificationCode(room: string, me: string, them: string): string {
  return `${CODE}${room}.${me}.${them}`;
}

/** Whether what their device shows says the same of both. */
export function codeMatches(scanned: string, room: string, me: string, them: string): boolean {
  return scanned.trim() === verificationCode(room, them, me);
}

/** Twelve words that are the same on all devices that agree who is in the room. */
export async function stateWords(session: Session): Promise<string> {
  return (await toWords(await session.agreement())).join(" ");
}
