/**
 * Writes the member app as one file: `node building/saved-client.mjs DIST`. It holds everything: script, styles, icons,
 * languages and the worker, and asks nobody for anything but the node that its owner names.
 *
 * The same sources give the same bytes, as for the rest of the build.
 */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "vite";

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
const at = (...parts) => join(ROOT, ...parts);

/** Texts that the app's scripts use, as the server would send them to its page. */
const TEXTS = /^(app\.|join\.|time\.|exit\.|secure\.(copy|update|differs)|nav\.(skip|safety|help_now)|meta\.)/;

function texts() {
  const chosen = {};
  for (const file of readdirSync(at("locales")).sort()) {
    const all = Object.entries(JSON.parse(readFileSync(at("locales", file), "utf8")));
    chosen[file.replace(".json", "")] = Object.fromEntries(all.filter(([key]) => TEXTS.test(key)));
  }
  return JSON.stringify(chosen);
}

/** `import x from "virtual:…"` gives what was made before. */
function virtual(modules) {
  return {
    name: "hedgerow-virtual",
    resolveId: (id) => (id.startsWith("virtual:") ? `\0${id}` : null),
    load: (id) => (id.startsWith("\0virtual:") ? `export default ${modules[id.slice(1)]};` : null),
  };
}

/** The workers' addresses and WebAssembly are what a single file does not have. */
const INSTEAD = [
  [/\/trusted\.ts$/, at("src/saved/trusted.ts")],
  ["hash-wasm", at("src/saved/no-wasm.ts")],
];

function instead() {
  return {
    name: "hedgerow-instead",
    enforce: "pre",
    resolveId(id) {
      const found = INSTEAD.find(([what]) => (typeof what === "string" ? id === what : what.test(id)));
      return found ? found[1] : null;
    },
  };
}

/** One entry as one script, and the styles that came with it. */
async function bundle(entry, format, modules = {}) {
  const { output } = await build({
    configFile: false,
    root: ROOT,
    publicDir: false,
    logLevel: "warn",
    oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
    plugins: [instead(), virtual(modules)],
    build: {
      write: false,
      target: "es2022",
      assetsInlineLimit: Number.MAX_SAFE_INTEGER,
      cssCodeSplit: false,
      modulePreload: false,
      reportCompressedSize: false,
      rollupOptions: {
        input: at(entry),
        preserveEntrySignatures: format === "es" ? "strict" : false,
        output: { format, codeSplitting: false },
        onwarn(warning, tell) {
          // Vite's helper for dynamic imports names `import.meta`, and never uses it where everything is one script.
          if (warning.code !== "EMPTY_IMPORT_META") tell(warning);
        },
      },
    },
  }).then((done) => (Array.isArray(done) ? done[0] : done));
  const chunks = output.filter((each) => each.type === "chunk");
  if (chunks.length !== 1) throw new Error(`${entry} became ${chunks.length} scripts`);
  const styles = output.filter((each) => each.type === "asset" && each.fileName.endsWith(".css"));
  return { script: chunks[0].code, style: styles.map((each) => String(each.source)).join("\n") };
}

/** A script inside of HTML ends at `</script`, wherever it stands; in strings an escape changes nothing. */
function embedded(script) {
  if (script.includes("\r")) throw new Error("a parser would change the script");
  return script.replace(/<(?=\/script|!--|script)/gi, "\\x3C").trim();
}

async function make(dist) {
  const worker = await bundle("src/workers/crypto.worker.ts", "iife");
  const { script, style } = await bundle("src/saved/main.tsx", "iife", {
    "virtual:worker": JSON.stringify(worker.script),
    "virtual:texts": texts(),
  });
  const { script: whole } = await bundle("src/saved/whole.ts", "es");
  const { wholeFile } = await import(`data:text/javascript;base64,${Buffer.from(whole).toString("base64")}`);
  writeFileSync(join(dist, "client.html"), await wholeFile(embedded(script), style.trim()));
}

await make(process.argv[2] ?? at("dist"));
