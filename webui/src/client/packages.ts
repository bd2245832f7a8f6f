/** KeyPackages: made for one ask only, offered to the node, claimed from it with the consent that the ask carries. */
import { Refused } from "../api/problems.ts";
import { fromB64, readB64, toB64 } from "../bytes/text.ts";
import { hash, random } from "../bytes/webcrypto.ts";
import type { KeyPackageSecrets, ReadKeyPackage } from "../mls/types.ts";
import type { RoomIdentity } from "../rooms/types.ts";
import type { Core } from "./core.ts";
import { type Engines, leafCredential } from "./engine.ts";
import { SIZES } from "./keys.ts";
import type { Room } from "./room.ts";
import { names, type StoredClaim, type StoredKeyPackage } from "./stored.ts";

/** Days for which a KeyPackage may be used; an ask lives 30 days at the node. */
const DAYS = 35;

/** What whoever lets one in needs to know. */
export interface Offered {
  readonly ref: string;
  readonly consent: string;
}

/** A KeyPackage that is not at the node yet: first `stored` is kept, then it is published. */
export interface MadeOffer {
  readonly ref: string;
  readonly stored: StoredKeyPackage;
  /** Leaves it at the node for whoever has the consent. */
  publish(): Promise<Offered>;
}

/** A fresh device of oneself for one room. */
export async function makeDevice(engines: Engines, me: RoomIdentity, mailbox: string, now: number) {
  return engines.lent.engine.makeKeyPackage((leafKey) => leafCredential(engines, me, leafKey, mailbox), now, DAYS);
}

export async function makeOffer(core: Core, engines: Engines, me: RoomIdentity, mailbox: string): Promise<MadeOffer> {
  const { now } = core;
  const made = await makeDevice(engines, me, mailbox, now);
  const consent = random(SIZES.token);
  const ref = toB64(made.ref);
  const expires = now + DAYS * 86_400;
  const { keyPackage, init, encryption, signature } = made.secrets;
  const stored: StoredKeyPackage = {
    ref,
    room: me.room,
    mailbox,
    keyPackage: toB64(keyPackage),
    init: toB64(init),
    encryption: toB64(encryption),
    signature: toB64(signature),
    expires,
  };
  const publish = async () => {
    const consent_hash = toB64(await hash(consent));
    await core.api.offer([{ ref, key_package: toB64(made.keyPackage), mailbox, consent_hash, room: me.room, expires }]);
    return { ref, consent: toB64(consent) };
  };
  return { ref, stored, publish };
}

export function secretsOf(stored: StoredKeyPackage): KeyPackageSecrets {
  const { keyPackage, init, encryption, signature } = stored;
  return {
    keyPackage: fromB64(keyPackage),
    init: fromB64(init),
    encryption: fromB64(encryption),
    signature: fromB64(signature),
  };
}

/**
 * Claims a KeyPackage and keeps it, so that a restart goes on with it. Undefined when there is nothing to be had:
 * somebody else is at it, or it ran out.
 */
export async function claim(
  core: Core,
  room: Room,
  wanted: { ref: string; consent: string; ask: string; nodeAsk: string; home?: string | undefined },
): Promise<StoredClaim | undefined> {
  const held = room.claims.find((one) => one.ref === wanted.ref);
  if (held) return held;
  const hub = core.hubOf(room);
  const home = wanted.home ?? hub;
  let keyPackage: string;
  try {
    keyPackage = (await core.api.claim(wanted.ref, wanted.consent, home)).key_package;
  } catch (problem) {
    if (problem instanceof Refused && !problem.passing && problem.status !== 401) return undefined;
    throw problem;
  }
  const { ref, ask, nodeAsk } = wanted;
  const far = home === hub ? {} : { home };
  const made: StoredClaim = { room: room.id, ref, keyPackage, ask, nodeAsk, used: "", time: core.now, ...far };
  return room.serial.run(async () => {
    await core.vault.write(new Map([[names.claim(room.id, ref), made]]));
    room.claims = [...room.claims, made];
    return made;
  });
}

export async function dropClaim(core: Core, room: Room, stale: StoredClaim): Promise<void> {
  await room.serial.run(async () => {
    await core.vault.write(new Map([[names.claim(room.id, stale.ref), null]]));
    room.claims = room.claims.filter((one) => one.ref !== stale.ref);
  });
}

/** What was claimed, read and checked; undefined when it is not sound (any more). */
export async function readClaim(core: Core, engines: Engines, held: StoredClaim): Promise<ReadKeyPackage | undefined> {
  const bytes = readB64(held.keyPackage);
  try {
    return bytes && (await engines.lent.engine.readKeyPackage(bytes, core.now));
  } catch {
    return undefined;
  }
}
