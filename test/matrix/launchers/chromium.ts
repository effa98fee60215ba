import type { Browser } from "playwright-core";
import type { Launcher } from "../launcher.ts";
import { absentCommand, ENV, findCommand, OUT } from "../paths.ts";
import { v8 } from "../processes.ts";
import { pathOfProgram } from "../server.ts";
import { NO_SIGNALS, pageHost } from "./playwright.ts";

/** No network of its own; the sandbox refuses to run as root, which containers do. */
const ARGUMENTS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

export const absentChromium = (): string | undefined => absentCommand("chromium", "chromium");

/** Starts Chromium, with further arguments if there are some. */
export async function launchChromium(
  further: readonly string[] = [],
): Promise<{ browser: Browser; version: string }> {
  const { chromium: launcher } = await import("playwright-core");
  const browser = await launcher.launch({
    ...NO_SIGNALS,
    executablePath: findCommand("chromium")!,
    headless: true,
    args: [...ARGUMENTS, ...further],
    env: ENV,
  });
  const session = await browser.newBrowserCDPSession();
  const { jsVersion } = await session.send("Browser.getVersion");
  await session.detach();
  return { browser, version: `${browser.version()} (${v8(jsVersion)})` };
}

export const chromium: Launcher = {
  name: "Chromium",
  kind: "suite",
  absent: absentChromium,
  async open() {
    const { browser, version } = await launchChromium();
    return pageHost(version, browser, OUT, pathOfProgram);
  },
};
