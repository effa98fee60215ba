import { cpSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { build, type Plugin } from "esbuild";
import { PACKAGE } from "../paths.ts";
import type { App } from "./app.ts";

const global: Plugin = {
  name: "global",
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^im2row$/ }, ({ path }) => ({ path, namespace: "global" }));
    onLoad({ filter: /.*/, namespace: "global" }, () => ({ contents: "module.exports = im2row;" }));
    // Data sets are plain functions, made by any copy of their entry.
    onResolve({ filter: /^im2row\/data$/ }, () => ({ path: join(PACKAGE, "dist/data.js") }));
    // The script has no other entries, the digests that it prints need none, and there is no module for a worker.
    onResolve({ filter: /^im2row\/\w+$|\/inWorker\.js$/ }, ({ path }) => ({
      path,
      namespace: "none",
    }));
    onLoad({ filter: /.*/, namespace: "none" }, () => ({ contents: "module.exports = {};" }));
  },
};

/** The package by a classic script tag, without a bundler; the rest of the app reads its global variable. */
export const scriptTag: App = {
  name: "script tag",
  async build(folder) {
    const outfile = join(folder, "dist/main.js");
    await build({ entryPoints: [join(folder, "main.js")], outfile, bundle: true, plugins: [global] });
    cpSync(join(PACKAGE, "dist/im2row.global.js"), join(folder, "dist/im2row.global.js"));
    const page = readFileSync(join(folder, "index.html"), "utf8");
    const tag = '<script src="./im2row.global.js"></script>\n    ';
    writeFileSync(join(folder, "dist/index.html"), page.replace("<script", `${tag}<script`));
  },
};
