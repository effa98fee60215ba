import { bytesOf, type DType } from "../dtype.ts";
import { isTyped, lengthOf } from "../options.ts";
import { expectAttached } from "../tensor.ts";
import type { Heap } from "./heap.ts";
import { WINDOW_SIZE, writeWindow, type Window } from "../kernels/kernels.ts";

/** The number of windows that are allocated at a time. */
const WINDOWS = 16;

/** Blocks of linear memory that are freed together. */
export class Region {
  readonly heap: Heap;
  readonly #purpose: string;
  protected readonly blocks: number[] = [];
  /** Memory for structs of windows, which are allocated several at a time: its address, and how many are left. */
  #windows = 0;
  #left = 0;

  /** @param purpose names the owner in the error when memory runs out */
  constructor(heap: Heap, purpose: string) {
    this.heap = heap;
    this.#purpose = purpose;
  }

  /** Allocates `elements` elements without initialising them. @throws MemoryError */
  allocate(elements: number, dtype: DType = "float32"): number {
    const pointer = this.heap.allocate(Math.ceil((elements * bytesOf(dtype)) / 4), this.#purpose);
    this.blocks.push(pointer);
    return pointer;
  }

  /** Allocates `elements` elements of four bytes that are zero. */
  zeros(elements: number): number {
    const pointer = this.allocate(elements);
    this.heap.ints.fill(0, pointer >>> 2, (pointer >>> 2) + elements);
    return pointer;
  }

  /**
   * A copy of the data, which have so many elements unless their buffer was detached.
   * @throws ShapeError when it was, as by the growth of this memory when they are a view of it.
   */
  put(data: Float32Array | Int32Array, length: number = lengthOf(data)): number {
    const pointer = this.allocate(length);
    expectAttached(data, length);
    (isTyped(data, Int32Array) ? this.heap.ints : this.heap.floats).set(data, pointer >>> 2);
    return pointer;
  }

  /** The struct of a window. */
  window(window: Window): number {
    if (this.#left === 0) {
      this.#windows = this.allocate(WINDOW_SIZE * WINDOWS);
      this.#left = WINDOWS;
    }
    const pointer = this.#windows + 4 * WINDOW_SIZE * --this.#left;
    writeWindow(this.heap.ints, pointer, window);
    return pointer;
  }

  /** Frees all of it. */
  release(): void {
    for (const pointer of this.blocks) this.heap.free(pointer);
    this.blocks.length = 0;
    this.#left = 0;
  }
}

/**
 * The blocks that a collected region leaves behind. The reference to the heap is weak, since both may be collected
 * together.
 */
interface Left {
  readonly heap: WeakRef<Heap>;
  readonly blocks: readonly number[];
}

/** Frees them. The host calls it between two turns, and so never while a kernel runs; some hosts have none. */
const collected =
  typeof FinalizationRegistry === "undefined"
    ? undefined
    : new FinalizationRegistry<Left>(({ heap, blocks }) => {
        for (const pointer of blocks) heap.deref()?.free(pointer);
      });

/**
 * A region that is freed as well when nobody holds it any more, as with a model that nobody disposed of. Whoever uses its
 * addresses has to hold it.
 */
export class KeptRegion extends Region {
  constructor(heap: Heap, purpose: string) {
    super(heap, purpose);
    collected?.register(this, { heap: new WeakRef(heap), blocks: this.blocks }, this);
  }

  override release(): void {
    collected?.unregister(this);
    super.release();
  }
}
