/** Where runs of `fit` write checkpoints: files of a folder, of which the last few stay, or a function of the caller. */
import { OptionError } from "../errors.ts";
import { StorageError } from "../files/error.ts";
import { findNodeModules, type NodeModules } from "../files/node.ts";
import { removeLeftovers, replaceFile } from "../files/replaceFile.ts";
import { listed, positiveInteger, show } from "../options.ts";

/** The epoch, and the steps of the model, after which a checkpoint was written. */
export interface CheckpointTime {
  epoch: number;
  step: number;
}

/** Where checkpoints go: to `path` or to `save`. */
export interface CheckpointPlaces {
  /**
   * A folder, on hosts with files; it is made if it is not there. The files are `checkpoint-<step>.safetensors`, with eight
   * digits, and each is there whole or not at all, whatever ends the process.
   */
  path?: string | undefined;
  /** Takes the bytes; a promise that it returns is awaited. */
  save?: ((bytes: Uint8Array<ArrayBuffer>, time: CheckpointTime) => unknown) | undefined;
  /** How many files stay: the oldest is removed when a new one is safe. Default: 3. */
  keep?: number | undefined;
}

/** Takes checkpoints. */
export interface CheckpointWriter {
  /** Called before the first step, whether or not the run goes on from a checkpoint. @throws OptionError, StorageError */
  begin(step: number, resumed: boolean): void;
  /** Writes one. A promise is to be awaited. @throws StorageError */
  write(bytes: Uint8Array<ArrayBuffer>, time: CheckpointTime): unknown;
}

const PREFIX = "checkpoint-";
const SUFFIX = ".safetensors";

/** The files of a folder. */
class CheckpointFolder implements CheckpointWriter {
  readonly #where: string;
  readonly #path: string;
  readonly #keep: number;
  readonly #node: NodeModules;

  constructor(where: string, path: string, keep: number, node: NodeModules) {
    this.#where = where;
    this.#path = node.path.resolve(path);
    this.#keep = keep;
    this.#node = node;
  }

  begin(step: number, resumed: boolean): void {
    this.#attempt("a folder that can be written to", ({ fs }) => {
      fs.mkdirSync(this.#path, { recursive: true });
      removeLeftovers(this.#path, `.${PREFIX}`, { ...this.#node, files: fs }, true);
      const later = this.#steps().filter((other) => other > step);
      if (resumed || later.length === 0) return;
      throw new OptionError(
        `${this.#where}: path: expected a folder without checkpoints of another run, with steps above ${step}, as this run goes on ` +
          `from none, got ${listed(later.map(fileOf))} in ${this.#path}`,
      );
    });
  }

  write(bytes: Uint8Array<ArrayBuffer>, { step }: CheckpointTime): void {
    this.#attempt("a folder that can be written to", ({ fs, path }) => {
      const file = path.join(this.#path, fileOf(step));
      const old = fs.lstatSync(file, { throwIfNoEntry: false });
      replaceFile(file, old, bytes, { ...this.#node, files: fs });
      // Files of later steps are those of a run that was gone on with from an earlier one: it comes to them again.
      const earlier = this.#steps().filter((other) => other <= step);
      for (const other of earlier.slice(0, Math.max(earlier.length - this.#keep, 0))) {
        fs.unlinkSync(path.join(this.#path, fileOf(other)));
      }
    });
  }

  /** The steps of the files that are there, ascending. */
  #steps(): number[] {
    const names = this.#node.fs.readdirSync(this.#path);
    const steps = names.flatMap((name) => {
      const step = Number(name.slice(PREFIX.length, -SUFFIX.length));
      return name === fileOf(step) ? [step] : [];
    });
    return steps.sort((a, b) => a - b);
  }

  #attempt(expected: string, work: (node: NodeModules) => void): void {
    try {
      work(this.#node);
    } catch (error) {
      if (error instanceof OptionError) throw error;
      const { message } = error as Error;
      throw new StorageError(`${this.#where}: ${this.#path}: expected ${expected}, got ${message}`, {
        cause: error,
      });
    }
  }
}

/** The name of the file after so many steps. */
const fileOf = (step: number): string => `${PREFIX}${String(step).padStart(8, "0")}${SUFFIX}`;

/** Reads where checkpoints go. @throws OptionError */
export function checkpointWriter(
  where: string,
  { path, save, keep = 3 }: CheckpointPlaces,
): CheckpointWriter {
  if ((path === undefined) === (save === undefined)) {
    throw new OptionError(`${where}: expected path or save, got ${path === undefined ? "neither" : "both"}`);
  }
  const most = keep === Infinity ? keep : positiveInteger(`${where}: keep`, keep);
  if (save !== undefined) {
    if (typeof save === "function") return { begin() {}, write: (bytes, time) => save(bytes, time) };
    throw new OptionError(`${where}: save: expected a function, got ${show(save)}`);
  }
  if (typeof path !== "string" || path === "") {
    throw new OptionError(`${where}: path: expected the path of a folder, got ${show(path)}`);
  }
  const node = findNodeModules();
  if (typeof node !== "string") return new CheckpointFolder(where, path, most, node);
  throw new OptionError(`${where}: path: expected save, as ${node}, got ${show(path)}`);
}
