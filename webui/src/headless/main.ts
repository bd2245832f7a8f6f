/** `npm run client -- COMMAND …`: a member's device without a browser. See docs/headless-client.md. */
import type { LocalClient } from "../client/client.ts";
import { failureOf } from "../client/failures.ts";
import { settle } from "../client/settling.ts";
import { commands, type Said, UsageError } from "./commands.ts";
import { serveLines } from "./lines.ts";
import { openClient } from "./open.ts";

/** Seconds a command stays to send and to do chores, unless `--wait` says otherwise. */
const WAIT_SECONDS = 15;
const FLAGS = new Set(["json", "verbose", "offline"]);

function parse(words: readonly string[]): Said {
  const options: Record<string, string> = {};
  const rest: string[] = [];
  for (let at = 0; at < words.length; at++) {
    const word = words[at] as string;
    if (!word.startsWith("--") || word === "--") {
      rest.push(word);
      continue;
    }
    const [name, value] = word.slice(2).split(/=(.*)/s) as [string, string | undefined];
    options[name] = FLAGS.has(name) ? "yes" : (value ?? words[++at] ?? "");
  }
  return { options, rest };
}

function usage(): string {
  const lines = Object.entries(commands).map(([name, { usage }]) => `  ${name} ${usage}`.trimEnd());
  return [
    "npm run client -- COMMAND --state DIR [--node URL] [--json] [--wait SECONDS] [--offline] [--verbose] …",
    ...lines,
    "  lines   (calls as JSON lines on stdin, answers and events on stdout)",
  ].join("\n");
}

function print(value: unknown, json: boolean): void {
  if (json || typeof value !== "object" || value === null) {
    console.log(JSON.stringify(value));
    return;
  }
  const entries = Array.isArray(value) ? value : [value];
  for (const entry of entries) console.log(shown(entry));
}

/** One line a person can read. */
function shown(entry: unknown): string {
  const item = entry as Record<string, unknown>;
  if (item.kind === "message") return `${item.id}  ${item.name}: ${item.deleted ? "(deleted)" : item.text}`;
  if (item.kind === "notice") return `* ${item.code} ${(item.names as string[]).join(", ")}`;
  return Object.entries(item)
    .map(([key, value]) => `${key}: ${typeof value === "string" ? value : JSON.stringify(value)}`)
    .join("  ");
}

async function act(client: LocalClient, name: string, said: Said): Promise<unknown> {
  const { options } = said;
  if (options.node) await client.call("start", { node: options.node });
  if (options.passphrase) await client.call("unlock", { passphrase: options.passphrase });
  if (name === "lines") return serveLines(client);
  const wait = Number(options.wait ?? WAIT_SECONDS);
  const reading = name !== "register" && name !== "recover" && name !== "link-new" && !options.offline;
  // First everything that came meanwhile, so that what is shown and done is up to date.
  if (reading) await settle(client, wait);
  const answer = await (commands[name] as (typeof commands)[string]).run(client, said);
  if (!options.offline) await settle(client, wait);
  return answer;
}

async function main(words: readonly string[]): Promise<number> {
  const [name = "help", ...more] = words;
  const said = parse(more);
  if (!(name in commands) && name !== "lines") {
    console.error(usage());
    return name === "help" ? 0 : 2;
  }
  const { state, json, verbose } = said.options;
  if (!state) {
    console.error("--state DIR is missing: the folder with everything this device knows");
    return 2;
  }
  let client: LocalClient | undefined;
  try {
    client = await openClient({ state, verbose: !!verbose });
    const answer = await act(client, name, said);
    if (name !== "lines") print(answer, !!json);
    return 0;
  } catch (problem) {
    if (problem instanceof UsageError) {
      console.error(`${problem.message}\n${name} ${commands[name]?.usage ?? ""}`);
      return 2;
    }
    const { code, detail } = failureOf(problem);
    console.error(json ? JSON.stringify({ failure: { code, detail } }) : `${code} ${detail}`);
    return 1;
  } finally {
    await client?.finish();
  }
}

process.exit(await main(process.argv.slice(2)));
