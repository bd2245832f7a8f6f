/** The build: scripts and styles of the pages and of the member app, workers, icons; hashed names; `.gz` and `.br` beside each file. */
import { createHash } from "node:crypto";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import { defineConfig, type Plugin } from "vite";

const ROOT = import.meta.dirname ?? new URL(".", import.meta.url).pathname;
const DIST = join(ROOT, "dist");

/** Entries that are a style sheet each: `style` for every page, `appstyle` for the member app beside it. */
const STYLES = ["style", "appstyle"];

/** Emits `public/*` with hashed names and writes `assets.json`, which the server reads to find everything. */
function assets(): Plugin {
  const names = new Map<string, string>();
  return {
    name: "hedgerow-assets",
    generateBundle(_options, bundle) {
      for (const file of readdirSync(join(ROOT, "public")).sort()) {
        const source = readFileSync(join(ROOT, "public", file));
        const hash = createHash("sha256").update(source).digest("base64url").slice(0, 8);
        const dot = file.lastIndexOf(".");
        const fileName = `assets/${file.slice(0, dot)}-${hash}${file.slice(dot)}`;
        this.emitFile({ type: "asset", fileName, source });
        names.set(file, fileName);
      }
      for (const [fileName, output] of Object.entries(bundle)) {
        if (output.type === "chunk" && output.isEntry && ![...STYLES, "sw"].includes(output.name))
          names.set(`${output.name}.js`, fileName);
        if (output.type === "asset" && fileName.endsWith(".css")) names.set(output.names[0] ?? "style.css", fileName);
      }
    },
    writeBundle({ dir }) {
      const dist = dir ?? DIST;
      const sorted = Object.fromEntries([...names].sort(([a], [b]) => (a < b ? -1 : 1)));
      writeFileSync(join(dist, "assets.json"), `${JSON.stringify(sorted, null, 1)}\n`);
      for (const file of readdirSync(join(dist, "assets")).sort()) compress(join(dist, "assets", file));
    },
  };
}

function compress(path: string): void {
  const source = readFileSync(path);
  writeFileSync(`${path}.gz`, gzipSync(source, { level: 9 }));
  const params = { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: source.length };
  writeFileSync(`${path}.br`, brotliCompressSync(source, { params }));
}

export default defineConfig({
  root: ROOT,
  base: "./",
  publicDir: false,
  logLevel: "warn",
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
  worker: { format: "es", rollupOptions: { output: { entryFileNames: "assets/[name]-[hash].js" } } },
  build: {
    outDir: DIST,
    emptyOutDir: true,
    target: "es2022",
    assetsInlineLimit: 0,
    modulePreload: false,
    reportCompressedSize: false,
    rollupOptions: {
      input: {
        public: join(ROOT, "src/public.ts"),
        app: join(ROOT, "src/app.tsx"),
        sw: join(ROOT, "src/sw.ts"),
        style: join(ROOT, "styles/style.css"),
        appstyle: join(ROOT, "styles/app.css"),
      },
      output: {
        // A service worker's address must stay the same; build_hook.py writes above it which files it keeps.
        entryFileNames: (chunk) => (chunk.name === "sw" ? "sw.js" : "assets/[name]-[hash].js"),
        chunkFileNames: "assets/[name]-[hash].js",
        assetFileNames: "assets/[name]-[hash][extname]",
      },
    },
  },
  plugins: [assets()],
});
