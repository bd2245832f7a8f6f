/**
 * Runs the client's worker for this tab, and watches it: one entry that takes the engine more than ten seconds is
 * poisonous. The worker is ended, a new one starts from what was saved last, and sets the entry aside.
 */
import { Failure } from "../client/failures.ts";
import type { CallName, ClientEvent } from "../client/types.ts";
import type { FromClientWorker, Poison } from "./messages.ts";

/** Milliseconds that the engine may take over one entry. */
export const PATIENCE_MS = 10_000;

/** The part of a Worker used here, so that tests can lend another. */
export interface WorkerLike {
  postMessage(message: unknown, transfer?: Transferable[]): void;
  terminate(): void;
  onmessage: ((event: { data: FromClientWorker }) => void) | null;
  onerror: ((event: unknown) => void) | null;
}

export class EngineRoom {
  readonly #start: () => WorkerLike;
  readonly #tell: (event: ClientEvent) => void;
  readonly #calls = new Map<number, { done: (answer: unknown) => void; fail: (problem: Failure) => void }>();
  #worker: WorkerLike;
  #tickets = 0;
  #watch: ReturnType<typeof setTimeout> | undefined;
  #broken: Failure | null = null;
  #crashes = 0;

  constructor(start: () => WorkerLike, tell: (event: ClientEvent) => void) {
    this.#start = start;
    this.#tell = tell;
    this.#worker = this.#open(null);
  }

  call(name: CallName, input: unknown): Promise<unknown> {
    if (this.#broken) return Promise.reject(this.#broken);
    const ticket = ++this.#tickets;
    return new Promise((done, fail) => {
      this.#calls.set(ticket, { done, fail });
      this.#worker.postMessage({ kind: "call", ticket, name, input });
    });
  }

  stop(): void {
    clearTimeout(this.#watch);
    this.#worker.terminate();
    this.#drop();
  }

  #open(poison: Poison | null): WorkerLike {
    const worker = this.#start();
    worker.onmessage = ({ data }) => {
      if (worker === this.#worker) this.#hear(data);
    };
    worker.onerror = () => {
      if (worker === this.#worker) this.#crashed();
    };
    worker.postMessage({ kind: "open", poison });
    return worker;
  }

  #hear(message: FromClientWorker): void {
    switch (message.kind) {
      case "opened":
        return;
      case "broken":
        this.#broken = new Failure(message.code, message.detail);
        this.#drop(this.#broken);
        return;
      case "event":
        this.#tell(message.event);
        return;
      case "busy":
        clearTimeout(this.#watch);
        if (message.entry) this.#watch = setTimeout(() => this.#hung(message.entry), PATIENCE_MS);
        return;
      case "answer":
        this.#calls.get(message.ticket)?.done(message.answer);
        this.#calls.delete(message.ticket);
        return;
      case "failure":
        this.#calls.get(message.ticket)?.fail(new Failure(message.code, message.detail));
        this.#calls.delete(message.ticket);
        return;
    }
  }

  #hung(entry: Poison | null): void {
    this.#worker.terminate();
    this.#drop();
    this.#worker = this.#open(entry);
    this.#tell({ kind: "restarted" });
  }

  /** An error nobody caught: once a new worker may help, again and again it does not. */
  #crashed(): void {
    if (this.#crashes++ >= 3) {
      this.#broken = new Failure("bug", "the worker ends again and again");
      this.#drop(this.#broken);
      return;
    }
    this.#hung(null);
  }

  #drop(problem = new Failure("interrupted")): void {
    for (const { fail } of this.#calls.values()) fail(problem);
    this.#calls.clear();
  }
}
