import { MemoryError } from "../errors.ts";
import type { Buffer } from "../layers/layer.ts";
import { Room } from "./occupancy.ts";

/** Buffers start at cache lines: 16 floats. */
const ALIGNMENT = 16;

/** A buffer with the span of steps in which its content is needed. */
export interface PlannedBuffer extends Buffer {
  readonly size: number;
  first: number;
  last: number;
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
export function untouched(size: number): PlannedBuffer {
  if (!(size >= 0 && size <= MOST)) {
    throw new MemoryError(`model: expected a buffer of at most ${MOST} elements, got ${size}`);
  }
  return {
    pointer: 0,
    size: Math.ceil(size / ALIGNMENT) * ALIGNMENT,
    first: Infinity,
    last: -Infinity,
    offset: 0,
  };
}

/**
 * Gives each buffer an offset such that buffers needed at the same time do not overlap, and returns the elements needed
 * in all. Largest first, each at the lowest place that is free during its whole span.
 */
export function assignOffsets(buffers: readonly PlannedBuffer[]): number {
  const room = new Room(buffers.reduce((end, { last }) => Math.max(end, last + 1), 1));
  let total = 0;
  for (const buffer of [...buffers].sort((a, b) => b.size - a.size)) {
    // What nothing touches has no span, and lies anywhere.
    buffer.offset = buffer.first <= buffer.last ? room.place(buffer) : 0;
    total = Math.max(total, buffer.offset + buffer.size);
  }
  return total;
}
