/** The numbers that `checkGradients` moves and compares. */
import type { Random } from "../random.ts";

/** The part of their root mean square by which numbers are moved before the check. */
const MOVED = 2 ** -6;

export function rootMeanSquare(numbers: Float32Array): number {
  return Math.sqrt(numbers.reduce((sum, value) => sum + value * value, 0) / numbers.length);
}

/** Moves numbers a little, away from kinks and from each other. */
export function move(numbers: Float32Array, random: Random): void {
  const step = MOVED * (rootMeanSquare(numbers) || 1);
  for (let i = 0; i < numbers.length; i++) numbers[i]! += step * random.normal();
}

/** Indices of numbers to compare: that of the largest gradient, and others in random order. */
export function sample(gradient: Float32Array, count: number, random: Random): number[] {
  const order = Uint32Array.from(gradient.keys());
  random.shuffle(order);
  const largest = gradient.reduce(
    (most, value, i) => (Math.abs(value) > Math.abs(gradient[most]!) ? i : most),
    0,
  );
  return [largest, ...order.filter((at) => at !== largest)].slice(0, count);
}
