/** The folder of `im2row train --checkpoint`: the checkpoints of one run, and what that run was told. */
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { isPlainObject, listed, show } from "../../options.ts";
import { loadModel, type Model } from "../../index.ts";
import { save } from "../save.ts";
import { Interrupted } from "../signals.ts";
import { causeOf, messageOf, UsageError } from "../usage.ts";

export interface CheckpointOptions {
  /** The folder for checkpoints; none are written without it. */
  readonly checkpoint?: string;
  /** Steps from one to the next. Default: those of an epoch. */
  readonly checkpointEvery?: number;
  /** Goes on from the newest one. */
  readonly resume?: boolean;
}

/** What a run was told and trains on, by name: all that its weights follow from. */
export type Identity = Readonly<Record<string, string | number | boolean>>;

/** The newest checkpoint of a run. */
export interface Newest {
  readonly file: string;
  readonly step: number;
}

/** The file in the folder that tells of which run the checkpoints are. */
const RUN = "run.json";

const NAME = /^checkpoint-(\d{8,})\.safetensors$/;

/** @throws UsageError for options that need a folder */
export function checkCheckpointOptions({ checkpoint, checkpointEvery, resume }: CheckpointOptions): void {
  if (checkpoint === "") throw new UsageError("--checkpoint: expected a folder, got nothing");
  if (checkpoint !== undefined) return;
  for (const [option, value] of Object.entries({
    "--checkpoint-every": checkpointEvery,
    "--resume": resume,
  })) {
    if (value !== undefined)
      throw new UsageError(`${option}: expected --checkpoint <folder> besides, got none`);
  }
}

/** The newest checkpoint in a folder, which may not be there yet. @throws UsageError when it cannot be read or is none */
export function newestIn(folder: string): Newest | undefined {
  let names: string[] = [];
  try {
    if (existsSync(folder)) names = readdirSync(folder);
  } catch (error) {
    const fault =
      statSync(folder, { throwIfNoEntry: false })?.isDirectory() === false ? "got a file" : causeOf(error);
    throw new UsageError(`--checkpoint ${folder}: expected a folder, ${fault}`);
  }
  const steps = names.flatMap((name) => NAME.exec(name)?.[1] ?? []).sort((a, b) => Number(a) - Number(b));
  const last = steps.at(-1);
  return last === undefined
    ? undefined
    : { file: join(folder, `checkpoint-${last}.safetensors`), step: Number(last) };
}

/** @throws UsageError naming what differs from the run whose checkpoints are in the folder */
function expectSameRun(folder: string, identity: Identity): void {
  const file = join(folder, RUN);
  let known: unknown;
  try {
    known = JSON.parse(readFileSync(file, "utf8"));
  } catch (error) {
    throw new UsageError(`${file}: expected what the run of the checkpoints was told (${messageOf(error)})`);
  }
  if (!isPlainObject(known)) throw new UsageError(`${file}: expected an object, got ${show(known)}`);
  const names = [...new Set([...Object.keys(known), ...Object.keys(identity)])];
  const differing = names.filter((name) => known[name] !== identity[name]);
  if (differing.length === 0) return;
  const name = differing[0]!;
  const others = differing.length > 1 ? ` (others: ${listed(differing.slice(1))})` : "";
  throw new UsageError(
    `--checkpoint ${folder}: ${name}: expected ${show(known[name])}, as the run in the folder has, got ${show(identity[name])}${others}`,
  );
}

/**
 * Makes the folder ready for a run: returns the checkpoint to go on from, and nothing for one that begins.
 * @throws UsageError for a folder of another run, or one with checkpoints that nobody asked to go on from
 */
export async function openCheckpoints(
  folder: string,
  resume: boolean,
  identity: Identity,
): Promise<Newest | undefined> {
  const newest = newestIn(folder);
  if (newest && !resume) {
    throw new UsageError(
      `--checkpoint ${folder}: expected a folder without checkpoints, got one with that of step ${newest.step}: ` +
        "--resume goes on from there",
    );
  }
  if (newest) {
    expectSameRun(folder, identity);
    return newest;
  }
  try {
    mkdirSync(folder, { recursive: true });
    await save(join(folder, RUN), Buffer.from(`${JSON.stringify(identity, undefined, 2)}\n`));
  } catch (error) {
    throw new UsageError(`--checkpoint ${folder}: cannot be written to (${causeOf(error)})`);
  }
  return undefined;
}

/** @throws UsageError for a file that cannot be read or is no checkpoint */
export function loadCheckpoint(file: string): Model {
  try {
    return loadModel(readFileSync(file));
  } catch (error) {
    throw new UsageError(`${file}: expected a checkpoint (${causeOf(error)})`);
  }
}

/** The error of a run that a signal ended, which says where it goes on; others as they are. */
export function sayingWhereItGoesOn(error: unknown, folder: string): unknown {
  if (!(error instanceof Interrupted)) return error;
  const newest = newestIn(folder);
  return newest
    ? new Interrupted(error.signal, `--checkpoint ${folder} --resume goes on from step ${newest.step}`)
    : error;
}
