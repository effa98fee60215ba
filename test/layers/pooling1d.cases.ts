/** The nets with the poolings of sequences. */
import { layers } from "im2row";
import { chain, SEQUENCE, sequence, type LayerCases, type ModelCase } from "./support/cases.ts";

const poolings = (type: "maxPooling1d" | "averagePooling1d"): ModelCase[] => [
  chain(type, SEQUENCE, () => [layers[type]()]),
  chain(`${type}, same`, SEQUENCE, () => [layers[type]({ poolSize: 4, strides: 3, padding: "same" })]),
  chain(`${type}, padded`, SEQUENCE, () => [layers[type]({ poolSize: 3, strides: 2, padding: [2, 1] })]),
];

export const MAX_POOLING1D: LayerCases = {
  gradients: {
    maxPooling1d: (x) => layers.maxPooling1d({ poolSize: 3, strides: 2, padding: "same" }).apply(sequence(x)),
  },
  models: poolings("maxPooling1d"),
};

export const AVERAGE_POOLING1D: LayerCases = {
  gradients: {
    averagePooling1d: (x) => layers.averagePooling1d({ poolSize: 3, padding: [1, 2] }).apply(sequence(x)),
  },
  models: poolings("averagePooling1d"),
};

export const GLOBAL_MAX_POOLING1D: LayerCases = {
  gradients: { globalMaxPooling1d: (x) => layers.globalMaxPooling1d().apply(sequence(x)) },
  models: [chain("globalMaxPooling1d", SEQUENCE, () => [layers.globalMaxPooling1d()])],
};

export const GLOBAL_AVERAGE_POOLING1D: LayerCases = {
  gradients: { globalAveragePooling1d: (x) => layers.globalAveragePooling1d().apply(sequence(x)) },
  models: [chain("globalAveragePooling1d", SEQUENCE, () => [layers.globalAveragePooling1d()])],
};
