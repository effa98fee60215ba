/** Learning rates that follow from the number of steps done: what optimizers take as `learningRate`. */
import { checkOptions, numberIn, positiveInteger } from "../../options.ts";
import { rateOf, type LearningRate } from "./rate.ts";

/** A rate for each step, counted from 0. */
export type Schedule = (step: number) => number;

/** `base^exponent` for an integer ≥ 0, by squaring: hosts differ in the last bits of `Math.pow`. */
function power(base: number, exponent: number): number {
  let result = 1;
  for (let rest = exponent, square = base; rest > 0; rest = Math.floor(rest / 2), square *= square) {
    if (rest % 2 === 1) result *= square;
  }
  return result;
}

/** Terms of the cosine's series: the next is below 10⁻¹⁹ up to π/2. */
const TERMS = 12;

/** `cos(π·z)` for z from 0 to 1 by its series, with + − × ÷ alone: hosts differ in the last bits of `Math.cos`. */
function cosPi(z: number): number {
  if (z > 0.5) return -cosPi(1 - z);
  const angle = Math.PI * z;
  const square = angle * angle;
  let sum = 1;
  for (let k = TERMS; k >= 1; k--) sum = 1 - (square / ((2 * k - 1) * (2 * k))) * sum;
  return sum;
}

/**
 * `learningRate·gamma^⌊step / stepSize⌋`: the rate drops by a factor every `stepSize` steps.
 * @throws OptionError
 */
export function stepDecay(options: {
  learningRate: number;
  stepSize: number;
  gamma?: number | undefined;
}): Schedule {
  checkOptions("stepDecay", options, ["learningRate", "stepSize", "gamma"]);
  const rate = numberIn("stepDecay: learningRate", options.learningRate, 0);
  const size = positiveInteger("stepDecay: stepSize", options.stepSize);
  const gamma = numberIn("stepDecay: gamma", options.gamma ?? 0.1, 0);
  return (step) => rate * power(gamma, Math.floor(step / size));
}

/**
 * `learningRate·(alpha + (1 − alpha)·(1 + cos(π·step / decaySteps)) / 2)`, and `learningRate·alpha` from `decaySteps` on
 * (Loshchilov and Hutter 2017, without restarts).
 * @throws OptionError
 */
export function cosineDecay(options: {
  learningRate: number;
  decaySteps: number;
  alpha?: number | undefined;
}): Schedule {
  checkOptions("cosineDecay", options, ["learningRate", "decaySteps", "alpha"]);
  const rate = numberIn("cosineDecay: learningRate", options.learningRate, 0);
  const steps = positiveInteger("cosineDecay: decaySteps", options.decaySteps);
  const alpha = numberIn("cosineDecay: alpha", options.alpha ?? 0, 0);
  return (step) => rate * (alpha + ((1 - alpha) * (1 + cosPi(Math.min(step, steps) / steps))) / 2);
}

/**
 * The first `steps` steps rise in equal parts to the first rate of `learningRate`, which follows, its steps counted from
 * there.
 * @throws OptionError
 */
export function warmUp(options: { learningRate: LearningRate; steps: number }): Schedule {
  checkOptions("warmUp", options, ["learningRate", "steps"]);
  const steps = positiveInteger("warmUp: steps", options.steps);
  const rate = rateOf("warmUp: learningRate", options.learningRate);
  return (step) => (step < steps ? (rate(0) * (step + 1)) / steps : rate(step - steps));
}
