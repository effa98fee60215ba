/** Small nets of a few nodes, run on batches image by image and as wholes. */
import { expect } from "vitest";
import type { Engine } from "../../../src/index.ts";
import { loadOnnx, type OnnxData, type OnnxModel, type OnnxTensor } from "../../../src/onnx.ts";
import { DATA_TYPE, type NodeProto, type TensorProto } from "../../../src/onnx/file/proto.ts";
import { constant, node, onnxFile, valueInfo } from "../../support/onnxFile.ts";
import { random } from "../../support/random.ts";

export interface Net {
  /** The feeds, whose first sizes the file leaves open. */
  readonly given: Readonly<Record<string, OnnxTensor>>;
  readonly constants?: Readonly<Record<string, OnnxTensor<Float32Array | BigInt64Array>>>;
  readonly nodes: readonly NodeProto[];
  /** Default: 18. */
  readonly version?: number;
}

export function sizeOf(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}

export function floats(shape: readonly number[], data: Iterable<number>): OnnxTensor<Float32Array> {
  return { shape, data: Float32Array.from(data) };
}

export function integers(shape: readonly number[], data: readonly number[]): OnnxTensor<BigInt64Array> {
  return { shape, data: BigInt64Array.from(data, BigInt) };
}

/** Numbers in [low, high). */
export function noise(seed: number, shape: readonly number[], low = -1, high = 1): OnnxTensor<Float32Array> {
  return { shape, data: random(seed).uniform(sizeOf(shape), low, high) };
}

function typeOf(data: OnnxData): number {
  if (data instanceof Float32Array) return DATA_TYPE.float32;
  if (data instanceof BigInt64Array) return DATA_TYPE.int64;
  return data instanceof Int32Array ? DATA_TYPE.int32 : DATA_TYPE.bool;
}

/**
 * The net, whose output is `y`; with `whole` one that tells the shape of its first input, and hence sees whole tensors;
 * with `fixed` one that gives the number of images.
 */
export function loadNet(engine: Engine, net: Net, whole = false, fixed = false): Promise<OnnxModel> {
  const { given, constants = {}, nodes, version = 18 } = net;
  const inputs = Object.entries(given).map(([name, { shape, data }]) =>
    valueInfo(name, fixed ? shape : ["n", ...shape.slice(1)], typeOf(data)),
  );
  const initializers = Object.entries(constants).map(([name, { shape, data }]): TensorProto =>
    constant(name, shape, data),
  );
  const shape = node("Shape", [inputs[0]!.name], "shape");
  return loadOnnx(
    onnxFile({
      version,
      inputs,
      initializers,
      nodes: whole ? [...nodes, shape] : nodes,
      outputs: whole ? ["y", "shape"] : ["y"],
    }),
    { engine },
  );
}

/** The net's output for its feeds. */
export async function run(engine: Engine, net: Net, whole = false): Promise<OnnxTensor> {
  const loaded = await loadNet(engine, net, whole);
  try {
    const { y } = loaded.predict(net.given);
    expect(loaded.notBatched === undefined).toBe(!whole);
    return y!;
  } finally {
    loaded.dispose();
  }
}

/** Image by image and as a whole the net makes the same bits; they are returned. */
export async function runBoth(engine: Engine, net: Net): Promise<OnnxTensor> {
  const y = await run(engine, net);
  expect(await run(engine, net, true)).toEqual(y);
  return y;
}

/** Runs a net that mixes the images of a batch, as a whole alone. */
export async function runWhole(engine: Engine, net: Net): Promise<OnnxTensor> {
  const loaded = await loadNet(engine, net, false, true);
  try {
    const { y } = loaded.predict(net.given);
    expect(loaded.notBatched).toBeDefined();
    return y!;
  } finally {
    loaded.dispose();
  }
}
