/** The cases of reduce, logSoftmax and lrn: their options, refusals, shapes and nets. */
import { layers } from "im2row";
import { COUNT, type Any } from "../support/options.ts";
import { chain, IMAGE, RANKS, type LayerCases } from "./support/cases.ts";

const AXES = "expected integers other than 0, the batch";

export const reduce: LayerCases = {
  defaults: [layers.reduce({ kind: "sum", axes: [-1] }), { kind: "sum", axes: [-1], keepDims: false }],
  shapes: [
    [layers.reduce({ kind: "sum", axes: [1, 2] }), [4, 5, 3], [3]],
    [layers.reduce({ kind: "max", axes: [-1], keepDims: true }), [4, 5, 3], [4, 5, 1]],
    // A value has one axis at least.
    [layers.reduce({ kind: "prod", axes: [1] }), [4], [1]],
  ],
  refuses: {
    'reduce: kind: expected one of "sum", "prod", "min", "max"; got "mean"': () =>
      layers.reduce({ kind: "mean" as Any, axes: [1] }),
    [`reduce: axes: ${AXES}, got []`]: () => layers.reduce({ kind: "sum", axes: [] }),
    [`reduce: axes: ${AXES}, got [1,0]`]: () => layers.reduce({ kind: "sum", axes: [1, 0] }),
    [`reduce: axes: ${AXES}, got 1`]: () => layers.reduce({ kind: "sum", axes: 1 as Any }),
    "reduce: keepDims: expected true or false, got 1": () =>
      layers.reduce({ kind: "sum", axes: [1], keepDims: 1 as Any }),
  },
  refusesInputs: {
    "reduce: axis: expected from 1 to 2 or from -2 to -1 for 2 dimensions besides the batch, got 3": [
      layers.reduce({ kind: "sum", axes: [3] }),
      [4, 5],
    ],
    "reduce: expected one input, got 2": [layers.reduce({ kind: "sum", axes: [1] }), [[3], [3]]],
  },
  gradients: {
    "reduce, the sum of rows": () => layers.reduce({ kind: "sum", axes: [1] }),
    "reduce, the sum of channels": () => layers.reduce({ kind: "sum", axes: [-1], keepDims: true }),
    // Of one channel each, so that no weight of the first layer changes the order.
    "reduce, the largest of an image": () => layers.reduce({ kind: "max", axes: [1, 2] }),
    "reduce, the smallest of a column": () => layers.reduce({ kind: "min", axes: [-3], keepDims: true }),
  },
  models: RANKS.flatMap((shape) =>
    (["sum", "prod", "min", "max"] as const).flatMap((kind) => [
      chain(`reduce, ${kind} of ${shape.join("×")}`, shape, () => [layers.reduce({ kind, axes: [-1] })]),
      chain(`reduce, ${kind} of all of ${shape.join("×")}`, shape, () => [
        layers.reduce({ kind, axes: shape.map((_, i) => i + 1), keepDims: true }),
      ]),
      ...shape.map((_, i) =>
        chain(`reduce, ${kind} along ${i + 1} of ${shape.join("×")}`, shape, () => [
          layers.reduce({ kind, axes: [i + 1], keepDims: kind === "max" }),
        ]),
      ),
    ]),
  ),
};

export const logSoftmax: LayerCases = {
  defaults: [layers.logSoftmax(), {}],
  shapes: [
    [layers.logSoftmax(), [5], [5]],
    [layers.logSoftmax(), [4, 5, 3], [4, 5, 3]],
  ],
  refuses: {
    'logSoftmax: expected the options name; got "axis"': () => layers.logSoftmax({ axis: 1 } as Any),
  },
  refusesInputs: {
    "logSoftmax: expected one input, got 2": [layers.logSoftmax(), [[3], [3]]],
  },
  gradients: { logSoftmax: () => layers.logSoftmax() },
  models: RANKS.map((shape) =>
    chain(`logSoftmax of ${shape.join("×")}`, shape, () => [layers.logSoftmax()], 8),
  ),
  digest: "551f1487aa0c80f3",
};

export const lrn: LayerCases = {
  // As in ONNX's LRN.
  defaults: [layers.lrn({ size: 5 }), { size: 5, alpha: 1e-4, beta: 0.75, bias: 1 }],
  shapes: [
    [layers.lrn({ size: 3 }), [4, 5, 3], [4, 5, 3]],
    [layers.lrn({ size: 9 }), [4, 5, 3], [4, 5, 3]],
  ],
  refuses: {
    [`lrn: size: ${COUNT}, got 0`]: () => layers.lrn({ size: 0 }),
    "lrn: alpha: expected a finite number, got NaN": () => layers.lrn({ size: 1, alpha: NaN }),
    'lrn: beta: expected a finite number, got "1"': () => layers.lrn({ size: 1, beta: "1" as Any }),
    'lrn: expected the options size, alpha, beta, bias, name; got "k"': () =>
      layers.lrn({ size: 1, k: 1 } as Any),
  },
  refusesInputs: {
    "lrn: expected one input, got 2": [layers.lrn({ size: 1 }), [[3], [3]]],
  },
  gradients: {
    lrn: () => layers.lrn({ size: 3, alpha: 0.5 }),
    "lrn of an even number of channels": () => layers.lrn({ size: 2, alpha: 2, beta: 0.5, bias: 0.25 }),
    "lrn of any power": () => layers.lrn({ size: 3, alpha: 1, beta: 0.6, bias: 2 }),
  },
  // onnxruntime takes odd sizes alone.
  models: [
    ...[0.5, 0.75, 1, 1.25].map((beta) =>
      chain(`lrn, beta ${beta}`, IMAGE, () => [layers.lrn({ size: 3, alpha: 0.5, beta })]),
    ),
    ...RANKS.map((shape) =>
      chain(`lrn of ${shape.join("×")}`, shape, () => [layers.lrn({ size: 5, bias: 2 })]),
    ),
  ],
  digest: "e76292a551324e52",
};
