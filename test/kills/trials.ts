/** Runs of `im2row train --checkpoint` that are killed, resumed, and compared with those that nothing interrupts. */
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { buildSync } from "esbuild";
import { decodeSafetensors } from "../../src/formats/safetensors.ts";
import { Random } from "../../src/random.ts";
import { writeNoise } from "../cli/support/idxFiles.ts";
import { run, type Ended, type Kill } from "./run.ts";

/** A run of 57 steps, which takes about a second. */
const IMAGES = 304;
const HELD_OUT = 20;
const EPOCHS = 3;
const BATCH = 16;
const STEPS = EPOCHS * Math.ceil(IMAGES / BATCH);

/** The whole run is looked at in so many parts. */
export const PARTS = 10;

/** Without it, checkpoints are written after each epoch. */
const EVERY = [undefined, 1, 4, 7] as const;
const OPTIMIZERS = ["sgd", "adam", "lion"] as const;

/** What two runs have in common that lead to the same weights. */
interface Setting {
  readonly optimizer: (typeof OPTIMIZERS)[number];
  readonly every: (typeof EVERY)[number];
}

/** What is known of a run that nothing interrupts. */
interface Whole {
  readonly sha256: string;
  readonly milliseconds: number;
  /** The calls that write its checkpoints. */
  readonly calls: number;
}

/** The counts of how trials ended. */
export interface Tally {
  passed: number;
  /** Descriptions of trials that ended otherwise than the run that nothing interrupts. */
  readonly faults: string[];
  /** The kills, those among them inside of a write, and of all by the part of the run that was done. */
  kills: number;
  inWrites: number;
  readonly byPart: number[];
}

const NAME = /^checkpoint-(\d{8})\.safetensors$/;

const sha256Of = (file: string): string => createHash("sha256").update(readFileSync(file)).digest("hex");

/** The step of the last checkpoint in a folder, 0 when there is none; all of them are whole. @throws FormatError */
function lastIn(folder: string): number {
  if (!existsSync(folder)) return 0;
  const steps = readdirSync(folder).flatMap((name) => {
    const [, step] = NAME.exec(name) ?? [];
    if (step === undefined) return [];
    decodeSafetensors(readFileSync(join(folder, name)));
    return [Number(step)];
  });
  return Math.max(0, ...steps);
}

/** A folder for trials, with what all of them train on. */
export class Trials {
  readonly tally: Tally = {
    passed: 0,
    faults: [],
    kills: 0,
    inWrites: 0,
    byPart: Array.from({ length: PARTS }, () => 0),
  };
  readonly #folder = realpathSync(mkdtempSync(join(tmpdir(), "im2row-kills-")));
  readonly #data = join(this.#folder, "data");
  readonly #preload = join(this.#folder, "preload.mjs");
  readonly #seed: number;
  readonly #wholes = new Map<string, Promise<Whole>>();

  constructor(seed: number) {
    this.#seed = seed;
    mkdirSync(this.#data);
    writeNoise(this.#data, IMAGES, HELD_OUT);
    buildSync({
      entryPoints: [fileURLToPath(new URL("preload.ts", import.meta.url))],
      outfile: this.#preload,
      bundle: true,
      format: "esm",
      platform: "node",
    });
  }

  #args({ optimizer, every }: Setting, home: string): string[] {
    const options = {
      data: this.#data,
      epochs: EPOCHS,
      "batch-size": BATCH,
      optimizer,
      out: join(home, "model.safetensors"),
      checkpoint: join(home, "checkpoints"),
      ...(every !== undefined && { "checkpoint-every": every }),
    };
    return ["train", ...Object.entries(options).flatMap(([name, value]) => [`--${name}`, String(value)])];
  }

  #home(): { home: string; folder: string } {
    const home = mkdtempSync(join(this.#folder, "trial-"));
    return { home, folder: join(home, "checkpoints") };
  }

  /** The run that nothing interrupts. Its weights are those of a run without checkpoints. */
  #whole(setting: Setting): Promise<Whole> {
    const key = JSON.stringify(setting);
    const known = this.#wholes.get(key) ?? this.#runWhole(setting);
    this.#wholes.set(key, known);
    return known;
  }

  async #runWhole(setting: Setting): Promise<Whole> {
    const { home, folder } = this.#home();
    const out = join(home, "model.safetensors");
    const all = this.#args(setting, home);
    const [counts, preload] = [join(home, "counts"), this.#preload];
    expectDone(await run({ args: all.slice(0, all.indexOf("--checkpoint")), preload, folder }));
    const plain = sha256Of(out);
    const { milliseconds } = expectDone(await run({ args: all, preload, folder, counts }));
    const sha256 = sha256Of(out);
    if (sha256 !== plain)
      throw new Error(`expected the weights of a run without checkpoints, got others: ${key(setting)}`);
    const calls = Number(readFileSync(counts, "utf8"));
    rmSync(home, { recursive: true });
    return { sha256, milliseconds, calls };
  }

  /** A run that is killed once or more; `index` names its random draws. */
  async trial(index: number): Promise<void> {
    const random = new Random(this.#seed, index);
    const pick = <T>(list: readonly T[]): T => list[random.integer(list.length)]!;
    const setting: Setting = { optimizer: pick(OPTIMIZERS), every: pick(EVERY) };
    const whole = await this.#whole(setting);
    const { home, folder } = this.#home();
    const did: string[] = [];
    const start = (kill?: Kill): Promise<Ended> => {
      const threads = String(1 + random.integer(2));
      const args = [...this.#args(setting, home), "--threads", threads];
      if (did.length > 0) args.push("--resume");
      return run({ args, preload: this.#preload, folder }, kill);
    };
    try {
      // Half of all runs are killed once, a quarter twice, and so on.
      do {
        const before = lastIn(folder) / STEPS;
        const share = random.uniform() * (1 - before);
        const inWrite = random.integer(3) === 0;
        const kill = inWrite
          ? { call: Math.floor(share * whole.calls) }
          : { after: share * whole.milliseconds };
        const { code, stderr } = await start(kill);
        did.push(`${JSON.stringify(kill)} at ${lastIn(folder)}`);
        if (code === null) this.#count(before + share, inWrite);
        else if (code !== 0) throw new Error(`exit code ${code}: ${stderr}`);
        else if (did.length === 1) {
          // The run was at its end before.
          did.length = 0;
          rmSync(home, { recursive: true });
          mkdirSync(home);
        }
      } while (did.length === 0 || (lastIn(folder) < STEPS && random.integer(2) === 0));
      const { code, stderr } = await start();
      if (code !== 0) throw new Error(`exit code ${code}: ${stderr}`);
      const sha256 = sha256Of(join(home, "model.safetensors"));
      if (sha256 !== whole.sha256) throw new Error(`expected ${whole.sha256}, got ${sha256}`);
      this.tally.passed++;
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      this.tally.faults.push(
        `seed ${this.#seed}, trial ${index}, ${key(setting)}, ${did.join(", ")}: ${message.trim()}`,
      );
    } finally {
      rmSync(home, { recursive: true });
    }
  }

  #count(share: number, inWrite: boolean): void {
    const { tally } = this;
    tally.kills++;
    tally.inWrites += Number(inWrite);
    tally.byPart[Math.min(PARTS - 1, Math.floor(PARTS * share))]!++;
  }

  end(): void {
    rmSync(this.#folder, { recursive: true });
  }
}

const key = ({ optimizer, every }: Setting): string => `${optimizer}, every ${every ?? "epoch"}`;

function expectDone(ended: Ended): Ended {
  if (ended.code === 0) return ended;
  throw new Error(`a run that nothing interrupts: exit code ${ended.code}: ${ended.stderr}`);
}

/** `count` trials, of which `jobs` run side by side; `onTrial` is called after each, with the number of those that are done. */
export async function runTrials(
  count: number,
  seed: number,
  jobs: number,
  onTrial: (done: number) => void,
): Promise<Tally> {
  const trials = new Trials(seed);
  try {
    let [next, done] = [0, 0];
    const work = async (): Promise<void> => {
      while (next < count) {
        await trials.trial(next++);
        onTrial(++done);
      }
    };
    await Promise.all(Array.from({ length: jobs }, work));
  } finally {
    trials.end();
  }
  return trials.tally;
}
