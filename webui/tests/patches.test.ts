import assert from "node:assert/strict";
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { directPath, toNodeIndex } from "ts-mls/treemath.js";
import { applyAll, applyPatch, patchText, readPatch } from "../patches/apply.mjs";

const WEBUI = join(import.meta.dirname, "..");
const NAME = "ts-mls+1.6.4";
const FILE = "dist/src/treemath.js";
const folder = mkdtempSync(join(tmpdir(), "hedgerow-patches-"));
after(() => rmSync(folder, { recursive: true }));

/** A copy of the touched files as they were published: the patch taken back. */
function published(name: string): string {
  const modules = join(folder, name);
  cpSync(join(WEBUI, "node_modules", "ts-mls"), join(modules, "ts-mls"), { recursive: true });
  for (const [file, hunks] of readPatch(readFileSync(join(WEBUI, "patches", `${NAME}.patch`), "utf8"))) {
    const path = join(modules, "ts-mls", file);
    let moved = 0;
    const back = hunks.map(({ at, lines }) => {
      const turned = lines.map((line) =>
        line[0] === "+" ? `-${line.slice(1)}` : line[0] === "-" ? `+${line.slice(1)}` : line,
      );
      const start = at + moved;
      moved += lines.filter((line) => line[0] === "+").length - lines.filter((line) => line[0] === "-").length;
      return { at: start, lines: turned };
    });
    writeFileSync(path, patchText(readFileSync(path, "utf8"), back));
  }
  return modules;
}

test("the patch is in what the tests run, and applying it again changes nothing", () => {
  assert.equal(applyAll(), 0);
});

test("a fresh install is patched, once", () => {
  const modules = published("fresh");
  assert.equal(applyPatch(NAME, modules), 4);
  assert.equal(applyPatch(NAME, modules), 0);
  assert.equal(
    readFileSync(join(modules, "ts-mls", FILE), "utf8"),
    readFileSync(join(WEBUI, "node_modules", "ts-mls", FILE), "utf8"),
  );
});

test("a half-applied patch is completed", () => {
  const modules = published("half");
  cpSync(join(WEBUI, "node_modules", "ts-mls", FILE), join(modules, "ts-mls", FILE));
  assert.equal(applyPatch(NAME, modules), 3);
});

test("a source that nobody reviewed stops everything, and nothing is changed", () => {
  const modules = published("changed");
  const path = join(modules, "ts-mls", FILE);
  writeFileSync(path, `${readFileSync(path, "utf8")}\n`);
  const other = join(modules, "ts-mls", "dist/src/clientState.js");
  const before = readFileSync(other, "utf8");
  assert.throws(() => applyPatch(NAME, modules), /treemath\.js is not the source that was reviewed/);
  assert.equal(readFileSync(other, "utf8"), before);
});

test("another version stops everything", () => {
  const modules = published("version");
  const path = join(modules, "ts-mls", "package.json");
  writeFileSync(path, readFileSync(path, "utf8").replace('"1.6.4"', '"1.6.5"'));
  assert.throws(() => applyPatch(NAME, modules), /is 1\.6\.5, but the patch was made for 1\.6\.4/);
  assert.throws(() => applyPatch(NAME, join(folder, "nowhere")), /is not installed/);
});

test("a patch that does not fit is refused line by line", () => {
  const hunks = [{ at: 0, lines: [" a", "-b", "+c"] }];
  assert.equal(patchText("a\nb\nd", hunks), "a\nc\nd");
  assert.throws(() => patchText("a\nx\nd", hunks), /line 2/);
  assert.throws(() => readPatch("what is this?\n"), /makes no sense/);
});

test("a climb that starts outside the tree ends", () => {
  for (const node of [14, 4, 2 ** 31, -2, 0.5])
    assert.throws(() => directPath(toNodeIndex(node), 2), /outside the tree/);
  assert.deepEqual(directPath(toNodeIndex(2), 2), [1]);
});
