/** The app of `app/` as somebody would publish it, opened in Chromium. */
import { cpSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { bundleEntry, byHost } from "../bundle.ts";
import { absentChromium, launchChromium } from "../launchers/chromium.ts";
import { pageHost } from "../launchers/playwright.ts";
import type { Launcher } from "../launcher.ts";
import { absentPackage, HERE, installedVersion, OUT } from "../paths.ts";

export interface App {
  readonly name: string;
  /** The npm package of its bundler, by the name that test/package.json has for it. */
  readonly bundler?: string;
  /** Whether the bundler takes `await` at the top level of modules, with its settings as they are. */
  readonly topLevelAwait?: "pages" | "pages and workers";
  /**
   * Makes of `folder` (index.html, main.js, worker.js, digests.js) a `folder`/dist, with the settings that the bundler has by
   * default and without a plugin.
   */
  build(folder: string): Promise<void>;
}

/** For bundlers that take a script and leave the page to the app. */
export function copyPage(folder: string): void {
  cpSync(join(folder, "index.html"), join(folder, "dist/index.html"));
}

/** Copies the app to where the package is in the node_modules above it. */
async function createApp(name: string, topLevelAwait: App["topLevelAwait"]): Promise<string> {
  const folder = join(OUT, "apps", name);
  cpSync(join(HERE, "app"), folder, { recursive: true });
  const waiting = { pages: ["main.js"], "pages and workers": ["main.js", "worker.js"] };
  for (const file of topLevelAwait ? waiting[topLevelAwait] : []) {
    const code = readFileSync(join(folder, file), "utf8");
    writeFileSync(join(folder, file), code.replace(/^run\(\);$/m, "await run();"));
  }
  await bundleEntry("app", join(folder, "digests.js"), { plugins: [byHost] });
  return folder;
}

export function appRow({ name, bundler, topLevelAwait, build }: App): Launcher {
  return {
    name: `Chromium, ${name}`,
    kind: "digests",
    absent: () => (bundler && absentPackage(bundler)) ?? absentChromium(),
    async open() {
      const folder = await createApp(bundler ?? "script", topLevelAwait);
      await build(folder);
      const { browser, version } = await launchChromium();
      const built = bundler && `${bundler.replace(/\d+$/, "")} ${installedVersion(bundler)}`;
      return pageHost(built ?? version, browser, join(folder, "dist"), () => "/index.html");
    },
  };
}
