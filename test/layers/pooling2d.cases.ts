/** The nets with the poolings of images. */
import { layers } from "im2row";
import { chain, IMAGE, margins, type LayerCases, type ModelCase } from "./support/cases.ts";

const poolings = (type: "maxPooling2d" | "averagePooling2d"): ModelCase[] => [
  chain(type, IMAGE, () => [layers[type]()]),
  chain(`${type}, same`, IMAGE, () => [layers[type]({ poolSize: [3, 2], strides: [2, 3], padding: "same" })]),
  chain(`${type}, padded`, IMAGE, () => [
    layers[type]({ poolSize: 3, strides: 2, padding: margins(2, 1, 0, 1) }),
  ]),
];

export const MAX_POOLING2D: LayerCases = {
  gradients: {
    maxPooling2d: () => layers.maxPooling2d({ poolSize: 2 }),
    "maxPooling2d, overlapping": () => layers.maxPooling2d({ poolSize: 3, strides: [2, 1], padding: "same" }),
  },
  models: poolings("maxPooling2d"),
};

export const AVERAGE_POOLING2D: LayerCases = {
  gradients: {
    averagePooling2d: () => layers.averagePooling2d({ poolSize: [2, 3], strides: 1, padding: "same" }),
  },
  models: poolings("averagePooling2d"),
};

export const GLOBAL_MAX_POOLING2D: LayerCases = {
  gradients: { globalMaxPooling2d: () => layers.globalMaxPooling2d() },
  models: [chain("globalMaxPooling2d", IMAGE, () => [layers.globalMaxPooling2d()])],
};

export const GLOBAL_AVERAGE_POOLING2D: LayerCases = {
  gradients: { globalAveragePooling2d: () => layers.globalAveragePooling2d() },
  models: [chain("globalAveragePooling2d", IMAGE, () => [layers.globalAveragePooling2d()])],
};

/** Dilated windows that begin outside of the image. */
const window = (oh: number, ow: number): Parameters<typeof layers.pool>[0]["window"] => ({
  kh: 2,
  kw: 3,
  oh,
  ow,
  strideH: 2,
  strideW: 1,
  dilationH: 1,
  dilationW: 2,
  top: 1,
  left: 2,
});

export const POOL: LayerCases = {
  gradients: {
    "pool, the largest": () => layers.pool({ kind: "max", window: window(3, 4) }),
    "pool, the mean": () => layers.pool({ kind: "average", window: window(3, 4) }),
  },
  models: (["max", "average"] as const).map((kind) =>
    chain(`pool, ${kind}`, IMAGE, () => [layers.pool({ kind, window: window(5, 7) })]),
  ),
  isExported: false,
};
