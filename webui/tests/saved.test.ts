/** The saved client's small pure parts. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { spoken } from "../src/client/words.ts";
import { nodeAddress } from "../src/saved/node-address.ts";

test("what somebody types becomes a node's base address, or nothing", () => {
  const cases: [string, string | undefined][] = [
    ["https://hedge.example.org", "https://hedge.example.org"],
    ["  https://hedge.example.org/ ", "https://hedge.example.org"],
    ["hedge.example.org", "https://hedge.example.org"],
    ["http://192.168.7.7:8470/", "http://192.168.7.7:8470"],
    ["https://example.org/groups/", "https://example.org/groups"],
    ["https://example.org/groups/join#c2VjcmV0", "https://example.org/groups"],
    ["https://example.org/groups/app", "https://example.org/groups"],
    ["https://example.org/join?x=1#c2VjcmV0", "https://example.org"],
    ["", undefined],
    ["file:///etc/passwd", undefined],
    ["javascript:alert(1)", undefined],
    ["ftp://example.org", undefined],
    ["https://somebody@example.org", undefined],
    ["two words", undefined],
  ];
  for (const [typed, expected] of cases) assert.equal(nodeAddress(typed), expected, typed);
});

test("the eight words are those of the node (tests/unit/test_fingerprint.py has the same)", () => {
  const digest = (text: string) => new Uint8Array(createHash("sha256").update(text).digest());
  assert.equal(spoken(digest("abc"), 8), "risk scheme quiz bulk brother vivid agree chimney");
  assert.equal(spoken(new Uint8Array(32), 8), Array(8).fill("abandon").join(" "));
  assert.equal(spoken(new Uint8Array(32).fill(255), 8), Array(8).fill("zoo").join(" "));
});
