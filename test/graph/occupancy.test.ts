/** Places of buffers against the definition: the largest first, each at the lowest place that is free all the time. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { assignOffsets, untouched, type PlannedBuffer } from "../../src/graph/arena.ts";

interface Span {
  readonly size: number;
  /** Nothing touches a buffer without. */
  readonly first?: number;
  readonly length: number;
}

function planned({ size, first, length }: Span): PlannedBuffer {
  const buffer = untouched(size);
  return first === undefined ? buffer : { ...buffer, first, last: first + length };
}

/** By the definition: against all that are placed. */
function naive(buffers: readonly PlannedBuffer[]): number {
  const placed: PlannedBuffer[] = [];
  for (const buffer of [...buffers].sort((a, b) => b.size - a.size)) {
    const { size, first, last } = buffer;
    const beside = placed.filter((other) => other.first <= last && first <= other.last);
    const isFree = (offset: number): boolean =>
      beside.every((other) => offset + size <= other.offset || other.offset + other.size <= offset);
    const places = [0, ...beside.map((other) => other.offset + other.size)].filter(isFree);
    buffer.offset = Math.min(...places);
    placed.push(buffer);
  }
  return Math.max(0, ...placed.map(({ offset, size }) => offset + size));
}

describe("places of buffers", () => {
  it("are those of the definition", () => {
    const span = fc.record(
      { size: fc.integer({ min: 0, max: 300 }), first: fc.nat(30), length: fc.nat(12) },
      { requiredKeys: ["size", "length"] },
    );
    fc.assert(
      fc.property(fc.array(span, { maxLength: 40 }), (spans) => {
        const [ours, theirs] = [spans.map(planned), spans.map(planned)];
        expect(assignOffsets(ours)).toBe(naive(theirs));
        expect(ours.map(({ offset }) => offset)).toEqual(theirs.map(({ offset }) => offset));
      }),
      { seed: 16, numRuns: 500 },
    );
  });

  it("of none, and of one that takes no room", () => {
    expect(assignOffsets([])).toBe(0);
    expect(assignOffsets([planned({ size: 0, first: 0, length: 3 })])).toBe(0);
  });
});
