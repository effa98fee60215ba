/** `im2row/images`: pictures from files and canvases as tensors, resized and normalized for a net. */
export { centerCrop } from "./images/centerCrop.ts";
export type { ImageInterpolation } from "./images/coefficients.ts";
export { decodeImage, type DecodeOptions } from "./images/decodeImage.ts";
export type { Fit } from "./images/fit.ts";
export { fromPixels, type PixelSource } from "./images/fromPixels.ts";
export type { Channels, ImageTensor } from "./images/image.ts";
export { imageNet, normalize, type NormalizeOptions } from "./images/normalize.ts";
export { preprocess, type PreprocessOptions } from "./images/preprocess.ts";
export { resize, type ResizeOptions } from "./images/resize.ts";
