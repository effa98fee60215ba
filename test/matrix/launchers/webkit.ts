import { once } from "node:events";
import { createServer, type AddressInfo } from "node:net";
import type { Readable } from "node:stream";
import type { Launcher, Run } from "../launcher.ts";
import { absentCommand, OUT } from "../paths.ts";
import { start } from "../processes.ts";
import { pathOfProgram, serve, type Site } from "../server.ts";
import { WebDriver } from "./webDriver.ts";

/** The screen picks a number that is free, and tells it on this file descriptor. */
const DISPLAY_FD = 3;
const XVFB = ["Xvfb", "-displayfd", String(DISPLAY_FD), "-screen", "0", "1024x768x24", "-nolisten", "tcp"];

async function startScreen(): Promise<{ display: string; stop(): void }> {
  const { child, stop } = start(XVFB, {}, ["ignore", "ignore", "inherit", "pipe"]);
  const exit = once(child, "exit").then(([code]) => {
    throw new Error(`Xvfb: expected a screen, got exit code ${String(code)}`);
  });
  const number = once(child.stdio[DISPLAY_FD] as Readable, "data").then(([text]) => text as Buffer);
  // Its end is no error once it has begun.
  exit.catch(() => {});
  const display = await Promise.race([number, exit]);
  return { display: `:${String(display).trim()}`, stop };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

async function visit(driver: WebDriver, site: Site, path: string): Promise<Run> {
  await driver.begin();
  const lines = site.nextLines();
  const began = performance.now();
  const printed = await Promise.race([lines, driver.open(site.url + path).then(() => lines)]);
  const milliseconds = performance.now() - began;
  await driver.end();
  return { lines: printed, milliseconds };
}

/** WebKitGTK through its WebDriver, on a virtual screen: a browser of its own for each program. */
export const webkit: Launcher = {
  name: "WebKit",
  kind: "suite",
  absent: () => absentCommand("webkit2gtk-driver xvfb", "WebKitWebDriver", "Xvfb"),
  async open() {
    const screen = await startScreen();
    const port = await freePort();
    // WebKitGTK has shared memory where this says so, be the page isolated or not.
    const env = { DISPLAY: screen.display, JSC_useSharedArrayBuffer: "1" };
    const { child, stop } = start(["WebKitWebDriver", `--port=${port}`], env, ["ignore", "pipe", "pipe"]);
    let log = "";
    for (const stream of [child.stdout!, child.stderr!]) {
      stream.setEncoding("utf8").on("data", (text: string) => (log += text));
    }
    const driver = new WebDriver(`http://127.0.0.1:${port}`);
    await driver.ready();
    const version = await driver.begin();
    await driver.end();
    const site = await serve(OUT);
    return {
      version: `WebKitGTK ${version} (JavaScriptCore)`,
      log: () => log,
      run: (program) => visit(driver, site, pathOfProgram(program)),
      async close() {
        site.close();
        stop();
        screen.stop();
      },
    };
  },
};
