/** Makes `tests/vectors/rooms.json`: `node tests/rooms-vectors.ts > ../tests/vectors/rooms.json`. Nothing in it is random. */
import { canonical } from "../src/bytes/canonical.ts";
import { toB64, toHex } from "../src/bytes/text.ts";
import * as webcrypto from "../src/bytes/webcrypto.ts";
import { makeCredential } from "../src/rooms/credentials.ts";
import { encodeEvent } from "../src/rooms/events.ts";
import { foundingPolicy, policyHash, stamp, step } from "../src/rooms/policy.ts";
import { sealProofs } from "../src/rooms/proofs.ts";
import { makeRoomId } from "../src/rooms/rules.ts";
import * as statements from "../src/rooms/statements.ts";
import type { Event, Primitives, RoomIdentity, Rules } from "../src/rooms/types.ts";
import { verificationNumber } from "../src/rooms/verification.ts";

/** Chance that counts: 00 01 02 …, each time from the beginning. */
const primitives: Primitives = { ...webcrypto, random: (length) => Uint8Array.from({ length }, (_, at) => at) };
const filled = (length: number, byte: number): Uint8Array => new Uint8Array(length).fill(byte);
const b64 = (length: number, byte: number): string => toB64(filled(length, byte));
const hexOf = (text: string): string => Buffer.from(text, "base64url").toString("hex");

async function identityOf(room: string, byte: number): Promise<RoomIdentity> {
  const seed = filled(32, byte);
  return { room, seed, identity: toB64(await webcrypto.publicKey(seed)) };
}

export async function roomsVectors() {
  const rules: Rules = { approvals: "auto", kind: "room", version: 1 };
  const room = await makeRoomId(primitives, rules);
  const ada = await identityOf(room, 1);
  const ben = await identityOf(room, 2);
  const [leaf, mailbox] = [filled(32, 0x33), b64(16, 0x44)];
  const ask = b64(16, 0x55);
  const expires = 1_802_592_000;
  const approval = await statements.signApproval(primitives, ada, { identity: ben.identity, ask, expires });
  const founding = foundingPolicy(rules, ada.identity, { key: toB64(leaf), mailbox });
  const bens = { key: b64(32, 0x66), mailbox: b64(16, 0x77) };
  const added = [{ identity: ben.identity, leaf: bens, vouched: [ada.identity] }];
  const after = step(founding, { added, departed: [], revoked: [] });
  const proofs = {
    approvals: [approval],
    votes: [],
    leaves: [],
    revocations: [],
    policy: await policyHash(primitives, after),
  };
  const event: Event = { type: "message", id: b64(16, 0x88), text: "Hello, Ben." };
  return {
    rules: canonical(rules),
    room: hexOf(room),
    identities: [ada, ben].map(({ seed, identity }) => ({ seed: toHex(seed), identity: hexOf(identity) })),
    leaf: toHex(leaf),
    mailbox: hexOf(mailbox),
    credential: toHex(await makeCredential(primitives, ada, mailbox, leaf)),
    approval,
    removal: await statements.signRemoval(primitives, ada, { identity: ben.identity, expires }),
    leave: await statements.signLeave(primitives, ada, 1_800_000_000),
    revocation: await statements.signRevocation(primitives, ada, toB64(leaf)),
    profile: await statements.signProfile(primitives, ada, { version: 1, name: "Ada" }),
    policies: {
      founding: { json: canonical(founding), hash: hexOf(await policyHash(primitives, founding)) },
      admitted: { json: canonical(after), hash: hexOf(await policyHash(primitives, after)) },
      stamped: {
        json: canonical(stamp(after, 1_800_000_100)),
        hash: hexOf(await policyHash(primitives, stamp(after, 1_800_000_100))),
      },
    },
    proofs: {
      key: toHex(filled(32, 0x99)),
      json: canonical(proofs),
      data: toHex(await sealProofs(primitives, filled(32, 0x99), proofs)),
    },
    event: { json: canonical(event), padded: toHex(encodeEvent(event)) },
    verification: (await verificationNumber(primitives, room, ada.identity, ben.identity)).join(" "),
  };
}

if (process.argv[1] === import.meta.filename) console.log(JSON.stringify(await roomsVectors(), null, 1));
