import type { Flag, Kernels } from "../../kernels/kernels.ts";
import { OptionError } from "../../errors.ts";
import { checkOptions, flag, numberIn, show } from "../../options.ts";
import { rateOf, type LearningRate } from "./rate.ts";

export type { LearningRate };

/** One model's course through an optimizer: what changes from step to step besides the buffers. */
export interface OptimizerRun {
  /** Asks for the learning rate of step `step`, counted from 0. A step that failed may begin again. */
  begin(step: number): void;
  /**
   * Computes the step that began on `n` weights `w` with gradients `g`, whose state buffers are `states`; stores it only
   * with `commit`. Returns whether every new value is finite.
   */
  step(kernels: Kernels, w: number, g: number, states: readonly number[], n: number, commit: Flag): boolean;
}

/** Bounds on the gradients of a step. */
export interface Clip {
  /** Most that the root of the sum of all squares may be; larger gradients are scaled down to it. */
  readonly norm: number;
  /** Most that each number may be, after that. */
  readonly value: number;
}

/** An optimizer's settings. */
export interface Optimizer {
  readonly type: "sgd" | "adam" | "adamw";
  /** State buffers as large as the weights, zero at the start. */
  readonly states: number;
  /** Absent when there are no bounds. */
  readonly clip: Clip | undefined;
  start(): OptimizerRun;
}

export interface ClipOptions {
  /** Scales all gradients down together when the root of the sum of their squares is larger. Default: no bound. */
  globalClipNorm?: number;
  /** Cuts each number of a gradient to ± this. Default: no bound. */
  clipValue?: number;
}

const CLIP_KEYS = ["globalClipNorm", "clipValue"] as const;

function clipOf(type: string, { globalClipNorm, clipValue }: ClipOptions): Clip | undefined {
  if (globalClipNorm === undefined && clipValue === undefined) return undefined;
  const bound = (name: string, value: number | undefined): number => {
    if (value === undefined) return Infinity;
    if (numberIn(`${type}: ${name}`, value, 0) > 0) return value;
    throw new OptionError(`${type}: ${name}: expected a number above 0, got ${show(value)}`);
  };
  return { norm: bound("globalClipNorm", globalClipNorm), value: bound("clipValue", clipValue) };
}

export interface SgdOptions extends ClipOptions {
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
  checkOptions("sgd", options, ["learningRate", "momentum", "nesterov", "weightDecay", ...CLIP_KEYS]);
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
      begin(step) {
        current = rate(step);
      },
      step(kernels, w, g, states, n, commit) {
        return (
          kernels.sgdStep(w, g, states[0] ?? 0, n, current, momentum, weightDecay, nesterov, commit) !== 0
        );
      },
    };
  };
  return { type: "sgd", states: momentum === 0 ? 0 : 1, clip: clipOf("sgd", options), start };
}

export interface AdamOptions extends ClipOptions {
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
  checkOptions(type, options, ["learningRate", "beta1", "beta2", "epsilon", "weightDecay", ...CLIP_KEYS]);
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
    let powers = 0;
    let current = 0;
    return {
      begin(step) {
        current = rate(step);
        for (; powers <= step; powers++) {
          power1 *= beta1;
          power2 *= beta2;
        }
      },
      step(kernels, w, g, states, n, commit) {
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
          1 - power1,
          1 - power2,
          commit,
        );
        return finite !== 0;
      },
    };
  };
  return { type, states: 2, clip: clipOf(type, options), start };
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
