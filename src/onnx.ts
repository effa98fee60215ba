/** `im2row/onnx`: nets from ONNX files, run, trained and written again. */
export { loadOnnx, type Feeds, type OnnxModel, type OnnxNode } from "./formats/onnx/model.ts";
export type { OnnxInput } from "./formats/onnx/graph.ts";
export type { NodeTime, OnnxSession } from "./formats/onnx/session.ts";
export type { OnnxData, OnnxTensor } from "./formats/onnx/feeds.ts";
export type { ElementType } from "./formats/onnx/values.ts";
