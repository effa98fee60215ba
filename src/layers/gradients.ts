/**
 * The gradients of the layers, by the layers' types. Only training imports this file, so that the bundle of a program that
 * only runs models contains no gradients.
 */
import type { Gradient } from "./contract.ts";
import { elementwiseActivationGradient } from "./elementwise.ts";
import { noiseGradient } from "./dropout.ts";
import { blocksGradient } from "./blocks.ts";
import { convolutionGradient } from "./conv2d.ts";
import { conv2dTransposeGradient } from "./conv2dTranspose.ts";
import { separableConv2dGradient } from "./separableConv2d.ts";
import { spectralNormalizationGradient } from "./spectralNormalization.ts";
import { unitNormalizationGradient } from "./unitNormalization.ts";
import { denseGradient } from "./dense.ts";
import { framedGradient, permuteGradient } from "./geometry.ts";
import {
  addGradient,
  averageGradient,
  maximumGradient,
  multiplyGradient,
  subtractGradient,
} from "./merge.ts";
import { concatenateGradient } from "./concatenate.ts";
import { normalizationGradient } from "./normalization.ts";
import { globalMeansGradient, maximaGradient, meansGradient } from "./pooling2d.ts";
import { preluGradient } from "./prelu.ts";
import { centerCropGradient, rescalingGradient } from "./preprocessing.ts";
import { resizeGradient } from "./upSampling2d.ts";
import { broadcastGradient } from "./broadcast.ts";
import { constantGradient } from "./constant.ts";
import { logSoftmaxGradient } from "./logSoftmax.ts";
import { lrnGradient } from "./lrn.ts";
import { matMulGradient } from "./matMul.ts";
import { poolGradient } from "./pool.ts";
import { reductionGradient } from "./reduce.ts";
import { takeGradient } from "./take.ts";
import { unaryGradient } from "./unary.ts";
import { whereGradient } from "./where.ts";

export const GRADIENTS: Readonly<Record<string, Gradient<never> | undefined>> = {
  activation: elementwiseActivationGradient,
  add: addGradient,
  alphaDropout: noiseGradient,
  average: averageGradient,
  averagePooling1d: meansGradient,
  averagePooling2d: meansGradient,
  batchNormalization: normalizationGradient,
  broadcast: broadcastGradient,
  centerCrop: centerCropGradient,
  concatenate: concatenateGradient,
  constant: constantGradient,
  conv1d: convolutionGradient,
  conv1dTranspose: conv2dTransposeGradient,
  conv2d: convolutionGradient,
  conv2dTranspose: conv2dTransposeGradient,
  cropping2d: framedGradient,
  dense: denseGradient,
  depthToSpace: blocksGradient,
  depthwiseConv2d: convolutionGradient,
  dropout: noiseGradient,
  gaussianDropout: noiseGradient,
  gaussianNoise: noiseGradient,
  globalAveragePooling1d: globalMeansGradient,
  globalAveragePooling2d: globalMeansGradient,
  globalMaxPooling1d: maximaGradient,
  globalMaxPooling2d: maximaGradient,
  groupNormalization: normalizationGradient,
  instanceNormalization: normalizationGradient,
  layerNormalization: normalizationGradient,
  logSoftmax: logSoftmaxGradient,
  lrn: lrnGradient,
  matMul: matMulGradient,
  maxPooling1d: maximaGradient,
  maxPooling2d: maximaGradient,
  maximum: maximumGradient,
  multiply: multiplyGradient,
  permute: permuteGradient,
  pool: poolGradient,
  prelu: preluGradient,
  reduce: reductionGradient,
  rescaling: rescalingGradient,
  resize: resizeGradient,
  resizing: resizeGradient,
  separableConv1d: separableConv2dGradient,
  separableConv2d: separableConv2dGradient,
  spaceToDepth: blocksGradient,
  spatialDropout2d: noiseGradient,
  spectralNormalization: spectralNormalizationGradient,
  subtract: subtractGradient,
  take: takeGradient,
  unary: unaryGradient,
  unitNormalization: unitNormalizationGradient,
  upSampling2d: resizeGradient,
  where: whereGradient,
  zeroPadding2d: framedGradient,
};
