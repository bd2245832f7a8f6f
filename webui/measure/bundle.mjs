/** `node measure/bundle.mjs FOLDER`: the engine's measurements as one file for a browser's worker. */
import { build } from "vite";

await build({
  configFile: false,
  logLevel: "error",
  build: {
    outDir: process.argv[2],
    emptyOutDir: false,
    copyPublicDir: false,
    lib: { entry: "measure/engine.ts", formats: ["es"], fileName: () => "measure.js" },
  },
});
