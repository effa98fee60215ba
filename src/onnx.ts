/** `im2row/onnx`: nets from ONNX files, run, trained and written again. */
import { allOperators } from "./onnx/import/families.ts";
import { checkOnnxOptions, loadWith, type OnnxOptions } from "./onnx/load.ts";
import type { OnnxModel } from "./onnx/model.ts";

/**
 * The net in an ONNX file, on an engine: for inference at once, for training after `compile`. Opsets 6 to 25; float32,
 * with float16 widened; the operators in `docs/onnx.md`. For bundles with some of them there is `im2row/onnx/core`.
 * @throws FormatError when the file is broken, or lists all nodes that cannot be computed; MemoryError
 */
export async function loadOnnx(bytes: Uint8Array, options: OnnxOptions): Promise<OnnxModel> {
  checkOnnxOptions(options);
  return loadWith(bytes, options, allOperators());
}

export type { OnnxOptions };
export type { OnnxModel };
export type { OnnxNode, OnnxValue } from "./onnx/import/nodeShapes.ts";
export type { FrozenInitializer } from "./onnx/import/frozenInitializers.ts";
export type { Feeds, OnnxFitOptions } from "./onnx/import/feedShapes.ts";
export type { OnnxInput } from "./onnx/import/graph.ts";
export type { OnnxOutputs } from "./onnx/prediction.ts";
export type { NodeTime, OnnxSession } from "./onnx/session.ts";
export type { OnnxData, OnnxTensor, OwnOnnxData } from "./onnx/import/feeds.ts";
export type { ElementType } from "./onnx/file/constant.ts";
