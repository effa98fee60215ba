/** The plan of training steps, and of gradients outside of them. */
import { planGradients, type GradientTarget } from "../graph/gradients.ts";
import type { Graph } from "../graph/graph.ts";
import type { Parameter, Parameters } from "../graph/parameters.ts";
import { backwardPasses, type BackwardPasses } from "../graph/passes.ts";
import { createPlan, type Plan } from "../graph/plan.ts";
import type { Runtime } from "../runtime/runtime.ts";
import type { TrainingBatch } from "./batch.ts";
import type { LossOutput } from "./objective.ts";

/** A plan with all passes of a step. */
export interface TrainingPlan extends Plan, BackwardPasses {
  /** The addresses of the labels, by output with a loss. */
  readonly labels: readonly number[];
}

export interface TrainingPlanOptions {
  readonly target: GradientTarget;
  /** By node: true when its layer is not frozen. */
  readonly trainable: readonly boolean[];
  readonly outputs: readonly LossOutput[];
  readonly seed: number;
}

/** Plans a net with its gradients, for random draws that follow from `seed`. @throws MemoryError, with everything freed */
export function planTraining(
  runtime: Runtime,
  graph: Graph,
  parameters: Parameters,
  { target, trainable, outputs, seed }: TrainingPlanOptions,
): TrainingPlan {
  const { capacity } = target;
  const training = { planGradients, target, trainable };
  const plan = createPlan(runtime, graph, parameters, { capacity, training });
  try {
    const labels = outputs.map(({ size }) => plan.allocate(capacity * size));
    const key = plan.batchKey;
    key.indices = plan.allocate(capacity, "int32");
    key.seedLow = seed >>> 0;
    key.seedHigh = Math.floor(seed / 2 ** 32);
    return Object.assign(plan, backwardPasses(plan.passes), { labels });
  } catch (error) {
    plan.dispose();
    throw error;
  }
}

/** A step and its memory, for what watches its passes. */
export interface WatchedStep {
  readonly plan: TrainingPlan;
  readonly batch: TrainingBatch;
  readonly graph: Graph;
  readonly parameters: Parameters;
  readonly runtime: Runtime;
  /** The weights that learn, and the address of their gradients, which are laid out as the parameters. */
  readonly learning: ReadonlySet<Parameter>;
  readonly gradients: number;
}
