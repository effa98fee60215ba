/** `im2row train --report`: what the page says is held against the model that was saved beside it. */
import { execFile, execFileSync, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { decode } from "fast-png";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { loadFolder } from "../../src/cli/data.ts";
import { load, loadModel } from "../../src/index.ts";
import { cellsOf, faultsOf, imagesOf, sectionOf, textOf } from "./support/html.ts";
import { IDX_SIDE, writeNoise } from "./support/idxFiles.ts";

const CLI = new URL("../../dist/cli.js", import.meta.url).pathname;
const TEST = 60;

let root: string;
let model: string;
let report: string;
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), "im2row-report-"));
  model = join(root, "model");
  report = join(root, "report.html");
  writeNoise(root, 150, TEST);
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

function train(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      [CLI, "train", "--data", root, "--epochs", "2", ...args],
      (error, stdout, stderr) => {
        resolve({ code: error ? Number(error.code) : 0, stdout, stderr });
      },
    );
  });
}

describe("im2row train --report", () => {
  it("writes a page whose figures are those of the model", async () => {
    const args = ["--out", model, "--report", report, "--seed", "3"];
    const { code, stdout, stderr } = await train(...args);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    const bytes = readFileSync(model);
    const html = readFileSync(report, "utf8");
    expect(faultsOf(html)).toEqual([]);

    const sha256 = createHash("sha256").update(bytes).digest("hex");
    expect(stdout).toContain(`\nsha256    ${sha256}\n`);
    expect(textOf(sectionOf(html, "Run"))).toContain(sha256);
    expect(stdout).toContain(`\nreport    ${report}, ${(Buffer.byteLength(html) / 1000).toFixed(1)} kB\n`);
    expect(stdout).toMatch(/\nloss {6}\d\.\d{4} [▁-█]{6} \d\.\d{4}\n/);

    const engine = await load();
    const net = loadModel(bytes);
    net.compile({ engine });
    const { images, labels } = loadFolder(root).test;
    const scores = net.predict(images).data;
    engine.dispose();
    const answers = Array.from(labels, (truth, index) => {
      const row = [...scores.subarray(10 * index, 10 * index + 10)];
      const sum = row.reduce((total, score) => total + Math.exp(score), 0);
      return { index, truth, predicted: row.indexOf(Math.max(...row)), loss: Math.log(sum) - row[truth]! };
    });
    const counts = cellsOf(sectionOf(html, "Confusion")).map((row) => row.slice(1, -1).map(Number));
    const counted = counts.map((row, truth) =>
      row.map((_, taken) => answers.filter((a) => a.truth === truth && a.predicted === taken).length),
    );
    expect(counts).toEqual(counted);

    const wrong = answers.filter(({ truth, predicted }) => truth !== predicted);
    const worst = wrong.sort((a, b) => b.loss - a.loss).slice(0, 24);
    const shown = imagesOf(sectionOf(html, "Worst mistakes"));
    expect(shown.map(({ alt }) => alt)).toEqual(
      worst.map((a) => `Held-out image ${a.index}: ${a.truth} taken for ${a.predicted}`),
    );
    const pixels = readFileSync(join(root, "t10k-images-idx3-ubyte")).subarray(16);
    const size = IDX_SIDE * IDX_SIDE;
    shown.forEach(({ png }, i) => {
      const own = pixels.subarray(worst[i]!.index * size, (worst[i]!.index + 1) * size);
      expect(decode(png).data).toEqual(Uint8Array.from(own));
    });
    expect(imagesOf(sectionOf(html, "First filters"))).toHaveLength(6);

    const heldOut = [...stdout.matchAll(/held out +(\d+\.\d\d %)/g)].map(([, share]) => share);
    expect(cellsOf(sectionOf(html, "Curves")).map((row) => row.at(-1))).toEqual(heldOut);

    // The page has nothing that differs from run to run.
    rmSync(report);
    await train(...args);
    expect(readFileSync(report, "utf8")).toBe(html);
  });

  it.each<[string, () => string[], () => string]>([
    ["nothing", () => ["--report", ""], () => "--report: expected a file, got nothing"],
    ["a folder", () => ["--report", root], () => `--report ${root}: expected a file, got a folder`],
    [
      "no folder",
      () => ["--report", join(root, "nowhere", "x.html")],
      () => `--report ${join(root, "nowhere", "x.html")}: cannot be written to (no such file or directory)`,
    ],
    [
      "the model's file",
      () => ["--out", model, "--report", `${root}/./model`],
      () => `--report ${root}/./model: expected another file than the model's, got the same`,
    ],
  ])("refuses %s before it trains", async (_, args, message) => {
    expect(await train("--out", join(root, "other"), ...args())).toEqual({
      code: 2,
      stdout: "",
      stderr: `im2row: ${message()}\n`,
    });
  });

  it.skipIf(!existsSync("/dev/full"))("keeps the model when the page cannot be written", async () => {
    const out = join(root, "kept");
    const { code, stdout, stderr } = await train("--out", out, "--report", "/dev/full");
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: "im2row: /dev/full: the report could not be saved, the model was (no space left on device)\n",
    });
    expect(loadModel(readFileSync(out)).layers).toHaveLength(8);
    expect(stdout).toMatch(/test accuracy \d+\.\d\d % \(\d+ of 60\)\n$/);
  });

  it("says at Ctrl-C what there is and what there is not", async () => {
    const out = join(root, "stopped");
    const pipe = join(root, "pipe");
    execFileSync("mkfifo", [pipe]);
    for (const [epochs, when, left] of [
      ["100000", "epoch 1/100000", "no model and no report were saved"],
      ["1", "reloaded", "the model was saved, the report was not"],
    ] as const) {
      // Nobody reads the pipe, so that a report waits for its reader.
      const args = [CLI, "train", "--data", root, "--epochs", epochs, "--out", out, "--report", pipe];
      const child = spawn(process.execPath, args);
      let stderr = "";
      child.stderr.on("data", (chunk: Buffer) => (stderr += chunk.toString()));
      child.stdout.on("data", (chunk: Buffer) => {
        // A second signal ends the process at once.
        if (!child.killed && chunk.includes(when)) child.kill("SIGINT");
      });
      const code = await new Promise((resolve) => child.on("close", resolve));
      expect({ code, stderr }).toEqual({ code: 130, stderr: `im2row: stopped by Ctrl-C; ${left}\n` });
      expect(existsSync(out)).toBe(epochs === "1");
    }
    expect(readdirSync(root).filter((name) => name.endsWith(".tmp"))).toEqual([]);
  });
});
