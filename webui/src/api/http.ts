/** One node's API over fetch: bearer token, JSON both ways, a deadline, problems as errors. */
import { refusalOf, Unreachable } from "./problems.ts";
import type { B64, Network } from "./types.ts";

/** Milliseconds until a request without an answer is given up: a slow phone over Tor still gets through. */
export const DEADLINE_MS = 45_000;
/** Milliseconds for files of up to 10 MiB. */
export const FILE_DEADLINE_MS = 300_000;

export interface Question {
  readonly method?: "GET" | "POST" | "PUT" | "DELETE";
  /** Sent as JSON. */
  readonly json?: unknown;
  /** Sent as it is. */
  readonly bytes?: Uint8Array;
  readonly headers?: Readonly<Record<string, string>>;
  /** False for the few addresses that are open to everybody. */
  readonly signed?: boolean;
}

export class Http {
  readonly base: string;
  readonly #network: Network;
  readonly #token: () => B64 | null;

  /** `base` is the node's web address without a slash at its end; `token` is asked for each time. */
  constructor(network: Network, base: string, token: () => B64 | null) {
    this.base = base;
    this.#network = network;
    this.#token = token;
  }

  /** Asks and reads JSON (null for an empty answer). Throws `Refused` or `Unreachable`. */
  async json<Answer>(path: string, question: Question = {}): Promise<Answer> {
    return this.#ask(path, question, DEADLINE_MS, async (answer) => {
      const text = await answer.text();
      return (text === "" ? null : JSON.parse(text)) as Answer;
    });
  }

  /** Asks and reads bytes. Throws `Refused` or `Unreachable`. */
  async bytes(path: string, question: Question = {}): Promise<Uint8Array> {
    return this.#ask(path, question, FILE_DEADLINE_MS, async (answer) => new Uint8Array(await answer.arrayBuffer()));
  }

  async #ask<Answer>(
    path: string,
    question: Question,
    deadline: number,
    read: (answer: Response) => Promise<Answer>,
  ): Promise<Answer> {
    const init = this.#request(question, deadline);
    let answer: Response;
    try {
      answer = await this.#network.fetch(`${this.base}/api/v1${path}`, init);
      if (answer.ok) return await read(answer);
    } catch (problem) {
      throw new Unreachable(problem instanceof Error ? problem.name : "no answer", { cause: problem });
    }
    throw await refusalOf(answer);
  }

  #request(question: Question, deadline: number): RequestInit {
    const headers: Record<string, string> = { ...question.headers };
    const token = question.signed === false ? null : this.#token();
    if (token) headers.Authorization = `Bearer ${token}`;
    const init: RequestInit = {
      method: question.method ?? "GET",
      headers,
      credentials: "omit",
      cache: "no-store",
      redirect: "error",
      referrerPolicy: "no-referrer",
      signal: AbortSignal.timeout(question.bytes ? FILE_DEADLINE_MS : deadline),
    };
    if (question.bytes) {
      headers["Content-Type"] = "application/octet-stream";
      init.body = question.bytes as Uint8Array<ArrayBuffer>;
    } else if (question.json !== undefined) {
      headers["Content-Type"] = "application/json";
      init.body = JSON.stringify(question.json);
    }
    return init;
  }
}
