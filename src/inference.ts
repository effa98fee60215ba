/** `im2row/inference`: runs saved models, in half of the code: without training and eager operators. */
import exact from "../build/wasm.js";
import { KernelEngine } from "./runtime/engine.ts";
import { loadEngine, type LoadOptions } from "./runtime/load.ts";
import { decodeCheckpoint } from "./model/checkpoint.ts";
import { InferenceModel } from "./model/inferenceModel.ts";

/** Loads an engine as `load` of `im2row` does; it runs models and has no operators. */
export function load(options?: LoadOptions): Promise<KernelEngine> {
  return loadEngine(exact, KernelEngine, options);
}

/**
 * The model that `toSafetensors` saved: architecture and weights. `compile({ engine })` follows.
 * @throws FormatError when the bytes are no such file.
 */
export function loadModel(bytes: Uint8Array): InferenceModel {
  const { graph, weights, metadata } = decodeCheckpoint(bytes);
  return Object.assign(new InferenceModel(graph, weights), { metadata });
}

export { defineActivation, registerActivation } from "./kernels/ownActivation.ts";
export { defineLayer } from "./layers/define.ts";
export { registerLayer } from "./layers/register.ts";
export type { InferenceModel, KernelEngine };
export type { Limits } from "./budget.ts";
export type { ModelMetadata, Preprocessing } from "./metadata.ts";
export type { LoadOptions } from "./runtime/load.ts";
export type { RelaxedMath } from "./runtime/relaxed.ts";
export type { AbortSignalLike, WasmModule, WasmResponse, WasmSource } from "./runtime/platform.ts";
export { FormatError, MemoryError, OptionError, ShapeError } from "./errors.ts";
export type { AsyncBatchOptions, BatchOptions } from "./model/batchOptions.ts";
export type { ImageBatch } from "./model/inferenceModel.ts";
export type { GraphInput } from "./graph/graph.ts";
export type { Named } from "./graph/namedTensors.ts";
export type { LayerTime, Session } from "./graph/session.ts";
export type { BatchRecord, Stream, SyncStream } from "./stream.ts";
export { tensor, type InputTensor, type OwnTensor, type Shape, type Tensor } from "./tensor.ts";
