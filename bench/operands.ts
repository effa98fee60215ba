import type { Region } from "../src/engine/region.ts";
import { Random } from "../src/random.ts";

/** A float32 array in JavaScript and its copy in the engine's memory. */
export interface Operand {
  readonly data: Float32Array;
  readonly pointer: number;
}

const random = new Random(1);

/** `size` uniform numbers in ±1. */
export function operand(region: Region, size: number): Operand {
  const data = new Float32Array(size).map(() => 2 * random.uniform() - 1);
  return { data, pointer: region.put(data) };
}

/**
 * Largest error of `result`, relative to the sums of the absolute products.
 * @throws Error when it is above γ_{length+1}, the bound of a running float32 sum.
 */
export function checkSums(
  name: string,
  result: Float32Array,
  length: number,
  sum: ArrayLike<number>,
  magnitude: ArrayLike<number>,
): number {
  let worst = 0;
  for (let i = 0; i < result.length; i++) {
    const error = Math.abs(result[i]! - sum[i]!) / Math.max(magnitude[i]!, Number.MIN_VALUE);
    worst = error <= worst ? worst : error;
  }
  const steps = (length + 1) * 2 ** -24;
  const bound = steps / (1 - steps);
  if (!(worst <= bound)) throw new Error(`${name}: expected an error of at most ${bound}, got ${worst}`);
  return worst;
}
