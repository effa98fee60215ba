/** `im2row train --checkpoint`: what it writes, and how a run goes on. test/kills holds that it does wherever it is killed. */
import { execFile, spawn } from "node:child_process";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { writeNoise } from "./support/idxFiles.ts";

const CLI = new URL("../../dist/cli.js", import.meta.url).pathname;
/** Five steps an epoch. */
const [IMAGES, BATCH, EPOCHS] = [80, 16, 4];

let root: string;
let data: string;
/** The model of a run that nothing interrupts and that writes no checkpoints, and its lines. */
let model: Uint8Array;
let lines: string;
/** A folder with the checkpoints of a whole run. */
let full: string;

interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

const argsOf = (...args: string[]): string[] => {
  const options = { data, epochs: EPOCHS, "batch-size": BATCH, out: join(root, "model") };
  const words = Object.entries(options).flatMap(([name, value]) => [`--${name}`, String(value)]);
  return [CLI, "train", ...words, ...args];
};

/** Options that are told later have their way. */
function train(...args: string[]): Promise<Ended> {
  return new Promise((resolve) => {
    execFile(process.execPath, argsOf(...args), (error, stdout, stderr) => {
      resolve({ code: error ? Number(error.code) : 0, stdout, stderr });
    });
  });
}

/** A run that gets a signal when it says a text. */
function interrupted(signal: NodeJS.Signals, when: string, ...args: string[]): Promise<Ended> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, argsOf(...args));
    let [stdout, stderr, sent] = ["", "", false];
    child.stderr.on("data", (chunk: Buffer) => (stderr += chunk.toString()));
    child.stdout.on("data", (chunk: Buffer) => {
      stdout += chunk.toString();
      if (!sent && stdout.includes(when)) sent = child.kill(signal);
    });
    child.on("close", (code) => resolve({ code: code!, stdout, stderr }));
  });
}

const files = (folder: string): string[] => readdirSync(folder).sort();
const lossLine = (stdout: string): string => /^loss .*$/m.exec(stdout)![0];

/** A copy of the folder of the whole run. */
function copy(name: string): string {
  const folder = join(root, name);
  cpSync(full, folder, { recursive: true });
  return folder;
}

beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), "im2row-checkpoints-"));
  data = join(root, "data");
  mkdirSync(data);
  writeNoise(data, IMAGES, 20);
  const whole = await train();
  expect(whole.stderr).toBe("");
  lines = lossLine(whole.stdout);
  model = readFileSync(join(root, "model"));
  full = join(root, "full");
  expect(await train("--checkpoint", full)).toMatchObject({ code: 0, stderr: "" });
});
afterAll(() => rmSync(root, { recursive: true }));

describe("im2row train --checkpoint", () => {
  it("writes the last three of an epoch each, and the same model", () => {
    expect(files(full)).toEqual([
      "checkpoint-00000010.safetensors",
      "checkpoint-00000015.safetensors",
      "checkpoint-00000020.safetensors",
      "run.json",
    ]);
    expect(readFileSync(join(root, "model"))).toEqual(model);
  });

  it("writes them after every so many steps, and at the end", async () => {
    const folder = join(root, "every");
    await train("--checkpoint", folder, "--checkpoint-every", "3");
    expect(files(folder).slice(0, 3)).toEqual(
      [15, 18, 20].map((step) => `checkpoint-000000${step}.safetensors`),
    );
  });

  it.each([
    ["SIGINT", "Ctrl-C", 130],
    ["SIGTERM", "SIGTERM", 143],
  ] as const)("saves at %s and goes on from there: the same model and curves", async (signal, name, code) => {
    const folder = join(root, signal);
    const out = join(root, `${signal}.safetensors`);
    const args = ["--checkpoint", folder, "--out", out];
    const stopped = await interrupted(signal, "epoch 2/4  loss", ...args);
    const [, step] = /--resume goes on from step (\d+)\n$/.exec(stopped.stderr)!;
    expect(stopped.stderr).toBe(
      `im2row: stopped by ${name}; --checkpoint ${folder} --resume goes on from step ${step}\n`,
    );
    expect(stopped.code).toBe(code);
    expect(existsSync(out)).toBe(false);
    expect(Number(step)).toBeGreaterThanOrEqual(10);
    const { stdout, stderr, code: end } = await train(...args, "--resume");
    expect({ stderr, end }).toEqual({ stderr: "", end: 0 });
    const epoch = Math.min(EPOCHS, 1 + Math.floor(Number(step) / 5));
    expect(stdout).toContain(
      `resumed   from ${folder}/checkpoint-${step!.padStart(8, "0")}.safetensors: step ${step}, epoch ${epoch} of 4\n`,
    );
    expect(readFileSync(out)).toEqual(model);
    expect(lossLine(stdout)).toBe(lines);
  });

  it("finishes a run whose training had come to its end", async () => {
    const out = join(root, "again.safetensors");
    const { code, stdout } = await train("--checkpoint", copy("ended"), "--resume", "--out", out);
    expect({ code, resumed: stdout.includes("step 20, epoch 4 of 4") }).toEqual({ code: 0, resumed: true });
    expect(readFileSync(out)).toEqual(model);
    expect(lossLine(stdout)).toBe(lines);
  });

  it("begins anew in an empty folder, and says so", async () => {
    for (const folder of [join(root, "none"), mkdtempSync(join(root, "empty-"))]) {
      const out = join(root, "begun.safetensors");
      const { stdout, code } = await train("--checkpoint", folder, "--resume", "--out", out);
      expect(stdout).toContain(`begun     anew, as ${folder} has no checkpoint\n`);
      expect(code).toBe(0);
      expect(readFileSync(out)).toEqual(model);
    }
  });
});

describe("im2row train --checkpoint refuses", () => {
  const refusal = async (...args: string[]): Promise<string> => {
    const { code, stdout, stderr } = await train(...args);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    return stderr;
  };

  it("options without a folder", async () => {
    expect(await refusal("--resume")).toBe(
      "im2row: --resume: expected --checkpoint <folder> besides, got none\n",
    );
    expect(await refusal("--checkpoint-every", "3")).toBe(
      "im2row: --checkpoint-every: expected --checkpoint <folder> besides, got none\n",
    );
    expect(await refusal("--checkpoint", "")).toBe("im2row: --checkpoint: expected a folder, got nothing\n");
    expect(await refusal("--checkpoint", join(data, "train-images-idx3-ubyte"))).toContain(
      "expected a folder, got a file",
    );
  });

  it("to write over the checkpoints of a run", async () => {
    const folder = copy("taken");
    expect(await refusal("--checkpoint", folder)).toBe(
      `im2row: --checkpoint ${folder}: expected a folder without checkpoints, got one with that of step 20: --resume goes on from there\n`,
    );
    expect(files(folder)).toEqual(files(full));
  });

  it.each([
    ["epochs", ["--epochs", "5"], "epochs: expected 4, as the run in the folder has, got 5"],
    ["a batch size", ["--batch-size", "8"], "batch-size: expected 16, as the run in the folder has, got 8"],
    [
      "an optimizer",
      ["--optimizer", "adam"],
      `optimizer: expected "sgd", as the run in the folder has, got "adam"`,
    ],
    [
      "a rate",
      ["--learning-rate", "0.5"],
      "learning-rate: expected 0.03, as the run in the folder has, got 0.5",
    ],
    ["a seed", ["--seed", "2"], "seed: expected 1, as the run in the folder has, got 2"],
  ])("to go on with another: %s", async (name, args, message) => {
    const folder = copy(name);
    expect(await refusal("--checkpoint", folder, "--resume", ...args)).toContain(
      `im2row: --checkpoint ${folder}: ${message}`,
    );
    expect(files(folder)).toEqual(files(full));
  });

  it("to go on with other data", async () => {
    const other = join(root, "other");
    cpSync(data, other, { recursive: true });
    const images = join(other, "train-images-idx3-ubyte");
    const bytes = readFileSync(images);
    bytes[100]! ^= 1;
    writeFileSync(images, bytes);
    expect(await refusal("--checkpoint", copy("data of another"), "--resume", "--data", other)).toContain(
      "data: expected ",
    );
  });

  it("to go on from a file that is damaged, or without what the run was told", async () => {
    const folder = copy("damaged");
    const newest = join(folder, "checkpoint-00000020.safetensors");
    writeFileSync(newest, readFileSync(newest).subarray(0, 5000));
    expect(await refusal("--checkpoint", folder, "--resume")).toContain(
      `im2row: ${newest}: expected a checkpoint (`,
    );
    const untold = copy("untold");
    rmSync(join(untold, "run.json"));
    expect(await refusal("--checkpoint", untold, "--resume")).toContain(
      `im2row: ${join(untold, "run.json")}: expected what the run of the checkpoints was told (`,
    );
  });
});
