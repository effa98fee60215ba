/** Signals to a run on a terminal, for which `script` stands in. */
import { execFileSync, spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const CLI = new URL("../../dist/cli.js", import.meta.url).pathname;
const SHOW = "\u001b[?25h";
const HIDE = "\u001b[?25l";

function hasScript(): boolean {
  try {
    // The one of util-linux: others have other options.
    return execFileSync("script", ["--version"], { encoding: "utf8" }).includes("util-linux");
  } catch {
    return false;
  }
}

let root: string;
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), "im2row-terminal-"));
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

/** Trains on a terminal until its bar moves, gives the signals, and returns what the terminal was sent. */
async function interrupted(...signals: NodeJS.Signals[]): Promise<{ code: unknown; seen: string }> {
  const command = `echo process $$; exec "${process.execPath}" "${CLI}" train --epochs 1000 --out "${root}/model"`;
  const child = spawn("script", ["--quiet", "--return", "--flush", "--command", command, "/dev/null"], {
    stdio: ["pipe", "pipe", "inherit"],
    // Else the bar is as wide as the terminal that runs the tests.
    env: { ...process.env, COLUMNS: "120" },
  });
  let seen = "";
  let given = false;
  child.stdout.on("data", (chunk: Buffer) => {
    seen += chunk.toString();
    if (given || !seen.includes("epoch 1/1000")) return;
    given = true;
    const pid = Number(/process (\d+)/.exec(seen)![1]);
    for (const signal of signals) process.kill(pid, signal);
  });
  const code = await new Promise((resolve) => child.on("close", resolve));
  return { code, seen };
}

describe.skipIf(!hasScript())("a signal leaves the terminal as it was", () => {
  it.each<[NodeJS.Signals, number, string]>([
    ["SIGINT", 130, "Ctrl-C"],
    ["SIGTERM", 143, "SIGTERM"],
    ["SIGHUP", 129, "SIGHUP"],
  ])("%s: exit code %d", async (signal, exitCode, name) => {
    const { code, seen } = await interrupted(signal);
    expect(code).toBe(exitCode);
    expect(seen).toContain(HIDE);
    expect(seen.lastIndexOf(SHOW)).toBeGreaterThan(seen.lastIndexOf(HIDE));
    // The bar's line is wiped out, and the message the last of all.
    expect(seen.endsWith(`\u001b[2Kim2row: stopped by ${name}; no model was saved\r\n`)).toBe(true);
    expect(existsSync(join(root, "model"))).toBe(false);
  });

  it("two signals, the second of which ends the process at once", async () => {
    const { code, seen } = await interrupted("SIGINT", "SIGTERM");
    expect([130, 143]).toContain(code);
    expect(seen.lastIndexOf(SHOW)).toBeGreaterThan(seen.lastIndexOf(HIDE));
  });
});
