/** `im2row train --receipt`, and the commands on receipts. */
import { execFile } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
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
  const every = ["--receipt-every", "2", "--checkpoint", at("runs"), "--checkpoint-every", "4"];
  const { code, stdout, stderr } = await train("--receipt", at("run.json"), ...every);
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
    expect(await train("--receipt", at("plain.json"), "--receipt-every", "2")).toMatchObject({ code: 0 });
    expect(receiptIn("plain.json")).toEqual(receiptIn("run.json"));
  });

  it("is the same when the run was stopped and went on", async () => {
    const folder = at("half");
    cpSync(at("runs"), folder, { recursive: true });
    for (const step of [16, 20]) rmSync(join(folder, `checkpoint-000000${step}.safetensors`));
    const all = ["--checkpoint", folder, "--checkpoint-every", "4", "--receipt-every", "2", "--resume"];
    const { code, stdout, stderr } = await train("--receipt", at("resumed.json"), ...all);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toContain("step 12, epoch 3 of 4");
    expect(receiptIn("resumed.json")).toEqual(receiptIn("run.json"));
  });

  it("wants a file for its links", async () => {
    const { code, stderr } = await train("--receipt-every", "2");
    expect({ code, stderr }).toEqual({
      code: 2,
      stderr: "im2row: --receipt-every: expected --receipt <file> besides, got none\n",
    });
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

/** Writes the receipt of a party whose states are others from a step on. */
function writeParted(name: string, from: number): void {
  const receipt = receiptIn("run.json");
  const other = (digest: string, step: number): string =>
    step < from ? digest : digest.replace(/^./, (c) => (c === "0" ? "1" : "0"));
  const { every, digests } = receipt.links;
  const parted = {
    ...receipt,
    links: { every, digests: digests.map((digest, i) => other(digest, (i + 1) * every)) },
    digest: other(receipt.digest, receipt.steps),
  };
  writeFileSync(at(name), JSON.stringify({ ...parted, chain: chainOf(parted) }));
}

const checkpoint = (step: number): string => at(`runs/checkpoint-000000${step}.safetensors`);

describe("im2row verify", () => {
  const verify = (receipt: string, ...args: string[]): Promise<Ended> =>
    im2row("verify", at(receipt), "--data", data, ...args);

  it("runs the run again, all of it or a part, at any number of threads", async () => {
    const { digest, links } = receiptIn("run.json");
    expect(await verify("run.json", "--threads", "2")).toEqual({
      code: 0,
      stdout: `verified steps 1–20: ${digest}\n`,
      stderr: "",
    });
    const part = ["--checkpoint", checkpoint(12), "--from", "13", "--to", "16"];
    expect(await verify("run.json", ...part)).toMatchObject({
      stdout: `verified steps 13–16: ${links.digests[7]}\n`,
    });
    const { stdout } = await verify("run.json", ...part, "--json");
    expect(JSON.parse(stdout)).toEqual({ ok: true, from: 13, to: 16, step: 16, digest: links.digests[7] });
  });

  it("says between which links a run parts from its receipt", async () => {
    writeParted("parted.json", 7);
    const { code, stdout, stderr } = await verify("parted.json", "--json");
    const reason = "the states part between step 6 and step 8";
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: `im2row: ${at("parted.json")}: not verified: ${reason}; verified up to step 6\n`,
    });
    expect(JSON.parse(stdout)).toEqual({ ok: false, step: 6, between: [6, 8], reason });
  });

  it("rejects a run on other images, and a receipt of which an option was changed", async () => {
    const other = at("other");
    cpSync(data, other, { recursive: true });
    const images = join(other, "train-images-idx3-ubyte");
    const bytes = readFileSync(images);
    bytes[1000]! ^= 1;
    writeFileSync(images, bytes);
    expect(await verify("run.json", "--data", other)).toEqual({
      code: 1,
      stdout: "",
      stderr: `im2row: ${at("run.json")}: not verified: the samples are others: their tree has another root\n`,
    });
    const receipt = receiptIn("run.json");
    writeFileSync(
      at("changed.json"),
      JSON.stringify({ ...receipt, options: { ...receipt.options, batchSize: 8 } }),
    );
    expect((await verify("changed.json")).stderr).toBe(
      `im2row: ${at("changed.json")}: not verified: a part of the receipt was changed: its chain does not end as it says\n`,
    );
  });

  it("finds where two receipts part, and says whose the run here confirms", async () => {
    writeParted("parted.json", 7);
    const against = ["--against", at("parted.json")];
    expect(await verify("run.json", "--against", at("run.json"))).toMatchObject({
      code: 0,
      stdout: "the same  all steps of which both tell, up to step 20\n",
    });
    const parts = `${at("run.json")} and ${at("parted.json")} part between step 6 and step 8`;
    expect(await verify("run.json", ...against)).toEqual({
      code: 1,
      stdout: "",
      stderr: `im2row: ${parts}: they differ first between step 6 and step 8; the run here confirms ${at("run.json")}\n`,
    });
    writeParted("late.json", 15);
    const late = await verify(
      "late.json",
      "--against",
      at("run.json"),
      "--checkpoint",
      checkpoint(12),
      "--json",
    );
    expect(late.code).toBe(1);
    const { links } = receiptIn("run.json");
    expect(JSON.parse(late.stdout)).toEqual({
      same: false,
      between: [14, 16],
      digests: [receiptIn("late.json").links.digests[7], links.digests[7]],
      own: links.digests[7],
      confirms: "b",
      parts: [14, 16],
    });
  });

  it.each([
    [
      "a file that is not there",
      ["nowhere.json"],
      "nowhere.json: cannot be read (no such file or directory)",
    ],
    ["what is no receipt", ["model"], "model: expected the receipt of a run ("],
    [
      "a range of another checkpoint",
      ["run.json", "--from", "13"],
      "run.json: from: expected 1, the step after the checkpoint, got 13",
    ],
    [
      "several checkpoints",
      ["run.json", "--checkpoint", "a", "--checkpoint", "b"],
      "--checkpoint: expected one, as there is no --against, got 2",
    ],
    [
      "another's checkpoints alone",
      ["run.json", "--against-checkpoint", "a"],
      "--against-checkpoint: expected --against <receipt> besides, got none",
    ],
    [
      "a range of two receipts",
      ["run.json", "--against", "run.json", "--to", "5"],
      "--to: expected none beside --against, got 5",
    ],
  ])("refuses %s", async (_, [receipt, ...args], message) => {
    const { code, stdout, stderr } = await verify(receipt!, ...args);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toContain(message);
  });
});

describe("im2row trace", () => {
  const trace = (...args: string[]): Promise<Ended> => im2row("trace", ...args);

  it("writes the digests of a step, the same from a checkpoint and at any number of threads", async () => {
    const step = ["--data", data, "--step", "14"];
    const first = await trace(at("run.json"), ...step, "--out", at("a.json"));
    const results = /^traced {4}(\d+) results of step 14 to /.exec(first.stdout)![1];
    const other = ["--checkpoint", checkpoint(12), "--threads", "2", "--out", at("b.json")];
    expect(await trace(at("run.json"), ...step, ...other)).toMatchObject({ code: 0, stderr: "" });
    expect(readFileSync(at("b.json"))).toEqual(readFileSync(at("a.json")));
    expect(await trace("--compare", at("a.json"), at("b.json"))).toEqual({
      code: 0,
      stdout: `the same  all ${results} results of step 14\n`,
      stderr: "",
    });
  });

  it("names the first operator that differs", async () => {
    const text = readFileSync(at("a.json"), "utf8");
    const { entries } = JSON.parse(text) as {
      entries: { layer: string; pass: string; of: string; digest: string }[];
    };
    const { digest } = entries.find(({ layer, pass }) => layer === "dense_1" && pass === "forward")!;
    const other = "0".repeat(64);
    writeFileSync(at("c.json"), text.replace(digest, other));
    const { code, stderr } = await trace("--compare", at("a.json"), at("c.json"));
    expect(code).toBe(1);
    expect(stderr).toBe(
      `im2row: ${at("a.json")} and ${at("c.json")}: dense_1, forward: y [16, 84] is the first result that differs; ` +
        `all that it reads is the same: ${digest} and ${other}\n`,
    );
    const json = await trace("--compare", at("a.json"), at("c.json"), "--json");
    expect(JSON.parse(json.stdout)).toEqual({
      same: false,
      layer: "dense_1",
      pass: "forward",
      of: "y",
      shape: [16, 84],
      digests: [digest, other],
    });
  });

  it.each([
    ["no step", ["run.json", "--out", "x"], "--step: expected the number of a step, got none"],
    ["no file", ["run.json", "--step", "1"], "--out: expected a file for the trace, got none"],
    [
      "a step behind the run",
      ["run.json", "--step", "21", "--out", "x"],
      "run.json: step: expected one from 1 to 20, got 21",
    ],
    ["one trace to compare", ["--compare", "a.json"], "--compare: expected two traces, got 1 files"],
    ["what is no trace", ["--compare", "a.json", "run.json"], "expected a trace of a step, version 1, got "],
  ])("refuses %s", async (_, args, message) => {
    const files = args.map((arg) => (arg.endsWith(".json") ? at(arg) : arg));
    const { code, stdout, stderr } = await trace(
      ...files,
      ...(args.includes("--compare") ? [] : ["--data", data]),
    );
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toContain(message);
  });
});
