import { MemoryError } from "../errors.ts";
import type { LinearMemory } from "./platform.ts";

const PAGE = 65536;
/** Every block starts at a cache line. */
const ALIGNMENT = 64;
/** Vector loads may read up to one vector past a buffer; the memory ends later than that. */
const SLACK = 64;

interface Block {
  start: number;
  size: number;
}

/**
 * The allocator of the linear memory: first fit over a list of free blocks, merged when freed.
 *
 * Blocks are few and long-lived (a model's weights and buffers) or freed in the same call (an operator's operands), so
 * the list stays short.
 */
export class Heap {
  readonly memory: LinearMemory;
  readonly maximum: number;
  readonly #free: Block[] = [];
  readonly #used = new Map<number, number>();
  /** The address at which memory that was never handed out begins. */
  #top: number;
  #floats: Float32Array;
  #ints: Int32Array;
  #doubles: Float64Array;
  #bytes: Uint8Array;

  constructor(memory: LinearMemory, base: number, maximum: number) {
    this.memory = memory;
    this.maximum = maximum;
    this.#top = alignUp(base);
    this.#floats = new Float32Array(memory.buffer);
    this.#ints = new Int32Array(memory.buffer);
    this.#doubles = new Float64Array(memory.buffer);
    this.#bytes = new Uint8Array(memory.buffer);
  }

  /** The whole memory as float32. Growth detaches views: take it anew where it is used. */
  get floats(): Float32Array {
    if (this.#floats.buffer !== this.memory.buffer) this.#floats = new Float32Array(this.memory.buffer);
    return this.#floats;
  }

  /** The whole memory as int32, as `floats`. */
  get ints(): Int32Array {
    if (this.#ints.buffer !== this.memory.buffer) this.#ints = new Int32Array(this.memory.buffer);
    return this.#ints;
  }

  /** The whole memory as float64, as `floats`. */
  get doubles(): Float64Array {
    if (this.#doubles.buffer !== this.memory.buffer) this.#doubles = new Float64Array(this.memory.buffer);
    return this.#doubles;
  }

  /** The whole memory as bytes, as `floats`. */
  get bytes(): Uint8Array {
    if (this.#bytes.buffer !== this.memory.buffer) this.#bytes = new Uint8Array(this.memory.buffer);
    return this.#bytes;
  }

  /** Bytes handed out at the moment. */
  get allocatedBytes(): number {
    let sum = 0;
    for (const size of this.#used.values()) sum += size;
    return sum;
  }

  /**
   * Reserves `elements` elements of four bytes and returns their address. Their content is undefined.
   * @throws MemoryError when the memory cannot grow that far.
   */
  allocate(elements: number, purpose: string): number {
    if (!(elements >= 0))
      throw new MemoryError(`${purpose}: expected a size that fits 32 bits, got ${elements}`);
    const size = alignUp(Math.max(1, elements) * 4);
    const index = this.#free.findIndex((block) => block.size >= size);
    const block = this.#free[index];
    let start = this.#top;
    if (block) {
      start = block.start;
      block.start += size;
      block.size -= size;
      if (block.size === 0) this.#free.splice(index, 1);
    } else {
      this.#grow(start + size + SLACK, size, purpose);
      this.#top = start + size;
    }
    this.#used.set(start, size);
    return start;
  }

  /** Frees a block that `allocate` returned. */
  free(start: number): void {
    const size = this.#used.get(start);
    if (size === undefined) throw new Error(`heap: expected the address of an allocated block, got ${start}`);
    this.#used.delete(start);
    let at = this.#free.findIndex((block) => block.start > start);
    if (at < 0) at = this.#free.length;
    this.#free.splice(at, 0, { start, size });
    this.#merge(at);
    this.#merge(at - 1);
    const last = this.#free.at(-1);
    if (last && last.start + last.size === this.#top) {
      this.#top = last.start;
      this.#free.pop();
    }
  }

  /** Joins free block `at` with the next one when they touch. */
  #merge(at: number): void {
    const block = this.#free[at];
    const next = this.#free[at + 1];
    if (block && next && block.start + block.size === next.start) {
      block.size += next.size;
      this.#free.splice(at + 1, 1);
    }
  }

  #grow(end: number, size: number, purpose: string): void {
    const have = this.memory.buffer.byteLength;
    if (end <= have) return;
    const refuse = (cause?: unknown): never => {
      throw new MemoryError(
        `${purpose}: expected room for ${size} bytes, got a memory of at most ${this.maximum} bytes ` +
          `with ${this.allocatedBytes} in use (load({ maximumMemory }) sets the limit)`,
        { cause },
      );
    };
    if (end > this.maximum) refuse();
    try {
      this.memory.grow(Math.ceil((end - have) / PAGE));
    } catch (error) {
      refuse(error);
    }
  }
}

function alignUp(bytes: number): number {
  return Math.ceil(bytes / ALIGNMENT) * ALIGNMENT;
}
