import { join } from "node:path";
import { build } from "esbuild";
import { copyPage, type App } from "./app.ts";

export const esbuild: App = {
  name: "esbuild app",
  bundler: "esbuild",
  async build(folder) {
    const outfile = join(folder, "dist/main.js");
    await build({ entryPoints: [join(folder, "main.js")], outfile, bundle: true, minify: true });
    copyPage(folder);
  },
};
