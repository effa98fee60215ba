import type { Launcher } from "../launcher.ts";
import { absentCommand, ENV, findCommand, OUT } from "../paths.ts";
import { pathOfProgram } from "../server.ts";
import { NO_SIGNALS, pageHost } from "./playwright.ts";

export const firefox: Launcher = {
  name: "Firefox",
  kind: "suite",
  absent: () => absentCommand("firefox-esr", "firefox-esr"),
  async open() {
    const { firefox: launcher } = await import("playwright-core");
    // The channel is for the browser as Mozilla builds it; Playwright's default is its own patched one.
    const browser = await launcher.launch({
      ...NO_SIGNALS,
      channel: "moz-firefox",
      executablePath: findCommand("firefox-esr")!,
      headless: true,
      env: ENV,
    });
    return pageHost(`${browser.version()} (SpiderMonkey)`, browser, OUT, pathOfProgram);
  },
};
