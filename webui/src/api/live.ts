/**
 * The live channel: one WebSocket to `/api/v1/live` that comes back by itself, with growing, jittered pauses.
 *
 * It carries hints and entries, and takes submissions. What was missed while it was down is fetched from the log after
 * each `hello`; a submission without an answer goes by HTTP, and its id puts it into the log once.
 */
import { DEADLINE_MS } from "./http.ts";
import { refusalIn, Unreachable } from "./problems.ts";
import type {
  Accepted,
  B64,
  EntryAnswer,
  HeadAnswer,
  Later,
  MailboxAnswer,
  Network,
  Socket,
  SubmissionBody,
} from "./types.ts";

/** Milliseconds of the first and the longest pause between two attempts. */
export const PAUSE_MS = { first: 500, longest: 60_000 } as const;
/** Milliseconds between two signs of life, and until the lack of an answer ends the connection. */
export const PING_MS = { every: 30_000, deadline: 20_000 } as const;

/** Submissions without an answer; above it they go by HTTP. The node stops reading at 64. */
export const UNANSWERED_MAX = 32;

export type LiveEntry = EntryAnswer & { readonly room: B64 };

interface Unanswered {
  resolve(accepted: Accepted): void;
  reject(problem: Error): void;
  /** Takes the deadline back. */
  cancel(): void;
}

export interface LiveListener {
  /** Connected and let in, and what waits: catch up now. */
  hello(waiting: MailboxAnswer): void;
  entries(entries: readonly LiveEntry[]): void;
  heads(heads: readonly (HeadAnswer & { readonly room: B64 })[]): void;
  welcomes(): void;
  asks(): void;
  /** A word beside the log of these rooms has come. */
  notes(rooms: readonly B64[]): void;
  /** Another node orders these rooms now. */
  moved(rooms: readonly B64[]): void;
  down(): void;
  /** The node does not accept the token any more. */
  revoked(): void;
}

export interface LiveWorld {
  readonly network: Network;
  readonly later: Later;
  /** A number in [0, 1). */
  readonly chance: () => number;
}

export class Live {
  readonly #world: LiveWorld;
  readonly #address: string;
  readonly #token: B64;
  readonly #listener: LiveListener;
  #socket: Socket | null = null;
  #failures = 0;
  #pings = 0;
  #submissions = 0;
  /** Bytes that a frame with a submission may have; 0: this node takes none. */
  #submitBytes = 0;
  readonly #unanswered = new Map<number, Unanswered>();
  #cancel: () => void = () => {};
  #stopped = false;
  #up = false;

  constructor(world: LiveWorld, base: string, token: B64, listener: LiveListener) {
    this.#world = world;
    this.#address = `${base.replace(/^http/, "ws")}/api/v1/live`;
    this.#token = token;
    this.#listener = listener;
  }

  start(): void {
    if (this.#stopped || this.#socket) return;
    this.#cancel();
    let socket: Socket;
    try {
      socket = this.#world.network.socket(this.#address);
    } catch {
      this.#again(0);
      return;
    }
    this.#socket = socket;
    // Covers both a connection that never opens and a node that never says hello.
    this.#cancel = this.#world.later(PING_MS.deadline, () => this.#lost(socket, 0));
    socket.onopen = () => socket.send(JSON.stringify({ token: this.#token }));
    socket.onmessage = (event) => this.#hear(socket, event.data);
    socket.onclose = (event) => this.#lost(socket, event.code);
    socket.onerror = () => this.#lost(socket, 0);
  }

  /** Ends it for good. */
  stop(): void {
    this.#stopped = true;
    this.#cancel();
    const socket = this.#socket;
    this.#socket = null;
    this.#up = false;
    if (socket) silence(socket);
    this.#giveUp();
  }

  get up(): boolean {
    return this.#up;
  }

  /** Says which entries are safely stored; false when not connected (then use the HTTP route). */
  acknowledge(pairs: readonly (readonly [B64, number])[]): boolean {
    if (!this.#up || !this.#socket) return false;
    this.#socket.send(JSON.stringify({ acknowledge: pairs }));
    return true;
  }

  /**
   * Puts something into a room's log; null when that cannot be done here and now (then use the HTTP route).
   * Throws `Refused`, and `Unreachable` when the channel ended before the answer: it may be in the log all the same.
   */
  submit(submission: SubmissionBody & { readonly room: B64 }): Promise<Accepted> | null {
    const socket = this.#socket;
    if (!this.#up || !socket || this.#unanswered.size >= UNANSWERED_MAX) return null;
    const n = ++this.#submissions;
    const frame = JSON.stringify({ submit: submission, n }); // ASCII: a character is a byte
    if (frame.length > this.#submitBytes) return null;
    return new Promise((resolve, reject) => {
      const late = () => this.#answered(n)?.reject(new Unreachable("no answer in time"));
      this.#unanswered.set(n, { resolve, reject, cancel: this.#world.later(DEADLINE_MS, late) });
      socket.send(frame);
    });
  }

  #answered(n: unknown): Unanswered | undefined {
    const one = this.#unanswered.get(n as number);
    this.#unanswered.delete(n as number);
    one?.cancel();
    return one;
  }

  #giveUp(): void {
    for (const n of [...this.#unanswered.keys()]) this.#answered(n)?.reject(new Unreachable("the channel ended"));
  }

  #hear(socket: Socket, data: unknown): void {
    if (socket !== this.#socket || typeof data !== "string") return;
    const frame = readFrame(data);
    if (!frame) return;
    if (frame.hello !== undefined) {
      this.#up = true;
      this.#failures = 0;
      this.#rest(socket);
      const hello = frame.hello as MailboxAnswer & { readonly submit_bytes?: number };
      this.#submitBytes = hello.submit_bytes ?? 0;
      this.#listener.hello(hello);
    }
    if (frame.pong !== undefined) this.#rest(socket);
    if (frame.submitted !== undefined) this.#answered(frame.submitted)?.resolve(frame as unknown as Accepted);
    // A refusal carries entries, too: of the log that is in the way, not of what is new to everybody.
    if (frame.refused !== undefined) this.#answered(frame.refused)?.reject(refusalIn(frame));
    else if (Array.isArray(frame.entries)) this.#listener.entries(frame.entries as LiveEntry[]);
    if (Array.isArray(frame.heads)) this.#listener.heads(frame.heads as (HeadAnswer & { room: B64 })[]);
    if (frame.welcomes) this.#listener.welcomes();
    if (frame.asks) this.#listener.asks();
    if (Array.isArray(frame.notes)) this.#listener.notes(frame.notes as B64[]);
    if (Array.isArray(frame.moved)) this.#listener.moved(frame.moved as B64[]);
  }

  /** Quiet until the next ping; then the answer has a deadline. */
  #rest(socket: Socket): void {
    this.#cancel();
    this.#cancel = this.#world.later(PING_MS.every, () => {
      if (socket !== this.#socket) return;
      socket.send(JSON.stringify({ ping: ++this.#pings }));
      this.#cancel = this.#world.later(PING_MS.deadline, () => this.#lost(socket, 0));
    });
  }

  #lost(socket: Socket, code: number): void {
    if (socket !== this.#socket) return;
    this.#cancel();
    this.#socket = null;
    this.#up = false;
    silence(socket);
    this.#giveUp();
    if (this.#stopped) return;
    if (code === 4401) {
      this.#stopped = true;
      this.#listener.revoked();
      return;
    }
    this.#listener.down();
    this.#again(code);
  }

  #again(code: number): void {
    const pause = pauseAfter(this.#failures++, code, this.#world.chance());
    this.#cancel = this.#world.later(pause, () => this.start());
  }
}

/** Milliseconds before the next attempt: doubled each time, half of it by chance, so that not all come back at once. */
export function pauseAfter(failures: number, code: number, chance: number): number {
  const floor = code === 4429 ? 15_000 : PAUSE_MS.first;
  const full = Math.min(PAUSE_MS.longest, floor * 2 ** Math.min(failures, 10));
  return full / 2 + (full / 2) * chance;
}

function silence(socket: Socket): void {
  socket.onopen = socket.onmessage = socket.onclose = socket.onerror = null;
  try {
    socket.close(1000);
  } catch {
    // Already closed, or never opened.
  }
}

function readFrame(data: string): Record<string, unknown> | null {
  try {
    const frame: unknown = JSON.parse(data);
    return frame && typeof frame === "object" ? (frame as Record<string, unknown>) : null;
  } catch {
    return null;
  }
}
