import { execFile, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { decodeSafetensors } from "../../src/formats/safetensors.ts";
import { Random } from "../../src/random.ts";

const CLI = new URL("../../dist/cli.js", import.meta.url).pathname;

interface Outcome {
  code: number;
  stdout: string;
  stderr: string;
}

/** Runs the built command line as its own process. */
function im2row(...args: string[]): Promise<Outcome> {
  return new Promise((resolve) => {
    execFile(process.execPath, [CLI, ...args], (error, stdout, stderr) => {
      resolve({ code: error ? Number(error.code) : 0, stdout, stderr });
    });
  });
}

function idx(shape: readonly number[], data: Uint8Array): Uint8Array {
  const file = new Uint8Array(4 + 4 * shape.length + data.length);
  const view = new DataView(file.buffer);
  view.setUint32(0, 0x0800 + shape.length);
  shape.forEach((size, axis) => view.setUint32(4 + 4 * axis, size));
  file.set(data, 4 + 4 * shape.length);
  return file;
}

const SIDE = 14;
const TRAIN = 200;
const TEST = 50;

/** Four small files in MNIST's form: the figure k is a bright row at height k + 2 under faint noise. */
function syntheticFiles(): Map<string, Uint8Array> {
  const random = new Random(1);
  const files = new Map<string, Uint8Array>();
  for (const [prefix, count] of [["train", TRAIN] as const, ["t10k", TEST] as const]) {
    const labels = Uint8Array.from({ length: count }, () => random.integer(10));
    const images = new Uint8Array(count * SIDE * SIDE).map((_, i) => {
      const row = Math.floor(i / SIDE) % SIDE;
      const label = labels[Math.floor(i / (SIDE * SIDE))]!;
      return (row === label + 2 ? 200 : 0) + random.integer(40);
    });
    files.set(`${prefix}-images-idx3-ubyte`, idx([count, SIDE, SIDE], images));
    files.set(`${prefix}-labels-idx1-ubyte`, idx([count], labels));
  }
  return files;
}

let root: string;
let files: Map<string, Uint8Array>;

/** Writes a new folder with the synthetic files after some change; gives back its path. */
function folderWith(name: string, change: (files: Map<string, Uint8Array>) => void): string {
  const folder = join(root, name);
  const changed = new Map(files);
  change(changed);
  mkdirSync(folder);
  for (const [file, bytes] of changed) writeFileSync(join(folder, file), bytes);
  return folder;
}

beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), "im2row-cli-"));
  files = syntheticFiles();
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

/** Exit code 2, nothing on stdout, and this one line on stderr. */
async function expectUsageError(args: string[], message: string | RegExp): Promise<void> {
  const { code, stdout, stderr } = await im2row(...args);
  const [line, ...rest] = stderr.split("\n");
  expect(rest).toEqual([""]);
  if (typeof message === "string") expect(line).toBe(`im2row: ${message}`);
  else expect(line).toMatch(message);
  expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
}

describe("im2row", () => {
  it("lists its options", async () => {
    const { code, stdout, stderr } = await im2row("train", "--help");
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    const options = [
      "data",
      "epochs",
      "batch-size",
      "learning-rate",
      "optimizer",
      "seed",
      "out",
      "report",
      "help",
    ];
    for (const option of options) expect(stdout).toContain(`--${option} `.trimEnd());
    expect((await im2row("--help")).stdout).toContain("train");
    const { version } = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8")) as {
      version: string;
    };
    expect(await im2row("--version")).toEqual({ code: 0, stdout: `${version}\n`, stderr: "" });
  });

  it("shows its help when it is told nothing", async () => {
    const { code, stderr } = await im2row();
    expect(code).toBe(2);
    expect(stderr).toContain("Usage: im2row");
  });

  it.each([
    [["train", "--epoch", "3"], "unknown option '--epoch' (Did you mean --epochs?)"],
    [["fly"], "unknown command 'fly'"],
    [["\u001b[31mfly"], "unknown command '\\u001b[31mfly'"],
    [["train", "--out", ""], "--out: expected a file, got nothing"],
    [["train", "--epochs", "9007199254740992"], /Expected an integer of at most 2\^53 - 1/],
    [["train", "x", "y"], /^im2row: too many arguments for 'train'/],
    [["train", "--epochs"], "option '--epochs <n>' argument missing"],
    [
      ["train", "--epochs", "0"],
      /'--epochs <n>' argument '0' is invalid. Expected a positive integer, got "0"/,
    ],
    [["train", "--epochs", "1.5"], /Expected a positive integer, got "1.5"/],
    [["train", "--epochs", "-1"], /--epochs/],
    [["train", "--batch-size", "many"], /'--batch-size <n>' .* Expected a positive integer, got "many"/],
    [["train", "--learning-rate", "0"], /'--learning-rate <x>' .* Expected a positive number, got "0"/],
    [["train", "--learning-rate", "NaN"], /Expected a positive number, got "NaN"/],
    [
      ["train", "--seed", "9007199254740992"],
      /Expected an integer of at most 2\^53 - 1, got "9007199254740992"/,
    ],
    [["train", "--optimizer", "lbfgs"], /Allowed choices are sgd, adam, adamw, rmsprop, adagrad, lion, lamb/],
  ])("refuses %j", (args, message) => expectUsageError(args, message));
});

describe("im2row train checks before it works", () => {
  it("the data folder", async () => {
    const none = join(root, "none");
    await expectUsageError(
      ["train", "--data", none],
      `${none}: expected a folder with the MNIST files, got none (no such file or directory)`,
    );
    await expectUsageError(
      ["train", "--data", CLI],
      `${CLI}: expected a folder with the MNIST files, got a file`,
    );
    const incomplete = folderWith("incomplete", (changed) => changed.delete("t10k-labels-idx1-ubyte"));
    await expectUsageError(
      ["train", "--data", incomplete],
      `${incomplete}: expected the four MNIST files, plain or .gz, missing t10k-labels-idx1-ubyte`,
    );
  });

  const images = "train-images-idx3-ubyte";
  const labels = "train-labels-idx1-ubyte";
  it.each<[string, string, Uint8Array, string]>([
    [
      "cut",
      images,
      idx([3, 14, 14], new Uint8Array(99)),
      `${images}: data: expected 588 bytes for 3×14×14, got 99`,
    ],
    ["rank", images, idx([200, 196], new Uint8Array(39200)), `${images}: expected 3 dimensions, got 2`],
    [
      "small",
      images,
      idx([200, 8, 8], new Uint8Array(12800)),
      `${images}: expected images of 12×12 or more, got 8×8`,
    ],
    [
      "other",
      images,
      idx([200, 16, 16], new Uint8Array(51200)),
      `expected test images of 16×16 as in training, got 14×14`,
    ],
    [
      "fewer",
      labels,
      idx([199], new Uint8Array(199)),
      `${labels}: expected 200 labels, one an image, got 199`,
    ],
    [
      "ten",
      labels,
      idx([200], new Uint8Array(200).fill(10, 7, 8)),
      `${labels}: label 7: expected 0 to 9, got 10`,
    ],
    ["lrank", labels, idx([200, 1], new Uint8Array(200)), `${labels}: expected 1 dimension, got 2`],
  ])("a wrong file (%s)", async (name, file, bytes, message) => {
    const folder = folderWith(name, (changed) => changed.set(file, bytes));
    const { code, stderr } = await im2row("train", "--data", folder, "--out", join(root, "no"));
    expect({ code, lines: stderr.split("\n").length }).toEqual({ code: 2, lines: 2 });
    expect(stderr).toContain(message);
  });

  /** The images of training in a file that is named .gz. */
  const withGzip = (name: string, bytes: Uint8Array): string =>
    folderWith(name, (changed) => {
      changed.delete(images);
      changed.set(`${images}.gz`, bytes);
    });

  it.each<[string, () => Uint8Array, string]>([
    [
      "is none",
      () => files.get(images)!,
      "expected a gzip file, as its name says, got one that begins with 00 00 08 03",
    ],
    ["is empty", () => new Uint8Array(0), "expected a gzip file, as its name says, got nothing"],
    [
      "is cut",
      () => gzipSync(files.get(images)!).subarray(0, 500),
      "expected a whole gzip file, got a broken one (unexpected end of file)",
    ],
    [
      "has a wrong checksum",
      () => gzipSync(files.get(images)!).map((byte, i, { length }) => (i === length - 8 ? byte ^ 1 : byte)),
      "expected a whole gzip file, got a broken one (incorrect data check)",
    ],
    [
      "goes on with garbage",
      () => Buffer.concat([gzipSync(files.get(images)!), Buffer.from("garbage".repeat(9))]),
      "expected a whole gzip file, got a broken one (incorrect header check)",
    ],
    [
      "has more than its header says",
      () => gzipSync(Buffer.concat([files.get(images)!, new Uint8Array(3e7)])),
      "expected 39216 unpacked bytes, got more",
    ],
    [
      "has less than its header says",
      () => gzipSync(files.get(images)!.subarray(0, 39_000)),
      "data: expected 39200 bytes for 200×14×14, got 38984",
    ],
    [
      "has a header of four gigabytes",
      () => gzipSync(idx([200, 4096, 4096], new Uint8Array(3e7))),
      "expected at most 1073741824 bytes of data, got 200×4096×4096",
    ],
    [
      "is a gzip of no IDX",
      () => gzipSync(new Uint8Array(1e8)),
      "type code: expected 0x08 (unsigned byte), got 0x00 (unknown)",
    ],
  ])("a file named .gz that %s", async (name, bytes, message) => {
    const folder = withGzip(name.replaceAll(" ", "-"), bytes());
    await expectUsageError(["train", "--data", folder], `${join(folder, images)}.gz: ${message}`);
  });

  it("a gzip file that goes on for gigabytes, in little memory", async () => {
    // One member that says 39216 bytes, and others that come to 2 GB: unpacked they would take as much.
    const member = gzipSync(new Uint8Array(2 ** 26));
    const bomb = Buffer.concat([gzipSync(files.get(images)!), ...Array.from({ length: 32 }, () => member)]);
    const folder = withGzip("bomb", bomb);
    const script = `import ${JSON.stringify(CLI)}; process.on("exit", () => console.log(process.resourceUsage().maxRSS));`;
    const { stdout } = await new Promise<{ stdout: string }>((resolve) => {
      const args = ["--input-type=module", "--eval", script, "", "train", "--data", folder];
      execFile(process.execPath, args, (_, text) => resolve({ stdout: text }));
    });
    expect(Number(stdout)).toBeGreaterThan(10_000);
    expect(Number(stdout)).toBeLessThan(300_000);
  });

  it("the model's path", async () => {
    await expectUsageError(["train", "--out", root], `--out ${root}: expected a file, got a folder`);
    const lost = join(root, "nowhere", "model");
    await expectUsageError(
      ["train", "--out", lost],
      `--out ${lost}: cannot be written to (no such file or directory)`,
    );
    await expectUsageError(["train", "--out", join(CLI, "model")], /^im2row: --out .*cannot be written to/);
  });
});

/** Everything a run says, without its times, which differ from run to run. */
const timeless = (stdout: string): string =>
  stdout.replaceAll(/\d+(\.\d)? s\b|\d+ min \d+ s|[\d,.]+ images\/s/g, "TIME").replaceAll(root, "");

describe("im2row train", () => {
  it("trains on plain and gzipped files alike, saves the model, and ends with the accuracy", async () => {
    const plain = folderWith("data", () => {});
    const short = ["--epochs", "3", "--batch-size", "16", "--out"];
    const first = await im2row("train", "--data", plain, ...short, join(root, "model"));
    expect({ code: first.code, stderr: first.stderr }).toEqual({ code: 0, stderr: "" });
    const last = first.stdout.trimEnd().split("\n").at(-1)!;
    const [, share, correct] = /^test accuracy (\d+\.\d\d) % \((\d+) of 50\)$/.exec(last)!;
    expect(share).toBe((2 * Number(correct)).toFixed(2));
    expect(Number(correct)).toBeGreaterThan(25);
    expect(first.stdout).toContain("all 50 predictions are the same, bit for bit");
    for (const epoch of ["1/3", "2/3", "3/3"]) expect(first.stdout).toMatch(`epoch ${epoch}  loss`);
    const lines = first.stdout.split("\n").filter((line) => line.startsWith("epoch 2/3"));
    expect(lines.length).toBeGreaterThan(5);
    expect(lines.length).toBeLessThan(12);
    expect(decodeSafetensors(readFileSync(join(root, "model"))).tensors.size).toBe(10);

    rmSync(plain, { recursive: true });
    folderWith("data", (changed) => {
      for (const [name, bytes] of files) {
        changed.delete(name);
        changed.set(`${name}.gz`, gzipSync(bytes));
      }
    });
    const again = await im2row("train", "--data", plain, ...short, join(root, "model"));
    expect(timeless(again.stdout)).toBe(timeless(first.stdout));

    // The content tells, without .gz too, and a file may have several members.
    rmSync(plain, { recursive: true });
    folderWith("data", (changed) => {
      for (const [name, bytes] of files) {
        changed.set(name, Buffer.concat([gzipSync(bytes.subarray(0, 20)), gzipSync(bytes.subarray(20))]));
      }
    });
    const members = await im2row("train", "--data", plain, ...short, join(root, "model"));
    expect(timeless(members.stdout)).toBe(timeless(first.stdout));
  });

  it.each(["adam", "adamw", "rmsprop", "adagrad", "lion", "lamb"])("trains with %s", async (optimizer) => {
    const folder = folderWith(`data-${optimizer}`, () => {});
    const out = join(root, "model");
    const args = ["train", "--data", folder, "--out", out, "--optimizer", optimizer, "--epochs", "1"];
    const { code, stdout, stderr } = await im2row(...args, "--learning-rate", "2e-3", "--seed", "7");
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toMatch(/test accuracy \d+\.\d\d % \(\d+ of 50\)\n$/);
  });

  it("fails with one line and exit code 1 when training diverges", async () => {
    const folder = folderWith("data-diverging", () => {});
    const out = join(root, "diverged");
    const { code, stderr } = await im2row("train", "--data", folder, "--out", out, "--learning-rate", "1e30");
    expect({ code, lines: stderr.split("\n").length }).toEqual({ code: 1, lines: 2 });
    expect(stderr).toMatch(/^im2row: .*step \d/);
    expect(() => readFileSync(out)).toThrow("ENOENT");
  });

  it("stops at Ctrl-C with one line and exit code 130", async () => {
    const out = join(root, "stopped");
    const child = spawn(process.execPath, [CLI, "train", "--epochs", "1000", "--out", out]);
    let stderr = "";
    child.stderr.on("data", (chunk: Buffer) => (stderr += chunk.toString()));
    child.stdout.on("data", (chunk: Buffer) => {
      if (chunk.includes("epoch 1/1000")) child.kill("SIGINT");
    });
    const code = await new Promise((resolve) => child.on("close", resolve));
    expect({ code, stderr }).toEqual({
      code: 130,
      stderr: "im2row: stopped by Ctrl-C; no model was saved\n",
    });
    expect(() => readFileSync(out)).toThrow("ENOENT");
  });
});
