/** ONNX Runtime: native, and compiled to WebAssembly. Both read NCHW. */
import { readFileSync } from "node:fs";
import type { InferenceSession, Tensor } from "onnxruntime-common";
import type { Job } from "../contest.ts";
import { fromNchw, toNchw, toOihw } from "../layout.ts";
import { operatorFile, type Operand } from "../onnx.ts";
import { outputSize } from "../shapes.ts";
import type { Peer } from "./peer.ts";

/** The exports of both packages. */
interface Ort {
  readonly InferenceSession: { create(file: Uint8Array, options: object): Promise<InferenceSession> };
  readonly Tensor: new (type: "float32", data: Float32Array, shape: readonly number[]) => Tensor;
}

type Turn = (data: Float32Array) => ArrayLike<number>;

function versionOf(name: string): string {
  const file = new URL(`../node_modules/${name}/package.json`, import.meta.url);
  return (JSON.parse(readFileSync(file, "utf8")) as { version: string }).version;
}

function peer(name: string, version: string, ort: Ort, options: object): Peer {
  const open = async (
    file: Uint8Array,
    inputs: readonly { name: string; shape: readonly number[]; data: Float32Array }[],
    turn: Turn,
  ): Promise<Job> => {
    const session = await ort.InferenceSession.create(file, options);
    const feeds = Object.fromEntries(
      inputs.map(({ name: input, shape, data }) => [input, new ort.Tensor("float32", data, shape)]),
    );
    let result: Tensor | undefined;
    return {
      async run() {
        result = Object.values(await session.run(feeds))[0];
      },
      read: () => turn(result!.data as Float32Array),
      dispose: () => void session.release(),
    };
  };
  const single = (
    type: string,
    operands: readonly (Operand & { data: Float32Array; constant?: boolean })[],
    attributes: Parameters<typeof operatorFile>[2],
    output: readonly number[],
    turn: Turn,
  ): Promise<Job> => {
    const inputs = operands.filter(({ constant }) => !constant);
    const declared = operands.map(({ name: operand, shape, data, constant }) =>
      constant ? { name: operand, shape, data } : { name: operand, shape },
    );
    return open(operatorFile(type, declared, attributes, output), inputs, turn);
  };
  return {
    name,
    version,
    matMul: (m, n, k, a, b) =>
      single(
        "MatMul",
        [
          { name: "a", shape: [m, k], data: a },
          { name: "b", shape: [k, n], data: b },
        ],
        {},
        [m, n],
        (data) => data,
      ),
    conv2d({ shape, x, w, b }) {
      const { n, h, w: width, c, kernelSize: k, filters: f, strides, padding, groups } = shape;
      const [oh, ow] = outputSize(shape);
      const hwio = [k, k, c / groups, f];
      const operands = [
        { name: "x", shape: [n, c, h, width], data: toNchw(x, [n, h, width, c]) },
        { name: "w", shape: [f, c / groups, k, k], data: toOihw(w, hwio), constant: true },
        { name: "b", shape: [f], data: b, constant: true },
      ];
      const attributes = {
        kernel_shape: [k, k],
        strides: [strides, strides],
        pads: [padding, padding, padding, padding],
        group: groups,
      };
      return single("Conv", operands, attributes, [n, f, oh, ow], (y) => fromNchw(y, [n, oh, ow, f]));
    },
    pool({ kind, n, h, w, c, poolSize, strides }, x) {
      const [oh, ow] = [h, w].map((size) => Math.floor((size - poolSize) / strides) + 1) as [number, number];
      const type = kind === "max" ? "MaxPool" : "AveragePool";
      const operands = [{ name: "x", shape: [n, c, h, w], data: toNchw(x, [n, h, w, c]) }];
      const attributes = { kernel_shape: [poolSize, poolSize], strides: [strides, strides] };
      return single(type, operands, attributes, [n, c, oh, ow], (y) => fromNchw(y, [n, oh, ow, c]));
    },
    network: (file, input, shape, data) => open(file, [{ name: input, shape, data }], (output) => output),
  };
}

/** Compiled to WebAssembly, one thread. Its provider is named: else the native engine in this process would answer. */
export async function openOnnxruntimeWeb(): Promise<Peer> {
  const ort = await import("onnxruntime-web");
  ort.env.wasm.numThreads = 1;
  const options = { executionProviders: ["wasm"] };
  return peer("onnxruntime-web", versionOf("onnxruntime-web"), ort as unknown as Ort, options);
}

/** Native, on `threads` threads. */
export async function openOnnxruntimeNode(threads: number): Promise<Peer> {
  const ort = await import("onnxruntime-node");
  const options = { executionProviders: ["cpu"], intraOpNumThreads: threads, interOpNumThreads: 1 };
  return peer("onnxruntime-node", versionOf("onnxruntime-node"), ort as unknown as Ort, options);
}
