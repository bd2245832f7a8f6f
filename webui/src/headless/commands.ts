/** What the headless client can do from the command line. Each answers a value to be printed. */
import { readFile, writeFile } from "node:fs/promises";
import { basename } from "node:path";
import type { LocalClient } from "../client/client.ts";
import { Failure } from "../client/failures.ts";
import type { LinkState, RoomView, State } from "../client/types.ts";

/** Options of one command, by name; texts that stand alone are in `rest`. */
export interface Said {
  readonly options: Readonly<Record<string, string>>;
  readonly rest: readonly string[];
}

export class UsageError extends Error {}

export interface Command {
  readonly usage: string;
  run(client: LocalClient, said: Said): Promise<unknown>;
}

function needed({ options }: Said, name: string): string {
  const value = options[name];
  if (value === undefined || value === "") throw new UsageError(`--${name} is missing`);
  return value;
}

function number({ options }: Said, name: string): number | undefined {
  const text = options[name];
  if (text === undefined) return undefined;
  if (!/^\d{1,9}$/.test(text)) throw new UsageError(`--${name} is a whole number`);
  return Number(text);
}

/** A room by its id or its title, or the only one there is. */
async function roomOf(client: LocalClient, { options }: Said): Promise<string> {
  const { rooms } = await client.call("state", {});
  const { room } = options;
  const found = rooms.filter((each) => room === undefined || each.room === room || each.title === room);
  if (found.length !== 1) throw new UsageError(found.length ? "--room says which of several" : "there is no such room");
  return (found[0] as State["rooms"][number]).room;
}

async function view(client: LocalClient, said: Said): Promise<RoomView> {
  const room = await roomOf(client, said);
  const seen = await client.call("watch", { room });
  await client.call("unwatch", { room });
  return seen;
}

async function memberOf(client: LocalClient, said: Said): Promise<{ room: string; member: string }> {
  const { room, members } = await view(client, said);
  const wanted = needed(said, "member");
  const found = members.filter(({ member, name }) => member === wanted || name === wanted);
  if (found.length !== 1) throw new UsageError("--member is the id or the name of one member");
  return { room, member: (found[0] as RoomView["members"][number]).member };
}

/** Waits for a state of linking that is one of these steps. */
async function linked(client: LocalClient, ...steps: LinkState["step"][]): Promise<LinkState> {
  for (;;) {
    const { linking } = await client.call("state", {});
    if (linking?.step === "failed") throw new Failure(linking.failure ?? "link-failed");
    if (linking && steps.includes(linking.step)) return linking;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

const say = (value: unknown): void => console.log(JSON.stringify(value));

export const commands: Readonly<Record<string, Command>> = {
  register: {
    usage: "--link LINK --name NAME [--words TEXT]",
    run: (client, said) => {
      const { words } = said.options;
      const asked = { link: needed(said, "link"), name: needed(said, "name") };
      return client.call("register", words === undefined ? asked : { ...asked, words });
    },
  },
  "create-room": {
    usage: "--title TITLE --name NAME [--approvals N]",
    run: (client, said) => {
      const room = { title: said.options.title ?? "", name: needed(said, "name") };
      const approvals = number(said, "approvals");
      return client.call("createRoom", approvals === undefined ? room : { ...room, approvals });
    },
  },
  pair: {
    usage: "--name NAME",
    run: (client, said) => client.call("startPair", { name: needed(said, "name") }),
  },
  invite: {
    usage: "[--room ROOM] [--uses N] [--days N]",
    run: async (client, said) => {
      const [uses, days] = [number(said, "uses"), number(said, "days")];
      const room = said.options.room === undefined ? {} : { room: await roomOf(client, said) };
      return client.call("makeInvite", { ...room, ...(uses ? { uses } : {}), ...(days ? { days } : {}) });
    },
  },
  join: {
    usage: "--link LINK --name NAME [--words TEXT]",
    run: (client, said) => {
      const { words } = said.options;
      const asked = { link: needed(said, "link"), name: needed(said, "name") };
      return client.call("ask", words === undefined ? asked : { ...asked, words });
    },
  },
  rooms: { usage: "", run: async (client) => (await client.call("state", {})).rooms },
  status: { usage: "", run: (client) => client.call("state", {}) },
  members: { usage: "[--room ROOM]", run: async (client, said) => (await view(client, said)).members },
  asks: { usage: "[--room ROOM]", run: async (client, said) => (await view(client, said)).asks },
  approve: {
    usage: "[--room ROOM] [--ask ID]   (without --ask: all that wait)",
    run: async (client, said) => {
      const { room, asks } = await view(client, said);
      const chosen = asks.filter(
        ({ ask, mine }) => !mine && (said.options.ask === undefined || ask === said.options.ask),
      );
      for (const { ask } of chosen) await client.call("approve", { room, ask });
      return { approved: chosen.map(({ ask, name }) => ({ ask, name })) };
    },
  },
  send: {
    usage: "[--room ROOM] [--file PATH] [--reply ID] TEXT",
    run: async (client, said) => {
      const room = await roomOf(client, said);
      const attachments: string[] = [];
      if (said.options.file !== undefined) {
        const file = { name: basename(said.options.file), type: "application/octet-stream" };
        const bytes = new Uint8Array(await readFile(said.options.file));
        attachments.push((await client.call("attach", { room, ...file, bytes })).attachment);
      }
      const reply = said.options.reply === undefined ? {} : { replyTo: said.options.reply };
      return client.call("send", { room, text: said.rest.join(" "), attachments, ...reply });
    },
  },
  edit: {
    usage: "[--room ROOM] --message ID TEXT",
    run: async (client, said) => {
      const id = needed(said, "message");
      return client.call("edit", { room: await roomOf(client, said), id, text: said.rest.join(" ") });
    },
  },
  delete: {
    usage: "[--room ROOM] --message ID",
    run: async (client, said) =>
      client.call("delete", { room: await roomOf(client, said), id: needed(said, "message") }),
  },
  read: {
    usage: "[--room ROOM]   (the newest page, oldest first)",
    run: async (client, said) => (await view(client, said)).timeline,
  },
  save: {
    usage: "[--room ROOM] --message ID --to PATH   (the message's first file)",
    run: async (client, said) => {
      const asked = { room: await roomOf(client, said), message: needed(said, "message"), index: 0 };
      const { name, type, bytes } = await client.call("openAttachment", asked);
      await writeFile(needed(said, "to"), bytes);
      return { name, type, size: bytes.length };
    },
  },
  search: { usage: "TEXT", run: (client, said) => client.call("search", { text: said.rest.join(" ") }) },
  title: {
    usage: "[--room ROOM] TEXT",
    run: async (client, said) =>
      client.call("setTitle", { room: await roomOf(client, said), title: said.rest.join(" ") }),
  },
  remove: {
    usage: "[--room ROOM] --member NAME   (a vote)",
    run: async (client, said) => client.call("voteRemoval", await memberOf(client, said)),
  },
  leave: {
    usage: "[--room ROOM]",
    run: async (client, said) => client.call("leave", { room: await roomOf(client, said) }),
  },
  places: {
    usage: "[--room ROOM]   (which node keeps it)",
    run: async (client, said) => client.call("places", { room: await roomOf(client, said) }),
  },
  move: {
    usage: "[--room ROOM] --node NODE   (a vote: NODE is its id, or `here`)",
    run: async (client, said) => {
      const room = await roomOf(client, said);
      const { choices, moves } = await client.call("places", { room });
      const wanted = needed(said, "node");
      const found = [...choices, ...moves].find(({ node, here }) => node === wanted || (here && wanted === "here"));
      if (!found) throw new UsageError("--node is one of the places' choices");
      return client.call("moveRoom", { room, node: found.node });
    },
  },
  verify: {
    usage: "[--room ROOM] --member NAME",
    run: async (client, said) => client.call("verification", await memberOf(client, said)),
  },
  devices: { usage: "", run: (client) => client.call("devices", {}) },
  revoke: {
    usage: "--device ID",
    run: (client, said) => client.call("revokeDevice", { device: needed(said, "device") }),
  },
  "link-new": {
    usage: "--node URL   (prints the code, then the words to compare, then waits)",
    run: async (client) => {
      const { code, words } = await client.call("linkNew", {});
      say({ code, words });
      say({ compare: (await linked(client, "comparing")).compare });
      return { linked: (await linked(client, "done")).step === "done" };
    },
  },
  link: {
    usage: "--code CODE [--compare WORDS]   (goes on only if the words are these, or none are given)",
    run: async (client, said) => {
      await client.call("linkOld", { code: needed(said, "code") });
      const { compare } = await linked(client, "comparing");
      const match = said.options.compare === undefined || said.options.compare === compare;
      await client.call("linkConfirm", { match });
      return { linked: (await linked(client, "done")).step === "done", compare };
    },
  },
  words: { usage: "   (the 24 words of the recovery sheet)", run: (client) => client.call("sheetWords", {}) },
  recover: {
    usage: "--node URL --words WORDS",
    run: (client, said) => client.call("recover", { words: needed(said, "words") }),
  },
  export: {
    usage: "--to PATH",
    run: async (client, said) => {
      const { bytes } = await client.call("exportArchive", {});
      await writeFile(needed(said, "to"), bytes);
      return { bytes: bytes.length };
    },
  },
  run: {
    usage: "[--seconds N]   (stays, does the rooms' chores, prints events)",
    run: async (client, said) => {
      const stop = client.listen(say);
      await new Promise((resolve) => {
        process.once("SIGTERM", resolve).once("SIGINT", resolve);
        const seconds = number(said, "seconds");
        if (seconds !== undefined) setTimeout(resolve, seconds * 1000);
      });
      stop();
      return { stopped: true };
    },
  },
};
