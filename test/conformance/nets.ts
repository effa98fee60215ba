/** The nets of the tests. */
import { input, layers, model, sequential, type Activation, type Layer, type Model } from "im2row";

/** LeNet-5 with relu and max pooling. */
export function lenet5(seed: number): Model {
  return sequential({
    inputShape: [28, 28, 1],
    layers: [
      layers.conv2d({ filters: 6, kernelSize: 5, padding: "same", activation: "relu" }),
      layers.maxPooling2d({ poolSize: 2 }),
      layers.conv2d({ filters: 16, kernelSize: 5, activation: "relu" }),
      layers.maxPooling2d({ poolSize: 2 }),
      layers.flatten(),
      layers.dense({ units: 120, activation: "relu" }),
      layers.dense({ units: 84, activation: "relu" }),
      layers.dense({ units: 10 }),
    ],
    seed,
  });
}

/** Geometry of the three convolutions of `strided`. */
export const STRIDED = [
  {
    strides: 2,
    padding: [
      [1, 0],
      [2, 1],
    ],
  },
  { padding: "same", dilationRate: [2, 1], groups: 4 },
  { padding: "valid", strides: [1, 2], groups: 2 },
] as const;

/** Convolutions with strides, padding on one side, dilation and groups: 13×11×4 → 6×6×8 → 6×6×12 → 5×2×6 → 5. */
export function strided(): Model {
  return sequential({
    inputShape: [13, 11, 4],
    layers: [
      layers.conv2d({ filters: 8, kernelSize: 3, ...STRIDED[0], activation: "tanh" }),
      layers.conv2d({ filters: 12, kernelSize: [3, 2], ...STRIDED[1], activation: { leakyRelu: 0.1 } }),
      layers.conv2d({ filters: 6, kernelSize: [2, 3], ...STRIDED[2], activation: "sigmoid" }),
      layers.flatten(),
      layers.dense({ units: 5 }),
    ],
  });
}

/**
 * Every normalization, each behind a convolution and followed by another of the activations: 9×8×4 → 7×6×8 → 5×4×12 →
 * 4×3×8 → 4×3×6 → 3×2×6 → 10 → 8 → 8 → 5.
 */
export function normalizedLayers(): Layer[] {
  const activation = (kind: Activation): Layer => layers.activation({ activation: kind });
  return [
    layers.conv2d({ filters: 8, kernelSize: 3, useBias: false }),
    layers.batchNormalization({ momentum: 0.75 }),
    activation("gelu"),
    layers.conv2d({ filters: 12, kernelSize: 3 }),
    layers.groupNormalization({ groups: 3 }),
    activation("silu"),
    layers.conv2d({ filters: 8, kernelSize: 2, useBias: false }),
    layers.instanceNormalization(),
    activation("hardSwish"),
    layers.conv2d({ filters: 6, kernelSize: 1, activation: "mish" }),
    layers.layerNormalization(),
    activation("elu"),
    layers.conv2d({ filters: 6, kernelSize: 2, activation: "selu" }),
    layers.layerNormalization({ axis: [-3, -2, -1] }),
    activation("geluTanh"),
    layers.flatten(),
    layers.dense({ units: 10, activation: "relu6" }),
    layers.dense({ units: 8, activation: "softplus" }),
    layers.dense({ units: 8, activation: "hardSigmoid" }),
    layers.dense({ units: 5 }),
  ];
}

export function normalized(seed: number): Model {
  return sequential({ inputShape: [9, 8, 4], layers: normalizedLayers(), seed });
}

/** Convolutions that Winograd's algorithm computes, in all three passes: 9×10×8 → 9×10×12 → 7×8×16 → 3. */
export function winogradNet(seed: number): Model {
  return sequential({
    inputShape: [9, 10, 8],
    layers: [
      layers.conv2d({ filters: 12, kernelSize: 3, padding: "same", activation: "relu" }),
      layers.conv2d({ filters: 16, kernelSize: 3, activation: "tanh" }),
      layers.globalAveragePooling2d(),
      layers.dense({ units: 3 }),
    ],
    seed,
  });
}

/** The 7×7×3 net: 3×3 filters with stride 2, then a dense layer. */
export function tinyNet(seed = 1): Model {
  return sequential({
    inputShape: [7, 7, 3],
    layers: [
      layers.conv2d({ filters: 4, kernelSize: 3, strides: 2, activation: "relu" }),
      layers.flatten(),
      layers.dense({ units: 3 }),
    ],
    seed,
  });
}

/** Every kind of layer and activation, but flatten: 12×10×4 → 5×8×8 → 4×7×12 → 3×6×24 → 2×2×24 → 6 → 4. */
export function everyLayers(): Layer[] {
  const padding = [
    [2, 1],
    [1, 2],
  ] as const;
  return [
    layers.conv2d({ filters: 8, kernelSize: 3, padding: "same", activation: "relu" }),
    layers.conv2d({ filters: 8, kernelSize: 3, strides: [2, 1], activation: { leakyRelu: 0.1 } }),
    layers.dropout({ rate: 0.25 }),
    layers.depthwiseConv2d({ kernelSize: 3, padding: "same", activation: "tanh" }),
    layers.conv2d({ filters: 12, kernelSize: 3, dilationRate: 2, groups: 4, padding }),
    layers.activation({ activation: "sigmoid" }),
    layers.maxPooling2d({ poolSize: 2, strides: 1, padding: "same" }),
    layers.depthwiseConv2d({ kernelSize: 2, depthMultiplier: 2, kernelInitializer: "heNormal" }),
    layers.activation({ activation: "leakyRelu" }),
    layers.averagePooling2d({ poolSize: 2, strides: [1, 4], padding: "valid" }),
    layers.activation({ activation: "tanh" }),
    layers.activation({ activation: "linear" }),
    layers.conv2d({ filters: 6, kernelSize: 1, useBias: false, kernelInitializer: "lecunNormal" }),
    layers.activation({ activation: "relu" }),
    layers.globalAveragePooling2d(),
    layers.activation({ activation: "softmax" }),
    layers.dense({ units: 9, activation: "sigmoid", biasInitializer: { constant: 0.1 } }),
    layers.dense({ units: 4, kernelInitializer: "glorotNormal" }),
  ];
}

export function everyLayer(seed: number): Model {
  return sequential({ inputShape: [12, 10, 4], layers: everyLayers(), seed });
}

/** A net for the mean squared error, with softmax at its end: 7×7×3 → 3×3×5 → 45 → 3. */
export function softmaxLayers(): Layer[] {
  return [
    layers.conv2d({ filters: 5, kernelSize: 3, strides: 2, activation: "tanh" }),
    layers.flatten(),
    layers.dropout({ rate: 0.5 }),
    layers.dense({ units: 3, activation: "softmax" }),
  ];
}

export function softmaxNet(seed: number): Model {
  return sequential({ inputShape: [7, 7, 3], layers: softmaxLayers(), seed });
}

/**
 * A graph with everything that a list of layers lacks: two inputs, a layer used twice, a residual sum, a gate,
 * concatenations, a frame, a view whose input has another reader, and two outputs.
 */
export function branched(seed: number): Model {
  const image = input({ shape: [8, 7, 4], name: "image" });
  const extra = input({ shape: [6], name: "extra" });
  const same = { kernelSize: 3, padding: "same" } as const;
  const stem = layers.conv2d({ filters: 8, ...same, activation: "relu" }).apply(image);
  const shared = layers.conv2d({ filters: 8, ...same, activation: "tanh", name: "shared" });
  const once = shared.apply(stem);
  const sum = layers.add().apply([stem, once, shared.apply(once)]);
  const gate = layers.depthwiseConv2d({ ...same, activation: "sigmoid" }).apply(sum);
  const gated = layers.multiply().apply([sum, gate]);
  const joined = layers.concatenate().apply([gated, stem, sum]);
  const cropped = layers.cropping2d({ cropping: [1, 2] }).apply(joined);
  const framed = layers
    .zeroPadding2d({
      padding: [
        [1, 0],
        [0, 2],
      ],
    })
    .apply(cropped);
  const pooled = layers.globalMaxPooling2d().apply(framed);
  const stacked = layers.concatenate({ axis: 1 }).apply([gated, stem]);
  const flat = layers.flatten().apply(stacked);
  const columns = layers.averagePooling2d({ poolSize: [16, 1] }).apply(stacked);
  const row = layers.reshape({ targetShape: [-1] }).apply(columns);
  const features = [pooled, extra, row, layers.dense({ units: 5 }).apply(flat)];
  const all = layers.concatenate().apply(features);
  const kind = layers.dense({ units: 3, name: "kind" }).apply(all);
  const place = layers.dense({ units: 2, activation: "tanh", name: "place" }).apply(all);
  return model({ inputs: [image, extra], outputs: [kind, place], seed });
}

/** A residual net: grouped convolutions between normalizations, each block beside a way around it. */
export function residual(seed: number): Model {
  const image = input({ shape: [10, 9, 6], name: "image" });
  const plain = { kernelSize: 3, padding: "same", useBias: false } as const;
  const stem = layers.conv2d({ filters: 16, ...plain }).apply(image);
  const start = layers.activation({ activation: "relu" }).apply(layers.batchNormalization().apply(stem));
  const grouped = layers.conv2d({ filters: 16, ...plain, groups: 4, kernelSize: [3, 2] }).apply(start);
  const normal = layers.batchNormalization({ momentum: 0.9 }).apply(grouped);
  const deep = layers.depthwiseConv2d(plain).apply(layers.activation({ activation: "silu" }).apply(normal));
  const block = layers.groupNormalization({ groups: 4 }).apply(deep);
  const sum = layers.activation({ activation: "relu" }).apply(layers.add().apply([start, block]));
  const halving = { filters: 24, kernelSize: 3, strides: 2, padding: "same", useBias: false } as const;
  const down = layers.instanceNormalization().apply(layers.conv2d({ ...halving, groups: 2 }).apply(sum));
  const around = layers.conv2d({ ...halving, kernelSize: 1 }).apply(sum);
  const joined = layers.layerNormalization().apply(layers.add().apply([down, around]));
  const features = layers.globalAveragePooling2d().apply(joined);
  return model({ inputs: image, outputs: layers.dense({ units: 4 }).apply(features), seed });
}

/** A net of the generic layers, whose functions are smooth and bounded where they are used. */
export function generic(seed: number): Model {
  const image = input({ shape: [6, 5, 4], name: "image" });
  const features = layers
    .lrn({ size: 3 })
    .apply(layers.conv2d({ filters: 4, kernelSize: 3, padding: "same" }).apply(image));
  const halves = {
    indices: [0, 2, 4],
    blends: [
      [0, 0.5],
      [2, 0.5],
      [4, 0.5],
    ].map(
      ([from, share]) =>
        [
          [from!, share!],
          [from! + 1, share!],
        ] as [number, number][],
    ),
  };
  const rows = layers.resize({ rows: halves, columns: { indices: [4, 0, 2] } }).apply(features);
  const window = {
    kh: 2,
    kw: 2,
    oh: 2,
    ow: 2,
    strideH: 1,
    strideW: 1,
    dilationH: 1,
    dilationW: 2,
    top: 0,
    left: 1,
  };
  const pools = (["max", "average"] as const).map((kind) => layers.pool({ kind, window }).apply(rows));
  const quotient = layers
    .broadcast({ kind: "div" })
    .apply([pools[0]!, layers.unary({ kind: "exp" }).apply(pools[1]!)]);
  const offset = layers.constant({ shape: [1, 1, 4] }).apply(image);
  const sum = layers.broadcast({ kind: "add" }).apply([quotient, offset]);
  const largest = layers.reduce({ kind: "max", axes: [1, 2], keepDims: true }).apply(sum);
  const below = layers.broadcast({ kind: "sub" }).apply([sum, largest]);
  const flags = layers.constant({ shape: [2, 2, 1], integers: [1, 0, 0, 1] }).apply(image);
  const chosen = layers.where().apply([flags, below, layers.unary({ kind: "neg" }).apply(sum)]);
  const matrices = layers.reshape({ targetShape: [4, 4] }).apply(chosen);
  const turned = layers.permute({ dims: [2, 1] }).apply(matrices);
  const product = layers.matMul().apply([matrices, turned]);
  const taken = layers.take({ axis: 1, indices: [3, 0, -1, 1], fill: 0.25 }).apply(product);
  const logs = layers.logSoftmax().apply(layers.reduce({ kind: "sum", axes: [-1] }).apply(taken));
  return model({ inputs: image, outputs: layers.dense({ units: 3 }).apply(logs), seed });
}
