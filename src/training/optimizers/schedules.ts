/**
 * Learning rates that follow from the number of steps done: what optimizers take as `learningRate`. All is computed in float64, in
 * the order in which the formulas are written, with the same bits on every host.
 */
import { OptionError } from "../../errors.ts";
import { pow } from "../../math.ts";
import {
  flag,
  isCount,
  listOf,
  notNegative,
  positiveInteger,
  readOptions,
  show,
  type Read,
  type Readers,
} from "../../options.ts";
import {
  checkRate,
  rateConfig,
  rateOf,
  type LearningRate,
  type Schedule,
  type ScheduleConfig,
} from "./rate.ts";

export type { Schedule, ScheduleConfig } from "./rate.ts";

/** Makes a schedule from its options, from which it can be made again. @throws OptionError */
function scheduleOf<Options extends object, const All extends Readers<Options>>(
  type: string,
  options: Options,
  readers: All,
  make: (config: Read<All>) => (step: number) => number,
): Schedule {
  const config = readOptions<Options, All>(type, options, readers, []);
  return Object.assign(make(config), { config: { type, ...config } as ScheduleConfig });
}

const RATE = { learningRate: notNegative } as const;
const DECAY = { ...RATE, decaySteps: positiveInteger } as const;

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
  const readers = { ...RATE, stepSize: positiveInteger, gamma: [notNegative, 0.1] } as const;
  return scheduleOf(
    "stepDecay",
    options,
    readers,
    ({ learningRate, stepSize, gamma }) =>
      (step) =>
        learningRate * power(gamma, Math.floor(step / stepSize)),
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
  const readers = { ...DECAY, alpha: [notNegative, 0] } as const;
  return scheduleOf(
    "cosineDecay",
    options,
    readers,
    ({ learningRate: rate, decaySteps: steps, alpha }) =>
      (step) =>
        rate * (alpha + ((1 - alpha) * (1 + cosPi(Math.min(step, steps) / steps))) / 2),
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
  const readers = {
    ...DECAY,
    endLearningRate: [notNegative, 0.0001],
    power: [notNegative, 1],
    cycle: [flag, false],
  } as const;
  return scheduleOf("polynomialDecay", options, readers, (config) => (step) => {
    const { learningRate, decaySteps, endLearningRate, cycle } = config;
    const steps = cycle ? decaySteps * Math.max(1, Math.ceil(step / decaySteps)) : decaySteps;
    const left = 1 - Math.min(step, steps) / steps;
    return (learningRate - endLearningRate) * pow(left, config.power) + endLearningRate;
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
  const readers = { ...DECAY, decayRate: notNegative, staircase: [flag, false] } as const;
  return scheduleOf("exponentialDecay", options, readers, (config) => (step) => {
    const { learningRate, decaySteps, decayRate, staircase } = config;
    const exact = step / decaySteps;
    const exponent = staircase ? Math.floor(exact) : exact;
    return learningRate * (Number.isInteger(exponent) ? power : pow)(decayRate, exponent);
  });
}

function readBoundaries(where: string, value: unknown): readonly number[] {
  const boundaries = listOf(value, isCount);
  if (boundaries?.every((boundary, i) => i === 0 || boundary > boundaries[i - 1]!)) return boundaries;
  throw new OptionError(`${where}: expected ascending integers ≥ 0, got ${show(value)}`);
}

function readRates(where: string, value: unknown): readonly number[] {
  if (!Array.isArray(value)) throw new OptionError(`${where}: expected a list of rates, got ${show(value)}`);
  return value.map((each, i) => notNegative(`${where}[${i}]`, each));
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
  return scheduleOf(
    "piecewiseConstant",
    options,
    { boundaries: readBoundaries, values: readRates },
    ({ boundaries, values }) => {
      if (values.length !== boundaries.length + 1) {
        throw new OptionError(
          `piecewiseConstant: values: expected ${boundaries.length + 1} rates, one more than boundaries, got ${show(values)}`,
        );
      }
      return (step) => {
        const i = boundaries.findIndex((boundary) => step <= boundary);
        return values.at(i)!;
      };
    },
  );
}

/**
 * The first `steps` steps rise in equal parts to the first rate of `learningRate`, which follows, its steps counted from
 * there.
 * @throws OptionError
 */
export function warmUp(options: { learningRate: LearningRate; steps: number }): Schedule {
  const readers = { learningRate: checkRate, steps: positiveInteger };
  const { learningRate, steps } = readOptions("warmUp", options, readers, []);
  const rate = rateOf("warmUp: learningRate", learningRate);
  const warmed = (step: number): number =>
    step < steps ? (rate(0) * (step + 1)) / steps : rate(step - steps);
  const config = rateConfig(learningRate);
  if (config === undefined) return warmed;
  return Object.assign(warmed, { config: { type: "warmUp", learningRate: config, steps } });
}
