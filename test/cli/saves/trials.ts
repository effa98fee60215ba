/** Saves that fail, at any of their calls and by any of the means that a system has. */
import { execFileSync, spawnSync } from "node:child_process";
import {
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
import { fileURLToPath } from "node:url";
import { buildSync } from "esbuild";
import { save } from "../../../src/cli/save.ts";
import { Random } from "../../../src/random.ts";
import { faulty, FAULTS, WRITTEN } from "./faulty.ts";

/** Some bytes, of which no two files have the same. */
function content(random: Random): Uint8Array {
  return Uint8Array.from({ length: random.integer(5 * WRITTEN) }, () => random.integer(256));
}

const same = (a: Uint8Array | undefined, b: Uint8Array | undefined): boolean =>
  a === undefined || b === undefined ? a === b : Buffer.compare(a, b) === 0;

const readOptional = (path: string): Uint8Array | undefined =>
  existsSync(path) ? readFileSync(path) : undefined;

const isTemporary = (name: string): boolean => /^\..*-[0-9a-f]{32}\.tmp$/.test(name);

/** The counts of how trials ended. */
export interface Tally {
  trials: number;
  /** Saves that failed, and left the old file or none as it was. */
  failed: number;
  killed: number;
  saved: number;
  /** Descriptions of ends that must not happen. */
  faults: string[];
}

/** A folder for trials, with the program that saves in a process of its own. */
export class Trials {
  readonly tally: Tally = { trials: 0, failed: 0, killed: 0, saved: 0, faults: [] };
  readonly #folder = mkdtempSync(join(tmpdir(), "im2row-saves-"));
  readonly #random: Random;
  readonly #seed: number;

  constructor(seed: number) {
    this.#seed = seed;
    this.#random = new Random(seed);
    buildSync({
      entryPoints: [fileURLToPath(new URL("child.ts", import.meta.url))],
      outfile: join(this.#folder, "child.mjs"),
      bundle: true,
      format: "esm",
      platform: "node",
    });
  }

  /** The file as it was, how the save ended, and what is there afterwards. */
  #judge(what: string, home: string, path: string, versions: (Uint8Array | undefined)[], ended: Ended): void {
    const { tally } = this;
    tally.trials++;
    tally[ended]++;
    const [old, next] = versions;
    const now = readOptional(path);
    const expected = ended === "saved" ? [next] : ended === "failed" ? [old] : [old, next];
    const name = `seed ${this.#seed}, trial ${tally.trials}, ${what}, ${ended}`;
    if (!expected.some((bytes) => same(bytes, now))) {
      tally.faults.push(`${name}: ${now?.length ?? "no"} bytes are neither the old file nor the new one`);
    }
    const left = readdirSync(home).filter(isTemporary).length;
    // The unlink of a save that fails may fail too.
    const allowed = ended === "killed" || what.endsWith("unlinkSync") ? 1 : 0;
    if (left > allowed) tally.faults.push(`${name}: ${left} temporary files are left`);
  }

  /** A folder with an old file, or none, and the bytes of both. */
  #begin(home: string): { path: string; old: Uint8Array | undefined; next: Uint8Array } {
    const path = join(home, "model.safetensors");
    const old = this.#random.integer(4) === 0 ? undefined : content(this.#random);
    if (old) writeFileSync(path, old);
    return { path, old, next: content(this.#random) };
  }

  /** A call of a save fails, in this process. */
  async failing(): Promise<void> {
    const home = mkdtempSync(join(this.#folder, "failing-"));
    const { path, old, next } = this.#begin(home);
    const at = this.#random.integer(16);
    const fault = FAULTS[this.#random.integer(FAULTS.length - 1)]!;
    let ended: Ended = "saved";
    try {
      await save(path, next, { files: faulty(at, fault).files });
    } catch {
      ended = "failed";
    }
    this.#judge(`${fault} at call ${at}`, home, path, [old, next], ended);
    rmSync(home, { recursive: true });
  }

  /** The process ends by SIGKILL before a call; the next save removes what it left. */
  async killed(): Promise<void> {
    const home = mkdtempSync(join(this.#folder, "killed-"));
    const { path, old, next } = this.#begin(home);
    const at = this.#random.integer(16);
    const input = join(this.#folder, "next");
    writeFileSync(input, next);
    const child = join(this.#folder, "child.mjs");
    const { signal, status } = spawnSync(process.execPath, [child, path, input, String(at)]);
    if (signal !== "SIGKILL" && status !== 0) this.tally.faults.push(`child: exit code ${status}, ${signal}`);
    this.#judge(`kill at call ${at}`, home, path, [old, next], signal === "SIGKILL" ? "killed" : "saved");
    await save(path, next);
    this.#judge(`after a kill at call ${at}`, home, path, [old, next], "saved");
    rmSync(home, { recursive: true });
  }

  /** The disk is full before the save is at its end. False where a test may not mount a disk. */
  async full(): Promise<boolean> {
    const home = join(this.#folder, "disk");
    mkdirSync(home);
    try {
      execFileSync("mount", ["-t", "tmpfs", "-o", "size=64k", "tmpfs", home], { stdio: "ignore" });
    } catch {
      rmSync(home, { recursive: true });
      return false;
    }
    try {
      const path = join(home, "model.safetensors");
      const old = new Uint8Array(10_000).fill(this.#random.integer(256));
      writeFileSync(path, old);
      // Pages have 4096 bytes: 3 are the old file's, and the 13 others do for no file of 53,249 bytes.
      const fill = this.#random.integer(9) * 4096;
      writeFileSync(join(home, "fill"), new Uint8Array(fill));
      const next = new Uint8Array(16_385 + this.#random.integer(40_000));
      let ended: Ended = "saved";
      try {
        await save(path, next);
      } catch (error) {
        ended = "failed";
        if ((error as NodeJS.ErrnoException).code !== "ENOSPC") this.tally.faults.push(String(error));
      }
      this.#judge("a full disk", home, path, [old, next], ended);
    } finally {
      execFileSync("umount", [home]);
      rmSync(home, { recursive: true });
    }
    return true;
  }

  end(): void {
    rmSync(this.#folder, { recursive: true });
  }
}

type Ended = "saved" | "failed" | "killed";

/** `count` trials of all kinds: of ten one with a process that is killed and one with a full disk. */
export async function runTrials(count: number, seed: number): Promise<Tally & { disk: boolean }> {
  const trials = new Trials(seed);
  let disk = true;
  try {
    for (let i = 0; i < count; i++) {
      if (i % 10 === 0) await trials.killed();
      else if (i % 10 === 5 && disk) disk = await trials.full();
      else await trials.failing();
    }
  } finally {
    trials.end();
  }
  return { ...trials.tally, disk };
}
