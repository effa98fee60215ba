/** Nets from ONNX files: by the operators that come with the package's entry, and by those that are loaded when needed. */
import { loadOnnx } from "im2row/onnx";
import type { Case, Context } from "./case.ts";
import { same } from "./expect.ts";

/** Files of one node, `MaxPool` of 2×2 with strides of 2 for `x[n, 1, 2, 4]`: what it returns, and the bytes in hexadecimal. */
const FILES = {
  y: "08081204746573743a6e0a3d0a01781201791a017922074d6178506f6f6c2a150a0c6b65726e656c5f736861706540024002a001072a100a077374726964657340024002a001073a001204746573745a1c0a017812170a15080112110a0312016e0a0208010a0208020a02080462090a017912040a02080142040a001011",
  "y, places":
    "08081204746573743a86010a450a01781201791206706c616365731a017922074d6178506f6f6c2a150a0c6b65726e656c5f736861706540024002a001072a100a077374726964657340024002a001073a001204746573745a1c0a017812170a15080112110a0312016e0a0208010a0208020a02080462090a017912040a020801620e0a06706c6163657312040a02080142040a001011",
};

/** Whoever has the package in one piece, in chunks or from a server finds the rest of the operators. */
async function expectPooled({ engine }: Context, file: keyof typeof FILES, wanted: unknown): Promise<void> {
  const bytes = Uint8Array.from(FILES[file].match(/../g)!, (digits) => parseInt(digits, 16));
  const net = await loadOnnx(bytes, { engine });
  const x = { shape: [1, 1, 2, 4], data: Float32Array.of(1, 2, 3, 4, 8, 7, 6, 5) };
  same("outputs", net.predict({ x }), wanted);
  net.dispose();
}

const shape = [1, 1, 1, 2];
const y = { shape, data: Float32Array.of(8, 6) };
const places = { shape, data: BigInt64Array.of(4n, 6n) };

export const onnxCases: readonly Case[] = [
  { name: "an ONNX file of layers runs", run: (context) => expectPooled(context, "y", { y }) },
  {
    name: "an ONNX file of rare operators runs",
    run: (context) => expectPooled(context, "y, places", { y, places }),
  },
];
