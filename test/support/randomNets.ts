/** Nets drawn from a seed: layers in any order and with any options, of shapes that fit. */
import {
  input,
  layers,
  losses,
  model,
  OptionError,
  optimizers,
  ShapeError,
  tensor,
  type Activation,
  type Layer,
  type Loss,
  type Model,
  type Optimizer,
  type Shape,
  type Tensor,
} from "im2row";
import type { SymbolicTensor } from "../../src/layers/contract.ts";
import { random, type Random } from "./random.ts";

/** Elements of one image's value, so that nets stay quick. */
const MOST_ELEMENTS = 2500;
const CLASSES = 3;

export const pick = <T>(data: Random, list: readonly T[]): T => list[data.integer(0, list.length - 1)]!;

const ACTIVATIONS: readonly Activation[] = [
  "linear",
  "relu",
  "leakyRelu",
  { leakyRelu: 0.1 },
  "sigmoid",
  "tanh",
  "softmax",
  "relu6",
  "elu",
  "selu",
  "hardSigmoid",
  "softplus",
  "silu",
  "hardSwish",
  "gelu",
  "geluTanh",
  "mish",
];

const coin = (data: Random): boolean => data.integer(0, 1) === 1;
/** Small sizes are the likelier ones. */
const size = (data: Random, most: number): number =>
  1 + Math.min(data.integer(0, most - 1), data.integer(0, most - 1));
const pair = (data: Random, most: number): [number, number] => [size(data, most), size(data, most)];
const margins = (data: Random): [[number, number], [number, number]] => [
  [data.integer(0, 2), data.integer(0, 2)],
  [data.integer(0, 2), data.integer(0, 2)],
];

/** Options whose parts were drawn one by one: the layer itself says whether they fit. */
const options = (given: object): never => given as never;

const weighted = (data: Random): object => ({ useBias: coin(data), activation: pick(data, ACTIVATIONS) });

function window(data: Random, kernel: string): object {
  return {
    [kernel]: pick(data, [3, 1, pair(data, 4)]),
    strides: pick<number | number[]>(data, [1, 1, 2, pair(data, 3)]),
    padding: pick<unknown>(data, ["same", "valid", margins(data)]),
  };
}

const dilated = (data: Random): object =>
  data.integer(0, 3) > 0 ? {} : { strides: 1, dilationRate: pair(data, 3) };

function grouped(data: Random, channels: number): object {
  const groups = pick(
    data,
    [1, 1, 1, 2, 3, channels].filter((count) => channels % count === 0),
  );
  return { filters: groups * size(data, groups > 4 ? 2 : 12), groups };
}

/** Layers on an image `[h, w, c]`. */
const OF_IMAGES: readonly ((data: Random, shape: Shape) => Layer)[] = [
  (data, [, , c]) =>
    layers.conv2d(
      options({ ...grouped(data, c!), ...window(data, "kernelSize"), ...dilated(data), ...weighted(data) }),
    ),
  // Winograd's algorithm computes this one, where there are channels enough.
  (data) =>
    layers.conv2d(
      options({ filters: 4 + size(data, 20), kernelSize: 3, padding: "same", ...weighted(data) }),
    ),
  (data) =>
    layers.depthwiseConv2d(
      options({
        ...window(data, "kernelSize"),
        ...dilated(data),
        ...weighted(data),
        depthMultiplier: pick(data, [1, 1, 2]),
      }),
    ),
  (data, [, , c]) =>
    layers.conv2dTranspose(
      options({ ...grouped(data, c!), ...window(data, "kernelSize"), ...weighted(data) }),
    ),
  (data) =>
    layers.separableConv2d(
      options({ filters: size(data, 9), ...window(data, "kernelSize"), ...weighted(data) }),
    ),
  (data) => layers.maxPooling2d(options(window(data, "poolSize"))),
  (data) => layers.averagePooling2d(options(window(data, "poolSize"))),
  (data) => layers.zeroPadding2d({ padding: margins(data) }),
  (data) => layers.cropping2d({ cropping: margins(data) }),
  (data) => layers.upSampling2d({ size: pair(data, 3), interpolation: pick(data, ["nearest", "bilinear"]) }),
  () => layers.globalAveragePooling2d(),
  () => layers.globalMaxPooling2d(),
  (data, [, , c]) =>
    layers.groupNormalization({
      groups: pick(
        data,
        [1, 2, 3, c!].filter((count) => c! % count === 0),
      ),
    }),
  () => layers.instanceNormalization(),
  (data) => layers.layerNormalization({ axis: pick<number | number[]>(data, [-1, [-3, -2, -1]]) }),
  (data) => layers.prelu(pick(data, [{}, { sharedAxes: [1, 2] }])),
];

/** Layers on a sequence `[steps, channels]`. */
const OF_SEQUENCES: readonly ((data: Random, shape: Shape) => Layer)[] = [
  (data, [, c]) =>
    layers.conv1d(
      options({
        ...grouped(data, c!),
        kernelSize: size(data, 4),
        padding: pick(data, ["same", "valid", "causal"]),
        ...(coin(data) ? { strides: size(data, 3) } : { dilationRate: size(data, 3) }),
        ...weighted(data),
      }),
    ),
  (data) => layers.maxPooling1d({ poolSize: size(data, 3), padding: pick(data, ["same", "valid"]) }),
  (data) => layers.averagePooling1d({ poolSize: size(data, 3), padding: pick(data, ["same", "valid"]) }),
  () => layers.globalAveragePooling1d(),
  () => layers.globalMaxPooling1d(),
];

/** Layers on values of any rank. */
const OF_ALL: readonly ((data: Random, shape: Shape) => Layer)[] = [
  (data) => layers.activation({ activation: pick(data, ACTIVATIONS) }),
  (data) => layers.dropout({ rate: pick(data, [0.1, 0.5]) }),
  (data) =>
    layers.batchNormalization({ momentum: pick(data, [0.9, 0.5]), center: coin(data), scale: coin(data) }),
  (data) => layers.dense(options({ units: size(data, 20), ...weighted(data) })),
  () => layers.flatten(),
  (data, shape) => layers.permute({ dims: pick(data, orders(shape.length)) }),
  (data, shape) => layers.reshape({ targetShape: pick(data, shapesLike(shape)) }),
];

function orders(rank: number): number[][] {
  if (rank === 1) return [[1]];
  return rank === 2
    ? [[2, 1]]
    : [
        [2, 1, 3],
        [3, 1, 2],
        [1, 3, 2],
      ];
}

/** Shapes of as many elements. */
function shapesLike(shape: Shape): number[][] {
  const [first, ...rest] = shape as number[];
  const others = rest.reduce((a, b) => a * b, 1);
  return [[-1], [first!, others], [others, first!], [first!, 1, others], [1, others, first!]];
}

const MERGES = [layers.add, layers.multiply, layers.subtract, layers.average, layers.maximum] as const;

/** A value and another of its shape, a part of its own or an older one; merged. */
function merge(data: Random, x: SymbolicTensor, values: readonly SymbolicTensor[]): SymbolicTensor {
  if (data.integer(0, 3) === 0) {
    const axis = data.integer(1, x.shape.length);
    const fitting = values.filter(
      ({ shape }) =>
        shape.length === x.shape.length && shape.every((d, i) => i + 1 === axis || d === x.shape[i]),
    );
    return layers.concatenate({ axis }).apply([x, pick(data, fitting), x]);
  }
  const alike = values.filter(({ shape }) => shape.join() === x.shape.join());
  const other = coin(data) ? pick(data, alike) : layers.activation({ activation: "tanh" }).apply(x);
  return pick(data, MERGES)().apply([x, other]);
}

/** One more value, made of one of `values`; undefined when what was drawn does not fit. */
function grow(data: Random, values: readonly SymbolicTensor[]): SymbolicTensor | undefined {
  // The newest mostly, so that nets are deep; an older one makes a branch.
  const x = coin(data) || coin(data) ? values.at(-1)! : pick(data, values);
  const { length: rank } = x.shape;
  try {
    if (data.integer(0, 4) === 0) return merge(data, x, values);
    const own = rank === 3 ? OF_IMAGES : rank === 2 ? OF_SEQUENCES : OF_ALL;
    return pick(data, coin(data) || coin(data) ? own : OF_ALL)(data, x.shape).apply(x);
  } catch (error) {
    if (error instanceof ShapeError || error instanceof OptionError) return undefined;
    throw error;
  }
}

const elements = (shape: Shape): number => shape.reduce((a, b) => a * b, 1);

const LOSSES: readonly (() => Loss)[] = [
  ...Object.values(losses).map((make) => () => make()),
  () => losses.softmaxCrossEntropy({ labelSmoothing: 0.1 }),
  () => losses.huber({ delta: 0.5 }),
];

const OPTIMIZERS: readonly (() => Optimizer)[] = [
  () => optimizers.sgd({ learningRate: 0.01 }),
  () => optimizers.sgd({ learningRate: 0.01, momentum: 0.9, nesterov: true, weightDecay: 0.01 }),
  () => optimizers.adam({ learningRate: 0.001 }),
  () => optimizers.adamw({ learningRate: 0.001, weightDecay: 0.1, globalClipNorm: 0.5 }),
];

export interface RandomNet {
  readonly model: Model;
  readonly inputShape: Shape;
  readonly loss: Loss;
  readonly optimizer: Optimizer;
  /** Images of noise and their labels. */
  batch(seed: number, n: number): { images: Tensor; labels: Tensor };
}

/** The net of a seed: the same for the same seed. */
export function randomNet(seed: number): RandomNet {
  const data = random(seed);
  const image = [data.integer(3, 13), data.integer(3, 13), size(data, 12)];
  const inputShape = pick(data, [
    image,
    image,
    image,
    [data.integer(4, 30), size(data, 8)],
    [data.integer(2, 30)],
  ]);
  const start = input({ shape: inputShape });
  const values = [start];
  for (let count = data.integer(2, 9); count > 0;) {
    const value = grow(data, values);
    if (!value || elements(value.shape) > MOST_ELEMENTS) continue;
    values.push(value);
    count--;
  }
  const flat = layers.flatten().apply(values.at(-1)!);
  const outputs = layers.dense({ units: CLASSES }).apply(flat);
  const net = model({ inputs: start, outputs, seed });
  const [loss, optimizer] = [pick(data, LOSSES)(), pick(data, OPTIMIZERS)()];
  return {
    model: net,
    inputShape,
    loss,
    optimizer,
    batch(batchSeed, n) {
      const noise = random(batchSeed);
      const labels = new Float32Array(n * CLASSES);
      for (let i = 0; i < n; i++) labels[i * CLASSES + noise.integer(0, CLASSES - 1)] = 1;
      return {
        images: tensor(noise.uniform(n * elements(inputShape)), [n, ...inputShape]),
        labels: tensor(labels, [n, CLASSES]),
      };
    },
  };
}
