/** Optimizers of users: `defineOptimizer` makes an optimizer from a function on plain arrays. */
import { checkDefinition, checkFunctions, configOf, type Definition } from "../../definition.ts";
import { OptionError } from "../../errors.ts";
import { checkName, checkOptions, isPlainObject, readOptions, show } from "../../options.ts";
import type { Heap } from "../../runtime/heap.ts";
import * as optimizers from "./index.ts";
import { CLIP, clipOf, type ClipOptions, type Optimizer, type OptimizerRun } from "./optimizer.ts";
import { checkRate, type LearningRate } from "./rate.ts";

/** Everything that a step of one weight reads and changes. */
export interface OptimizerViews<Config> {
  readonly config: Config;
  /** The number of steps done before, and the learning rate of this one. */
  readonly step: number;
  readonly rate: number;
  /** The numbers of the weight, which the step changes. */
  readonly weights: Float32Array;
  /** Their gradient, within the bounds that were asked for. */
  readonly gradient: Float32Array;
  /** The slots by name, each with a number for each of the weight's. They are zero before the first step, and kept. */
  readonly slots: Readonly<Record<string, Float32Array>>;
}

export interface OptimizerDefinition<Config extends object> extends Definition<Config> {
  /** The learning rate unless the options have one. Default: none, so that they must. */
  readonly learningRate?: LearningRate;
  /** The names of the slots, or a function of the options that returns them. Default: none. */
  readonly slots?: readonly string[] | ((config: Config) => readonly string[]);
  /**
   * Brings one weight and its slots up to date, in place. It is called once for each weight in each step. The arrays are
   * copies: they are stored when all numbers of all weights and slots are finite, else nothing changes.
   */
  update(views: OptimizerViews<Config>): void;
}

/** Makes an optimizer from its options. */
export type OptimizerFactory<Config extends object> = (
  options?: Partial<Config> & ClipOptions & { learningRate?: LearningRate | undefined },
) => Optimizer;

/**
 * Makes a kind of optimizer. The result is a factory like those of `optimizers`: it takes `learningRate`, `globalClipNorm` and
 * `clipValue` besides its own options.
 *
 * @example
 * const signs = defineOptimizer({
 *   type: "signs",
 *   update({ weights, gradient, rate }) {
 *     for (let i = 0; i < weights.length; i++) weights[i]! -= rate * Math.sign(gradient[i]!);
 *   },
 * });
 * model.compile({ engine, optimizer: signs({ learningRate: 0.01 }), loss });
 *
 * @throws OptionError naming what is missing or wrong in the definition; the factory throws it for options.
 */
export function defineOptimizer<Config extends object = Record<never, never>>(
  definition: OptimizerDefinition<Config>,
): OptimizerFactory<Config> {
  const where = "defineOptimizer";
  checkDefinition(where, "an optimizer", definition);
  const { type } = definition;
  checkFunctions(where, definition, ["update"]);
  checkOptions(`${where}: ${type}`, definition, ["type", "config", "learningRate", "slots", "update"]);
  // The state of a run names its optimizer.
  if (Object.hasOwn(optimizers, type)) {
    throw new OptionError(`${where}: type: expected a name that is none of optimizers.*, got ${type}`);
  }
  return (options = {}) => {
    if (!isPlainObject(options)) {
      throw new OptionError(`${type}: expected an object of options, got ${show(options)}`);
    }
    const { learningRate, globalClipNorm, clipValue, ...own } = options;
    const config = configOf(definition, own as Partial<Config>, ["learningRate", ...Object.keys(CLIP)]);
    const { slots = [] } = definition;
    const names = [...(typeof slots === "function" ? slots(config) : slots)];
    for (const name of names) checkName(`${type}: slots`, name);
    return {
      type,
      learningRate: checkRate(`${type}: learningRate`, (learningRate ?? definition.learningRate)!),
      slots: names,
      clip: clipOf(readOptions<ClipOptions, typeof CLIP>(type, { globalClipNorm, clipValue }, CLIP, [])),
      perWeight: true,
      start: () => runOf(definition, config, names),
    };
  };
}

/** One weight in a run: views of it, of its gradient and of its slots, and the copies that a step changes. */
interface Work<Config> {
  readonly views: { -readonly [Key in keyof OptimizerViews<Config>]: OptimizerViews<Config>[Key] };
  readonly copies: readonly Float32Array[];
  /** The weight and its slots in memory, which growth detaches. */
  stored: readonly Float32Array[];
  memory: unknown;
}

function runOf<Config extends object>(
  { update }: OptimizerDefinition<Config>,
  config: Config,
  names: readonly string[],
): OptimizerRun {
  const works = new Map<number, Work<Config>>();
  let current = 0;
  return {
    begin(step) {
      current = step;
    },
    step({ heap }, w, g, slots, n, rate, commit) {
      let work = works.get(w);
      if (!work) works.set(w, (work = workOf(config, names, n)));
      attach(work, heap, w, g, slots, n);
      const { views, copies, stored } = work;
      if (commit) {
        for (let i = 0; i < copies.length; i++) stored[i]!.set(copies[i]!);
        return true;
      }
      for (let i = 0; i < copies.length; i++) copies[i]!.set(stored[i]!);
      views.step = current;
      views.rate = rate;
      update(views);
      return copies.every(allFinite) && allFinite(views.gradient);
    },
  };
}

function workOf<Config>(config: Config, names: readonly string[], n: number): Work<Config> {
  const weights = new Float32Array(n);
  const slots = Object.fromEntries(names.map((name) => [name, new Float32Array(n)]));
  const views = { config, step: 0, rate: 0, weights, gradient: weights, slots };
  return { views, copies: [weights, ...names.map((name) => slots[name]!)], stored: [], memory: undefined };
}

/** Makes the views of memory, unless they are still those. */
function attach<Config>(
  work: Work<Config>,
  heap: Heap,
  w: number,
  g: number,
  slots: readonly number[],
  n: number,
): void {
  if (work.memory === heap.memory.buffer) return;
  const floats = (at: number): Float32Array => heap.floats.subarray(at >>> 2, (at >>> 2) + n);
  work.memory = heap.memory.buffer;
  work.stored = [w, ...slots].map(floats);
  work.views.gradient = floats(g);
}

/** True when all numbers are finite. */
function allFinite(numbers: Float32Array): boolean {
  for (let i = 0; i < numbers.length; i++) if (!Number.isFinite(numbers[i])) return false;
  return true;
}
