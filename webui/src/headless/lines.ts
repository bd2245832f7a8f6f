/** `lines`: calls as JSON lines on stdin, answers and events as JSON lines on stdout, for tests, load and bots. */
import { createInterface } from "node:readline";
import type { LocalClient } from "../client/client.ts";
import { failureOf } from "../client/failures.ts";
import { settle } from "../client/settling.ts";
import type { CallName } from "../client/types.ts";

interface Line {
  readonly id: number;
  readonly call: CallName | "settle";
  readonly input?: Record<string, unknown>;
}

/** Answers until stdin ends. Bytes travel as `{"base64": "…"}`. */
export async function serveLines(client: LocalClient): Promise<void> {
  const say = (value: unknown): void => {
    process.stdout.write(`${JSON.stringify(value, bytesAsText)}\n`);
  };
  client.listen((event) => say({ event }));
  const answering = new Set<Promise<void>>();
  for await (const text of createInterface({ input: process.stdin })) {
    if (text.trim() === "") continue;
    const work = answer(client, JSON.parse(text, textAsBytes) as Line, say);
    answering.add(work);
    work.finally(() => answering.delete(work));
  }
  await Promise.all(answering);
}

async function answer(
  client: LocalClient,
  { id, call, input = {} }: Line,
  say: (value: unknown) => void,
): Promise<void> {
  try {
    if (call === "settle") say({ id, answer: await settle(client, Number(input.seconds ?? 30)) });
    else say({ id, answer: await client.call(call, input as never) });
  } catch (problem) {
    const { code, detail } = failureOf(problem);
    say({ id, failure: { code, detail } });
  }
}

function bytesAsText(_key: string, value: unknown): unknown {
  return value instanceof Uint8Array ? { base64: Buffer.from(value).toString("base64") } : value;
}

function textAsBytes(_key: string, value: unknown): unknown {
  const { base64 } = (value ?? {}) as { base64?: unknown };
  return typeof base64 === "string" ? new Uint8Array(Buffer.from(base64, "base64")) : value;
}
