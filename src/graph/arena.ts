import { bytesOf, type DType } from "../dtype.ts";
import { MemoryError } from "../errors.ts";
import type { Buffer } from "../layers/buffer.ts";
import { Occupancy } from "./occupancy.ts";

/** Buffers start at cache lines, of so many bytes. */
const ALIGNMENT = 64;

/** A buffer with the span of steps in which its content is needed. */
export interface PlannedBuffer extends Buffer {
  /** Its bytes, rounded up to whole cache lines. */
  readonly size: number;
  first: number;
  last: number;
  /** Bytes between the start of the arena and that of the buffer. */
  offset: number;
}

/** Extends the span to `time`. */
export function touch(buffer: PlannedBuffer, time: number): void {
  buffer.first = Math.min(buffer.first, time);
  buffer.last = Math.max(buffer.last, time);
}

/** Most elements of a buffer: what 32 bits address. */
const MOST = 2 ** 30;

/** A buffer that nothing has touched yet. @throws MemoryError unless its size can be addressed */
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
 * Gives each buffer an offset such that buffers needed at the same time do not overlap, and returns the bytes needed
 * in all. Largest first, each at the lowest place that is free during its whole span.
 */
export function assignOffsets(buffers: readonly PlannedBuffer[]): number {
  const occupancy = new Occupancy(buffers.reduce((end, { last }) => Math.max(end, last + 1), 1));
  let total = 0;
  for (const buffer of [...buffers].sort((a, b) => b.size - a.size)) {
    // What nothing touches has no span, and lies anywhere.
    buffer.offset = buffer.first <= buffer.last ? occupancy.place(buffer) : 0;
    total = Math.max(total, buffer.offset + buffer.size);
  }
  return total;
}
