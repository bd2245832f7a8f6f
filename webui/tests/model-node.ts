/** A node of one device in this process: rooms' logs with their hashes and signed heads, and the live channel. */
import type { MoveAnswer, Network, Socket } from "../src/api/types.ts";
import { fields } from "../src/bytes/fields.ts";
import { fromB64, toB64 } from "../src/bytes/text.ts";
import { hash, publicKey, random, sign } from "../src/bytes/webcrypto.ts";

interface Entry {
  seq: number;
  time: number;
  kind: "commit" | "message";
  epoch: number;
  id: string;
  payload: string;
  hash: string;
}

/** Called before (`reached` false) and after the node has done what a request asks; throwing cuts the line there. */
export type Tap = (method: string, path: string, reached: boolean) => void;

export class ModelNode {
  readonly logs = new Map<string, Entry[]>();
  readonly #seed = random(32);
  tap: Tap = () => {};
  now = 1_800_000_000;
  index: { version: number; body: string } | null = null;
  /** Bytes of a submission that the live channel takes; 0: it takes none. */
  submitBytes = 0;
  nodeId = "";
  /** Said to be the hub of all rooms, if it is another node. */
  hub: string | undefined;
  /** What it says of moves of all rooms. */
  moves: readonly MoveAnswer[] = [];

  async open(): Promise<this> {
    this.nodeId = toB64(await publicKey(this.#seed));
    return this;
  }

  readonly network: Network = {
    fetch: async (address, init) => {
      const path = new URL(address).pathname.replace("/api/v1", "");
      const method = init.method ?? "GET";
      this.tap(method, path, false);
      const answer = await this.#answer(method, path, new URL(address).searchParams, init.body as string | undefined);
      this.tap(method, path, true);
      return answer;
    },
    socket: () => this.#socket(),
  };

  /** A submission over the live channel. When the line is cut, the channel ends. */
  async #hear(socket: Socket, text: string): Promise<void> {
    const { submit, n } = JSON.parse(text);
    if (submit === undefined) return;
    const path = `/rooms/${submit.room}/log`;
    try {
      this.tap("SUBMIT", path, false);
      const answer = await this.#submit(submit.room, submit);
      this.tap("SUBMIT", path, true);
      const said = await answer.json();
      const frame = answer.ok ? { submitted: n, ...said } : { refused: n, status: answer.status, ...said };
      socket.onmessage?.({ data: JSON.stringify(frame) });
    } catch {
      socket.onclose?.({ code: 1006 });
    }
  }

  #socket(): Socket {
    const socket: Socket = {
      send: (text) => void this.#hear(socket, text),
      close: () => {},
      onopen: null,
      onmessage: null,
      onclose: null,
      onerror: null,
    };
    const hello = async () => {
      const rooms = [];
      for (const room of this.logs.keys())
        rooms.push({ room, mailbox: "", acknowledged: 0, head: await this.head(room), until: null, ...this.#hub() });
      const hello = { rooms, welcomes: 0, asks: 0, ...(this.submitBytes ? { submit_bytes: this.submitBytes } : {}) };
      socket.onmessage?.({ data: JSON.stringify({ hello }) });
    };
    setTimeout(() => {
      socket.onopen?.();
      hello();
    });
    return socket;
  }

  async #answer(method: string, path: string, query: URLSearchParams, body: string | undefined): Promise<Response> {
    const said = body ? JSON.parse(body) : {};
    const room = path.match(/^\/rooms\/([^/]+)\/log$/)?.[1];
    if (room && method === "GET") return Response.json(await this.#page(room, Number(query.get("after"))));
    if (room) return this.#submit(room, said);
    if (path === "/rooms") this.logs.set(said.room, this.logs.get(said.room) ?? []);
    if (path === "/accounts/self")
      return Response.json({ account: "", device: "", node_id: this.nodeId, title: "Model", may_invite: true });
    if (path.endsWith("/moves") && method === "GET") return Response.json(this.moves);
    if (path === "/asks" || path === "/welcomes" || path.endsWith("/notes")) return Response.json([]);
    if (path === "/sealed/index" && method === "GET")
      return this.index ? Response.json(this.index) : new Response(null, { status: 404 });
    if (path === "/sealed/index") this.index = said;
    return new Response(null, { status: 204 });
  }

  async #page(room: string, after: number) {
    const entries = (this.logs.get(room) ?? []).filter(({ seq }) => seq > after);
    return { entries, head: await this.head(room), ...this.#hub() };
  }

  #hub() {
    return this.hub ? { hub: this.hub } : {};
  }

  /** Where a room's log stands, signed by this node. */
  async head(room: string) {
    const last = this.logs.get(room)?.at(-1);
    const { seq, time } = last ?? { seq: 0, time: 0 };
    const chained = last ? fromB64(last.hash) : new Uint8Array(32);
    const said = fields("hedgerow log head v1", fromB64(room), seq, chained, time);
    return { seq, time, hash: toB64(chained), signature: toB64(await sign(this.#seed, said)) };
  }

  async #submit(room: string, said: Entry & { seen: number }): Promise<Response> {
    const log = this.logs.get(room) ?? [];
    let entry = log.find(({ id }) => id === said.id);
    if (!entry) {
      if (said.kind === "commit" && log.some((one) => one.kind === "commit" && one.epoch === said.epoch))
        return Response.json({ type: "tag:x/conflict", ...(await this.#page(room, said.seen)) }, { status: 409 });
      const [seq, time] = [log.length + 1, this.now];
      const before = log.at(-1);
      const kind = Uint8Array.of(said.kind === "commit" ? 1 : 2);
      const payload = await hash(fromB64(said.payload));
      const chain = before ? fromB64(before.hash) : new Uint8Array(32);
      const id = fromB64(said.id);
      const label = "hedgerow log entry v1";
      const whole = fields(label, fromB64(room), seq, time, kind, said.epoch, id, payload, chain);
      const { epoch, payload: sealed } = said;
      entry = { seq, time, kind: said.kind, epoch, id: said.id, payload: sealed, hash: toB64(await hash(whole)) };
      log.push(entry);
    }
    return Response.json({ seq: entry.seq, time: entry.time, hash: entry.hash });
  }
}
