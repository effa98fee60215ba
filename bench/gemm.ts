import { Region } from "../src/engine/region.ts";
import type { Runtime } from "../src/engine/runtime.ts";
import { checkSums, operand } from "./operands.ts";
import { gigaflops } from "./timing.ts";

export interface Result {
  readonly name: string;
  readonly gigaflops: number;
  /** Largest error of the sample that was checked, relative to the sum of absolute products. */
  readonly error: number;
}

export const GEMM_SIZES = [64, 128, 256, 512, 1024];

/** The float64 product and the product of the absolute values. */
function product(a: Float32Array, b: Float32Array, size: number) {
  const sum = new Float64Array(size * size);
  const magnitude = new Float64Array(size * size);
  for (let i = 0; i < size; i++) {
    for (let k = 0; k < size; k++) {
      for (let j = 0; j < size; j++) {
        const term = a[i * size + k]! * b[k * size + j]!;
        sum[i * size + j]! += term;
        magnitude[i * size + j]! += Math.abs(term);
      }
    }
  }
  return { sum, magnitude };
}

/** `C = A·B` of square matrices. */
export function benchGemm(runtime: Runtime, size: number): Result {
  const { kernels, heap } = runtime;
  const region = new Region(heap, "bench");
  const name = `gemm ${size}×${size}×${size}`;
  try {
    const a = operand(region, size * size);
    const b = operand(region, size * size);
    const c = region.room(size * size);
    const workspace = region.room(kernels.gemmWorkspace(size, size));
    const run = (): void =>
      kernels.gemm(0, 0, size, size, size, a.pointer, size, b.pointer, size, c, size, 0, 0, 0, 0, workspace);
    run();
    const result = heap.floats.slice(c >>> 2, (c >>> 2) + size * size);
    const { sum, magnitude } = product(a.data, b.data, size);
    const error = checkSums(name, result, size, sum, magnitude);
    return { name, gigaflops: gigaflops(2 * size ** 3, run), error };
  } finally {
    region.release();
  }
}
