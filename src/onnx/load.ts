import { checkAlgorithm, type ConvAlgorithm } from "../kernels/conv2d.ts";
import { checkEngine, type KernelEngine } from "../runtime/engine.ts";
import { FormatError } from "../errors.ts";
import { checkOptions, isTyped, plainView } from "../options.ts";
import { decodeModel } from "./file/decode.ts";
import { readGraph } from "./import/graph.ts";
import { checkOperators, missingOperators } from "./import/missingOperators.ts";
import { OnnxModel } from "./model.ts";
import { Plans } from "./import/plans.ts";
import type { Operators } from "./import/operator.ts";
import { COMMON } from "./import/operators/common.ts";

/**
 * The net in an ONNX file, on an engine: for inference at once, for training after `compile`. Opsets 6 to 25; float32,
 * with float16 widened; the operators in `docs/onnx.md`. Those that nets for images seldom need are code of their own,
 * loaded when a file needs them. `algorithm` is how its convolutions are computed, as `compile` takes it.
 * @throws FormatError when the file is broken, or lists all nodes that cannot be computed; MemoryError
 */
export async function loadOnnx(
  bytes: Uint8Array,
  options: { engine: KernelEngine; algorithm?: ConvAlgorithm | undefined },
): Promise<OnnxModel> {
  checkOptions("loadOnnx", options, ["engine", "algorithm"]);
  const { engine } = options;
  const algorithm = checkAlgorithm("loadOnnx: algorithm", options.algorithm ?? "auto");
  checkEngine("loadOnnx", engine);
  if (!isTyped(bytes, Uint8Array)) {
    const kind = Object.prototype.toString.call(bytes).slice(8, -1);
    throw new FormatError(`loadOnnx: expected a Uint8Array, got ${kind}`);
  }
  // A copy, which the net keeps: the caller's bytes may change or be transferred, even while they are read.
  const own = plainView(bytes, Uint8Array).slice();
  const model = decodeModel(own, engine.runtime.limits);
  const rest = async (): Promise<Operators> => (await import("./import/operators/all.ts")).ALL;
  const suffice = missingOperators(model, COMMON.table).size === 0;
  const operators = suffice ? COMMON : await rest();
  // Before types and shapes are looked at: a quantised file is told what it lacks, not that its weights are of 8 bits.
  checkOperators(model, operators.table);
  const graph = readGraph(own, model);
  const plans = new Plans(graph, engine, operators, algorithm);
  if (!plans.begin()) plans.begin(await rest());
  return new OnnxModel(graph, engine, algorithm, plans);
}
