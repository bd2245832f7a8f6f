/** Everything that is derived from a secret; the labels are part of the protocol (`docs/protocol/rooms.md`). */
import { ascii, concat } from "../bytes/bytes.ts";
import { type Field, fields } from "../bytes/fields.ts";
import { fromB64, readB64, toB64 } from "../bytes/text.ts";
import { derive, hash, publicKey, sign } from "../bytes/webcrypto.ts";
import type { RoomIdentity } from "../rooms/types.ts";
import { openWith, sealingKey, sealWith } from "../vault/sealing.ts";

/** Bytes of an account's secret (24 words), of an invite's and of a link's (12 words), of ids, tokens. */
export const SIZES = { account: 32, invite: 16, link: 16, id: 16, token: 32 } as const;

/** The account's key to the node: its public half is all the node knows a person by. */
export async function accountKey(
  secret: Uint8Array,
): Promise<{ key: string; sign(...said: Field[]): Promise<string> }> {
  const seed = await derive(secret, "hedgerow account key v1", 32);
  return {
    key: toB64(await publicKey(seed)),
    sign: async (label, ...said) => toB64(await sign(seed, fields(String(label), ...said))),
  };
}

/** One's identity in one room, from the account's secret: the sheet alone brings all of them back. */
export async function roomIdentity(secret: Uint8Array, room: string): Promise<RoomIdentity> {
  const seed = await derive(secret, concat(ascii("hedgerow room identity v1"), fromB64(room, 32)), 32);
  return { room, seed, identity: toB64(await publicKey(seed)) };
}

/** Seals and opens JSON for those who have a secret. */
export class Sealer {
  readonly #key: Promise<CryptoKey>;
  readonly #context: Uint8Array;

  /** `label` parts what the same secret is used for. */
  constructor(secret: Uint8Array, label: string) {
    this.#key = derive(secret, label, 32).then(sealingKey);
    this.#context = ascii(label);
  }

  async seal(value: unknown): Promise<string> {
    return toB64(await this.sealBytes(new TextEncoder().encode(JSON.stringify(value))));
  }
  async sealBytes(plaintext: Uint8Array): Promise<Uint8Array> {
    return sealWith(await this.#key, this.#context, plaintext);
  }

  /** Undefined for anything that was not sealed with this secret. */
  async open(sealed: string): Promise<unknown> {
    const bytes = readB64(sealed);
    const plaintext = bytes && (await this.openBytes(bytes));
    try {
      return plaintext && JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(plaintext));
    } catch {
      return undefined;
    }
  }
  async openBytes(sealed: Uint8Array): Promise<Uint8Array | undefined> {
    try {
      return await openWith(await this.#key, this.#context, sealed);
    } catch {
      return undefined;
    }
  }
}

export const indexSealer = (secret: Uint8Array): Sealer => new Sealer(secret, "hedgerow index key v1");

/** What an invite's secret gives: a name and a proof for the node, a key that the node never has. */
export async function inviteParts(secret: Uint8Array): Promise<{
  id: string;
  proof: string;
  proofHash: string;
  sealer: Sealer;
}> {
  const id = await derive(secret, "hedgerow invite id v1", 16);
  const proof = await derive(secret, "hedgerow invite proof v1", 32);
  return {
    id: toB64(id),
    proof: toB64(proof),
    proofHash: toB64(await hash(proof)),
    sealer: new Sealer(secret, "hedgerow invite seal v1"),
  };
}

export interface ReadLink {
  /** The node's address. */
  readonly node: string;
  readonly secret: Uint8Array;
  /** Its key, in links for people of any community. */
  readonly nodeId?: string;
}

/** An invitation as a link, for people of any community. */
export const linkOf = (node: string, nodeId: string, secret: string): string => `${node}/join#${secret}.${nodeId}`;

/** `{node}/join#<secret>` or `…<secret>.<node id>`; also tells apart links of other kinds. Undefined when it is none. */
export function readLink(link: string, page: "join" | "link"): ReadLink | undefined {
  let address: URL;
  try {
    address = new URL(link.trim());
  } catch {
    return undefined;
  }
  const [text, nodeId] = address.hash.slice(1).split(".");
  const secret = readB64(text, SIZES.invite);
  const path = address.pathname.replace(/\/$/, "");
  if (!secret || !/^https?:$/.test(address.protocol) || !path.endsWith(`/${page}`)) return undefined;
  const node = `${address.origin}${path.slice(0, -page.length - 1)}`;
  return readB64(nodeId, 32) ? { node, secret, nodeId: nodeId as string } : { node, secret };
}

/** The same node, however its address is written. */
export function tidyNode(address: string): string {
  const url = new URL(address);
  return `${url.origin}${url.pathname.replace(/\/+$/, "")}`;
}
