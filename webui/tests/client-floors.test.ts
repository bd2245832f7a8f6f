import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";

const SRC = join(import.meta.dirname, "..", "src");

/** What each floor may import, beside itself. */
const BELOW: Record<string, readonly string[]> = {
  bytes: [],
  api: ["bytes"],
  vault: ["bytes"],
  client: ["api", "bytes", "mls", "rooms", "vault"],
  headless: ["client", "vault"],
  workers: ["client", "vault", "trusted.ts"],
};
/** Files that belong to one kind of place. */
const IN_BROWSERS = ["vault/indexed.ts", "workers/host.ts", "workers/crypto.worker.ts"];
const IN_NODE = ["vault/file.ts"];

const files = (floor: string) => readdirSync(join(SRC, floor)).filter((name) => name.endsWith(".ts"));

test("each floor imports only what lies below it", () => {
  for (const [floor, below] of Object.entries(BELOW)) {
    for (const file of files(floor)) {
      const text = readFileSync(join(SRC, floor, file), "utf8");
      for (const [, from = ""] of text.matchAll(/(?:from|import)\s*\(?\s*"(\.[^"]+)"/g)) {
        const target = from.startsWith("./") ? floor : (from.split("/")[1] ?? "");
        assert.ok(target === floor || below.includes(target), `${floor}/${file} imports ${from}`);
      }
    }
  }
});

test("nothing of a browser or of Node.js where both run the same code", () => {
  const browser = /(?<![.\w])(?:window|document|localStorage|sessionStorage|indexedDB|navigator)\./;
  for (const floor of ["bytes", "api", "vault", "client"]) {
    for (const file of files(floor)) {
      const path = `${floor}/${file}`;
      const code = readFileSync(join(SRC, path), "utf8").replace(/\/\*[\s\S]*?\*\/|\/\/.*/g, "");
      if (!IN_BROWSERS.includes(path)) assert.doesNotMatch(code, browser, path);
      if (!IN_NODE.includes(path)) assert.doesNotMatch(code, /"node:|\bprocess\.|\bBuffer\b/, path);
    }
  }
});

test("the two kinds of places are what they are said to be", () => {
  for (const path of [...IN_BROWSERS, ...IN_NODE]) readFileSync(join(SRC, path));
});
