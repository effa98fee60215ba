/**
 * How threads split a kernel: over its outputs, never over a sum, so that no number of threads changes a bit.
 *
 * Every thread has an instance of its own on the one memory, and calls the same kernel with the same arguments; the
 * instance knows which share of the outputs is its own. Where nobody calls `joinThreads` the one share is all of it. No
 * kernel has an atomic instruction, so that the one binary runs on plain memory and on shared memory.
 */

/** Floats of a cache line, the unit in which threads share elements, columns and channels. */
export const LINE: i32 = 16;

/** This instance's share, from 0 on, and the number of shares. */
let index: i32 = 0;
let count: i32 = 1;

/** Makes this instance the thread `share` of `shares`, before its first kernel runs. */
export function joinThreads(share: i32, shares: i32): void {
  index = share;
  count = shares;
}

/** The number of threads that share a kernel. */
// @ts-ignore: decorator
@inline
export function shares(): i32 {
  return count;
}

/** The number of this thread, from 0 on. */
// @ts-ignore: decorator
@inline
export function share(): i32 {
  return index;
}

/** The first of `total` outputs that are this thread's; they come in groups of `unit`, which are not cut. */
// @ts-ignore: decorator
@inline
export function firstShare(total: i32, unit: i32 = 1): i32 {
  return shareStart(total, unit, index);
}

/** One past the last of them. */
// @ts-ignore: decorator
@inline
export function endShare(total: i32, unit: i32 = 1): i32 {
  return shareStart(total, unit, index + 1);
}

/** The first of the outputs that are this thread's where they are `shared`; where they are not, all of them are. */
// @ts-ignore: decorator
@inline
export function firstOf(shared: bool, total: i32, unit: i32 = 1): i32 {
  return shared ? firstShare(total, unit) : 0;
}

/** One past the last of them. */
// @ts-ignore: decorator
@inline
export function endOf(shared: bool, total: i32, unit: i32 = 1): i32 {
  return shared ? endShare(total, unit) : total;
}

/** The first output of share `i` of `total`. In 64 bits, as the product of two sizes may exceed 32. */
function shareStart(total: i32, unit: i32, i: i32): i32 {
  const units = (total + unit - 1) / unit;
  return min(total, <i32>((<i64>units * i) / count) * unit);
}
