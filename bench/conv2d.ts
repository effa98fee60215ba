import { forwardPass, type Conv2d } from "../src/engine/conv2d.ts";
import { filterGradientPass, inputGradientPass } from "../src/engine/conv2dGradients.ts";
import { Region } from "../src/engine/region.ts";
import type { Runtime } from "../src/engine/runtime.ts";
import { resolveWindow, type Padding } from "../src/engine/window.ts";
import type { Result } from "./gemm.ts";
import { checkSums, operand, type Operand } from "./operands.ts";
import { gigaflops } from "./timing.ts";

const PASSES = ["forward", "filter", "input"] as const;
type Pass = (typeof PASSES)[number];

/** A convolution of a network: batch, image, filters. */
export interface ConvCase {
  readonly network: string;
  readonly n: number;
  readonly image: readonly [h: number, w: number, c: number];
  readonly filters: number;
  readonly kernelSize: number;
  readonly strides: number;
  readonly padding: Padding;
}

const LENET = { network: "LeNet-5", kernelSize: 5, strides: 1 } as const;
const RESNET = { network: "ResNet-50 block", n: 1, strides: 1, padding: "same" } as const;

/** The two convolutions of LeNet-5 on a batch, and one bottleneck block of ResNet-50 on one image. */
export const CONV_CASES: readonly ConvCase[] = [
  { ...LENET, n: 64, image: [28, 28, 1], filters: 6, padding: "same" },
  { ...LENET, n: 64, image: [14, 14, 6], filters: 16, padding: "valid" },
  { ...RESNET, image: [56, 56, 256], filters: 64, kernelSize: 1 },
  { ...RESNET, image: [56, 56, 64], filters: 64, kernelSize: 3 },
  { ...RESNET, image: [56, 56, 64], filters: 256, kernelSize: 1 },
];

type Visit = (x: number, w: number, y: number) => void;

/** Calls `visit` with the flat indices of every product of the convolution, straight from its definition. */
function eachProduct({ window, f }: Conv2d, n: number, visit: Visit): void {
  const { h, w, c, kh, kw, oh, ow, strideH, strideW, top, left } = window;
  for (let pixel = 0; pixel < n * oh * ow; pixel++) {
    const [image, oy, ox] = [Math.floor(pixel / (oh * ow)), Math.floor(pixel / ow) % oh, pixel % ow];
    for (let tap = 0; tap < kh * kw; tap++) {
      const [iy, ix] = [oy * strideH - top + Math.floor(tap / kw), ox * strideW - left + (tap % kw)];
      if (iy < 0 || iy >= h || ix < 0 || ix >= w) continue;
      for (let ch = 0; ch < c; ch++) {
        const at = ((image * h + iy) * w + ix) * c + ch;
        for (let out = 0; out < f; out++) visit(at, (tap * c + ch) * f + out, pixel * f + out);
      }
    }
  }
}

interface Sums {
  readonly sum: Float64Array;
  readonly magnitude: Float64Array;
}

/** Float64 sums of all three passes, and of their absolute products. */
function oracle(conv: Conv2d, n: number, x: Operand, w: Operand, dy: Operand): Record<Pass, Sums> {
  const zeros = ({ data }: Operand): Sums => ({
    sum: new Float64Array(data.length),
    magnitude: new Float64Array(data.length),
  });
  const sums = { forward: zeros(dy), filter: zeros(w), input: zeros(x) };
  const add = (to: Sums, index: number, product: number): void => {
    to.sum[index]! += product;
    to.magnitude[index]! += Math.abs(product);
  };
  eachProduct(conv, n, (ix, iw, iy) => {
    add(sums.forward, iy, x.data[ix]! * w.data[iw]!);
    add(sums.filter, iw, x.data[ix]! * dy.data[iy]!);
    add(sums.input, ix, dy.data[iy]! * w.data[iw]!);
  });
  return sums;
}

/** The three passes of one convolution, each checked against float64 sums and then timed. */
export function benchConv2d(runtime: Runtime, spec: ConvCase): Result[] {
  const { kernels, heap } = runtime;
  const { n, image, filters: f, kernelSize, strides, padding } = spec;
  const window = resolveWindow("bench", image, { kernelSize, strides, padding });
  const conv: Conv2d = { window, f, groups: 1 };
  const k = kernelSize * kernelSize * window.c;
  const pixels = n * window.oh * window.ow;
  const region = new Region(heap, "bench");
  try {
    const x = operand(region, n * window.h * window.w * window.c);
    const w = operand(region, k * f);
    const dy = operand(region, pixels * f);
    const struct = region.window(window);
    const out = region.room(Math.max(x.data.length, w.data.length, dy.data.length));
    const passes = {
      forward: forwardPass("bench", conv, "auto"),
      filter: filterGradientPass("bench", conv, "auto"),
      input: inputGradientPass("bench", conv, "auto"),
    };
    const room = Object.values(passes).map((pass) => pass.workspace(kernels, struct));
    const space = region.room(Math.max(...room));
    const expected = oracle(conv, n, x, w, dy);
    const runs: Record<Pass, () => void> = {
      forward: () => passes.forward.run(kernels, struct, n, x.pointer, w.pointer, 0, out, 0, 0, space),
      filter: () => passes.filter.run(kernels, struct, n, x.pointer, dy.pointer, out, space),
      input: () => passes.input.run(kernels, struct, n, dy.pointer, w.pointer, out, space),
    };
    const lengths = { forward: k, filter: pixels, input: f * kernelSize * kernelSize };
    const title = `conv2d ${n}×${image.join("×")} ${kernelSize}×${kernelSize}×${f}`;
    return PASSES.map((pass) => {
      const name = `${title} ${pass}`;
      runs[pass]();
      const { sum, magnitude } = expected[pass];
      const result = heap.floats.slice(out >>> 2, (out >>> 2) + sum.length);
      const error = checkSums(name, result, lengths[pass], sum, magnitude);
      return { name, gigaflops: gigaflops(2 * pixels * k * f, runs[pass]), error };
    });
  } finally {
    region.release();
  }
}
