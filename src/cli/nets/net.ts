/** The commands work on a net, whichever kind of file it is from: an ONNX file, or one that this package saved. */
import type { ElementType, Feeds, NodeTime, OnnxInput, OnnxTensor } from "../../onnx.ts";
import type { DType } from "../../dtype.ts";
import { FormatError, MemoryError, OptionError, ShapeError } from "../../errors.ts";
import type { OnnxLayout } from "../../onnx/export/index.ts";
import type { ModelMetadata } from "../../metadata.ts";
import type { Shape } from "../../tensor.ts";
import { UsageError } from "../usage.ts";

/** One step of a net, a node of an ONNX file or a layer, with shapes for one image where any number will do. */
export interface NetNode {
  readonly name: string;
  /** The operator, or the type of the layer. */
  readonly type: string;
  readonly output: Shape | undefined;
  /** Multiplications and additions, each one, of convolutions and products; of all else nothing is counted. */
  readonly operations: number;
}

/** A value inside of a net. */
export interface NetValue {
  readonly name: string;
  readonly type: ElementType | DType;
  readonly shape: Shape;
}

/** Inference on buffers that were planned once. */
export interface NetSession {
  readonly inputs: Readonly<Record<string, Float32Array | Int32Array | Uint8Array>>;
  readonly batchSize: number;
  run(): void;
  profile(): NodeTime[];
  dispose(): void;
}

export interface SessionOptions {
  readonly batchSize?: number;
  readonly shapes?: Readonly<Record<string, Shape>>;
}

export interface Net {
  readonly format: "ONNX" | "safetensors";
  /** The order of the axes of images that is usual in such files. */
  readonly layout: OnnxLayout;
  readonly inputs: readonly OnnxInput[];
  readonly outputNames: readonly string[];
  readonly metadata: ModelMetadata;
  readonly parameterCount: number;
  /** The reason why the net takes only the shapes that it is fed; undefined when it takes any number of images. */
  readonly notBatched: string | undefined;
  readonly notTrainable: string | undefined;
  readonly nodes: readonly NetNode[];
  readonly values: readonly NetValue[];
  predict(feeds: Feeds): Record<string, OnnxTensor>;
  session(options: SessionOptions): NetSession;
  /** The bytes of an ONNX file. Without a layout its images are as they are usual in such files. */
  toOnnx(layout: OnnxLayout | undefined): Uint8Array;
  toSafetensors(): Uint8Array;
}

/** Whether an error is about what the user's files hold. */
export const isAboutFile = (error: unknown): error is Error =>
  [FormatError, ShapeError, OptionError, MemoryError].some((type) => error instanceof type);

/** Errors about what a file holds are the user's, and name it. @throws UsageError */
export async function telling<T>(file: string, work: () => T | Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!isAboutFile(error)) throw error;
    throw new UsageError(`${file}: ${error.message}`, { cause: error });
  }
}
