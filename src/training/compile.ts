import { checkAlgorithm, type ConvAlgorithm } from "../kernels/conv2d.ts";
import type { KernelEngine } from "../runtime/engine.ts";
import { Runtime } from "../runtime/runtime.ts";
import { OptionError } from "../errors.ts";
import type { Loss } from "./losses/index.ts";
import type { Metric } from "./metrics/metric.ts";
import type { Optimizer } from "./optimizers/index.ts";
import { checkOptions, flag, listed, show } from "../options.ts";
import { judgedOutputs, nodeOf, type Graph, type GraphInput, type GraphNode } from "../graph/graph.ts";
import { inOrder, isNamed, type Named } from "../graph/namedTensors.ts";

export interface CompileOptions {
  engine: KernelEngine;
  /**
   * How the convolutions are computed whose layer does not say: `"im2row"` for the error bound of plain sums everywhere.
   * Default: `"auto"`, by the shape alone.
   */
  algorithm?: ConvAlgorithm;
  /** Needed for training. */
  optimizer?: Optimizer;
  /** Needed for training and `evaluate`: one, for every output, or one for each by name. What is minimised is their sum. */
  loss?: Loss | Named<Loss>;
  /** What `evaluate`, and `fit` of its validation data, tell of each output besides loss and accuracy: a list for every output, or one for each by name. */
  metrics?: readonly Metric[] | Named<readonly Metric[]>;
}

/** The engine's runtime. @throws OptionError unless it is an engine, and lives. */
export function checkEngine(engine: KernelEngine): Runtime {
  const runtime = engine?.runtime;
  if (!(runtime instanceof Runtime)) {
    throw new OptionError(`compile: engine: expected what load() gives, got ${show(engine)}`);
  }
  if (runtime.disposed) {
    throw new OptionError("compile: engine: expected a live engine, got one that was disposed");
  }
  return runtime;
}

/** @throws OptionError naming the layer when there is no such algorithm, or it cannot compute the layer's convolutions. */
export function checkAlgorithms(graph: Graph, algorithm: ConvAlgorithm): ConvAlgorithm {
  checkAlgorithm("compile", algorithm);
  for (const { layer, name, inputShapes } of graph.nodes) {
    layer.checkAlgorithm?.(inputShapes, `compile: ${name}`, algorithm);
  }
  return algorithm;
}

/** What `compile` was told, checked. */
export interface Compiled {
  readonly runtime: Runtime;
  readonly algorithm: ConvAlgorithm;
  readonly optimizer: Optimizer | undefined;
  /** Of each output that can have one; none without a loss. */
  readonly losses: readonly Loss[];
  /** Of the same outputs. */
  readonly metrics: readonly (readonly Metric[])[];
}

/** The activations that are part of a loss. */
const HELD: { readonly [Type in Loss["type"]]?: string } = {
  softmaxCrossEntropy: "softmax",
  sigmoidCrossEntropy: "sigmoid",
};

const isLoss = (value: unknown): value is Loss => typeof (value as Loss | undefined)?.run === "function";

/** The loss of each output. @throws OptionError, ShapeError */
function lossesOf(loss: CompileOptions["loss"], names: readonly string[]): readonly Loss[] {
  if (loss === undefined) return [];
  if (isLoss(loss)) return names.map(() => loss);
  if (!isNamed(loss, names)) {
    throw new OptionError(`compile: loss: expected one of losses.*, got ${show(loss)}`);
  }
  const losses = inOrder("compile: loss", loss, names);
  losses.forEach((each, i) => {
    if (!isLoss(each)) {
      throw new OptionError(`compile: loss: ${names[i]}: expected one of losses.*, got ${show(each)}`);
    }
  });
  return losses;
}

const isMetric = (value: unknown): value is Metric =>
  typeof (value as Metric | undefined)?.start === "function";

/** What `evaluate` tells in any case: a metric of the name would take its place. */
const RESERVED = ["loss", "accuracy", "outputs"];

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
      throw new OptionError(`compile: metrics: expected a list of metrics.*, got ${show(list)}`);
    }
    const { name, shape } = outputs[i]!;
    const kinds = list.map((metric) => metric.name);
    const reserved = kinds.find((kind) => RESERVED.includes(kind));
    if (reserved !== undefined) {
      throw new OptionError(
        `compile: metrics: expected none of ${listed(RESERVED)}, which evaluate tells, got ${reserved}`,
      );
    }
    if (new Set(kinds).size < kinds.length) {
      throw new OptionError(`compile: metrics: expected each once, got ${listed(kinds)}`);
    }
    if (list.length > 0 && shape.at(-1) === 1) {
      throw new OptionError(`compile: metrics: expected outputs of several classes, got one in ${name}`);
    }
  });
  return lists;
}

/** @throws OptionError when the activation that is part of the loss is the output's as well, under whatever shape */
function refuseHeld({ type }: Loss, output: GraphNode, graph: Graph): void {
  const held = HELD[type];
  if (held === undefined) return;
  for (let node: GraphNode | undefined = output; node; node = nodeOf(graph, node.inputs[0]!)) {
    const { layer, name } = node;
    if ((layer.config as { activation?: unknown }).activation === held) {
      throw new OptionError(
        `compile: loss: expected a linear last layer, since ${type} holds the ${held}, got ${held} in ${name}`,
      );
    }
    if (!layer.isView(false)) return;
  }
}

/** @throws OptionError unless each option is what its factory gives and fits the graph; ShapeError for unknown outputs. */
export function checkCompileOptions(options: CompileOptions, graph: Graph): Compiled {
  checkOptions("compile", options, ["engine", "algorithm", "optimizer", "loss", "metrics"]);
  const { optimizer, loss } = options;
  const runtime = checkEngine(options.engine);
  const algorithm = checkAlgorithms(graph, options.algorithm ?? "auto");
  if (optimizer !== undefined && typeof optimizer?.start !== "function") {
    throw new OptionError(`compile: optimizer: expected one of optimizers.*, got ${show(optimizer)}`);
  }
  const outputs = judgedOutputs(graph);
  const losses = lossesOf(
    loss,
    outputs.map(({ name }) => name),
  );
  if (optimizer && losses.length === 0) {
    throw new OptionError("compile: loss: expected one beside the optimizer, got none");
  }
  if (optimizer) {
    for (const { layer, name } of graph.nodes) flag(`compile: ${name}: trainable`, layer.trainable);
  }
  if (options.metrics !== undefined && losses.length === 0) {
    throw new OptionError("compile: loss: expected one beside the metrics, got none");
  }
  losses.forEach((each, i) => refuseHeld(each, nodeOf(graph, graph.outputs[graph.judged[i]!]!), graph));
  return { runtime, algorithm, optimizer, losses, metrics: metricsOf(options.metrics, outputs) };
}
