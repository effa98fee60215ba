/** Files that the command line writes: whole or not at all. */
import { execFile, execFileSync, spawn } from "node:child_process";
import * as nodeFs from "node:fs";
import {
  chmodSync,
  chownSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { checkOutputs } from "../../src/cli/nets/outputs.ts";
import { checkPlace, save } from "../../src/cli/save.ts";
import { UsageError } from "../../src/cli/usage.ts";
import { faulty } from "./saves/faulty.ts";
import { runTrials } from "./saves/trials.ts";

const CLI = new URL("../../dist/cli.js", import.meta.url).pathname;
const OLD = Buffer.from("old");
const NEW = Buffer.from("new and longer");

let root: string;
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), "im2row-save-"));
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

/** A folder of its own with an old file in it. */
function oldFile(name: string): string {
  mkdirSync(join(root, name));
  const path = join(root, name, "model");
  writeFileSync(path, OLD);
  return path;
}

describe("outputs", () => {
  it("are refused one file for two, before anything is written", () => {
    const file = join(root, "both.npy");
    const wanted = new Map([
      ["a", { file }],
      ["b", { file: `${root}/./both.npy` }],
    ]);
    const message = `--output ${root}/./both.npy: expected a file for each output, got it for a and b`;
    expect(() => checkOutputs(wanted)).toThrow(new UsageError(message));
  });
});

describe("a save", () => {
  it("leaves the old file or the new one, whatever fails and whenever", async () => {
    const { trials, failed, killed, saved, faults } = await runTrials(60, 16);
    expect(faults).toEqual([]);
    expect(trials).toBeGreaterThanOrEqual(60);
    for (const count of [failed, killed, saved]) expect(count).toBeGreaterThan(3);
  });

  it("is refused by the failure of each call that it needs, one after the other", async () => {
    const path = oldFile("each");
    const counting = faulty(Infinity, "EIO");
    await save(path, OLD, { files: counting.files });
    const failures: number[] = [];
    for (let at = 0; at < counting.made(); at++) {
      try {
        await save(path, NEW, { files: faulty(at, "ENOSPC").files });
        writeFileSync(path, OLD);
      } catch {
        failures.push(at);
        expect(readFileSync(path)).toEqual(OLD);
      }
      expect(readdirSync(join(root, "each"))).toEqual(["model"]);
    }
    // open, write, (chown), chmod, fsync, close, rename; (open, fsync, close of the folder).
    expect(failures).toEqual([0, 1, 3, 4, 5, 6]);
  });

  it("flushes the bytes before the file takes its name, and its folder after", async () => {
    const calls: string[] = [];
    const files = new Proxy(nodeFs, {
      get:
        (target, name: keyof typeof nodeFs) =>
        (...args: unknown[]) => {
          calls.push(name);
          return (target[name] as (...args: unknown[]) => unknown)(...args);
        },
    });
    const path = oldFile("order");
    await save(path, NEW, { files });
    const order = calls.filter((name) => ["openSync", "writeSync", "fsyncSync", "renameSync"].includes(name));
    expect(order).toEqual(["openSync", "writeSync", "fsyncSync", "renameSync", "openSync", "fsyncSync"]);
    expect(readFileSync(path)).toEqual(NEW);
  });

  it("keeps the permissions of the old file, and those that are usual for a new one", async () => {
    const path = oldFile("modes");
    chmodSync(path, 0o640);
    if (process.getuid?.() === 0) chownSync(path, 12345, 23456);
    const { uid, gid } = statSync(path);
    await save(path, NEW);
    expect(statSync(path)).toMatchObject({ mode: 0o100640, uid, gid });
    const other = join(root, "modes", "other");
    await save(other, NEW);
    expect(statSync(other).mode & 0o777).toBe(0o666 & ~process.umask());
  });

  it("writes through links, also to a file that is not there yet", async () => {
    const path = oldFile("links");
    const folder = join(root, "links");
    mkdirSync(join(folder, "deep"));
    symlinkSync("../model", join(folder, "deep", "one"));
    symlinkSync("deep/one", join(folder, "two"));
    symlinkSync("later", join(folder, "dangling"));
    symlinkSync("round", join(folder, "round"));
    await save(join(folder, "two"), NEW);
    await save(join(folder, "dangling"), NEW);
    expect(readFileSync(path)).toEqual(NEW);
    expect(readFileSync(join(folder, "later"))).toEqual(NEW);
    for (const name of ["two", "deep/one", "dangling"]) {
      expect(lstatSync(join(folder, name)).isSymbolicLink()).toBe(true);
    }
    await expect(save(join(folder, "round"), NEW)).rejects.toMatchObject({ code: "ELOOP" });
    await expect(save(folder, NEW)).rejects.toMatchObject({ code: "EISDIR" });
  });

  it("removes what a killed one left, and nothing that a living one is writing", async () => {
    const path = oldFile("left");
    const folder = join(root, "left");
    const digits = "0123456789abcdef".repeat(2);
    const dead = execFileSync(process.execPath, ["-p", "process.pid"], { encoding: "utf8" }).trim();
    const gone = [`.model.${dead}-${digits}.tmp`, `.model.${process.pid}-${digits}.tmp`];
    const kept = [`.model.${process.ppid}-${digits}.tmp`, `.other.${dead}-${digits}.tmp`, ".model.tmp"];
    for (const name of [...gone, ...kept]) writeFileSync(join(folder, name), "");
    await save(path, NEW);
    expect(readdirSync(folder).sort()).toEqual([...kept, "model"].sort());
  });

  it("respects a file that may not be written to, and tells beforehand", async () => {
    const path = oldFile("denied");
    const denying = (which: string): typeof nodeFs => ({
      ...nodeFs,
      accessSync(at) {
        if (at === which) throw Object.assign(new Error("denied"), { code: "EACCES", errno: -13 });
      },
    });
    await expect(save(path, NEW, { files: denying(path) })).rejects.toMatchObject({ code: "EACCES" });
    expect(readFileSync(path)).toEqual(OLD);
    expect(() => checkPlace(path, denying(path))).toThrow("denied");
    const folder = join(root, "denied");
    expect(() => checkPlace(path, denying(folder))).toThrow(`permission denied in the folder ${folder}`);
    checkPlace(path);
  });

  it.skipIf(process.platform !== "linux")("puts bytes into devices and pipes as they are", async () => {
    expect(await save("/dev/null", NEW)).toBe(false);
    await expect(save("/dev/full", NEW)).rejects.toMatchObject({ code: "ENOSPC" });
    expect([statSync("/dev/null"), statSync("/dev/full")].every((file) => file.isCharacterDevice())).toBe(
      true,
    );
    const pipe = join(root, "pipe");
    execFileSync("mkfifo", [pipe]);
    // More than a pipe holds.
    const bytes = Buffer.alloc(300_000, "x");
    const saving = save(pipe, bytes);
    const reading = new Promise((resolve) =>
      execFile("cat", [pipe], { maxBuffer: 1e6 }, (_, stdout) => resolve(stdout.length)),
    );
    expect([await saving, await reading]).toEqual([false, 300_000]);
    const aborting = new AbortController();
    const waiting = save(pipe, bytes, { signal: aborting.signal });
    aborting.abort(new Error("enough"));
    await expect(waiting).rejects.toThrow("enough");
  });
});

describe.skipIf(process.platform !== "linux")("im2row train", () => {
  /** Trains shortly under a shell; `after` follows the command. */
  function shell(out: string, after: string): Promise<{ code: number; stdout: string; stderr: string }> {
    const command = `${process.execPath} ${CLI} train --epochs 1 --batch-size 500 --out ${out} ${after}`;
    return new Promise((resolve) => {
      execFile("bash", ["-o", "pipefail", "-c", command], (error, stdout, stderr) =>
        resolve({ code: error ? Number(error.code) : 0, stdout, stderr }),
      );
    });
  }

  it("saves the model although the reader of its lines went away", async () => {
    const out = join(root, "unread");
    const { code, stdout, stderr } = await shell(out, "| head -1");
    expect(stdout.split("\n")).toHaveLength(2);
    expect(stderr).toBe(
      "im2row: stdout: its reader is gone; training goes on, and the model will be saved\n",
    );
    expect(code).toBe(0);
    expect(statSync(out).size).toBeGreaterThan(100_000);
  });

  it("saves the model where its lines find a full disk, and tells of that", async () => {
    const out = join(root, "fulldisk");
    const { code, stderr } = await shell(out, "> /dev/full");
    expect(stderr).toBe("im2row: stdout: cannot be written to (no space left on device)\n");
    expect(code).toBe(1);
    expect(statSync(out).size).toBeGreaterThan(100_000);
  });

  it.each(["/dev/stdout", "/dev/fd/3"])("writes the model to %s", async (out) => {
    const { code, stdout, stderr } = await shell(out, `3>&1 | wc -c`);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(Number(stdout)).toBeGreaterThan(100_000);
  });

  it("can be stopped while a pipe waits for its reader", async () => {
    const pipe = join(root, "waiting");
    execFileSync("mkfifo", [pipe]);
    const args = [CLI, "train", "--epochs", "1", "--batch-size", "500", "--out", pipe];
    const child = spawn(process.execPath, args);
    let stderr = "";
    child.stderr.on("data", (chunk: Buffer) => (stderr += chunk.toString()));
    child.stdout.on("data", (chunk: Buffer) => {
      if (chunk.includes("trained ")) setTimeout(() => child.kill("SIGTERM"), 300);
    });
    const code = await new Promise((resolve) => child.on("close", resolve));
    expect({ code, stderr }).toEqual({
      code: 143,
      stderr: "im2row: stopped by SIGTERM; no model was saved\n",
    });
  });
});
