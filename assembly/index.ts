/** The ABI: what the module exports, and nothing else. One line a kernel file. */

/** First free byte of linear memory: the engine's heap starts here. */
export function heapBase(): usize {
  return __heap_base;
}

export { joinThreads } from "./lib/share";
export { gemm, gemmWorkspace } from "./gemm/gemm";
export { im2row, col2im } from "./conv/im2row";
export {
  conv2dPackFilters,
  conv2dPackedFilters,
  conv2dForward,
  conv2dForwardWorkspace,
  conv2dBackpropInputCol2im,
  conv2dBackpropInputCol2imWorkspace,
} from "./conv/conv2d";
export { conv2dBackpropFilter, conv2dBackpropFilterWorkspace } from "./conv/filterGradient";
export { biasGradient } from "./conv/biasGradient";
export { conv2dBackpropInputFlipped, conv2dBackpropInputFlippedWorkspace } from "./conv/inputGradientFlipped";
export {
  winogradForward,
  winogradForwardWorkspace,
  winogradBackpropFilter,
  winogradBackpropFilterWorkspace,
  winogradBackpropInput,
  winogradBackpropInputWorkspace,
  winogradPackFilters,
  winogradPackRotatedFilters,
  winogradPackedFilters,
} from "./conv/winograd/winograd";
export {
  depthwiseConv2dForward,
  depthwiseConv2dBackpropInput,
  depthwiseConv2dWorkspace,
} from "./conv/depthwise/depthwise";
export { depthwiseConv2dBackpropFilter } from "./conv/depthwise/filterGradient";
export { activationForward, activationBackward } from "./elementwise/activation";
export { normalizeForward, normalizeStatistics, normalizeWorkspace } from "./normalization/forward";
export { normalizeBackward } from "./normalization/backward";
export { movingAverage } from "./normalization/movingAverage";
export { softmaxForward, softmaxBackward } from "./reduce/softmax";
export { logSoftmaxForward, logSoftmaxBackward } from "./reduce/logSoftmax";
export { unaryForward, unaryBackward } from "./elementwise/unary";
export { broadcastForward } from "./elementwise/broadcast";
export { reduceForward } from "./reduce/reduce";
export {
  addActivated,
  addForward,
  copyRows,
  maximumBackward,
  maximumForward,
  multiplyForward,
  scaleForward,
  subtractForward,
} from "./elementwise/binary";
export { transpose } from "./movement/transpose";
export { resizeForward, resizeBackward } from "./movement/resize";
export { tapsForward, tapsBackward } from "./movement/taps";
export {
  addRowsForward,
  addRowsBackward,
  multiplyRowsForward,
  multiplyRowsBackward,
  preluForward,
  preluBackpropInput,
  preluBackpropAlpha,
} from "./elementwise/perChannel";
export { foldNormalization } from "./normalization/fold";
export { hardShrinkForward, hardShrinkBackward } from "./elementwise/hardShrink";
export { flushSubnormals, hasSubnormals } from "./elementwise/subnormal";
export { softmaxCrossEntropySparse, softmaxCrossEntropyDense } from "./training/softmaxCrossEntropy";
export { pointwiseLoss } from "./training/pointwiseLoss";
export { sgdStep, adamStep } from "./training/optimizer";
export { rmspropStep, lionStep, lambStep, lambSquares } from "./training/adaptive";
export { axpby, regularizeGradient, sumOfMagnitudes } from "./training/gradient";
export { clipGradient, sumOfSquares } from "./training/clip";
export { dropout } from "./elementwise/dropout";
export { gaussianNoise } from "./elementwise/gaussian";
export { unitNormalizeForward, unitNormalizeBackward } from "./normalization/unit";
export { spectralNormalize, spectralNormalizeBackward } from "./normalization/spectral";
export { maxPool2dForward, maxPool2dBackward } from "./pool/max";
export {
  averagePool2dForward,
  averagePool2dBackward,
  globalAveragePool2dForward,
  globalAveragePool2dBackward,
} from "./pool/average";
export { resampleBytes } from "./images/resample";
export { lookUpBytes } from "./images/lookUp";
export { rescaleForward } from "./images/rescale";
export { cropBytes } from "./images/crop";
export { randomTransform } from "./augmentation/transform";
export { randomColor } from "./augmentation/color";
