import { checkAlgorithm, type ConvAlgorithm } from "../kernels/conv2d.ts";
import { checkEngine, type KernelEngine } from "../runtime/engine.ts";
import { FormatError } from "../errors.ts";
import { checkOptions, isTyped, plainView } from "../options.ts";
import { decodeModel } from "./file/decode.ts";
import { readGraph } from "./import/graph.ts";
import { checkOperators } from "./import/missingOperators.ts";
import type { OperatorTable } from "./import/operator.ts";
import { Plans } from "./import/plans.ts";
import { OnnxModel } from "./model.ts";

export interface OnnxOptions {
  engine: KernelEngine;
  /** The algorithm of its convolutions, as `compile` takes it. Default: `"auto"`. */
  algorithm?: ConvAlgorithm | undefined;
}

/** Implements `loadOnnx` for an entry of the package, which has these operators. `among` says whose they are. */
export function loadWith(
  bytes: Uint8Array,
  { engine, algorithm: wanted = "auto" }: OnnxOptions,
  operators: OperatorTable,
  among?: string,
): OnnxModel {
  const algorithm = checkAlgorithm("loadOnnx: algorithm", wanted);
  checkEngine("loadOnnx", engine);
  if (!isTyped(bytes, Uint8Array)) {
    const kind = Object.prototype.toString.call(bytes).slice(8, -1);
    throw new FormatError(`loadOnnx: expected a Uint8Array, got ${kind}`);
  }
  // A copy, which the net keeps: the caller's bytes may change or be transferred.
  const own = plainView(bytes, Uint8Array).slice();
  const model = decodeModel(own, engine.runtime.limits);
  // Before types and shapes are looked at: a quantised file is told what it lacks, not that its weights are of 8 bits.
  checkOperators(model, operators, among);
  const graph = readGraph(own, model);
  const plans = new Plans(graph, engine, operators, algorithm);
  plans.begin();
  return new OnnxModel(graph, engine, algorithm, plans);
}

/** The options of either entry. @throws OptionError */
export function checkOnnxOptions(options: OnnxOptions, further: readonly string[] = []): void {
  checkOptions("loadOnnx", options, ["engine", "algorithm", ...further]);
}
