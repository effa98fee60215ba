import type { App } from "./app.ts";

export const vite: App = {
  name: "Vite app",
  bundler: "vite",
  async build(root) {
    const { build } = await import("vite");
    await build({ root, logLevel: "error" });
  },
};
