/** The app of `app/` as somebody would publish it, opened in Chromium. */
import { cpSync } from "node:fs";
import { join } from "node:path";
import { bundleEntry, byHost } from "../bundle.ts";
import { absentChromium, launchChromium } from "../launchers/chromium.ts";
import { pageHost } from "../launchers/playwright.ts";
import type { Launcher } from "../launcher.ts";
import { absentPackage, HERE, installedVersion, OUT } from "../paths.ts";

export interface App {
  readonly name: string;
  /** The npm package of its bundler. */
  readonly bundler?: string;
  /**
   * Makes of `folder` (index.html, main.js, digests.js) a `folder`/dist, with the settings that the bundler has by
   * default and without a plugin.
   */
  build(folder: string): Promise<void>;
}

/** For bundlers that take a script and leave the page to the app. */
export function copyPage(folder: string): void {
  cpSync(join(folder, "index.html"), join(folder, "dist/index.html"));
}

/** Copies the app to where the package is in the node_modules above it. */
async function createApp(name: string): Promise<string> {
  const folder = join(OUT, "apps", name);
  cpSync(join(HERE, "app"), folder, { recursive: true });
  await bundleEntry("app", join(folder, "digests.js"), { plugins: [byHost] });
  return folder;
}

export function appRow({ name, bundler, build }: App): Launcher {
  return {
    name: `Chromium, ${name}`,
    kind: "digests",
    absent: () => (bundler && absentPackage(bundler)) ?? absentChromium(),
    async open() {
      const folder = await createApp(bundler ?? "script");
      await build(folder);
      const { browser, version } = await launchChromium();
      const built = bundler && `${bundler} ${installedVersion(bundler)}`;
      return pageHost(built ?? version, browser, join(folder, "dist"), () => "/index.html");
    },
  };
}
