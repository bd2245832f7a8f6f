/** Every route of the node that a member's client uses, typed. Each throws `Refused` or `Unreachable`. */
import type { Http } from "./http.ts";
import type {
  Accepted,
  AccountAnswer,
  AskAnswer,
  B64,
  DeviceAnswer,
  InviteAnswer,
  KeyPackageOffer,
  ListingAnswer,
  LogAnswer,
  MailboxAnswer,
  MoveAnswer,
  MoveBody,
  NewDevice,
  NoteAnswer,
  OwnInviteAnswer,
  PlacesAnswer,
  SealedAnswer,
  SubmissionBody,
  WelcomeAnswer,
} from "./types.ts";

const post = (json: unknown, signed = true) => ({ method: "POST", json, signed }) as const;
const DELETE = { method: "DELETE" } as const;
const at = (node?: B64) => (node ? `?node=${node}` : "");

export class NodeApi {
  readonly http: Http;

  constructor(http: Http) {
    this.http = http;
  }

  // accounts
  register(body: { invite: { id: B64; proof: B64 }; account_key: B64; device: NewDevice }): Promise<AccountAnswer> {
    return this.http.json("/accounts", post(body, false));
  }
  self(): Promise<AccountAnswer> {
    return this.http.json("/accounts/self");
  }
  deleteAccount(): Promise<null> {
    return this.http.json("/accounts/self", DELETE);
  }
  challenge(): Promise<{ challenge: B64 }> {
    return this.http.json("/accounts/challenge", { signed: false });
  }
  recover(body: { account_key: B64; challenge: B64; signature: B64; device: NewDevice }): Promise<AccountAnswer> {
    return this.http.json("/accounts/recover", post(body, false));
  }

  // devices
  devices(): Promise<readonly DeviceAnswer[]> {
    return this.http.json("/devices");
  }
  addDevice(device: NewDevice): Promise<null> {
    return this.http.json("/devices", post(device));
  }
  revokeDevice(id: B64): Promise<null> {
    return this.http.json(`/devices/${id}`, DELETE);
  }

  // invites and asks
  makeInvite(body: { id: B64; proof_hash: B64; expires: number; uses: number; room?: B64; note: B64 }): Promise<null> {
    return this.http.json("/invites", post(body));
  }
  invites(): Promise<readonly OwnInviteAnswer[]> {
    return this.http.json("/invites");
  }
  withdrawInvite(id: B64): Promise<null> {
    return this.http.json(`/invites/${id}`, DELETE);
  }
  /** `far`: another node that keeps the invitation; the own one asks it. */
  readInvite(id: B64, proof: B64, far?: B64): Promise<InviteAnswer> {
    return this.http.json(`/invites/${id}${at(far)}`, { signed: !!far, headers: { "Invite-Proof": proof } });
  }
  askByInvite(id: B64, body: { proof: B64; ask: B64 }, far?: B64): Promise<{ id: B64 }> {
    return this.http.json(`/invites/${id}/asks${at(far)}`, post(body));
  }
  listing(id: string): Promise<ListingAnswer> {
    return this.http.json(`/listings/${id}`, { signed: false });
  }
  asks(): Promise<readonly AskAnswer[]> {
    return this.http.json("/asks");
  }
  deleteAsk(id: B64): Promise<null> {
    return this.http.json(`/asks/${id}`, DELETE);
  }
  askAgain(room: B64, ask: B64): Promise<{ id: B64 }> {
    return this.http.json(`/rooms/${room}/asks`, post({ ask }));
  }

  // KeyPackages
  offer(packages: readonly KeyPackageOffer[]): Promise<null> {
    return this.http.json("/key-packages", post(packages));
  }
  /** `home` is the node that keeps it. */
  claim(ref: B64, consent: B64, home: B64): Promise<{ key_package: B64; mailbox: B64 }> {
    return this.http.json("/key-packages/claim", post({ ref, consent, home }));
  }
  withdrawOffer(ref: B64): Promise<null> {
    return this.http.json(`/key-packages/${ref}`, DELETE);
  }

  // rooms
  createRoom(room: B64, mailbox: B64): Promise<null> {
    return this.http.json("/rooms", post({ room, mailbox }));
  }
  log(room: B64, after: number, limit: number): Promise<LogAnswer> {
    return this.http.json(`/rooms/${room}/log?after=${after}&limit=${limit}`);
  }
  submit(room: B64, body: SubmissionBody): Promise<Accepted> {
    return this.http.json(`/rooms/${room}/log`, post(body));
  }
  places(room: B64): Promise<PlacesAnswer> {
    return this.http.json(`/rooms/${room}/places`);
  }
  addNote(room: B64, note: B64): Promise<null> {
    return this.http.json(`/rooms/${room}/notes`, post({ note }));
  }
  notes(room: B64, after: number): Promise<readonly NoteAnswer[]> {
    return this.http.json(`/rooms/${room}/notes?after=${after}`);
  }
  move(room: B64, body: MoveBody): Promise<null> {
    return this.http.json(`/rooms/${room}/moves`, post(body));
  }
  moves(room: B64): Promise<readonly MoveAnswer[]> {
    return this.http.json(`/rooms/${room}/moves`);
  }
  /** `seen`: how far this device has processed the log; what a later commit did stays. */
  putBack(room: B64, mailbox: B64, seen: number): Promise<null> {
    return this.http.json(`/rooms/${room}/mailboxes`, post({ mailbox, seen }));
  }
  stop(room: B64, mailbox: B64): Promise<null> {
    return this.http.json(`/rooms/${room}/mailboxes/${mailbox}`, DELETE);
  }
  mailbox(): Promise<MailboxAnswer> {
    return this.http.json("/mailbox");
  }
  acknowledge(acknowledged: readonly { room: B64; seq: number }[]): Promise<null> {
    return this.http.json("/mailbox/acknowledge", post({ acknowledged }));
  }
  welcomes(): Promise<readonly WelcomeAnswer[]> {
    return this.http.json("/welcomes");
  }
  deleteWelcome(id: B64): Promise<null> {
    return this.http.json(`/welcomes/${id}`, DELETE);
  }

  // files
  putBlob(hash: B64, room: B64, ciphertext: Uint8Array): Promise<Uint8Array> {
    return this.http.bytes(`/blobs/${hash}?room=${room}`, { method: "PUT", bytes: ciphertext });
  }
  blob(hash: B64, room: B64): Promise<Uint8Array> {
    return this.http.bytes(`/blobs/${hash}?room=${room}`);
  }

  // sealed records
  sealed(name: string): Promise<SealedAnswer> {
    return this.http.json(`/sealed/${name}`);
  }
  putSealed(name: string, version: number, body: B64): Promise<null> {
    return this.http.json(`/sealed/${name}`, { method: "PUT", json: { version, body } });
  }
  deleteSealed(name: string): Promise<null> {
    return this.http.json(`/sealed/${name}`, DELETE);
  }

  // linking
  putRendezvous(id: B64, slot: "a" | "b", body: B64): Promise<null> {
    return this.http.json(`/rendezvous/${id}/${slot}`, { method: "PUT", json: { body }, signed: false });
  }
  rendezvous(id: B64, slot: "a" | "b"): Promise<{ body: B64 }> {
    return this.http.json(`/rendezvous/${id}/${slot}`, { signed: false });
  }
}
