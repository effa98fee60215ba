/** Makes again what a receipt describes. */
import { FormatError, OptionError, OwnError } from "../errors.ts";
import type { Graph } from "../graph/graph.ts";
import { isPlainObject, show } from "../options.ts";
import { parseGraph } from "../model/checkpoint.ts";
import type { Loss } from "../training/losses/loss.ts";
import * as losses from "../training/losses/index.ts";
import type { Optimizer } from "../training/optimizers/optimizer.ts";
import * as optimizers from "../training/optimizers/index.ts";
import * as schedules from "../training/optimizers/schedules.ts";
import type { PartDescription } from "../training/receipt.ts";

type Factories<Part> = Readonly<Record<string, (options: never) => Part>>;

/** Makes a part again. @throws FormatError naming the field, when there is no such factory or it refuses the options */
function remake<Part>(field: string, factories: object, type: unknown, options: object): Part {
  if (typeof type !== "string" || !Object.hasOwn(factories, type)) {
    const known = Object.keys(factories).join(", ");
    throw new FormatError(`verifyReceipt: ${field}: type: expected one of ${known}, got ${show(type)}`);
  }
  try {
    return (factories as Factories<Part>)[type]!(options as never);
  } catch (cause) {
    if (!(cause instanceof OptionError)) throw cause;
    throw new FormatError(`verifyReceipt: ${field}: ${cause.message}`, { cause });
  }
}

/** A learning rate, which may be a schedule that warms another one up. */
function remakeRate(field: string, rate: unknown): unknown {
  if (!isPlainObject(rate)) return rate;
  const { type, ...options } = rate;
  const inner = options["learningRate"];
  const learningRate = remakeRate(`${field}: learningRate`, inner);
  return remake(field, schedules, type, inner === undefined ? options : { ...options, learningRate });
}

export function remakeOptimizer(
  field: string,
  { type, learningRate, ...options }: PartDescription,
): Optimizer {
  const rate = remakeRate(`${field}: learningRate`, learningRate);
  return remake(field, optimizers, type, { ...options, learningRate: rate });
}

export function remakeLoss(field: string, { type, ...options }: PartDescription): Loss {
  return remake(field, losses, type, options);
}

/** The graph and the seed of an architecture. @throws FormatError */
export function remakeGraph(architecture: object): { readonly graph: Graph; readonly seed: number } {
  try {
    return parseGraph(JSON.stringify(architecture));
  } catch (cause) {
    if (!(cause instanceof OwnError)) throw cause;
    throw new FormatError(`verifyReceipt: architecture: ${cause.message}`, { cause });
  }
}
