/** A net whose images grow again, and end as sequences. */
import { input, layers, model, type Model } from "im2row";

export function hourglass(seed: number): Model {
  const image = input({ shape: [6, 5, 8] });
  const slopes = layers.prelu({ sharedAxes: [1, 2], alphaInitializer: { constant: 0.25 } }).apply(image);
  const means = layers.globalAveragePooling2d().apply(slopes);
  const gate = layers.dense({ units: 8, activation: "sigmoid", name: "gate" }).apply(means);
  const gated = layers.multiply().apply([slopes, gate]);
  const shift = layers.reshape({ targetShape: [1, 1, 8] }).apply(means);
  const shifted = layers.add().apply([gated, shift]);
  const tall = layers.upSampling2d({ size: [2, 1] }).apply(shifted);
  const smooth = layers.upSampling2d({ size: [1, 2], interpolation: "bilinear" }).apply(tall);
  const turned = layers.permute({ dims: [2, 1, 3] }).apply(smooth);
  const columns = layers.reshape({ targetShape: [10, -1] }).apply(turned);
  const causal = { kernelSize: 3, padding: "causal", dilationRate: 2 } as const;
  const steps = layers.conv1d({ filters: 9, ...causal, activation: "tanh" }).apply(columns);
  const largest = layers.maxPooling1d().apply(steps);
  const smoothed = layers.averagePooling1d({ poolSize: 3, strides: 1, padding: "same" }).apply(largest);
  const ends = [layers.globalMaxPooling1d(), layers.globalAveragePooling1d()].map((pool) =>
    pool.apply(smoothed),
  );
  const outputs = layers.dense({ units: 4, name: "kind" }).apply(layers.concatenate().apply(ends));
  return model({ inputs: image, outputs, seed });
}
