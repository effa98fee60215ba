/** The layers, under the names that `layers.*`, model files and summaries use, and the types of their options. */
export { conv1d, type Conv1dLayerOptions } from "./conv1d.ts";
export {
  conv2d,
  depthwiseConv2d,
  type Conv2dLayerOptions,
  type DepthwiseConv2dLayerOptions,
} from "./conv2d.ts";
export { conv1dTranspose, type Conv1dTransposeLayerOptions } from "./conv1dTranspose.ts";
export { conv2dTranspose, type Conv2dTransposeLayerOptions } from "./conv2dTranspose.ts";
export {
  randomBrightness,
  randomContrast,
  randomCrop,
  randomFlip,
  randomRotation,
  randomTranslation,
  randomZoom,
  type ColorOptions,
  type Factor,
  type FillMode,
  type SamplingOptions,
  type ShiftOptions,
  type ZoomOptions,
} from "./augmentation.ts";
export {
  centerCrop,
  rescaling,
  resizing,
  type CropOptions,
  type RescalingOptions,
  type ResizingOptions,
} from "./preprocessing.ts";
export { dense, type DenseLayerOptions } from "./dense.ts";
export { activation, flatten } from "./elementwise.ts";
export { alphaDropout, dropout, gaussianDropout, gaussianNoise, spatialDropout2d } from "./dropout.ts";
export { depthToSpace, spaceToDepth, type BlockOptions } from "./blocks.ts";
export { cropping2d, permute, reshape, zeroPadding2d, type Margin } from "./geometry.ts";
export { add, average, maximum, multiply, subtract } from "./merge.ts";
export { concatenate } from "./concatenate.ts";
export { batchNormalization, type BatchNormalizationOptions } from "./batchNormalization.ts";
export {
  groupNormalization,
  instanceNormalization,
  layerNormalization,
  type GroupNormalizationOptions,
  type LayerNormalizationOptions,
  type NormalizationOptions,
} from "./normalization.ts";
export {
  averagePooling1d,
  globalAveragePooling1d,
  globalMaxPooling1d,
  maxPooling1d,
  type Pooling1dLayerOptions,
} from "./pooling1d.ts";
export { prelu, type PreluLayerOptions } from "./prelu.ts";
export { separableConv1d, type SeparableConv1dLayerOptions } from "./separableConv1d.ts";
export { separableConv2d, type SeparableConv2dLayerOptions } from "./separableConv2d.ts";
export { spectralNormalization, type SpectralNormalizationOptions } from "./spectralNormalization.ts";
export { unitNormalization, type UnitNormalizationOptions } from "./unitNormalization.ts";
export { upSampling2d, type Interpolation, type UpSampling2dLayerOptions } from "./upSampling2d.ts";
export {
  averagePooling2d,
  globalAveragePooling2d,
  globalMaxPooling2d,
  maxPooling2d,
  type Pooling2dLayerOptions,
} from "./pooling2d.ts";
export { broadcast, type BroadcastKind, type BroadcastLayerOptions } from "./broadcast.ts";
export { constant, type ConstantLayerOptions } from "./constant.ts";
export { logSoftmax } from "./logSoftmax.ts";
export { lrn, type LrnLayerOptions } from "./lrn.ts";
export { matMul, type MatMulLayerOptions } from "./matMul.ts";
export { pool, type PlaneWindow, type PoolLayerOptions } from "./pool.ts";
export { reduce, type ReduceLayerOptions, type ReductionKind } from "./reduce.ts";
export { resize, type ResizeLayerOptions, type ResizeTable } from "./resize.ts";
export { take, type TakeLayerOptions } from "./take.ts";
export { unary, type UnaryKind, type UnaryLayerOptions } from "./unary.ts";
export { where } from "./where.ts";
