/** `im2row/onnx`: nets from ONNX files, run, trained and written again. */
export { loadOnnx } from "./formats/onnx/load.ts";
export type { OnnxModel } from "./formats/onnx/model.ts";
export type { OnnxNode } from "./formats/onnx/nodes.ts";
export type { FrozenInitializer } from "./formats/onnx/frozen.ts";
export type { Feeds, OnnxFitOptions } from "./formats/onnx/given.ts";
export type { OnnxInput } from "./formats/onnx/graph.ts";
export type { NodeTime, OnnxSession } from "./formats/onnx/session.ts";
export type { OnnxData, OnnxTensor } from "./formats/onnx/feeds.ts";
export type { ElementType } from "./formats/onnx/values.ts";
