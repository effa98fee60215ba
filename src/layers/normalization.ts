/** Layers that bring means to 0 and variances to 1, then scale and shift by weights. */
import { OptionError, ShapeError } from "../errors.ts";
import { checkOptions, flag, numberIn, positiveInteger, show } from "../options.ts";
import { shapeText, sizeOf, type Shape } from "../tensor.ts";
import type { Affine } from "./epilogue.ts";
import { checkInitializer, type Initializer } from "./initializers.ts";
import {
  onlyInput,
  type Buffer,
  type BuildContext,
  type Layer,
  type Pass,
  type WeightSpec,
} from "./layer.ts";
import { defineLayer } from "./symbolic.ts";

export interface NormalizationOptions {
  /** Added to the variance. Default: 0.001. */
  epsilon?: number;
  /** Whether there is a weight `beta` to add. Default: true. */
  center?: boolean;
  /** Whether there is a weight `gamma` to multiply with. Default: true. */
  scale?: boolean;
  /** Default: `"zeros"`. */
  betaInitializer?: Initializer;
  /** Default: `"ones"`. */
  gammaInitializer?: Initializer;
  name?: string;
}

export interface BatchNormalizationOptions extends NormalizationOptions {
  /** Share of the old moving mean and variance that stays in a step. Default: 0.99. */
  momentum?: number;
}

export interface GroupNormalizationOptions extends NormalizationOptions {
  /** Default: 32. */
  groups?: number;
}

export interface LayerNormalizationOptions extends NormalizationOptions {
  /** The axes that are normalized together, the last ones: -1 for the channels, [-3, -2, -1] for the image. Default: -1. */
  axis?: number | readonly number[];
}

const KEYS = ["epsilon", "center", "scale", "betaInitializer", "gammaInitializer", "name"] as const;

type Settings = Required<Omit<NormalizationOptions, "name">>;

function checkSettings(type: string, options: NormalizationOptions): Settings {
  const { betaInitializer = "zeros", gammaInitializer = "ones" } = options;
  return {
    epsilon: Math.fround(numberIn(`${type}: epsilon`, options.epsilon ?? 0.001, 0)),
    center: flag(`${type}: center`, options.center ?? true),
    scale: flag(`${type}: scale`, options.scale ?? true),
    betaInitializer: checkInitializer(`${type}: betaInitializer`, betaInitializer),
    gammaInitializer: checkInitializer(`${type}: gammaInitializer`, gammaInitializer),
  };
}

/** `gamma` and `beta`, as far as the settings have them. */
function affineWeights(
  { scale, center, gammaInitializer, betaInitializer }: Settings,
  shape: Shape,
): WeightSpec[] {
  const gamma = { name: "gamma", shape, initializer: gammaInitializer };
  const beta = { name: "beta", shape, initializer: betaInitializer };
  return [...(scale ? [gamma] : []), ...(center ? [beta] : [])];
}

/** A pair of `gamma` and `beta` among a layer's weights or their gradients. */
function affineOf<T>(
  { scale, center }: Settings,
  all: readonly T[],
): { gamma: T | undefined; beta: T | undefined } {
  return { gamma: scale ? all[0] : undefined, beta: center ? all[scale ? 1 : 0] : undefined };
}

/** How `n` images are cut into sets with a mean and a variance each: see `assembly/normalization.ts`. */
interface Cut {
  readonly c: number;
  readonly groups: number;
  images(n: number): number;
  rows(n: number): number;
}

/** Where means and variances lie. */
interface Statistics {
  readonly mean: Buffer;
  readonly variance: Buffer;
  /** Whether they do not follow from the input. */
  readonly fixed: boolean;
}

const addressOf = (buffer: Buffer | undefined | null): number => buffer?.pointer ?? 0;

/** The passes with statistics that lie there, or that the forward pass puts there. */
function passOf(
  context: BuildContext,
  settings: Settings,
  { c, groups, images, rows }: Cut,
  { mean, variance, fixed }: Statistics,
): Pass {
  const { kernels, x, y, dy, dx } = context;
  const { epsilon } = settings;
  const { gamma, beta } = affineOf(settings, context.weights);
  const space = context.scratch(kernels.normalizeWorkspace(c), "forward");
  const forward = (n: number): void => {
    const [m, v, ws] = [mean.pointer, variance.pointer, space.pointer];
    if (!fixed) kernels.normalizeStatistics(images(n), rows(n), c, groups, x.pointer, m, v, ws);
    const [g, b] = [addressOf(gamma), addressOf(beta)];
    kernels.normalizeForward(images(n), rows(n), c, groups, x.pointer, m, v, epsilon, g, b, y.pointer, ws);
  };
  if (!context.backward) return { forward };
  const { gamma: dgamma, beta: dbeta } = affineOf(settings, context.gradients);
  const backSpace = context.scratch(kernels.normalizeWorkspace(c), "backward");
  const backward = (n: number): void => {
    kernels.normalizeBackward(
      images(n),
      rows(n),
      c,
      groups,
      x.pointer,
      dy.pointer,
      mean.pointer,
      variance.pointer,
      epsilon,
      addressOf(gamma),
      fixed,
      addressOf(dx),
      addressOf(dgamma),
      addressOf(dbeta),
      backSpace.pointer,
    );
  };
  return { forward, backward };
}

/** How one image is cut; the weights have the shape of its last `axes`. */
interface ImageCut {
  readonly rows: number;
  readonly c: number;
  readonly groups: number;
  readonly axes: number;
}

/** Each image is normalized by statistics of its own, in training and inference alike. */
function byImage(
  type: string,
  name: string | undefined,
  config: object,
  settings: Settings,
  cutOf: (input: Shape, where: string) => ImageCut,
): Layer {
  return defineLayer({
    type,
    name,
    config: { ...config, ...settings },
    backwardReads: { x: true, y: false },
    overwrites: [0],
    isView: () => false,
    outputShape(inputs, where) {
      const input = onlyInput(inputs, where);
      cutOf(input, where);
      return input;
    },
    weights(inputs) {
      const input = onlyInput(inputs);
      return affineWeights(settings, input.slice(-cutOf(input, type).axes));
    },
    build(context) {
      const input = onlyInput(context.inputs);
      const { rows, c, groups } = cutOf(input, context.name);
      const perImage = sizeOf(input) / (rows * c);
      const sets = context.capacity * perImage * groups;
      const statistics = { mean: context.saved(sets), variance: context.saved(sets), fixed: false };
      const cut: Cut = { c, groups, images: (n) => n * perImage, rows: () => rows };
      return passOf(context, settings, cut, statistics);
    },
  });
}

/**
 * Layer normalization (Ba et al. 2016): `y = gamma·(x − mean) / √(variance + epsilon) + beta` over the last axes of each
 * image together; `gamma` and `beta` have their shape.
 * @throws OptionError, ShapeError naming the layer, the expected and the given.
 */
export function layerNormalization(options: LayerNormalizationOptions = {}): Layer {
  checkOptions("layerNormalization", options, [...KEYS, "axis"]);
  const settings = checkSettings("layerNormalization", options);
  const { axis = -1, name } = options;
  const axes = [...(Array.isArray(axis) ? (axis as number[]) : [axis as number])];
  if (axes.length === 0 || !axes.every((each) => Number.isInteger(each) && each < 0)) {
    throw new OptionError(
      `layerNormalization: axis: expected negative integers, counted from the last axis, got ${show(axis)}`,
    );
  }
  const count = axes.length;
  if ([...axes].sort((a, b) => b - a).some((each, i) => each !== -1 - i)) {
    throw new OptionError(`layerNormalization: axis: expected the last axes, -1, -2 …, got ${show(axis)}`);
  }
  return byImage("layerNormalization", name, { axis: axes }, settings, (input, where) => {
    if (count > input.length) {
      throw new ShapeError(`${where}: expected at least ${count} axes, got ${shapeText(input)}`);
    }
    return { rows: 1, c: sizeOf(input.slice(-count)), groups: 1, axes: count };
  });
}

/**
 * Group normalization (Wu & He 2018): the channels of each image in groups, over all of its pixels;
 * `gamma` and `beta` have one number a channel.
 * @throws OptionError, ShapeError naming the layer, the expected and the given.
 */
export function groupNormalization(options: GroupNormalizationOptions = {}): Layer {
  checkOptions("groupNormalization", options, [...KEYS, "groups"]);
  const settings = checkSettings("groupNormalization", options);
  const groups = positiveInteger("groupNormalization: groups", options.groups ?? 32);
  return byImage("groupNormalization", options.name, { groups }, settings, (input, where) => {
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
 * Instance normalization (Ulyanov et al. 2016): each channel of each image over its pixels.
 * @throws OptionError naming the layer, the expected and the given.
 */
export function instanceNormalization(options: NormalizationOptions = {}): Layer {
  checkOptions("instanceNormalization", options, KEYS);
  const settings = checkSettings("instanceNormalization", options);
  return byImage("instanceNormalization", options.name, {}, settings, (input) => {
    const c = input.at(-1)!;
    return { rows: sizeOf(input) / c, c, groups: c, axes: 1 };
  });
}

/**
 * Batch normalization (Ioffe & Szegedy 2015): `y = gamma·(x − mean) / √(variance + epsilon) + beta` a channel.
 *
 * In training mean and variance are the batch's, over images and pixels, and the moving ones follow them:
 * `moving = momentum·moving + (1 − momentum)·batch`, where the variance counts m / (m − 1) times for m values, as in
 * PyTorch, whose `momentum` is 1 − this one. In inference, and where `trainable` is false, they are the moving ones. In
 * inference after a convolution or dense layer that has no activation and no other reader it is folded into that layer's
 * weights, which changes last bits; not after conv2dTranspose and separableConv2d.
 * @throws OptionError naming the layer, the expected and the given.
 */
export function batchNormalization(options: BatchNormalizationOptions = {}): Layer {
  checkOptions("batchNormalization", options, [...KEYS, "momentum"]);
  const settings = checkSettings("batchNormalization", options);
  const momentum = numberIn("batchNormalization: momentum", options.momentum ?? 0.99, 0);
  if (momentum > 1) {
    throw new OptionError(`batchNormalization: momentum: expected a number from 0 to 1, got ${momentum}`);
  }
  return defineLayer({
    type: "batchNormalization",
    name: options.name,
    config: { momentum, ...settings },
    role: { kind: "affine", of: (weights) => affineRole(settings, weights) },
    backwardReads: { x: true, y: false },
    overwrites: [0],
    isView: () => false,
    outputShape: (inputs, where) => onlyInput(inputs, where),
    weights(inputs) {
      const shape = [onlyInput(inputs).at(-1)!];
      return [
        ...affineWeights(settings, shape),
        { name: "movingMean", shape, initializer: "zeros", trainable: false },
        { name: "movingVariance", shape, initializer: "ones", trainable: false },
      ];
    },
    build: (context) => batchPass(context, settings, momentum),
  });
}

/** Normalization by the moving statistics, as a layer before it can do it. */
function affineRole(settings: Settings, weights: readonly Buffer[]): Affine {
  const [mean, variance] = weights.slice(-2) as [Buffer, Buffer];
  return { mean, variance, epsilon: settings.epsilon, ...affineOf(settings, weights) };
}

function batchPass(context: BuildContext, settings: Settings, momentum: number): Pass {
  const { kernels } = context;
  const input = onlyInput(context.inputs);
  const c = input.at(-1)!;
  const rows = (n: number): number => (n * sizeOf(input)) / c;
  const cut: Cut = { c, groups: c, images: () => 1, rows };
  const [movingMean, movingVariance] = context.weights.slice(-2) as [Buffer, Buffer];
  if (!context.training) {
    return passOf(context, settings, cut, { mean: movingMean, variance: movingVariance, fixed: true });
  }
  // Until the update, which is behind the last backward pass.
  const [mean, variance] = [context.kept(c), context.kept(c)];
  const update = (n: number, commit: boolean): boolean => {
    const m = rows(n);
    const bessel = m > 1 ? m / (m - 1) : 1;
    const mine = kernels.movingAverage(movingMean.pointer, mean.pointer, c, momentum, 1, commit);
    const its = kernels.movingAverage(movingVariance.pointer, variance.pointer, c, momentum, bessel, commit);
    return mine !== 0 && its !== 0;
  };
  return { ...passOf(context, settings, cut, { mean, variance, fixed: false }), update };
}
