/** The ABI: what the module exports, and nothing else. One line a kernel file. */

/** First free byte of linear memory: the engine's heap starts here. */
export function heapBase(): usize {
  return __heap_base;
}

export { gemm, gemmWorkspace } from "./gemm/gemm";
export { im2row, col2im } from "./im2row";
export {
  conv2dPackFilters,
  conv2dPackedFilters,
  conv2dForward,
  conv2dForwardWorkspace,
  conv2dBackpropInputCol2im,
  conv2dBackpropInputCol2imWorkspace,
} from "./conv2d";
export { conv2dBackpropFilter, conv2dBackpropFilterWorkspace } from "./conv2dFilter";
export { biasGradient } from "./bias";
export { conv2dBackpropInputFlipped, conv2dBackpropInputFlippedWorkspace } from "./flipped";
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
} from "./winograd/winograd";
export { depthwiseConv2dForward, depthwiseConv2dBackpropInput, depthwiseConv2dWorkspace } from "./depthwise";
export { depthwiseConv2dBackpropFilter } from "./depthwiseFilter";
export { activationForward, activationBackward } from "./activation";
export { normalizeForward, normalizeStatistics, normalizeWorkspace } from "./normalization";
export { normalizeBackward } from "./normalizationBackward";
export { movingAverage } from "./movingAverage";
export { softmaxForward, softmaxBackward } from "./softmax";
export { logSoftmaxForward, logSoftmaxBackward } from "./logSoftmax";
export { unaryForward, unaryBackward } from "./unary";
export { broadcastForward } from "./broadcast";
export { reduceForward } from "./reduce";
export {
  addActivated,
  addForward,
  copyRows,
  maximumBackward,
  maximumForward,
  multiplyForward,
  scaleForward,
  subtractForward,
} from "./elementwise";
export { transpose } from "./transpose";
export { resizeForward, resizeBackward } from "./resize";
export { tapsForward, tapsBackward } from "./taps";
export {
  addRowsForward,
  addRowsBackward,
  multiplyRowsForward,
  multiplyRowsBackward,
  preluForward,
  preluBackpropInput,
  preluBackpropAlpha,
} from "./rows";
export { foldNormalization } from "./fold";
export { flushSubnormals, hasSubnormals } from "./subnormal";
export { softmaxCrossEntropySparse, softmaxCrossEntropyDense } from "./loss";
export { pointwiseLoss } from "./pointwiseLoss";
export { sgdStep, adamStep } from "./optimizer";
export { clipGradient, sumOfSquares } from "./clip";
export { dropout } from "./dropout";
export { maxPool2dForward, maxPool2dBackward } from "./maxPool";
export {
  averagePool2dForward,
  averagePool2dBackward,
  globalAveragePool2dForward,
  globalAveragePool2dBackward,
} from "./pool";
