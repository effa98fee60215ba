/** `checkGradients`: gradients of a model or a layer against differences of the loss. */
import { OptionError } from "../errors.ts";
import type { Named } from "../graph/namedTensors.ts";
import type { Labels } from "../labels.ts";
import type { Layer } from "../layers/contract.ts";
import { input } from "../layers/symbolic.ts";
import { numberIn, positiveInteger, readOptions, show } from "../options.ts";
import { Random } from "../random.ts";
import type { KernelEngine } from "../runtime/engine.ts";
import { readShape, sizeOf, tensor, type InputTensor, type Shape, type Tensor } from "../tensor.ts";
import type { TrainingBatch } from "../training/batch.ts";
import type { GradientRun } from "../training/gradientRun.ts";
import type { Loss } from "../training/losses/loss.ts";
import { slopeAt, type Slope } from "./differences.ts";
import { move, rootMeanSquare, sample } from "./gradientNumbers.ts";
import { modelOf } from "./functional.ts";
import { gradientCheck, type GradientCheck, type GradientRow } from "./gradientTable.ts";
import { Model } from "./model.ts";
import { checkSeed } from "./seed.ts";

/** The options of a check of a model. */
export interface CheckGradientsOptions {
  /** How many numbers of each weight and input are compared: the one with the largest gradient, and others. Default: 8. */
  samples?: number | undefined;
  /** The relative error that a gradient may have beyond what differences may err. Default: 0.001. */
  tolerance?: number | undefined;
  /** The seed of what is drawn. Default: 0. */
  seed?: number | undefined;
}

/** The options of a check of a layer. */
export interface CheckLayerOptions extends CheckGradientsOptions {
  engine: KernelEngine;
  /** The shape of one image, or the shapes of several inputs. The images are drawn from the normal distribution. */
  inputShape: Shape | readonly Shape[];
  /** Default: 3. */
  batchSize?: number | undefined;
}

const WHERE = "checkGradients";

/** Above this part of a gradient the uncertainty of the differences decides nothing. */
const UNDECIDED = 0.1;

/** At how many places a gradient has to differ to be wrong. */
const PLACES = 3;

/** A bound on the rounding of a loss, as a part of what relative errors of the outputs weigh in it: 8 half units. */
const ROUNDING = 8 * 2 ** -24;

/** The mean over the rows of Σ target·output, in float64: its gradient by the output is any that one wants. */
const projection: Loss = {
  type: "projection",
  takesClasses: false,
  labels: "finite",
  outputEvaluation: "argmax",
  run({ heap: { floats, doubles, ints } }, _classes, x, targets, dx, rows, columns, result) {
    let sum = 0;
    for (let i = 0; i < rows * columns; i++) {
      const target = floats[(targets >>> 2) + i]!;
      sum += floats[(x >>> 2) + i]! * target;
      if (dx) floats[(dx >>> 2) + i] = target / rows;
    }
    doubles[result >>> 3] = sum / rows;
    ints[(result >>> 2) + 2] = 0;
  },
};

/**
 * Compares the gradients of a model, of each weight that learns and of the inputs, with differences of the loss of `compile`,
 * as training computes both: with dropout's mask of the first step, and batch normalization by the batch. The result
 * has a row for each weight and input, and prints as a table. The model stays as it was.
 *
 * Weights and images are moved by random 1.6 % first, so that no relu stands exactly at its kink and no two numbers are equal
 * under a maximum. The loss is computed in float32 and summed in float64. The step of the differences is chosen for each
 * number, and how far they may err is stated with them: a kink within reach, rounding and curvature widen it, and
 * what differs by more, and by more than the tolerance, at three places is wrong. Many images have many kinks, and leave more
 * undecided: four do. It takes about 180 forward passes for each weight.
 *
 * @example console.log(String(checkGradients(model, images, labels)));
 * @throws OptionError, ShapeError; Error unless the model is compiled with a loss
 */
export function checkGradients(
  model: Model,
  images: InputTensor | Named<InputTensor>,
  labels: Labels | Named<Labels>,
  options?: CheckGradientsOptions,
): GradientCheck;
/**
 * Does the same for a layer alone, with weights as a model starts them, images from the normal distribution, and random
 * weights times its output as the loss.
 * @example console.log(String(checkGradients(scale(), { engine, inputShape: [4, 4, 3] })));
 */
export function checkGradients(layer: Layer, options: CheckLayerOptions): GradientCheck;
export function checkGradients(
  what: Model | Layer,
  second: InputTensor | Named<InputTensor> | CheckLayerOptions,
  labels?: Labels | Named<Labels>,
  options: CheckGradientsOptions = {},
): GradientCheck {
  if (what instanceof Model) {
    const settings = readOptions(WHERE, options, SETTINGS, []);
    return checkModel(what, second as Tensor, labels!, settings);
  }
  if (typeof what?.apply !== "function") {
    throw new OptionError(`${WHERE}: expected a model or a layer, got ${show(what)}`);
  }
  return checkLayer(what, second as CheckLayerOptions);
}

const readSeed = (where: string, seed: unknown): number => {
  checkSeed(where, seed);
  return seed as number;
};

const SETTINGS = {
  samples: [positiveInteger, 8],
  tolerance: [(where: string, value: unknown) => numberIn(where, value, 0), 1e-3],
  seed: [readSeed, 0],
} as const;

interface Settings {
  readonly samples: number;
  readonly tolerance: number;
  readonly seed: number;
}

function checkLayer(layer: Layer, options: CheckLayerOptions): GradientCheck {
  const { engine, inputShape, ...rest } = options ?? {};
  const { batchSize, ...settings } = readOptions(
    WHERE,
    rest,
    { ...SETTINGS, batchSize: [positiveInteger, 3] },
    [],
  );
  const given: readonly unknown[] = Array.isArray(inputShape?.[0]) ? inputShape : [inputShape];
  const shapes = given.map((shape) => readShape(`${WHERE}: inputShape`, shape));
  const inputs = shapes.map((shape, i) => input({ shape, name: shapes.length > 1 ? `x${i}` : "x" }));
  const model = modelOf({ inputs, outputs: layer.apply(inputs), seed: settings.seed });
  const random = new Random(settings.seed, 1);
  const normal = (shape: Shape): Tensor => {
    const own = [batchSize, ...shape];
    return tensor(
      Float32Array.from({ length: sizeOf(own) }, () => random.normal()),
      own,
    );
  };
  const images = Object.fromEntries(model.inputs.map(({ name, shape }) => [name, normal(shape)]));
  model.compile({ engine, loss: projection });
  try {
    return checkModel(model, images, normal(model.outputShape), settings);
  } finally {
    model.dispose();
  }
}

/** The numbers of a weight or an input, which the check changes, and their gradient. */
interface Checked {
  readonly layer: string;
  readonly weight: string;
  /** Views of memory are to be read for each use. */
  readonly numbers: () => Float32Array;
  readonly gradient: () => Float32Array;
}

function checkModel(
  model: Model,
  images: InputTensor | Named<InputTensor>,
  labels: Labels | Named<Labels>,
  settings: Settings,
): GradientCheck {
  const { run, batch } = model.gradientsToCheck(WHERE, images, labels);
  const own = batch.images.map(({ shape, data }) => ({ shape, data: Float32Array.from(data) }));
  const before = run.learning.map(({ parameter }) => run.weightOf(parameter).slice());
  try {
    return gradientCheck(compareAll(run, { ...batch, images: own }, settings));
  } finally {
    run.learning.forEach(({ parameter }, i) => run.weightOf(parameter).set(before[i]!));
    run.dispose();
  }
}

/** Everything that a run has gradients of. */
function checkedOf(run: GradientRun, images: readonly InputTensor[]): Checked[] {
  const weights = run.learning.map(({ parameter, layer, weight }) => ({
    layer,
    weight,
    numbers: () => run.weightOf(parameter),
    gradient: () => run.gradientOf(parameter),
  }));
  const inputs = run.inputs.flatMap((layer, i) =>
    layer === undefined
      ? []
      : [
          {
            layer,
            weight: "",
            numbers: () => images[i]!.data as Float32Array,
            gradient: () => run.inputGradients()[i]!.data,
          },
        ],
  );
  return [...inputs, ...weights];
}

/** Compares everything, and once more at other places what differs there: kinks err here or there, a wrong gradient always. */
function compareAll(run: GradientRun, batch: TrainingBatch, settings: Settings): GradientRow[] {
  const random = new Random(settings.seed, 2);
  const all = checkedOf(run, batch.images);
  let rows: GradientRow[] = [];
  let samples: (readonly number[])[] = [];
  for (let place = 0; place < PLACES && !(rows.length > 0 && rows.every(({ ok }) => ok)); place++) {
    for (const { numbers } of all) move(numbers(), random);
    const { here, rounding, gradients } = gradientsHere(run, batch, all);
    if (place === 0) samples = gradients.map((gradient) => sample(gradient, settings.samples, random));
    const lossNow = (): number => lossOf(run, batch);
    rows = all.map((each, i) => {
      if (rows[i]?.ok) return rows[i];
      const gradient = gradients[i]!;
      const typical = rootMeanSquare(gradient);
      const found = samples[i]!.map((at) => {
        const { slope, uncertainty } = slopeOf(each.numbers, at, lossNow, here, rounding);
        return comparison(gradient[at]!, slope, uncertainty, typical);
      });
      return { layer: each.layer, weight: each.weight, ...worst(found, settings.tolerance) };
    });
  }
  return rows;
}

function lossOf(run: GradientRun, batch: TrainingBatch): number {
  run.forward(batch);
  return run.loss(batch);
}

/** The loss, a bound on its rounding, and the gradients of everything. @throws OptionError when the loss is not finite */
function gradientsHere(
  run: GradientRun,
  batch: TrainingBatch,
  all: readonly Checked[],
): { here: number; rounding: number; gradients: Float32Array[] } {
  const here = lossOf(run, batch);
  if (!Number.isFinite(here)) throw new OptionError(`${WHERE}: expected a finite loss, got ${here}`);
  const rounding = ROUNDING * (Math.abs(here) + run.magnitude());
  run.backward();
  return { here, rounding, gradients: all.map(({ gradient }) => gradient()) };
}

/** The slope of the loss by one of these numbers, which is as before afterwards. */
function slopeOf(
  numbers: () => Float32Array,
  at: number,
  lossNow: () => number,
  here: number,
  rounding: number,
): Slope {
  const value = numbers()[at]!;
  const size = Math.max(Math.abs(value), rootMeanSquare(numbers())) || 1;
  const lossAt = (moved: number): number => {
    numbers()[at] = moved;
    return lossNow();
  };
  const slope = slopeAt(lossAt, value, here, size, rounding);
  numbers()[at] = value;
  return slope;
}

type Comparison = Pick<GradientRow, "analytic" | "numeric" | "error" | "uncertainty">;

function comparison(analytic: number, numeric: number, uncertainty: number, typical: number): Comparison {
  if (!Number.isFinite(analytic)) return { analytic, numeric, error: Infinity, uncertainty: 0 };
  if (uncertainty === Infinity) return { analytic, numeric, error: 0, uncertainty };
  const size = Math.max(Math.abs(analytic), Math.abs(numeric), typical);
  const part = (distance: number): number => (distance === 0 ? 0 : distance / size);
  return { analytic, numeric, error: part(Math.abs(analytic - numeric)), uncertainty: part(uncertainty) };
}

/** The comparison that exceeds its uncertainty most, or falls short of it least, with the verdict on all. */
function worst(found: readonly Comparison[], tolerance: number): Omit<GradientRow, "layer" | "weight"> {
  const excess = ({ error, uncertainty }: Comparison): number => error - uncertainty;
  const least = found.reduce((most, each) => (excess(each) > excess(most) ? each : most));
  return {
    ...least,
    compared: found.length,
    undecided: found.filter(({ uncertainty }) => !(uncertainty < UNDECIDED)).length,
    ok: found.every((each) => !(excess(each) > tolerance)),
  };
}
