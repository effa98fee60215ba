import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { copyPage, type App } from "./app.ts";

/** Without a plugin Rollup resolves no bare name: the app imports the package by its path. */
function importByPath(file: string): void {
  const code = readFileSync(file, "utf8");
  const own = code.replaceAll(
    /(from|import) "im2row(?:\/(\w+))?"/g,
    (_, word: string, entry = "index") => `${word} "../../node_modules/im2row/dist/${entry}.js"`,
  );
  writeFileSync(file, own);
}

export const rollup: App = {
  name: "Rollup app",
  bundler: "rollup",
  topLevelAwait: "pages and workers",
  async build(folder) {
    for (const name of ["main.js", "worker.js", "digests.js"]) importByPath(join(folder, name));
    const { rollup: open } = await import("rollup");
    const bundle = await open({ input: ["main.js", "worker.js"].map((file) => join(folder, file)) });
    await bundle.write({ dir: join(folder, "dist") });
    await bundle.close();
    copyPage(folder);
  },
};
