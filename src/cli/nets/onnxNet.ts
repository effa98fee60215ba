/** A net from an ONNX file, as the commands see it. */
import type { Engine } from "../../index.ts";
import { OptionError } from "../../errors.ts";
import { loadOnnx, type OnnxNode } from "../../onnx.ts";
import { sizeOf } from "../../tensor.ts";
import type { Net } from "./net.ts";

/** Multiplications and additions of a node, each one; of what is no convolution or product nothing is counted. */
export function operationsOf({ type, inputs, outputs }: OnnxNode): number {
  const [x, w] = inputs;
  const y = outputs[0];
  if (!x || !w || !y) return 0;
  if (type === "Conv") return 2 * sizeOf(y) * sizeOf(w.slice(1));
  if (type === "ConvTranspose") return 2 * sizeOf(x) * sizeOf(w.slice(1));
  if (type === "MatMul") return 2 * sizeOf(y) * x.at(-1)!;
  // The matrices may be transposed: the sizes of both together have each size of the result, and the sum's twice.
  if (type === "Gemm") return 2 * sizeOf(y) * Math.sqrt((sizeOf(x) * sizeOf(w)) / sizeOf(y));
  return 0;
}

export async function onnxNet(bytes: Uint8Array, engine: Engine): Promise<Net> {
  const net = await loadOnnx(bytes, { engine });
  return {
    format: "ONNX",
    layout: "NCHW",
    inputs: net.inputs,
    outputNames: net.outputNames,
    metadata: net.metadata,
    // What follows depends on shapes that the first session or run may tell.
    get parameterCount() {
      return net.parameterCount;
    },
    get notBatched() {
      return net.notBatched;
    },
    get notTrainable() {
      return net.notTrainable;
    },
    get nodes() {
      return net.nodes.map((node) => ({
        name: node.name,
        type: node.type,
        output: node.outputs[0],
        operations: operationsOf(node),
      }));
    },
    get values() {
      return net.values;
    },
    predict: (feeds) => net.predict(feeds),
    session: (options) => net.session(options),
    toOnnx(layout) {
      if (layout === undefined) return net.toOnnx();
      throw new OptionError(
        "--layout: expected a .safetensors file, whose images can be turned, got an ONNX file, which keeps its own layout",
      );
    },
    toSafetensors: () => net.model.toSafetensors(),
  };
}
