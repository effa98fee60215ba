/** A net whose images shrink and grow again, and end as sequences: 12×10×6 → 6×5×8 → 12×10×16 → 10×192 → 4. */
import { input, layers, model, sequential, type Model, type SymbolicTensor } from "im2row";

const ONE = [
  [1, 1],
  [1, 1],
] as const;

/** A slope and a gate a channel, and the channel's mean added to it. */
function excited(x: SymbolicTensor): SymbolicTensor {
  const slopes = { sharedAxes: [1, 2], alphaInitializer: { constant: 0.25 } } as const;
  const given = layers.prelu(slopes).apply(x);
  const means = layers.globalAveragePooling2d().apply(given);
  const gate = layers.dense({ units: 8, activation: "sigmoid", name: "gate" }).apply(means);
  const shift = layers.reshape({ targetShape: [1, 1, 8] }).apply(means);
  return layers.add().apply([layers.multiply().apply([given, gate]), shift]);
}

/** Twice as many rows and columns, in two ways side by side. */
function grown(x: SymbolicTensor): SymbolicTensor {
  const twice = { kernelSize: 3, strides: 2, padding: ONE, outputPadding: 1 } as const;
  const learned = layers.conv2dTranspose({ filters: 6, ...twice, activation: "tanh" }).apply(x);
  const tall = layers.upSampling2d({ size: [2, 1] }).apply(x);
  const smooth = layers.upSampling2d({ size: [1, 2], interpolation: "bilinear" }).apply(tall);
  const both = layers.concatenate().apply([learned, smooth]);
  const same = { kernelSize: 3, padding: "same", groups: 2 } as const;
  return layers.conv2dTranspose({ filters: 16, ...same, activation: "leakyRelu" }).apply(both);
}

/** The columns of an image as steps, down to one row of features. */
function read(x: SymbolicTensor): SymbolicTensor {
  const turned = layers.permute({ dims: [2, 1, 3] }).apply(x);
  const columns = layers.reshape({ targetShape: [10, -1] }).apply(turned);
  const causal = { kernelSize: 3, padding: "causal", dilationRate: 2 } as const;
  const steps = layers.conv1d({ filters: 5, ...causal, activation: "tanh" }).apply(columns);
  const largest = layers.maxPooling1d().apply(steps);
  const smooth = layers.averagePooling1d({ poolSize: 3, strides: 1, padding: "same" }).apply(largest);
  const ends = [layers.globalMaxPooling1d().apply(smooth), layers.globalAveragePooling1d().apply(smooth)];
  const both = [layers.subtract().apply(ends), layers.average().apply(ends)];
  return layers.concatenate().apply([...both, layers.maximum().apply(both)]);
}

export function hourglass(seed: number): Model {
  const image = input({ shape: [12, 10, 6] });
  const strided = { kernelSize: 3, strides: 2, padding: ONE, depthMultiplier: 2 } as const;
  const small = layers.separableConv2d({ filters: 8, ...strided, activation: "tanh" }).apply(image);
  const features = read(grown(excited(small)));
  const outputs = layers.dense({ units: 4, name: "kind" }).apply(features);
  return model({ inputs: image, outputs, seed });
}

/** Such layers with the options that the hourglass leaves at their defaults: 9×8×4 → 3×3×4 → 35×11×6 → 105×22 → 3. */
export function rareOptions(): Model {
  const dilated = { kernelSize: 2, padding: ONE, dilationRate: [3, 2] } as const;
  const starts = { depthwiseInitializer: "heNormal", pointwiseInitializer: { constant: 0.1 } } as const;
  return sequential({
    inputShape: [9, 8, 4],
    layers: [
      layers.separableConv2d({ filters: 4, ...dilated, strides: [3, 3], ...starts, useBias: false }),
      layers.prelu(),
      layers.upSampling2d({ size: [2, 1], interpolation: "bilinear" }),
      layers.conv2dTranspose({ filters: 6, kernelSize: [2, 3], strides: [3, 4], biasInitializer: "ones" }),
      layers.conv2dTranspose({
        filters: 6,
        kernelSize: 2,
        strides: [2, 1],
        padding: "same",
        outputPadding: [1, 0],
      }),
      layers.permute({ dims: [1, 3, 2] }),
      layers.reshape({ targetShape: [-1, 22] }),
      layers.conv1d({ filters: 4, kernelSize: 3, strides: 2, padding: [2, 1], groups: 2, useBias: false }),
      layers.maxPooling1d({ poolSize: 3, strides: 2, padding: [0, 2] }),
      layers.averagePooling1d({ poolSize: 4, padding: "same" }),
      layers.conv1d({ filters: 3, kernelSize: 4, padding: "same", kernelInitializer: "lecunNormal" }),
      layers.globalMaxPooling1d({ name: "largest" }),
    ],
    seed: 13,
  });
}
