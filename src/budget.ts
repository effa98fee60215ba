import { MemoryError, OptionError } from "./errors.ts";
import { checkOptions, show, type Settled } from "./options.ts";

/**
 * Bounds on what a file or a model may make the package do. They are checked before anything is allocated or gone through,
 * since a file of a few bytes can ask for anything, and a MemoryError refuses what exceeds them.
 */
export interface Limits {
  /**
   * Bytes of JavaScript that are taken while a net is read, lowered and planned: messages, lists, tables and constants
   * that are computed, counted whether or not they are kept; besides eight times those of the file. What lies in linear memory
   * counts against `maximumMemory`, and this is never more than that. Default: 128 MiB.
   */
  bytes?: number | undefined;
  /** Elements of a tensor, for one image, and of all weights that a file does not hold itself. Default: 2²⁸. */
  elements?: number | undefined;
  /** Nodes of a file, or layers of a model. Default: 2¹⁸, which is 262,144. */
  nodes?: number | undefined;
  /** Time to read, lower and plan a net. Default: none, so that it does not depend on the machine which nets load. */
  milliseconds?: number | undefined;
}

export type AllLimits = Settled<Limits>;

export const DEFAULT_LIMITS = {
  bytes: 2 ** 27,
  elements: 2 ** 28,
  nodes: 2 ** 18,
  milliseconds: Infinity,
};

/** The limits passed to `load`, completed by the defaults. @throws OptionError */
export function checkLimits(given: Limits, maximumMemory: number): AllLimits {
  checkOptions("load: limits", given, Object.keys(DEFAULT_LIMITS));
  const limits = { ...DEFAULT_LIMITS };
  for (const name of Object.keys(limits) as (keyof Limits)[]) {
    const value: unknown = given[name] ?? limits[name];
    if (!(typeof value === "number" && value > 0)) {
      throw new OptionError(`load: limits: ${name}: expected a number > 0, got ${show(value)}`);
    }
    limits[name] = value;
  }
  return { ...limits, bytes: Math.min(limits.bytes, maximumMemory) };
}

/**
 * Counts what one act of the package (reading a file, lowering its net, planning its buffers) may still spend of the
 * limits.
 */
export class Budget {
  /** The place that errors name. */
  where: string;
  readonly limits: AllLimits;
  readonly #mostBytes: number;
  readonly #end: number;
  #bytes = 0;

  constructor(where: string, limits: AllLimits, fileSize = 0) {
    this.where = where;
    this.limits = limits;
    this.#mostBytes = limits.bytes + 8 * fileSize;
    const { milliseconds } = limits;
    // A host without a clock can do without this limit.
    this.#end = milliseconds === Infinity ? Infinity : performance.now() + milliseconds;
  }

  /** Counts bytes that are about to be taken. @throws MemoryError when they become too many, or it takes too long */
  spend(bytes: number): void {
    this.#bytes += bytes;
    if (!(this.#bytes <= this.#mostBytes)) {
      this.#refuse("bytes", `${this.#mostBytes} bytes of lists and constants`, this.#bytes);
    }
    if (this.#end < Infinity && performance.now() > this.#end)
      this.#refuse("milliseconds", `${this.limits.milliseconds} ms`, "more");
  }

  /** @throws MemoryError unless a tensor may have so many elements */
  checkElements(elements: number, what = "elements of a tensor"): void {
    const most = this.limits.elements;
    if (!(elements <= most)) this.#refuse("elements", `${most} ${what}`, elements);
  }

  /** @throws MemoryError unless there may be so many nodes */
  checkNodes(nodes: number): void {
    const most = this.limits.nodes;
    if (!(nodes <= most)) this.#refuse("nodes", `${most} nodes`, nodes);
  }

  #refuse(limit: keyof Limits, most: string, given: number | string): never {
    throw new MemoryError(
      `${this.where}: expected at most ${most}, got ${given} (load({ limits: { ${limit} } }) sets the limit)`,
    );
  }
}
