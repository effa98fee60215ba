import { bytesOf, type DType } from "../dtype.ts";
import { MemoryError } from "../errors.ts";
import type { Buffer } from "../layers/buffer.ts";
import { Occupancy } from "./occupancy.ts";

/** Buffers start at multiples of this many bytes, the size of a cache line. */
const ALIGNMENT = 64;

/** A buffer with the span of times, `first` to `last`, during which its content is needed. */
export interface PlannedBuffer extends Buffer {
  /** The number of its bytes, rounded up to whole cache lines. */
  readonly size: number;
  first: number;
  last: number;
  /** The number of bytes between the start of the arena and the start of the buffer. */
  offset: number;
}

/** Extends a buffer's span to include `time`. */
export function touch(buffer: PlannedBuffer, time: number): void {
  buffer.first = Math.min(buffer.first, time);
  buffer.last = Math.max(buffer.last, time);
}

/** The most elements of a buffer; more than 4 GiB cannot be addressed by 32 bits. */
const MOST = 2 ** 30;

/** Makes a buffer whose span is still empty. @throws MemoryError unless its size can be addressed */
export function untouched(elements: number, dtype: DType = "float32"): PlannedBuffer {
  if (!(elements >= 0 && elements <= MOST)) {
    throw new MemoryError(`model: expected a buffer of at most ${MOST} elements, got ${elements}`);
  }
  return {
    pointer: 0,
    dtype,
    size: Math.ceil((elements * bytesOf(dtype)) / ALIGNMENT) * ALIGNMENT,
    first: Infinity,
    last: -Infinity,
    offset: 0,
  };
}

/**
 * Gives each buffer an offset such that buffers needed at the same time do not overlap, and returns the size of the arena.
 * Buffers are placed from the largest to the smallest, each at the lowest offset that is free during its whole span.
 */
export function assignOffsets(buffers: readonly PlannedBuffer[]): number {
  const occupancy = new Occupancy(buffers.reduce((end, { last }) => Math.max(end, last + 1), 1));
  let total = 0;
  for (const buffer of [...buffers].sort((a, b) => b.size - a.size)) {
    // A buffer that no pass uses has an empty span and may have any offset.
    buffer.offset = buffer.first <= buffer.last ? occupancy.place(buffer) : 0;
    total = Math.max(total, buffer.offset + buffer.size);
  }
  return total;
}
