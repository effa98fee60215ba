/**
 * The gradients of the layers, by the layers' types. Only training imports this file, so that the bundle of a program that
 * only runs models contains no gradients.
 */
export { elementwiseActivationGradient as activation } from "./elementwise.ts";
export {
  noiseGradient as alphaDropout,
  noiseGradient as dropout,
  noiseGradient as gaussianDropout,
  noiseGradient as gaussianNoise,
  noiseGradient as spatialDropout2d,
} from "./dropout.ts";
export { blocksGradient as depthToSpace, blocksGradient as spaceToDepth } from "./blocks.ts";
export {
  convolutionGradient as conv1d,
  convolutionGradient as conv2d,
  convolutionGradient as depthwiseConv2d,
} from "./conv2d.ts";
export {
  conv2dTransposeGradient as conv1dTranspose,
  conv2dTransposeGradient as conv2dTranspose,
} from "./conv2dTranspose.ts";
export {
  separableConv2dGradient as separableConv1d,
  separableConv2dGradient as separableConv2d,
} from "./separableConv2d.ts";
export { spectralNormalizationGradient as spectralNormalization } from "./spectralNormalization.ts";
export { unitNormalizationGradient as unitNormalization } from "./unitNormalization.ts";
export { denseGradient as dense } from "./dense.ts";
export {
  framedGradient as cropping2d,
  framedGradient as zeroPadding2d,
  permuteGradient as permute,
} from "./geometry.ts";
export {
  addGradient as add,
  averageGradient as average,
  maximumGradient as maximum,
  multiplyGradient as multiply,
  subtractGradient as subtract,
} from "./merge.ts";
export { concatenateGradient as concatenate } from "./concatenate.ts";
export {
  normalizationGradient as batchNormalization,
  normalizationGradient as groupNormalization,
  normalizationGradient as instanceNormalization,
  normalizationGradient as layerNormalization,
} from "./normalization.ts";
export {
  globalMeansGradient as globalAveragePooling1d,
  globalMeansGradient as globalAveragePooling2d,
  maximaGradient as globalMaxPooling1d,
  maximaGradient as globalMaxPooling2d,
  maximaGradient as maxPooling1d,
  maximaGradient as maxPooling2d,
  meansGradient as averagePooling1d,
  meansGradient as averagePooling2d,
} from "./pooling2d.ts";
export { preluGradient as prelu } from "./prelu.ts";
export { rescalingGradient as rescaling } from "./preprocessing.ts";
export {
  resizeGradient as resize,
  resizeGradient as resizing,
  resizeGradient as upSampling2d,
} from "./upSampling2d.ts";
export { broadcastGradient as broadcast } from "./broadcast.ts";
export { constantGradient as constant } from "./constant.ts";
export { logSoftmaxGradient as logSoftmax } from "./logSoftmax.ts";
export { lrnGradient as lrn } from "./lrn.ts";
export { matMulGradient as matMul } from "./matMul.ts";
export { poolGradient as pool } from "./pool.ts";
export { reductionGradient as reduce } from "./reduce.ts";
export { takeGradient as take } from "./take.ts";
export { unaryGradient as unary } from "./unary.ts";
export { whereGradient as where } from "./where.ts";
