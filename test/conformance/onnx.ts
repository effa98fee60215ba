/** Nets from ONNX files: by the operators that come with the package's entry, and by those that are loaded when needed. */
import { loadOnnx } from "im2row/onnx";
import { node, onnxFile, valueInfo } from "../support/onnxFile.ts";
import type { Case, Context } from "./case.ts";
import { same } from "./expect.ts";

/** Whoever loads the package in one piece, in chunks or from a server finds the rest of the operators. */
async function expectPooled({ engine }: Context, outputs: readonly string[], wanted: unknown): Promise<void> {
  const file = onnxFile({
    nodes: [node("MaxPool", ["x"], outputs, { kernel_shape: [2, 2], strides: [2, 2] })],
    inputs: [valueInfo("x", ["n", 1, 2, 4])],
    outputs,
  });
  const net = await loadOnnx(file, { engine });
  const x = { shape: [1, 1, 2, 4], data: Float32Array.of(1, 2, 3, 4, 8, 7, 6, 5) };
  same("outputs", net.predict({ x }), wanted);
  net.dispose();
}

const shape = [1, 1, 1, 2];
const y = { shape, data: Float32Array.of(8, 6) };

export const onnxCases: readonly Case[] = [
  {
    name: "an ONNX file of layers runs",
    run: (context) => expectPooled(context, ["y"], { y }),
  },
  {
    name: "an ONNX file of rare operators runs",
    run: (context) =>
      expectPooled(context, ["y", "places"], { y, places: { shape, data: BigInt64Array.of(4n, 6n) } }),
  },
];
