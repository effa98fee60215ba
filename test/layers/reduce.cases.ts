/** The nets with the layers that run over an axis: reduce, logSoftmax, lrn. */
import { layers } from "im2row";
import { chain, IMAGE, RANKS, type LayerCases } from "./support/cases.ts";

export const REDUCE: LayerCases = {
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
    ]),
  ),
  isExported: false,
};

export const LOG_SOFTMAX: LayerCases = {
  gradients: { logSoftmax: () => layers.logSoftmax() },
  models: RANKS.map((shape) =>
    chain(`logSoftmax of ${shape.join("×")}`, shape, () => [layers.logSoftmax()], 8),
  ),
  digest: "551f1487aa0c80f3",
  isExported: false,
};

export const LRN: LayerCases = {
  gradients: {
    lrn: () => layers.lrn({ size: 3, alpha: 0.5 }),
    "lrn of an even number of channels": () => layers.lrn({ size: 2, alpha: 2, beta: 0.5, bias: 0.25 }),
    "lrn of any power": () => layers.lrn({ size: 3, alpha: 1, beta: 0.6, bias: 2 }),
  },
  models: [0.5, 0.75, 1, 1.25].map((beta) =>
    chain(`lrn, beta ${beta}`, IMAGE, () => [layers.lrn({ size: 4, alpha: 0.5, beta })]),
  ),
  digest: "e76292a551324e52",
  isExported: false,
};
