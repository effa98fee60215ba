import type { Flag, Kernels } from "../engine/kernels.ts";
import { OptionError } from "../errors.ts";
import { checkOptions, flag, numberIn, show } from "../options.ts";
import { rateOf, type LearningRate } from "./rate.ts";

export type { LearningRate };

/** One model's course through an optimizer: what changes from step to step besides the buffers. */
export interface OptimizerRun {
  /**
   * Computes step `step` (counted from 0) on `n` weights `w` with gradients `g`, whose state buffers are `states`;
   * stores it only with `commit`. Returns whether every new value is finite. Call it without `commit` first: that asks
   * for the learning rate, once a step.
   */
  step(
    kernels: Kernels,
    w: number,
    g: number,
    states: readonly number[],
    n: number,
    step: number,
    commit: Flag,
  ): boolean;
}

/** An optimizer's settings. */
export interface Optimizer {
  readonly type: "sgd" | "adam" | "adamw";
  /** State buffers as large as the weights, zero at the start. */
  readonly states: number;
  start(): OptimizerRun;
}

export interface SgdOptions {
  learningRate: LearningRate;
  /** Default: 0. */
  momentum?: number;
  /** Looks ahead along the momentum. Default: false. */
  nesterov?: boolean;
  /** Added to the gradient as weightDecay·w. Default: 0. */
  weightDecay?: number;
}

/**
 * Stochastic gradient descent as in PyTorch: g += weightDecay·w; v = momentum·v + g; w −= rate·v, or with nesterov
 * w −= rate·(g + momentum·v).
 * @throws OptionError
 */
export function sgd(options: SgdOptions): Optimizer {
  checkOptions("sgd", options, ["learningRate", "momentum", "nesterov", "weightDecay"]);
  const rate = rateOf("sgd: learningRate", options.learningRate);
  const momentum = numberIn("sgd: momentum", options.momentum ?? 0, 0);
  const weightDecay = numberIn("sgd: weightDecay", options.weightDecay ?? 0, 0);
  const nesterov = flag("sgd: nesterov", options.nesterov ?? false);
  if (nesterov && momentum === 0) {
    throw new OptionError(`sgd: nesterov: expected a momentum above 0, got ${show(momentum)}`);
  }
  const start = (): OptimizerRun => {
    let current = 0;
    return {
      step(kernels, w, g, states, n, step, commit) {
        if (!commit) current = rate(step);
        return (
          kernels.sgdStep(w, g, states[0] ?? 0, n, current, momentum, weightDecay, nesterov, commit) !== 0
        );
      },
    };
  };
  return { type: "sgd", states: momentum === 0 ? 0 : 1, start };
}

export interface AdamOptions {
  /** Default: 0.001. */
  learningRate?: LearningRate;
  /** Decay of the mean of the gradients. Default: 0.9. */
  beta1?: number;
  /** Decay of the mean of their squares. Default: 0.999. */
  beta2?: number;
  /** Added to the root in the denominator. Default: 1e-8. */
  epsilon?: number;
  /** Default: 0 in adam (added to the gradient), 0.01 in adamw (taken off the weights). */
  weightDecay?: number;
}

function adaptive(type: "adam" | "adamw", options: AdamOptions, defaultDecay: number): Optimizer {
  checkOptions(type, options, ["learningRate", "beta1", "beta2", "epsilon", "weightDecay"]);
  const rate = rateOf(`${type}: learningRate`, options.learningRate ?? 0.001);
  const beta1 = numberIn(`${type}: beta1`, options.beta1 ?? 0.9, 0, 1);
  const beta2 = numberIn(`${type}: beta2`, options.beta2 ?? 0.999, 0, 1);
  const epsilon = numberIn(`${type}: epsilon`, options.epsilon ?? 1e-8, 0);
  // Without it a weight whose gradient is zero would step by 0 / 0.
  if (Math.fround(epsilon) === 0) {
    throw new OptionError(`${type}: epsilon: expected a float32 above 0, got ${show(epsilon)}`);
  }
  const weightDecay = numberIn(`${type}: weightDecay`, options.weightDecay ?? defaultDecay, 0);
  const decoupled = type === "adamw";
  const start = (): OptimizerRun => {
    // β^t as a running product: exact operations only, so that every host has the same.
    let power1 = 1;
    let power2 = 1;
    let current = 0;
    return {
      step(kernels, w, g, states, n, step, commit) {
        if (!commit) current = rate(step);
        const next1 = power1 * beta1;
        const next2 = power2 * beta2;
        const finite = kernels.adamStep(
          w,
          g,
          states[0]!,
          states[1]!,
          n,
          current,
          beta1,
          beta2,
          epsilon,
          weightDecay,
          decoupled,
          1 - next1,
          1 - next2,
          commit,
        );
        if (commit) {
          power1 = next1;
          power2 = next2;
        }
        return finite !== 0;
      },
    };
  };
  return { type, states: 2, start };
}

/**
 * Adam (Kingma & Ba 2015): m and v are decaying means of g and g²; w −= rate·m̂ / (√v̂ + ε).
 * @throws OptionError
 */
export function adam(options: AdamOptions = {}): Optimizer {
  return adaptive("adam", options, 0);
}

/**
 * AdamW (Loshchilov & Hutter 2019): Adam with w −= rate·weightDecay·w besides, apart from the gradient.
 * @throws OptionError
 */
export function adamw(options: AdamOptions = {}): Optimizer {
  return adaptive("adamw", options, 0.01);
}
