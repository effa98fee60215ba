/**
 * `im2row/onnx/core`: nets from ONNX files with the families of operators that are passed, for bundles that count bytes.
 * `im2row/onnx` has all of them.
 */
import { OptionError } from "./errors.ts";
import type { OperatorFamily } from "./onnx/import/families.ts";
import { checkOnnxOptions, loadWith, type OnnxOptions } from "./onnx/load.ts";
import type { OnnxModel } from "./onnx/model.ts";
import { show } from "./options.ts";

export interface OnnxCoreOptions extends OnnxOptions {
  /** The families of operators that nets may have, of those that this entry exports. */
  operators: readonly OperatorFamily[];
}

/**
 * The net in an ONNX file, as `loadOnnx` of `im2row/onnx` gives it, of operators of these families.
 * @throws OptionError; FormatError when the file is broken, or lists all nodes that cannot be computed; MemoryError
 */
export async function loadOnnx(bytes: Uint8Array, options: OnnxCoreOptions): Promise<OnnxModel> {
  checkOnnxOptions(options, ["operators"]);
  const { operators } = options;
  if (!Array.isArray(operators) || !operators.every((family) => typeof family === "function")) {
    throw new OptionError(
      `loadOnnx: operators: expected a list of families of operators, got ${show(operators)}`,
    );
  }
  const table = Object.assign({}, ...operators.map((family: OperatorFamily) => family()));
  return loadWith(bytes, options, table, "among the families passed as operators");
}

export {
  activations,
  arithmetic,
  convolutions,
  gathering,
  normalizations,
  pooling,
  products,
  reductions,
  reshaping,
  resizing,
} from "./onnx/import/families.ts";
export type { ElementType, Feeds, OnnxData, OnnxInput, OnnxModel, OnnxSession, OnnxTensor } from "./onnx.ts";
export type { OnnxOptions, OperatorFamily };
