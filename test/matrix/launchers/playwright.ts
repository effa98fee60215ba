/** Chromium and Firefox, driven by Playwright: a context of its own for each program. */
import type { Browser, BrowserContext } from "playwright-core";
import type { Host, Program, Run } from "../launcher.ts";
import { serve, type Site } from "../server.ts";

/** Signals end the matrix, and the end of the matrix ends the browsers. */
export const NO_SIGNALS = { handleSIGINT: false, handleSIGTERM: false, handleSIGHUP: false };

/** Firefox counts what a page's policy refuses among its errors, the icon that no page asked for too. */
const REFUSAL = /violates the following directive/;

/** Opens a page, and waits for its lines. */
async function visit(context: BrowserContext, site: Site, path: string, log: string[]): Promise<Run> {
  const tab = await context.newPage();
  tab.on("console", (message) => log.push(message.text()));
  const broken = new Promise<never>((_, reject) => {
    tab.once("crash", () => reject(new Error("page: expected lines, got a crash")));
    tab.on("pageerror", (error) => {
      if (!REFUSAL.test(error.message)) reject(error);
    });
  });
  const lines = site.nextLines();
  const began = performance.now();
  const printed = await Promise.race([lines, broken, tab.goto(site.url + path).then(() => lines)]);
  return { lines: printed, milliseconds: performance.now() - began };
}

/** Programs as pages of a folder. */
export async function pageHost(
  version: string,
  browser: Browser,
  folder: string,
  pathOf: (program: Program) => string,
): Promise<Host> {
  const site = await serve(folder);
  const log: string[] = [];
  return {
    version,
    log: () => log.join("\n"),
    async run(program) {
      log.length = 0;
      const context = await browser.newContext();
      const run = await visit(context, site, pathOf(program), log);
      await context.close();
      return run;
    },
    async close() {
      site.close();
      await browser.close();
    },
  };
}
