/** The layers, by the names that `layers.*`, files and summaries use. */
export { conv1d } from "./conv1d.ts";
export { conv2d, depthwiseConv2d } from "./conv2d.ts";
export { conv2dTranspose } from "./conv2dTranspose.ts";
export { dense } from "./dense.ts";
export { activation, dropout, flatten } from "./elementwise.ts";
export { cropping2d, permute, reshape, zeroPadding2d } from "./geometry.ts";
export { add, average, maximum, multiply, subtract } from "./merge.ts";
export { concatenate } from "./concatenate.ts";
export { batchNormalization } from "./batchNormalization.ts";
export { groupNormalization, instanceNormalization, layerNormalization } from "./normalization.ts";
export { averagePooling1d, globalAveragePooling1d, globalMaxPooling1d, maxPooling1d } from "./pooling1d.ts";
export { prelu } from "./prelu.ts";
export { separableConv2d } from "./separableConv2d.ts";
export { upSampling2d } from "./upSampling2d.ts";
export { averagePooling2d, globalAveragePooling2d, globalMaxPooling2d, maxPooling2d } from "./pooling2d.ts";
