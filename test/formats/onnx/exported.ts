/** Nets that together have every layer with every option, and every activation, in all places where they mean another thing. */
import {
  input,
  layers,
  model,
  sequential,
  tensor,
  type ActivationName,
  type Layer,
  type Model,
} from "im2row";
import { random } from "../../support/random.ts";

/** A net's name, how it is built, and the magnitude of its inputs if that is not 1. */
export type ExportCase = [name: string, build: () => Model, magnitude?: number];

/** Weights that none is like another: biases, scales and moving means too. Variances are positive. */
export function scatter(net: Model, seed: number): Model {
  const numbers = random(seed);
  const weights = [...net.weights].map(([name, { shape, data }]) => {
    const low = name.endsWith(".movingVariance") ? 0.5 : -1;
    // A sum of k products keeps the size of its operands.
    const scale = shape.length > 1 ? Math.sqrt(3 / (data.length / shape.at(-1)!)) : 1;
    return [name, tensor(numbers.uniform(data.length, low * scale, scale), shape)] as const;
  });
  net.setWeights(new Map(weights));
  return net;
}

/** A net of a list of layers. */
const chain = (name: string, inputShape: number[], list: () => Layer[], magnitude = 1): ExportCase => [
  name,
  () => sequential({ inputShape, layers: list(), seed: 1 }),
  magnitude,
];

const IMAGE = [9, 8, 4];
/** Values of each rank: what an axis is called differs among them. */
const RANKS = [[6], [5, 6], IMAGE, [2, 3, 2, 6]];

const margins = (top: number, bottom: number, left: number, right: number) =>
  [
    [top, bottom],
    [left, right],
  ] as const;

const CONVOLUTIONS: ExportCase[] = [
  chain("conv2d", IMAGE, () => [layers.conv2d({ filters: 5, kernelSize: [3, 2], activation: "relu" })]),
  chain("conv2d, same at strides", IMAGE, () => [
    layers.conv2d({ filters: 5, kernelSize: 4, strides: [2, 3], padding: "same" }),
  ]),
  chain("conv2d, rows left over", IMAGE, () => [
    layers.conv2d({ filters: 3, kernelSize: 2, strides: [4, 3] }),
  ]),
  chain("conv2d, padded more than it reads", IMAGE, () => [
    layers.conv2d({ filters: 3, kernelSize: 3, strides: 4, padding: margins(1, 3, 0, 2) }),
  ]),
  chain("conv2d, dilated", IMAGE, () => [
    layers.conv2d({ filters: 5, kernelSize: 3, dilationRate: [2, 1], padding: "same", useBias: false }),
  ]),
  chain("conv2d in groups", IMAGE, () => [
    layers.conv2d({ filters: 6, kernelSize: 3, groups: 2, activation: "tanh" }),
  ]),
  chain("conv2d, softmax of its channels", IMAGE, () => [
    layers.conv2d({ filters: 3, kernelSize: 1, activation: "softmax" }),
  ]),
  chain("depthwiseConv2d", IMAGE, () => [
    layers.depthwiseConv2d({
      kernelSize: 3,
      strides: 2,
      padding: margins(0, 1, 2, 0),
      activation: "sigmoid",
    }),
  ]),
  chain("depthwiseConv2d, multiplied", IMAGE, () => [
    layers.depthwiseConv2d({ kernelSize: [2, 3], depthMultiplier: 3, dilationRate: 2, useBias: false }),
  ]),
];

const POOLINGS: ExportCase[] = (["maxPooling2d", "averagePooling2d"] as const).flatMap((type) => [
  chain(type, IMAGE, () => [layers[type]()]),
  chain(`${type}, same`, IMAGE, () => [layers[type]({ poolSize: [3, 2], strides: [2, 3], padding: "same" })]),
  chain(`${type}, padded`, IMAGE, () => [
    layers[type]({ poolSize: 3, strides: 2, padding: margins(2, 1, 0, 1) }),
  ]),
]);

const GLOBAL_POOLINGS: ExportCase[] = [
  chain("globalMaxPooling2d", IMAGE, () => [layers.globalMaxPooling2d()]),
  chain("globalAveragePooling2d", IMAGE, () => [layers.globalAveragePooling2d()]),
];

const DENSE: ExportCase[] = RANKS.flatMap((shape) => [
  chain(`dense of ${shape.join("×")}`, shape, () => [layers.dense({ units: 3, activation: "softmax" })]),
  chain(`dense without biases of ${shape.join("×")}`, shape, () => [
    layers.dense({ units: 3, useBias: false }),
  ]),
]);

/** All of them, as the compiler sees to. */
export const ACTIVATIONS = Object.keys({
  linear: 0,
  relu: 0,
  leakyRelu: 0,
  sigmoid: 0,
  tanh: 0,
  softmax: 0,
  relu6: 0,
  elu: 0,
  selu: 0,
  hardSigmoid: 0,
  softplus: 0,
  silu: 0,
  swish: 0,
  hardSwish: 0,
  gelu: 0,
  geluTanh: 0,
  mish: 0,
} satisfies Record<ActivationName, 0>) as ActivationName[];

const CURVES: ExportCase[] = [
  ...ACTIVATIONS.map((activation) =>
    // As far out as the curves' bends and flat parts.
    chain(activation, IMAGE, () => [layers.activation({ activation })], 8),
  ),
  ...[{ leakyRelu: 0.3 }, { elu: 2 }, { hardSigmoid: 0.4 }].map((activation) =>
    chain(JSON.stringify(activation), IMAGE, () => [layers.activation({ activation })], 8),
  ),
  ...RANKS.map((shape) =>
    chain(`softmax of ${shape.join("×")}`, shape, () => [layers.activation({ activation: "softmax" })]),
  ),
];

const NORMALIZATIONS: ExportCase[] = RANKS.flatMap((shape) => {
  const of = `of ${shape.join("×")}`;
  const partial = [{ scale: false }, { center: false }, { scale: false, center: false, epsilon: 0.1 }];
  return [{}, ...partial].flatMap((options) => {
    const what = `${of} ${JSON.stringify(options)}`;
    return [
      chain(`batchNormalization ${what}`, shape, () => [layers.batchNormalization(options)]),
      chain(`layerNormalization ${what}`, shape, () => [layers.layerNormalization(options)]),
      chain(`groupNormalization ${what}`, shape, () => [
        layers.groupNormalization({ groups: 2, ...options }),
      ]),
      chain(`instanceNormalization ${what}`, shape, () => [layers.instanceNormalization(options)]),
    ];
  });
});

const LAYER_NORMALIZATIONS: ExportCase[] = [
  [-1, -2],
  [-1, -2, -3],
].map((axis) =>
  chain(`layerNormalization over ${axis.length} axes`, IMAGE, () => [layers.layerNormalization({ axis })]),
);

/** To each from each: images, also of one channel or one pixel, matrices and rows. */
const SHAPES = [[3, 4, 2], [4, 6, 1], [1, 1, 24], [2, 2, 6], [6, 4], [24]];
const RESHAPES: ExportCase[] = SHAPES.flatMap((from) => [
  ...SHAPES.map((targetShape) =>
    chain(`reshape of ${from.join("×")} to ${targetShape.join("×")}`, from, () => [
      layers.reshape({ targetShape }),
    ]),
  ),
  chain(`flatten of ${from.join("×")}`, from, () => [layers.flatten(), layers.dense({ units: 2 })]),
]);

const FRAMES: ExportCase[] = [
  chain("zeroPadding2d", IMAGE, () => [layers.zeroPadding2d({ padding: margins(1, 0, 2, 3) })]),
  chain("zeroPadding2d of nothing", IMAGE, () => [layers.zeroPadding2d({ padding: 0 })]),
  chain("cropping2d", IMAGE, () => [layers.cropping2d({ cropping: margins(1, 2, 3, 0) })]),
  chain("cropping2d of nothing", IMAGE, () => [layers.cropping2d({ cropping: 0 })]),
];

/** A graph of two or three values of a shape. */
function merged(name: string, shape: number[], count: number, layer: () => Layer): ExportCase {
  return [
    `${name} of ${shape.join("×")}`,
    () => {
      const inputs = Array.from({ length: count }, (_, i) => input({ shape, name: `input-${i}` }));
      return model({ inputs, outputs: layer().apply(inputs) });
    },
  ];
}

const MERGES: ExportCase[] = RANKS.flatMap((shape) => [
  merged("add", shape, 3, () => layers.add()),
  merged("multiply", shape, 2, () => layers.multiply()),
  ...[...shape.keys(), -1].map((i) => {
    const axis = i < 0 ? i : i + 1;
    return merged(`concatenate along ${axis}`, shape, 3, () => layers.concatenate({ axis }));
  }),
]);

/** Layers that write nothing, where their value has to have a name all the same. */
const NOTHINGS: ExportCase[] = [
  chain("dropout alone", IMAGE, () => [layers.dropout({ rate: 0.5 })]),
  chain("dropout at the end", IMAGE, () => [
    layers.conv2d({ filters: 2, kernelSize: 1 }),
    layers.dropout({ rate: 0.5 }),
  ]),
  chain("dropout in between", IMAGE, () => [
    layers.dropout({ rate: 0.5 }),
    layers.activation({ activation: "linear" }),
    layers.maxPooling2d(),
    layers.dropout({ rate: 0.5 }),
    layers.flatten(),
    layers.dropout({ rate: 0.5 }),
    layers.dense({ units: 2 }),
  ]),
  [
    "an output, the same through dropout, and what reads both",
    () => {
      const x = input({ shape: IMAGE });
      const y = layers.maxPooling2d().apply(x);
      const same = layers.dropout({ rate: 0.5 }).apply(y);
      return model({ inputs: x, outputs: [y, same, layers.add().apply([y, same])] });
    },
  ],
];

const SHARED: ExportCase[] = [
  [
    "layers that are used more than once",
    () => {
      const [a, b] = [input({ shape: IMAGE, name: "a" }), input({ shape: [4], name: "b" })];
      const conv = layers.conv2d({ filters: 4, kernelSize: 3, padding: "same", activation: "elu" });
      const norm = layers.groupNormalization({ groups: 2 });
      const units = layers.dense({ units: 3, name: "units" });
      const y = norm.apply(conv.apply(norm.apply(conv.apply(a))));
      return model({ inputs: [a, b], outputs: [units.apply(y), units.apply(b), norm.apply(b)] });
    },
  ],
];

export const LAYER_CASES: readonly ExportCase[] = [
  ...CONVOLUTIONS,
  ...POOLINGS,
  ...GLOBAL_POOLINGS,
  ...DENSE,
  ...CURVES,
  ...NORMALIZATIONS,
  ...LAYER_NORMALIZATIONS,
  ...RESHAPES,
  ...FRAMES,
  ...MERGES,
  ...NOTHINGS,
  ...SHARED,
];
