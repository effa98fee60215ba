import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Heap } from "../../src/runtime/heap.ts";
import { MemoryError } from "../../src/errors.ts";

const PAGE = 65536;
const BASE = 1000;

function open(pages = 1, maximumPages = 64): Heap {
  const memory = new WebAssembly.Memory({ initial: pages, maximum: maximumPages });
  return new Heap(memory, BASE, maximumPages * PAGE);
}

/** A step of a program: allocate so many elements, or free the block of this number among those held. */
type Step = { allocate: number } | { free: number };

const steps = fc.array(
  fc.oneof(
    { weight: 3, arbitrary: fc.record({ allocate: fc.integer({ min: 0, max: 3000 }) }) },
    { weight: 2, arbitrary: fc.record({ free: fc.nat() }) },
  ),
  { maxLength: 120 },
);

interface Held {
  start: number;
  elements: number;
  mark: number;
}

/** Runs the program; each block is filled with a mark of its own. */
function run(heap: Heap, program: Step[]): Held[] {
  const held: Held[] = [];
  for (const [mark, step] of program.entries()) {
    if ("allocate" in step) {
      const start = heap.allocate(step.allocate, "test");
      heap.ints.fill(mark, start / 4, start / 4 + step.allocate);
      held.push({ start, elements: step.allocate, mark });
    } else if (held.length > 0) {
      const [block] = held.splice(step.free % held.length, 1);
      heap.free(block!.start);
    }
  }
  return held;
}

describe("the heap", () => {
  it("hands out aligned blocks behind the base that never overlap and keep their content", () => {
    fc.assert(
      fc.property(steps, (program) => {
        const heap = open();
        const held = run(heap, program);
        held.sort((p, q) => p.start - q.start);
        let end = BASE;
        for (const { start, elements, mark } of held) {
          expect(start % 64).toBe(0);
          expect(start).toBeGreaterThanOrEqual(end);
          end = start + 4 * Math.max(1, elements);
          expect(heap.ints.subarray(start / 4, start / 4 + elements).every((v) => v === mark)).toBe(true);
        }
        expect(end).toBeLessThanOrEqual(heap.memory.buffer.byteLength);
        expect(heap.allocatedBytes).toBe(
          held.reduce((sum, { elements }) => sum + Math.ceil((4 * Math.max(1, elements)) / 64) * 64, 0),
        );
      }),
      { numRuns: 200, seed: 20260716 },
    );
  });

  it("merges what is freed, in any order, to one piece that is used again without growth", () => {
    fc.assert(
      fc.property(steps, fc.infiniteStream(fc.nat()), (program, order) => {
        const heap = open();
        const held = run(heap, program);
        while (held.length > 0) {
          const [block] = held.splice((order.next().value as number) % held.length, 1);
          heap.free(block!.start);
        }
        expect(heap.allocatedBytes).toBe(0);
        const bytes = heap.memory.buffer.byteLength;
        const first = Math.ceil(BASE / 64) * 64;
        // All of the memory in one block: no hole is left anywhere.
        const room = Math.floor((bytes - 64 - first) / 64) * 16;
        expect(heap.allocate(room, "test")).toBe(first);
        expect(heap.memory.buffer.byteLength).toBe(bytes);
      }),
      { numRuns: 200, seed: 20260717 },
    );
  });

  it("does not grow under a program that holds the same blocks again and again", () => {
    const heap = open();
    const sizes = [5000, 12, 700, 9000, 1, 333];
    const round = (): void => {
      const blocks = sizes.map((size) => heap.allocate(size, "test"));
      for (const i of [3, 0, 5, 1, 4, 2]) heap.free(blocks[i]!);
    };
    round();
    const bytes = heap.memory.buffer.byteLength;
    for (let i = 0; i < 1000; i++) round();
    expect(heap.memory.buffer.byteLength).toBe(bytes);
    expect(heap.allocatedBytes).toBe(0);
  });

  it("gives views of the memory as it is after growth", () => {
    const heap = open();
    const p = heap.allocate(1, "test");
    const before = heap.floats;
    before[p / 4] = 1.5;
    heap.allocate(PAGE, "test");
    expect(before.length).toBe(0);
    expect(heap.floats[p / 4]).toBe(1.5);
    for (const view of [heap.floats, heap.ints, heap.doubles]) {
      expect(view.buffer).toBe(heap.memory.buffer);
      expect(view.byteLength).toBe(heap.memory.buffer.byteLength);
    }
    expect(heap.floats).toBe(heap.floats);
  });

  it("refuses what does not fit by purpose and bytes, and goes on", () => {
    const heap = open(1, 4);
    const p = heap.allocate(1000, "weights");
    expect(() => heap.allocate(PAGE, "the buffers of conv2d_3")).toThrow(MemoryError);
    expect(() => heap.allocate(PAGE, "the buffers of conv2d_3")).toThrow(
      /^the buffers of conv2d_3: expected room for 262144 bytes, got a memory of at most 262144 bytes with 4032 in use/,
    );
    expect(heap.allocatedBytes).toBe(4032);
    const q = heap.allocate(PAGE / 2, "smaller");
    heap.free(p);
    heap.free(q);
    expect(heap.allocatedBytes).toBe(0);
  });

  it("refuses to grow a memory that its host limits further, in the same words", () => {
    const memory = new WebAssembly.Memory({ initial: 1, maximum: 2 });
    const heap = new Heap(memory, 0, 100 * PAGE);
    expect(() => heap.allocate(PAGE, "x")).toThrow(
      /^x: expected room for 262144 bytes, got a memory of at most/,
    );
    expect(heap.allocate(16, "y")).toBe(0);
  });

  it("refuses to free what is not allocated", () => {
    const heap = open();
    const p = heap.allocate(10, "test");
    heap.free(p);
    expect(() => heap.free(p)).toThrow(new RegExp(`expected the address of an allocated block, got ${p}$`));
    expect(() => heap.free(p + 4)).toThrow(/allocated block/);
  });
});
