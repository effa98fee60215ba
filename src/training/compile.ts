import type { ConvAlgorithm } from "../kernels/conv2d.ts";
import { checkEngine, type KernelEngine } from "../runtime/engine.ts";
import type { Runtime } from "../runtime/runtime.ts";
import { OptionError } from "../errors.ts";
import { OWN_FIGURES } from "./evaluation.ts";
import type { Loss } from "./losses/loss.ts";
import type { Metric } from "./metrics/metric.ts";
import { Objective } from "./objective.ts";
import type { Optimizer } from "./optimizers/optimizer.ts";
import { equivalent } from "./spellings.ts";
import type { TrainerOptions } from "./trainer.ts";
import { checkOptions, flag, listed, numberIn, positiveInteger, show } from "../options.ts";
import {
  checkAlgorithms,
  lossOutputsOf,
  nodeOf,
  type Graph,
  type GraphInput,
  type GraphNode,
} from "../graph/graph.ts";
import { inOrder, isNamed, type Named } from "../graph/namedTensors.ts";

export interface CompileOptions<Metrics extends readonly Metric[] = readonly Metric[]> {
  engine: KernelEngine;
  /**
   * The algorithm of the convolutions whose layer does not name one: `"im2row"` for the error bound of plain sums
   * everywhere. Default: `"auto"`, by the shape alone.
   */
  algorithm?: ConvAlgorithm | undefined;
  /** Needed for training. */
  optimizer?: Optimizer | undefined;
  /** Needed for training and `evaluate`: one for every output, or one for each by name. Training minimises their sum. */
  loss?: Loss | Named<Loss> | undefined;
  /**
   * The figures that `evaluate`, and `fit` for its validation data, return of each output besides loss and accuracy: a list
   * for every output, or one for each by name.
   */
  metrics?: Metrics | Named<readonly Metric[]> | undefined;
  /**
   * The number of batches whose gradients make one step of the optimizer: the mean over all of their images, so that small
   * batches do what one large batch would. Default: 1.
   */
  gradientAccumulationSteps?: number | undefined;
  /**
   * Keeps an exponential moving average of each weight. The averages are the model's weights after each epoch of `fit`, for
   * validation, callbacks and files; training goes on from the others. Default: false.
   */
  useEma?: boolean | undefined;
  /** The share of the average that stays with each step. Default: 0.99. */
  emaMomentum?: number | undefined;
}

/** The options of `compile`, checked. */
export interface Compiled {
  readonly runtime: Runtime;
  readonly algorithm: ConvAlgorithm;
  readonly optimizer: Optimizer | undefined;
  readonly training: TrainerOptions;
  /** It has no outputs when no loss was passed. */
  readonly objective: Objective;
}

/** Refuses a value; `meant` may be the string of another package, whose equivalent the message names. */
const expected = (where: string, what: string, got: unknown, meant = got): OptionError =>
  new OptionError(`compile: ${where}: expected ${what}, got ${show(got)}${equivalent(meant)}`);

const isLoss = (value: unknown): value is Loss => typeof (value as Loss | undefined)?.run === "function";

/** The loss of each output. @throws OptionError, ShapeError */
function lossesOf(loss: CompileOptions["loss"], names: readonly string[]): readonly Loss[] {
  if (loss === undefined) return [];
  if (isLoss(loss)) return names.map(() => loss);
  if (!isNamed(loss, names)) {
    throw expected("loss", "one of losses.*", loss);
  }
  const losses = inOrder("compile: loss", loss, names);
  losses.forEach((each, i) => {
    if (!isLoss(each)) {
      throw expected(`loss: ${names[i]}`, "one of losses.*", each);
    }
  });
  return losses;
}

const isMetric = (value: unknown): value is Metric =>
  typeof (value as Metric | undefined)?.start === "function";

/** The metrics of each output. @throws OptionError, ShapeError */
function metricsOf(
  metrics: CompileOptions["metrics"],
  outputs: readonly GraphInput[],
): readonly (readonly Metric[])[] {
  const names = outputs.map(({ name }) => name);
  const lists = isNamed(metrics, names)
    ? inOrder("compile: metrics", metrics, names)
    : names.map(() => (metrics === undefined ? [] : metrics));
  lists.forEach((list, i) => {
    if (!Array.isArray(list) || !list.every(isMetric)) {
      const other: unknown = Array.isArray(list) ? list.find((each) => !isMetric(each)) : list;
      throw expected("metrics", "a list of metrics.*", list, other);
    }
    checkMetrics(list, outputs[i]!);
  });
  return lists;
}

/** @throws OptionError unless the metrics have names of their own and the output has columns enough for each */
function checkMetrics(metrics: readonly Metric[], { name: output, shape }: GraphInput): void {
  const names = metrics.map(({ name }) => name);
  const own = names.find((name) => OWN_FIGURES.includes(name));
  if (own !== undefined) {
    throw new OptionError(
      `compile: metrics: expected none of ${listed(OWN_FIGURES)}, which every evaluation has, got ${own}`,
    );
  }
  if (new Set(names).size < names.length) {
    throw new OptionError(`compile: metrics: expected each once, got ${listed(names)}`);
  }
  const columns = shape.at(-1)!;
  for (const { name, minColumns = 1 } of metrics) {
    if (columns >= minColumns) continue;
    throw new OptionError(
      `compile: metrics: ${name}: expected rows of at least ${minColumns} columns, got ${columns} in ${output}`,
    );
  }
}

/** @throws OptionError when the output has been through the activation that the loss implies, under whatever shape */
function refuseImplied({ type, impliedActivation }: Loss, output: GraphNode, graph: Graph): void {
  if (impliedActivation === undefined) return;
  for (let node: GraphNode | undefined = output; node; node = nodeOf(graph, node.inputs[0]!)) {
    const { layer, name } = node;
    if ((layer.config as { activation?: unknown }).activation === impliedActivation) {
      throw new OptionError(
        `compile: loss: expected a linear last layer, since ${type} holds the ${impliedActivation}, ` +
          `got ${impliedActivation} in ${name}`,
      );
    }
    if (!layer.isView(false)) return;
  }
}

const TRAINING_KEYS = ["gradientAccumulationSteps", "useEma", "emaMomentum"] as const;
const KEYS = ["engine", "algorithm", "optimizer", "loss", "metrics", ...TRAINING_KEYS];

/** The options of steps. @throws OptionError */
function trainerOptions(options: CompileOptions): TrainerOptions {
  const given = TRAINING_KEYS.find((key) => options[key] !== undefined);
  if (given && !options.optimizer) {
    throw new OptionError(`compile: optimizer: expected one beside ${given}, got none`);
  }
  const { gradientAccumulationSteps, useEma, emaMomentum } = options;
  const averages = flag("compile: useEma", useEma ?? false);
  const momentum = numberIn("compile: emaMomentum", emaMomentum ?? 0.99, 0, 1);
  if (emaMomentum !== undefined && !averages) {
    throw new OptionError("compile: useEma: expected true beside emaMomentum, got none");
  }
  return {
    accumulationSteps: positiveInteger("compile: gradientAccumulationSteps", gradientAccumulationSteps ?? 1),
    ...(averages && { emaMomentum: momentum }),
  };
}

/** @throws OptionError unless each option is what its factory returns and fits the graph; ShapeError for unknown outputs. */
export function checkCompileOptions(options: CompileOptions, graph: Graph): Compiled {
  checkOptions("compile", options, KEYS);
  const { optimizer, loss } = options;
  const runtime = checkEngine("compile", options.engine);
  const algorithm = checkAlgorithms("compile", graph, options.algorithm ?? "auto");
  if (optimizer !== undefined && typeof optimizer?.start !== "function") {
    throw expected("optimizer", "one of optimizers.*", optimizer);
  }
  const outputs = lossOutputsOf(graph);
  const losses = lossesOf(
    loss,
    outputs.map(({ name }) => name),
  );
  if (optimizer && losses.length === 0) {
    throw new OptionError("compile: loss: expected one beside the optimizer, got none");
  }
  if (optimizer) {
    for (const { layer, name } of graph.nodes) {
      flag(`compile: ${name}: trainable`, layer.trainable);
      numberIn(`compile: ${name}: learningRateMultiplier`, layer.learningRateMultiplier, 0);
    }
  }
  if (options.metrics !== undefined && losses.length === 0) {
    throw new OptionError("compile: loss: expected one beside the metrics, got none");
  }
  losses.forEach((each, i) =>
    refuseImplied(each, nodeOf(graph, graph.outputs[graph.lossOutputs[i]!]!), graph),
  );
  const objective = new Objective(graph, losses, metricsOf(options.metrics, outputs));
  return { runtime, algorithm, optimizer, training: trainerOptions(options), objective };
}
