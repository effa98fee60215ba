/** TensorFlow.js on its WebAssembly backend (XNNPACK), SIMD, one thread. */
import { readFileSync } from "node:fs";
import type { Tensor } from "@tensorflow/tfjs-core";
import type { Job } from "../contest.ts";
import { outputSize, type ConvShape } from "../shapes.ts";
import type { Peer } from "./peer.ts";

type Tf = typeof import("@tensorflow/tfjs-core");
type Pad = [[number, number], [number, number], [number, number], [number, number]];

/** A job whose run makes one tensor; the operands live until it is disposed of. */
function job(operands: readonly Tensor[], make: () => Tensor): Job {
  let result: Tensor | undefined;
  return {
    run() {
      result?.dispose();
      result = make();
    },
    read: () => result!.dataSync() as Float32Array,
    dispose() {
      for (const tensor of [...operands, result]) tensor?.dispose();
    },
  };
}

function padOf({ padding }: ConvShape): number | Pad {
  const pad: [number, number] = [padding, padding];
  return padding === 0 ? 0 : [[0, 0], pad, pad, [0, 0]];
}

export async function openTfjs(): Promise<Peer> {
  const tf: Tf = await import("@tensorflow/tfjs-core");
  await import("@tensorflow/tfjs-backend-wasm");
  tf.env().set("WASM_HAS_MULTITHREAD_SUPPORT", false);
  if (!(await tf.setBackend("wasm"))) throw new Error("tfjs: expected its WebAssembly backend");
  if (!(await tf.env().getAsync("WASM_HAS_SIMD_SUPPORT"))) throw new Error("tfjs: expected SIMD");
  const file = new URL("../node_modules/@tensorflow/tfjs-backend-wasm/package.json", import.meta.url);
  const { version } = JSON.parse(readFileSync(file, "utf8")) as { version: string };
  const t4 = (data: Float32Array, ...shape: number[]) =>
    tf.tensor4d(data, shape as [number, number, number, number]);
  return {
    name: "tfjs-wasm",
    version,
    async matMul(m, n, k, a, b) {
      const [ta, tb] = [tf.tensor2d(a, [m, k]), tf.tensor2d(b, [k, n])];
      return job([ta, tb], () => tf.matMul(ta, tb));
    },
    async conv2d({ shape, x, w, b }) {
      const { n, h, w: width, c, kernelSize: k, filters, strides, groups } = shape;
      const [tx, tb] = [t4(x, n, h, width, c), tf.tensor1d(b)];
      const pad = padOf(shape) as number;
      if (groups > 1) {
        const filter = t4(w, k, k, c, 1);
        return job([tx, tb, filter], () =>
          tf.fused.depthwiseConv2d({ x: tx, filter, strides, pad, bias: tb }),
        );
      }
      const filter = t4(w, k, k, c, filters);
      return job([tx, tb, filter], () => tf.fused.conv2d({ x: tx, filter, strides, pad, bias: tb }));
    },
    async inputGradient({ shape, w, dy }) {
      const { n, h, w: width, c, kernelSize: k, filters, strides, groups } = shape;
      if (groups > 1) throw new Error("tfjs: has no depthwise input gradient");
      const [oh, ow] = outputSize(shape);
      const [tdy, filter] = [t4(dy, n, oh, ow, filters), t4(w, k, k, c, filters)];
      const attributes = { strides, pad: padOf(shape), dataFormat: "NHWC", inputShape: [n, h, width, c] };
      const run = (): Tensor =>
        tf
          .engine()
          .runKernel("Conv2DBackpropInput", { dy: tdy, filter }, attributes as never) as unknown as Tensor;
      return job([tdy, filter], run);
    },
    async pool({ kind, n, h, w, c, poolSize, strides }, x) {
      const tx = t4(x, n, h, w, c);
      const pool = kind === "max" ? tf.maxPool : tf.avgPool;
      return job([tx], () => pool(tx, poolSize, strides, "valid"));
    },
  };
}
