/**
 * The client for a page. One tab leads (it holds a Web Lock) and runs the worker; the others pass their calls to it
 * over a BroadcastChannel. When the leading tab closes, the lock goes to the next one, which starts a worker of its own
 * from what was saved last: state is never forked, because there is never a second writer.
 */
import { Failure, failureOf } from "../client/failures.ts";
import type { CallName, Calls, Client, ClientEvent, State } from "../client/types.ts";
import { startCryptoWorker } from "../trusted.ts";
import { EngineRoom, type WorkerLike } from "./engine-room.ts";
import type { BetweenTabs } from "./messages.ts";

export const LOCK = "hedgerow client";
/**
 * In a saved file no other tab is let in: every file on the disk shares its channels (tested in Chromium and Firefox), so
 * one that is open beside could ask for anything. A second tab of the file waits for the first (`saved/main.tsx`).
 */
const CHANNEL = location.protocol === "file:" ? crypto.randomUUID() : "hedgerow client";
/** Milliseconds after which a call to a leading tab that does not answer fails (it may be frozen in the background). */
const PATIENCE_MS = 60_000;
/** Calls that may be made again with a new leader without doing anything twice. */
const REPEATABLE: ReadonlySet<CallName> = new Set<CallName>([
  "start",
  "state",
  "touch",
  "wake",
  "openInvite",
  "checkWords",
  "sheetWords",
  "devices",
  "invites",
  "watch",
  "loadEarlier",
  "loadUntil",
  "draft",
  "markRead",
  "search",
  "verification",
  "openAttachment",
]);

interface Waiting {
  readonly name: CallName;
  readonly input: unknown;
  readonly done: (answer: unknown) => void;
  readonly fail: (problem: Failure) => void;
  readonly timer: ReturnType<typeof setTimeout>;
}

/** A message that names itself is sent once, however often it is asked for. */
function isRepeatable({ name, input }: Waiting): boolean {
  return REPEATABLE.has(name) || (name === "send" && (input as Calls["send"]["input"]).id !== undefined);
}

class TabClient implements Client {
  readonly #id = crypto.randomUUID();
  readonly #channel = new BroadcastChannel(CHANNEL);
  readonly #listeners = new Set<(event: ClientEvent) => void>();
  readonly #waiting = new Map<number, Waiting>();
  readonly #watched: string[] = [];
  readonly #closing = new AbortController();
  #engines: EngineRoom | null = null;
  #tickets = 0;
  #node: string | null = null;
  #free: () => void = () => {};

  constructor() {
    this.#channel.onmessage = ({ data }: MessageEvent<BetweenTabs>) => this.#hear(data);
    addEventListener("pagehide", this.#leave);
    this.#stand();
  }

  call<Name extends CallName>(name: Name, input: Calls[Name]["input"]): Promise<Calls[Name]["answer"]> {
    if (name === "start") this.#node = (input as Calls["start"]["input"]).node;
    if (name === "watch") this.#watched.push((input as Calls["watch"]["input"]).room);
    if (name === "unwatch") {
      const at = this.#watched.indexOf((input as Calls["unwatch"]["input"]).room);
      if (at >= 0) this.#watched.splice(at, 1);
    }
    const asked = this.#engines ? this.#engines.call(name, input) : this.#askLeader(name, input);
    return asked as Promise<Calls[Name]["answer"]>;
  }

  listen(listener: (event: ClientEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  close(): void {
    removeEventListener("pagehide", this.#leave);
    this.#leave();
    this.#closing.abort();
    this.#engines?.stop();
    this.#free();
    this.#channel.close();
  }

  readonly #leave = (): void => {
    if (!this.#engines && this.#watched.length > 0) this.#say({ kind: "bye", watched: [...this.#watched] });
  };

  /** Waits for the lock, however long, and leads as long as this tab lives. */
  #stand(): void {
    const lead = () =>
      new Promise<void>((free) => {
        this.#free = free;
        this.#lead();
      });
    navigator.locks.request(LOCK, { signal: this.#closing.signal }, lead).catch(() => {
      // Closed before it was this tab's turn.
    });
  }

  #lead(): void {
    this.#engines = new EngineRoom(
      () => startCryptoWorker() as unknown as WorkerLike,
      (event) => {
        this.#tell(event);
        this.#say({ kind: "event", event });
        if (event.kind === "restarted") this.#again();
      },
    );
    this.#say({ kind: "leader" });
    this.#tell({ kind: "leader", leader: true });
    this.#again();
    this.#afterLeader((waiting) => this.#engines?.call(waiting.name, waiting.input));
  }

  /** A new worker knows nothing of what pages look at. */
  #again(): void {
    const engines = this.#engines;
    if (this.#node === null) return;
    const begin: Promise<unknown> = engines
      ? engines.call("start", { node: this.#node })
      : this.#askLeader("start", { node: this.#node });
    begin.then(
      (state) => this.#tell({ kind: "state", state: state as State }),
      () => {},
    );
    for (const room of this.#watched) {
      const view = engines ? engines.call("watch", { room }) : this.#askLeader("watch", { room });
      view.then(
        (answer) => this.#tell({ kind: "room", view: answer as Calls["watch"]["answer"] }),
        () => {},
      );
    }
  }

  #askLeader(name: CallName, input: unknown): Promise<unknown> {
    const ticket = ++this.#tickets;
    return new Promise((done, fail) => {
      const timer = setTimeout(() => {
        this.#waiting.delete(ticket);
        fail(new Failure("interrupted", "no tab answers"));
      }, PATIENCE_MS);
      this.#waiting.set(ticket, { name, input, done, fail, timer });
      this.#say({ kind: "call", from: this.#id, ticket, name, input });
    });
  }

  /** Calls that the leader before may or may not have done: some are made again, the others are said to be lost. */
  #afterLeader(again: (waiting: Waiting) => Promise<unknown> | undefined): void {
    const lost = [...this.#waiting.values()];
    this.#waiting.clear();
    for (const waiting of lost) {
      clearTimeout(waiting.timer);
      const repeated = isRepeatable(waiting) ? again(waiting) : undefined;
      if (repeated) repeated.then(waiting.done, waiting.fail);
      else waiting.fail(new Failure("interrupted"));
    }
  }

  #hear(message: BetweenTabs): void {
    switch (message.kind) {
      case "event":
        this.#tell(message.event);
        if (message.event.kind === "restarted") this.#again();
        return;
      case "leader":
        this.#afterLeader((waiting) => this.#askLeader(waiting.name, waiting.input));
        this.#again();
        return;
      case "call":
        if (this.#engines) this.#serve(message, this.#engines);
        return;
      case "answer":
      case "failure": {
        const waiting = message.to === this.#id ? this.#waiting.get(message.ticket) : undefined;
        if (!waiting) return;
        this.#waiting.delete(message.ticket);
        clearTimeout(waiting.timer);
        if (message.kind === "answer") waiting.done(message.answer);
        else waiting.fail(new Failure(message.code, message.detail));
        return;
      }
      case "bye":
        for (const room of message.watched) this.#engines?.call("unwatch", { room }).catch(() => {});
        return;
    }
  }

  #serve({ from, ticket, name, input }: Extract<BetweenTabs, { kind: "call" }>, engines: EngineRoom): void {
    engines.call(name, input).then(
      (answer) => this.#say({ kind: "answer", to: from, ticket, answer }),
      (problem: unknown) => {
        const { code, detail } = failureOf(problem);
        this.#say({ kind: "failure", to: from, ticket, code, detail });
      },
    );
  }

  #say(message: BetweenTabs): void {
    this.#channel.postMessage(message);
  }

  #tell(event: ClientEvent): void {
    for (const listener of this.#listeners) listener(event);
  }
}

/** The client of this tab. Throws Failure `insecure` where keys must not be made. */
export function connect(): Client {
  if (!isSecureContext || !navigator.locks) throw new Failure("insecure");
  // Asked once, quietly: browsers that show a question get none before there is anything to keep.
  navigator.storage?.persist?.().catch(() => {});
  return new TabClient();
}
