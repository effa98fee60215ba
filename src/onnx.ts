/** `im2row/onnx`: nets from ONNX files, run, trained and written again. */
export { loadOnnx } from "./onnx/load.ts";
export type { OnnxModel } from "./onnx/model.ts";
export type { OnnxNode } from "./onnx/import/nodeShapes.ts";
export type { FrozenInitializer } from "./onnx/import/frozenInitializers.ts";
export type { Feeds, OnnxFitOptions } from "./onnx/import/feedShapes.ts";
export type { OnnxInput } from "./onnx/import/graph.ts";
export type { NodeTime, OnnxSession } from "./onnx/session.ts";
export type { OnnxData, OnnxTensor, OwnOnnxData } from "./onnx/import/feeds.ts";
export type { ElementType } from "./onnx/file/constant.ts";
