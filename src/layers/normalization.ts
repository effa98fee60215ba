/** Layers that bring means to 0 and variances to 1, then scale and shift by weights. Batch normalization has its own file. */
import { OptionError, ShapeError } from "../errors.ts";
import { flag, numberIn, positiveInteger, readOptions, show, type Settled } from "../options.ts";
import { shapeText, sizeOf, type Shape } from "../tensor.ts";
import { checkInitializer, type Initializer } from "./initializers.ts";
import type { Buffer } from "./buffer.ts";
import {
  onlyInput,
  type BuildContext,
  type Gradient,
  type Layer,
  type Pass,
  type WeightSpec,
} from "./contract.ts";
import { layerOf } from "./symbolic.ts";

export interface NormalizationOptions {
  /** Added to the variance. Default: 0.001. */
  epsilon?: number | undefined;
  /** True for a weight `beta`, which is added. Default: true. */
  center?: boolean | undefined;
  /** True for a weight `gamma`, by which the result is multiplied. Default: true. */
  scale?: boolean | undefined;
  /** Default: `"zeros"`. */
  betaInitializer?: Initializer | undefined;
  /** Default: `"ones"`. */
  gammaInitializer?: Initializer | undefined;
  name?: string | undefined;
}

export interface GroupNormalizationOptions extends NormalizationOptions {
  /** Default: 32. */
  groups?: number | undefined;
}

export interface LayerNormalizationOptions extends NormalizationOptions {
  /**
   * The axes that are normalized together, the last ones: -1 for the channels, [-3, -2, -1] for the image. Default: -1.
   */
  axis?: number | readonly number[] | undefined;
}

function readEpsilon(where: string, value: unknown): number {
  return Math.fround(numberIn(where, value, 0));
}

/** The readers of these options. */
export const NORMALIZATION = {
  epsilon: [readEpsilon, 0.001],
  center: [flag, true],
  scale: [flag, true],
  betaInitializer: [checkInitializer, "zeros"],
  gammaInitializer: [checkInitializer, "ones"],
} as const;

export type Settings = Settled<Omit<NormalizationOptions, "name">>;

/** The weights `gamma` and `beta`, each if the settings ask for it. */
export function affineWeights(
  { scale, center, gammaInitializer, betaInitializer }: Settings,
  shape: Shape,
): WeightSpec[] {
  const gamma = { name: "gamma", shape, initializer: gammaInitializer };
  const beta = { name: "beta", shape, initializer: betaInitializer };
  return [...(scale ? [gamma] : []), ...(center ? [beta] : [])];
}

/** Finds `gamma` and `beta` among a layer's weights or their gradients. */
export function affineOf<T>(
  { scale, center }: Settings,
  all: readonly T[],
): { gamma: T | undefined; beta: T | undefined } {
  return { gamma: scale ? all[0] : undefined, beta: center ? all[scale ? 1 : 0] : undefined };
}

/** A division of `n` images into sets with a mean and a variance each, explained in `assembly/normalization/forward.ts`. */
export interface Cut {
  readonly c: number;
  readonly groups: number;
  images(n: number): number;
  rows(n: number): number;
}

/** The buffers of means and variances. */
interface Statistics {
  readonly mean: Buffer;
  readonly variance: Buffer;
  /** True for moving statistics, false for those of the input. */
  readonly fixed: boolean;
}

const addressOf = (buffer: Buffer | undefined | null): number => buffer?.pointer ?? 0;

/** The state of a normalization in a plan that its gradient needs. */
export interface NormalizationState {
  readonly settings: Settings;
  readonly cut: Cut;
  readonly statistics: Statistics;
}

/** The forward pass, which reads the statistics if they are fixed and otherwise computes and stores them. */
export function normalizationPass(
  context: BuildContext,
  settings: Settings,
  cut: Cut,
  statistics: Statistics,
): Pass<NormalizationState> {
  const { kernels, x, y } = context;
  const { c, groups, images, rows } = cut;
  const { mean, variance, fixed } = statistics;
  const { epsilon } = settings;
  const { gamma, beta } = affineOf(settings, context.weights);
  const workspace = context.workspace(kernels.normalizeWorkspace(c));
  const forward = (n: number): void => {
    const [m, v, ws] = [mean.pointer, variance.pointer, workspace.pointer];
    if (!fixed) kernels.normalizeStatistics(images(n), rows(n), c, groups, x.pointer, m, v, ws);
    const [g, b] = [addressOf(gamma), addressOf(beta)];
    kernels.normalizeForward(images(n), rows(n), c, groups, x.pointer, m, v, epsilon, g, b, y.pointer, ws);
  };
  return { forward, state: { settings, cut, statistics } };
}

/** The gradients of x, gamma and beta; the formulas are stated in `assembly/normalization/backward.ts`. */
export const normalizationGradient: Gradient<NormalizationState> = (context, state) => {
  const { kernels, x, dx, dy } = context;
  const { settings } = state;
  const { c, groups, images, rows } = state.cut;
  const { mean, variance, fixed } = state.statistics;
  const { gamma } = affineOf(settings, context.weights);
  const { gamma: dgamma, beta: dbeta } = affineOf(settings, context.gradients);
  const workspace = context.workspace(kernels.normalizeWorkspace(c));
  return (n) =>
    kernels.normalizeBackward(
      images(n),
      rows(n),
      c,
      groups,
      x.pointer,
      dy.pointer,
      mean.pointer,
      variance.pointer,
      settings.epsilon,
      addressOf(gamma),
      fixed,
      addressOf(dx),
      addressOf(dgamma),
      addressOf(dbeta),
      workspace.pointer,
    );
};

/** A division of one image into such sets; the weights have the shape of its last `axes`. */
interface ImageCut {
  readonly rows: number;
  readonly c: number;
  readonly groups: number;
  readonly axes: number;
}

/** Makes a layer that normalizes each image by its own statistics, in training and inference alike. */
function byImage(
  type: string,
  name: string | undefined,
  config: Settings,
  cutOf: (input: Shape, where: string) => ImageCut,
): Layer {
  return layerOf({
    type,
    name,
    config,
    backwardReads: { x: true },
    overwrites: [0],
    outputShape(inputs, where) {
      const input = onlyInput(inputs, where);
      cutOf(input, where);
      return input;
    },
    weights(inputs) {
      const input = onlyInput(inputs);
      return affineWeights(config, input.slice(-cutOf(input, type).axes));
    },
    build(context) {
      const input = onlyInput(context.inputs);
      const { rows, c, groups } = cutOf(input, context.name);
      const perImage = sizeOf(input) / (rows * c);
      const sets = context.capacity * perImage * groups;
      const statistics = { mean: context.saved(sets), variance: context.saved(sets), fixed: false };
      const cut: Cut = { c, groups, images: (n) => n * perImage, rows: () => rows };
      return normalizationPass(context, config, cut, statistics);
    },
  });
}

export function readLastAxes(where: string, value: unknown): number[] {
  const axes = [...(Array.isArray(value) ? (value as number[]) : [value as number])];
  if (axes.length === 0 || !axes.every((each) => Number.isInteger(each) && each < 0)) {
    throw new OptionError(
      `${where}: expected negative integers, counted from the last axis, got ${show(value)}`,
    );
  }
  if ([...axes].sort((a, b) => b - a).some((each, i) => each !== -1 - i)) {
    throw new OptionError(`${where}: expected the last axes, -1, -2 …, got ${show(value)}`);
  }
  return axes;
}

/**
 * Layer normalization (Ba et al. 2016): `y = gamma·(x − mean) / √(variance + epsilon) + beta` with one mean and variance
 * over the last axes of each image; `gamma` and `beta` have the shape of these axes.
 * @throws OptionError, ShapeError naming the layer, the expected and the given.
 */
export function layerNormalization(options: LayerNormalizationOptions = {}): Layer {
  const config = readOptions("layerNormalization", options, { axis: [readLastAxes, -1], ...NORMALIZATION });
  const count = config.axis.length;
  return byImage("layerNormalization", options.name, config, (input, where) => {
    if (count > input.length) {
      throw new ShapeError(`${where}: expected at least ${count} axes, got ${shapeText(input)}`);
    }
    return { rows: 1, c: sizeOf(input.slice(-count)), groups: 1, axes: count };
  });
}

/**
 * Group normalization (Wu & He 2018): each group of channels of each image is normalized over all pixels; `gamma` and
 * `beta` have one number for each channel.
 * @throws OptionError, ShapeError naming the layer, the expected and the given.
 */
export function groupNormalization(options: GroupNormalizationOptions = {}): Layer {
  const config = readOptions("groupNormalization", options, {
    groups: [positiveInteger, 32],
    ...NORMALIZATION,
  });
  const { groups } = config;
  return byImage("groupNormalization", options.name, config, (input, where) => {
    const c = input.at(-1)!;
    if (c % groups !== 0) {
      throw new ShapeError(
        `${where}: groups: expected a divisor of the ${c} channels (${shapeText(input)}), got ${groups}`,
      );
    }
    return { rows: sizeOf(input) / c, c, groups, axes: 1 };
  });
}

/**
 * Instance normalization (Ulyanov et al. 2016): each channel of each image is normalized over its pixels.
 * @throws OptionError naming the layer, the expected and the given.
 */
export function instanceNormalization(options: NormalizationOptions = {}): Layer {
  const config = readOptions("instanceNormalization", options, NORMALIZATION);
  return byImage("instanceNormalization", options.name, config, (input) => {
    const c = input.at(-1)!;
    return { rows: sizeOf(input) / c, c, groups: c, axes: 1 };
  });
}
