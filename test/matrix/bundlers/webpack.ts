import { join } from "node:path";
import { copyPage, type App } from "./app.ts";

export const webpack: App = {
  name: "webpack app",
  bundler: "webpack",
  topLevelAwait: "pages and workers",
  async build(folder) {
    const { default: create } = await import("webpack");
    const output = { path: join(folder, "dist") };
    const compiler = create({ mode: "production", context: folder, entry: "./main.js", output })!;
    await new Promise<void>((resolve, reject) => {
      compiler.run((error, stats) => {
        if (error ?? stats?.hasErrors())
          reject(error ?? new Error(stats!.toString({ all: false, errors: true })));
        else compiler.close((failure) => (failure ? reject(failure) : resolve()));
      });
    });
    copyPage(folder);
  },
};
