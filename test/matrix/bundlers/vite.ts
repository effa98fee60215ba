import type { App } from "./app.ts";

/** A version of Vite, by the name that test/package.json has for it. */
function viteApp(version: number, bundler: string, topLevelAwait?: App["topLevelAwait"]): App {
  return {
    name: `Vite ${version} app`,
    bundler,
    ...(topLevelAwait && { topLevelAwait }),
    async build(root) {
      const { build } = (await import(bundler)) as typeof import("vite");
      await build({ root, logLevel: "error" });
    },
  };
}

/** Up to 7 its workers are no modules: they have no `await` at the top, nor import() anywhere within reach. */
export const vites: readonly App[] = [
  viteApp(5, "vite5"),
  viteApp(6, "vite6"),
  viteApp(7, "vite7", "pages"),
  viteApp(8, "vite", "pages"),
];
