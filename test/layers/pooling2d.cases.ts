/** The cases of the poolings of images: their options, refusals, shapes and nets. */
import { layers } from "im2row";
import { PADDINGS, SIZE, type Any } from "../support/options.ts";
import { chain, IMAGE, margins, type LayerCases, type ModelCase } from "./support/cases.ts";

const poolings = (type: "maxPooling2d" | "averagePooling2d"): ModelCase[] => [
  chain(type, IMAGE, () => [layers[type]()]),
  chain(`${type}, same`, IMAGE, () => [layers[type]({ poolSize: [3, 2], strides: [2, 3], padding: "same" })]),
  chain(`${type}, padded`, IMAGE, () => [
    layers[type]({ poolSize: 3, strides: 2, padding: margins(2, 1, 0, 1) }),
  ]),
];

export const maxPooling2d: LayerCases = {
  defaults: [layers.maxPooling2d(), { poolSize: [2, 2], strides: [2, 2], padding: "valid" }],
  // As Keras: "same" gives ⌈size / stride⌉, "valid" ⌊(size − pool) / stride⌋ + 1.
  shapes: [
    [layers.maxPooling2d(), [9, 8, 4], [4, 4, 4]],
    [layers.maxPooling2d({ poolSize: [3, 2], strides: [2, 3], padding: "same" }), [9, 8, 4], [5, 3, 4]],
    [layers.maxPooling2d({ poolSize: 3, strides: 2, padding: margins(2, 1, 0, 1) }), [9, 8, 4], [5, 4, 4]],
  ],
  refuses: {
    "maxPooling2d: padding: expected less than the pool size 2×2, got [[2,0],[0,0]]": () =>
      layers.maxPooling2d({ padding: margins(2, 0, 0, 0) }),
    [`maxPooling2d: poolSize: ${SIZE}, got 0`]: () => layers.maxPooling2d({ poolSize: 0 }),
    [`maxPooling2d: strides: ${SIZE}, got 0`]: () => layers.maxPooling2d({ strides: 0 }),
    [`maxPooling2d: expected the options poolSize, strides, padding, name; got "size"`]: () =>
      layers.maxPooling2d({ size: 2 } as Any),
  },
  refusesInputs: {
    "maxPooling2d: height: expected an image of at least 8 with its padding, got 7 + 0 + 0": [
      layers.maxPooling2d({ poolSize: 8 }),
      [7, 7, 3],
    ],
  },
  gradients: {
    maxPooling2d: () => layers.maxPooling2d({ poolSize: 2 }),
    "maxPooling2d, overlapping": () => layers.maxPooling2d({ poolSize: 3, strides: [2, 1], padding: "same" }),
  },
  models: poolings("maxPooling2d"),
};

export const averagePooling2d: LayerCases = {
  defaults: [
    layers.averagePooling2d({ poolSize: [2, 3] }),
    { poolSize: [2, 3], strides: [2, 3], padding: "valid" },
  ],
  shapes: [
    [layers.averagePooling2d({ poolSize: 3, strides: [1, 2] }), [9, 8, 4], [7, 3, 4]],
    [layers.averagePooling2d({ poolSize: [2, 3], strides: 1, padding: "same" }), [9, 8, 4], [9, 8, 4]],
  ],
  refuses: {
    [`averagePooling2d: padding: ${PADDINGS}, got 1`]: () => layers.averagePooling2d({ padding: 1 as Any }),
  },
  refusesInputs: {
    "averagePooling2d: expected an image [height, width, channels], got 7×3": [
      layers.averagePooling2d(),
      [7, 3],
    ],
  },
  gradients: {
    averagePooling2d: () => layers.averagePooling2d({ poolSize: [2, 3], strides: 1, padding: "same" }),
  },
  models: poolings("averagePooling2d"),
};

export const globalMaxPooling2d: LayerCases = {
  defaults: [layers.globalMaxPooling2d(), {}],
  shapes: [[layers.globalMaxPooling2d(), [9, 8, 4], [4]]],
  refuses: {
    [`globalMaxPooling2d: expected the options name; got "poolSize"`]: () =>
      layers.globalMaxPooling2d({ poolSize: 2 } as Any),
  },
  refusesInputs: {
    "globalMaxPooling2d: expected an image [height, width, channels], got 7×3": [
      layers.globalMaxPooling2d(),
      [7, 3],
    ],
  },
  gradients: { globalMaxPooling2d: () => layers.globalMaxPooling2d() },
  models: [chain("globalMaxPooling2d", IMAGE, () => [layers.globalMaxPooling2d()])],
};

export const globalAveragePooling2d: LayerCases = {
  defaults: [layers.globalAveragePooling2d(), {}],
  shapes: [[layers.globalAveragePooling2d(), [9, 8, 4], [4]]],
  refuses: {
    [`globalAveragePooling2d: expected the options name; got "poolSize"`]: () =>
      layers.globalAveragePooling2d({ poolSize: 2 } as Any),
  },
  refusesInputs: {
    "globalAveragePooling2d: expected an image [height, width, channels], got 7": [
      layers.globalAveragePooling2d(),
      [7],
    ],
  },
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

const WINDOW = window(5, 7);

export const pool: LayerCases = {
  defaults: [layers.pool({ kind: "max", window: WINDOW }), { kind: "max", window: WINDOW }],
  shapes: [[layers.pool({ kind: "average", window: WINDOW }), [9, 8, 4], [5, 7, 4]]],
  refuses: {
    'pool: kind: expected one of "max", "average"; got "sum"': () =>
      layers.pool({ kind: "sum" as Any, window: WINDOW }),
    "pool: window: expected an object of options { kh: … }, got undefined": () =>
      layers.pool({ kind: "max" } as Any),
    "pool: window: kh: expected an integer from 1 to 2^30, got 0": () =>
      layers.pool({ kind: "max", window: { ...WINDOW, kh: 0 } }),
    "pool: window: top: expected an integer from -1073741824 to 2^30, got 0.5": () =>
      layers.pool({ kind: "max", window: { ...WINDOW, top: 0.5 } }),
  },
  refusesInputs: {
    "pool: height: expected windows that each hold a pixel, got none in window 3": [
      layers.pool({ kind: "max", window: WINDOW }),
      [5, 8, 4],
    ],
    "pool: width: expected windows that each hold a pixel, got none in window 0": [
      layers.pool({ kind: "max", window: { ...WINDOW, left: 6 } }),
      [9, 8, 4],
    ],
  },
  gradients: {
    "pool, the largest": () => layers.pool({ kind: "max", window: window(3, 4) }),
    "pool, the mean": () => layers.pool({ kind: "average", window: window(3, 4) }),
  },
  models: (["max", "average"] as const).flatMap((kind) => [
    chain(`pool, ${kind}`, IMAGE, () => [layers.pool({ kind, window: WINDOW })]),
    // Columns are cut off on both sides, and rows at the end, where another window would fit.
    chain(`pool, ${kind} of a part`, IMAGE, () => [
      layers.pool({ kind, window: { ...WINDOW, oh: 3, ow: 2, dilationW: 1, left: -2 } }),
    ]),
  ]),
};
