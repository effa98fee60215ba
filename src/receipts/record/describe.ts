/** Descriptions of what a run was made with, from which it can be made again. */
import { ACTIVATION } from "../../kernels/kernels.ts";
import * as layers from "../../layers/index.ts";
import type { Compiled } from "../../training/compile.ts";
import type { FitSettings } from "../../training/fitOptions.ts";
import type { Loss } from "../../training/losses/loss.ts";
import type { Optimizer } from "../../training/optimizers/optimizer.ts";
import { rateConfig } from "../../training/optimizers/rate.ts";
import type { CompileDescription, FitDescription, PartDescription } from "../../training/receipt.ts";

/** An optimizer that its factory can make again; of others the type alone. */
export function describeOptimizer({ type, config, learningRate, clip }: Optimizer): PartDescription {
  const rate = rateConfig(learningRate);
  if (!config || rate === undefined) return { type };
  const { norm = Infinity, value = Infinity } = clip ?? {};
  return {
    type,
    ...config,
    learningRate: rate,
    ...(norm < Infinity && { globalClipNorm: norm }),
    ...(value < Infinity && { clipValue: value }),
  };
}

export function describeLoss({ type, config }: Loss): PartDescription {
  return { type, ...config };
}

export function describeCompile({
  optimizer,
  objective,
  algorithm,
  training: { accumulationSteps = 1, emaMomentum },
}: Compiled): CompileDescription {
  return {
    optimizer: describeOptimizer(optimizer!),
    loss: Object.fromEntries(objective.outputs.map(({ name, loss }) => [name, describeLoss(loss)])),
    algorithm,
    gradientAccumulationSteps: accumulationSteps,
    ...(emaMomentum !== undefined && { emaMomentum }),
  };
}

export function describeFit(settings: FitSettings, stream: boolean): FitDescription {
  const { epochs, initialEpoch, batchSize, shuffle, validationSplit, classWeight } = settings;
  return {
    epochs,
    ...(initialEpoch > 0 && { initialEpoch }),
    stream,
    ...(!stream && { batchSize, shuffle }),
    ...(validationSplit > 0 && { validationSplit }),
    ...(classWeight && { classWeight: { ...classWeight } }),
  };
}

/** The part of an architecture's JSON that says what its nodes are. */
interface Nodes {
  readonly nodes: readonly { readonly type: string; readonly config: { readonly activation?: unknown } }[];
}

/** The parts of a user in a run. */
export function needsOf(architecture: object, { optimizer, objective }: Compiled): string[] {
  const own = (architecture as Nodes).nodes.flatMap(({ type, config: { activation } }) => [
    ...(Object.hasOwn(layers, type) ? [] : [`layer ${type}`]),
    ...(typeof activation !== "string" || Object.hasOwn(ACTIVATION, activation)
      ? []
      : [`activation ${activation}`]),
  ]);
  return [
    ...(describeOptimizer(optimizer!)["learningRate"] === undefined ? ["optimizer"] : []),
    ...(objective.outputs.some(({ loss }) => loss.config === undefined) ? ["loss"] : []),
    ...new Set(own),
  ];
}
