import { join } from "node:path";
import { build } from "esbuild";
import { copyPage, type App } from "./app.ts";

export const esbuild: App = {
  name: "esbuild app",
  bundler: "esbuild",
  topLevelAwait: "pages and workers",
  async build(folder) {
    const entryPoints = ["main.js", "worker.js"].map((file) => join(folder, file));
    await build({ entryPoints, outdir: join(folder, "dist"), bundle: true, minify: true, format: "esm" });
    copyPage(folder);
  },
};
