/** `im2row train --receipt`, and the commands on receipts. */
import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { loadFolder } from "../../src/cli/data.ts";
import type { TrainingReceipt } from "../../src/training/receipt.ts";
import { chainOf, dataRoot } from "../receipts/support.ts";
import { writeNoise } from "./support/idxFiles.ts";

const CLI = new URL("../../dist/cli.js", import.meta.url).pathname;

let root: string;
let data: string;
const at = (name: string): string => join(root, name);

interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

function im2row(...args: string[]): Promise<Ended> {
  return new Promise((resolve) => {
    execFile(process.execPath, [CLI, ...args], (error, stdout, stderr) => {
      resolve({ code: error ? Number(error.code) : 0, stdout, stderr });
    });
  });
}

/** Twenty steps, with links after every so many. */
const train = (...args: string[]): Promise<Ended> =>
  im2row("train", "--data", data, "--epochs", "4", "--batch-size", "16", "--out", at("model"), ...args);

const receiptIn = (name: string): TrainingReceipt =>
  JSON.parse(readFileSync(at(name), "utf8")) as TrainingReceipt;

let said: string;
beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), "im2row-receipts-"));
  data = at("data");
  mkdirSync(data);
  writeNoise(data, 80, 20);
  const { code, stdout, stderr } = await train("--receipt", at("run.json"));
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  said = stdout;
});
afterAll(() => rmSync(root, { recursive: true }));

describe("im2row train --receipt", () => {
  it("writes the receipt of the run, and says how long that took", () => {
    const receipt = receiptIn("run.json");
    expect(receipt).toMatchObject({ kind: "training", steps: 20, batches: 20, needs: [] });
    expect(receipt.chain).toBe(chainOf(receipt));
    const { images, labels } = loadFolder(data).train;
    expect(receipt.data).toEqual({ samples: 80, root: dataRoot(images, labels) });
    expect(said).toMatch(
      new RegExp(`^receipt   ${at("run.json")}, \\d+\\.\\d kB, which took \\d+\\.\\d s$`, "m"),
    );
  });

  it("is the same without checkpoints and with them", async () => {
    expect(await train("--receipt", at("again.json"), "--checkpoint", at("runs"))).toMatchObject({ code: 0 });
    expect(receiptIn("again.json")).toEqual(receiptIn("run.json"));
  });

  it.each([
    ["nothing", "", "--receipt: expected a file, got nothing"],
    ["the model's file", "model", "expected another file than the model's, got the same"],
  ])("refuses %s before it trains", async (_, name, message) => {
    const { code, stdout, stderr } = await train("--receipt", name && at(name));
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toContain(message);
  });
});
