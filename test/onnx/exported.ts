/**
 * Nets that together have every layer with every option, and every activation, in all places where they mean another
 * thing.
 */
import { input, layers, model, type ActivationName, type Layer } from "im2row";
import { chain, IMAGE, margins, RANKS, type ExportCase } from "./exportCase.ts";
import { WINDOW_CASES } from "./exportedWindows.ts";

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
    // Inputs reach the curves' bends and flat parts.
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

/** Orders of each number of axes: of an image all. */
const ORDERS = [[1], [2, 1], [1, 2, 3], [1, 3, 2], [2, 1, 3], [2, 3, 1], [3, 1, 2], [3, 2, 1], [4, 1, 3, 2]];
const PERMUTATIONS: ExportCase[] = ORDERS.map((dims) =>
  chain(`permute ${dims.join(", ")}`, RANKS[dims.length - 1]!, () => [layers.permute({ dims })]),
);

const UP_SAMPLINGS: ExportCase[] = (["nearest", "bilinear"] as const).flatMap((interpolation) =>
  [1, 2, [3, 1] as const, [4, 5] as const].map((size) =>
    chain(`upSampling2d, ${interpolation}, ${JSON.stringify(size)}`, IMAGE, () => [
      layers.upSampling2d({ size, interpolation }),
    ]),
  ),
);

const PRELUS: ExportCase[] = RANKS.flatMap((shape) =>
  [...shape.keys(), shape.length].map((count) => {
    const sharedAxes = Array.from({ length: count }, (_, i) => i + 1);
    return chain(`prelu of ${shape.join("×")}, ${count} axes shared`, shape, () => [
      layers.prelu({ sharedAxes }),
    ]);
  }),
);

/** A graph of values of some shapes. */
function merged(name: string, shapes: readonly number[][], layer: () => Layer): ExportCase {
  return [
    `${name} of ${shapes.map((shape) => shape.join("×")).join(" and ")}`,
    () => {
      const inputs = shapes.map((shape, i) => input({ shape, name: `input-${i}` }));
      return model({ inputs, outputs: layer().apply(inputs) });
    },
  ];
}

const MERGES: ExportCase[] = RANKS.flatMap((shape) => [
  merged("add", [shape, shape, shape], () => layers.add()),
  merged("multiply", [shape, shape], () => layers.multiply()),
  merged("subtract", [shape, shape], () => layers.subtract()),
  merged("average", [shape, shape, shape], () => layers.average()),
  merged("maximum", [shape, shape, shape], () => layers.maximum()),
  ...[...shape.keys(), -1].map((i) => {
    const axis = i < 0 ? i : i + 1;
    return merged(`concatenate along ${axis}`, [shape, shape, shape], () => layers.concatenate({ axis }));
  }),
]);

/** Images beside rows of both forms, on either side; sizes are such that rows at another axis do not fit. */
const ROWS: ExportCase[] = [...RANKS.slice(1), [1, 1, 4]].flatMap((image) => {
  const row = image.slice(-1);
  const pixel = image.map((size, axis) => (axis < image.length - 1 ? 1 : size));
  return [
    [image, row],
    [row, image],
    [image, pixel],
    [pixel, image],
  ].flatMap((shapes) => [
    merged("add", shapes, () => layers.add()),
    merged("multiply", shapes, () => layers.multiply()),
  ]);
});

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
  ...WINDOW_CASES,
  ...DENSE,
  ...CURVES,
  ...NORMALIZATIONS,
  ...LAYER_NORMALIZATIONS,
  ...RESHAPES,
  ...FRAMES,
  ...PERMUTATIONS,
  ...UP_SAMPLINGS,
  ...PRELUS,
  ...MERGES,
  ...ROWS,
  ...NOTHINGS,
  ...SHARED,
];
