/**
 * Learning rates that follow from the number of steps done: what optimizers take as `learningRate`. All is computed in float64, in
 * the order in which the formulas are written, with the same bits on every host.
 */
import { OptionError } from "../../errors.ts";
import { pow } from "../../math.ts";
import { checkOptions, flag, isCount, listOf, numberIn, positiveInteger, show } from "../../options.ts";
import { rateConfig, rateOf, type LearningRate, type Schedule, type ScheduleConfig } from "./rate.ts";

export type { Schedule, ScheduleConfig } from "./rate.ts";

/** A schedule with what it can be made again from. */
function described(
  type: string,
  options: Omit<ScheduleConfig, "type">,
  rate: (step: number) => number,
): Schedule {
  return Object.assign(rate, { config: { type, ...options } as ScheduleConfig });
}

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
  return described(
    "stepDecay",
    { learningRate: rate, stepSize: size, gamma },
    (step) => rate * power(gamma, Math.floor(step / size)),
  );
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
  return described(
    "cosineDecay",
    { learningRate: rate, decaySteps: steps, alpha },
    (step) => rate * (alpha + ((1 - alpha) * (1 + cosPi(Math.min(step, steps) / steps))) / 2),
  );
}

/**
 * `(learningRate − endLearningRate)·(1 − step / decaySteps)^power + endLearningRate`, and `endLearningRate` from `decaySteps` on; with
 * `cycle`, `decaySteps` is instead multiplied until it is at least `step`, so that the rate rises again. As `PolynomialDecay` of
 * Keras.
 * @throws OptionError
 */
export function polynomialDecay(options: {
  learningRate: number;
  decaySteps: number;
  /** Default: 0.0001. */
  endLearningRate?: number | undefined;
  /** Default: 1, a straight line. */
  power?: number | undefined;
  /** Default: false. */
  cycle?: boolean | undefined;
}): Schedule {
  const where = "polynomialDecay";
  checkOptions(where, options, ["learningRate", "decaySteps", "endLearningRate", "power", "cycle"]);
  const learningRate = numberIn(`${where}: learningRate`, options.learningRate, 0);
  const decaySteps = positiveInteger(`${where}: decaySteps`, options.decaySteps);
  const endLearningRate = numberIn(`${where}: endLearningRate`, options.endLearningRate ?? 0.0001, 0);
  const exponent = numberIn(`${where}: power`, options.power ?? 1, 0);
  const cycle = flag(`${where}: cycle`, options.cycle ?? false);
  return described(where, { learningRate, decaySteps, endLearningRate, power: exponent, cycle }, (step) => {
    const steps = cycle ? decaySteps * Math.max(1, Math.ceil(step / decaySteps)) : decaySteps;
    const left = 1 - Math.min(step, steps) / steps;
    return (learningRate - endLearningRate) * pow(left, exponent) + endLearningRate;
  });
}

/**
 * `learningRate·decayRate^(step / decaySteps)`; with `staircase` the exponent is ⌊step / decaySteps⌋. Whole powers are multiplied
 * out by squaring, others are `math.pow`. As `ExponentialDecay` of Keras.
 * @throws OptionError
 */
export function exponentialDecay(options: {
  learningRate: number;
  decaySteps: number;
  decayRate: number;
  /** Default: false. */
  staircase?: boolean | undefined;
}): Schedule {
  const where = "exponentialDecay";
  checkOptions(where, options, ["learningRate", "decaySteps", "decayRate", "staircase"]);
  const learningRate = numberIn(`${where}: learningRate`, options.learningRate, 0);
  const decaySteps = positiveInteger(`${where}: decaySteps`, options.decaySteps);
  const decayRate = numberIn(`${where}: decayRate`, options.decayRate, 0);
  const staircase = flag(`${where}: staircase`, options.staircase ?? false);
  return described(where, { learningRate, decaySteps, decayRate, staircase }, (step) => {
    const exact = step / decaySteps;
    const exponent = staircase ? Math.floor(exact) : exact;
    return learningRate * (Number.isInteger(exponent) ? power : pow)(decayRate, exponent);
  });
}

/**
 * `values[i]` for the first i with `step ≤ boundaries[i]`, and the last of `values`, of which there is one more, after all of
 * them. As `PiecewiseConstantDecay` of Keras.
 * @throws OptionError unless boundaries are ascending integers ≥ 0
 */
export function piecewiseConstant(options: {
  boundaries: readonly number[];
  values: readonly number[];
}): Schedule {
  const where = "piecewiseConstant";
  checkOptions(where, options, ["boundaries", "values"]);
  const boundaries = listOf(options.boundaries, isCount);
  if (!boundaries?.every((boundary, i) => i === 0 || boundary > boundaries[i - 1]!)) {
    throw new OptionError(
      `${where}: boundaries: expected ascending integers ≥ 0, got ${show(options.boundaries)}`,
    );
  }
  const values = listOf(options.values, (each): each is number => typeof each === "number");
  if (values?.length !== boundaries.length + 1) {
    throw new OptionError(
      `${where}: values: expected ${boundaries.length + 1} rates, one more than boundaries, got ${show(options.values)}`,
    );
  }
  for (const [i, value] of values.entries()) numberIn(`${where}: values[${i}]`, value, 0);
  return described(where, { boundaries, values }, (step) => {
    const i = boundaries.findIndex((boundary) => step <= boundary);
    return values.at(i)!;
  });
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
  const warmed = (step: number): number =>
    step < steps ? (rate(0) * (step + 1)) / steps : rate(step - steps);
  const config = rateConfig(options.learningRate);
  return config === undefined ? warmed : described("warmUp", { learningRate: config, steps }, warmed);
}
