/**
 * Applies the reviewed patches of this folder to `node_modules`: `node patches/apply.mjs`.
 *
 * Beside `name+version.patch` lies `name+version.json` with the SHA-256 of every touched file before and after. A file
 * that is neither stops everything: then the published source has changed and somebody must read it again. Files that
 * are already patched are left alone, so it may run before every build and test.
 */
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const HERE = dirname(fileURLToPath(import.meta.url));

const sha256 = (text) => createHash("sha256").update(text).digest("hex");

/** The hunks of a unified diff, by file. Only what `git diff --no-index` writes; anything else throws. */
export function readPatch(text) {
  const files = new Map();
  let hunks;
  let hunk;
  for (const line of text.split("\n").slice(0, -1)) {
    const head = /^@@ -(\d+)(?:,(\d+))? \+\d+(?:,(\d+))? @@/.exec(line);
    if (line.startsWith("diff --git ") || line.startsWith("--- a/")) {
      hunk = undefined;
    } else if (line.startsWith("+++ b/")) {
      hunks = [];
      files.set(line.slice(6), hunks);
    } else if (head && hunks) {
      hunk = { at: Number(head[1]) - 1, lines: [] };
      hunks.push(hunk);
    } else if (hunk && /^[ +-]/.test(line)) {
      hunk.lines.push(line);
    } else {
      throw new Error(`a line of the patch makes no sense: ${line}`);
    }
  }
  return files;
}

/** The patched text. Every context and removed line must stand exactly where the hunk says. */
export function patchText(text, hunks) {
  const old = text.split("\n");
  const made = [];
  let next = 0;
  for (const { at, lines } of hunks) {
    made.push(...old.slice(next, at));
    next = at;
    for (const line of lines) {
      if (line[0] === "+") {
        made.push(line.slice(1));
        continue;
      }
      if (old[next] !== line.slice(1)) throw new Error(`line ${next + 1} is not what the patch expects`);
      if (line[0] === " ") made.push(old[next]);
      next += 1;
    }
  }
  return [...made, ...old.slice(next)].join("\n");
}

/** Applies one patch below `modules`. Returns how many files it changed. */
export function applyPatch(name, modules, folder = HERE) {
  const { package: home, version, files } = JSON.parse(readFileSync(join(folder, `${name}.json`), "utf8"));
  const hunks = readPatch(readFileSync(join(folder, `${name}.patch`), "utf8"));
  const root = join(modules, home);
  if (!existsSync(root)) throw new Error(`${home} is not installed: run npm ci --ignore-scripts first`);
  const found = JSON.parse(readFileSync(join(root, "package.json"), "utf8")).version;
  if (found !== version) throw new Error(`${home} is ${found}, but the patch was made for ${version}`);
  if ([...hunks.keys()].sort().join() !== Object.keys(files).sort().join())
    throw new Error(`${name}.json and ${name}.patch name different files`);
  const work = [];
  for (const [file, { before, after }] of Object.entries(files)) {
    const text = readFileSync(join(root, file), "utf8");
    if (sha256(text) === after) continue;
    if (sha256(text) !== before) throw new Error(`${home}/${file} is not the source that was reviewed`);
    const patched = patchText(text, hunks.get(file));
    if (sha256(patched) !== after) throw new Error(`${home}/${file} came out differently than reviewed`);
    work.push([join(root, file), patched]);
  }
  for (const [path, text] of work) {
    // A name of one's own, for two that do this at once.
    const fresh = `${path}.${process.pid}`;
    writeFileSync(fresh, text);
    renameSync(fresh, path);
  }
  return work.length;
}

/** Applies every patch of this folder. */
export function applyAll(modules = join(HERE, "..", "node_modules")) {
  let changed = 0;
  for (const file of readdirSync(HERE).sort()) {
    if (file.endsWith(".patch")) changed += applyPatch(file.slice(0, -".patch".length), modules);
  }
  return changed;
}

if (process.argv[1] && fileURLToPath(import.meta.url) === process.argv[1]) {
  try {
    const changed = applyAll();
    if (changed > 0) console.log(`patched ${changed} files`);
  } catch (error) {
    console.error(`The patches could not be applied: ${error.message}.`);
    process.exitCode = 1;
  }
}
