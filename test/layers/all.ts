/** The nets of each layer, by its name in `layers`: the compiler misses those of a layer without. */
import type { layers } from "im2row";
import { ACTIVATION } from "./activation.cases.ts";
import { CONV1D } from "./conv1d.cases.ts";
import { CONV2D } from "./conv2d.cases.ts";
import { CONV2D_TRANSPOSE } from "./conv2dTranspose.cases.ts";
import { DENSE } from "./dense.cases.ts";
import { DEPTHWISE_CONV2D } from "./depthwiseConv2d.cases.ts";
import { DROPOUT } from "./dropout.cases.ts";
import { CROPPING2D, ZERO_PADDING2D } from "./margins.cases.ts";
import { ADD, AVERAGE, CONCATENATE, MAXIMUM, MULTIPLY, SUBTRACT } from "./merge.cases.ts";
import {
  BATCH_NORMALIZATION,
  GROUP_NORMALIZATION,
  INSTANCE_NORMALIZATION,
  LAYER_NORMALIZATION,
} from "./normalization.cases.ts";
import {
  AVERAGE_POOLING1D,
  GLOBAL_AVERAGE_POOLING1D,
  GLOBAL_MAX_POOLING1D,
  MAX_POOLING1D,
} from "./pooling1d.cases.ts";
import {
  AVERAGE_POOLING2D,
  GLOBAL_AVERAGE_POOLING2D,
  GLOBAL_MAX_POOLING2D,
  MAX_POOLING2D,
  POOL,
} from "./pooling2d.cases.ts";
import { BROADCAST, MAT_MUL, WHERE } from "./operands.cases.ts";
import { PRELU } from "./prelu.cases.ts";
import { LOG_SOFTMAX, LRN, REDUCE } from "./reduce.cases.ts";
import { SEPARABLE_CONV2D } from "./separableConv2d.cases.ts";
import { FLATTEN, PERMUTE, RESHAPE } from "./shapes.cases.ts";
import type { LayerCases } from "./support/cases.ts";
import { CONSTANT, RESIZE, TAKE } from "./take.cases.ts";
import { UNARY } from "./unary.cases.ts";
import { UP_SAMPLING2D } from "./upSampling2d.cases.ts";

export type LayerType = keyof typeof layers;

export const LAYER_CASES: Readonly<Record<LayerType, LayerCases>> = {
  activation: ACTIVATION,
  add: ADD,
  average: AVERAGE,
  averagePooling1d: AVERAGE_POOLING1D,
  averagePooling2d: AVERAGE_POOLING2D,
  batchNormalization: BATCH_NORMALIZATION,
  broadcast: BROADCAST,
  concatenate: CONCATENATE,
  constant: CONSTANT,
  conv1d: CONV1D,
  conv2d: CONV2D,
  conv2dTranspose: CONV2D_TRANSPOSE,
  cropping2d: CROPPING2D,
  dense: DENSE,
  depthwiseConv2d: DEPTHWISE_CONV2D,
  dropout: DROPOUT,
  flatten: FLATTEN,
  globalAveragePooling1d: GLOBAL_AVERAGE_POOLING1D,
  globalAveragePooling2d: GLOBAL_AVERAGE_POOLING2D,
  globalMaxPooling1d: GLOBAL_MAX_POOLING1D,
  globalMaxPooling2d: GLOBAL_MAX_POOLING2D,
  groupNormalization: GROUP_NORMALIZATION,
  instanceNormalization: INSTANCE_NORMALIZATION,
  layerNormalization: LAYER_NORMALIZATION,
  logSoftmax: LOG_SOFTMAX,
  lrn: LRN,
  matMul: MAT_MUL,
  maxPooling1d: MAX_POOLING1D,
  maxPooling2d: MAX_POOLING2D,
  maximum: MAXIMUM,
  multiply: MULTIPLY,
  permute: PERMUTE,
  pool: POOL,
  prelu: PRELU,
  reduce: REDUCE,
  reshape: RESHAPE,
  resize: RESIZE,
  separableConv2d: SEPARABLE_CONV2D,
  subtract: SUBTRACT,
  take: TAKE,
  unary: UNARY,
  upSampling2d: UP_SAMPLING2D,
  where: WHERE,
  zeroPadding2d: ZERO_PADDING2D,
};
