/** A heap that puts bands around its blocks and fills what has no content yet with NaN. */
import type { Heap } from "../../src/runtime/heap.ts";

/** Whether heaps made from now on are guarded, so that a test may compare them with plain ones. */
export const guarding = { on: true };

/** Elements of a band; a multiple of a cache line's, so that blocks stay aligned. */
export const BAND = 64;
/** Bands and memory without content are filled with these: quiet NaN, which as integers lie far beyond any index. */
const BAND_BITS = 0x7fc0cafe;
const EMPTY_BITS = 0x7fc0dead;

/** Elements from `first` to before `end`, counted from the start of the memory. */
export interface Span {
  readonly first: number;
  readonly end: number;
}

interface Block {
  readonly purpose: string;
  /** The block with its two bands. */
  readonly whole: Span;
  /** The spans that may be written, in ascending order; all between is band. */
  contents: readonly Span[];
}

const GUARDS = new WeakMap<Heap, Guards>();

/** The guards of a heap; undefined when it is a plain one. */
export function guardsOf(heap: Heap): Guards | undefined {
  return GUARDS.get(heap);
}

/** The bands of a heap. */
export class Guards {
  readonly #heap: Heap;
  /** By the address that the heap handed out. */
  readonly #blocks = new Map<number, Block>();
  /** The bands of all blocks in ascending order, first and end in turn; undefined when blocks have changed. */
  #bands: number[] | undefined;

  constructor(heap: Heap) {
    this.#heap = heap;
    GUARDS.set(heap, this);
  }

  /** Guards a block of `elements` elements at `pointer`, with a band before it and one behind it. */
  add(pointer: number, elements: number, purpose: string): void {
    const first = pointer >>> 2;
    const end = first + elements;
    const whole = { first: first - BAND, end: end + BAND };
    this.#blocks.set(pointer, { purpose, whole, contents: [] });
    this.divide(pointer, [{ first, end }]);
  }

  /** Makes everything in a block but `contents` a band; empties those. */
  divide(pointer: number, contents: readonly Span[]): void {
    const block = this.#blocks.get(pointer)!;
    block.contents = contents.filter(({ first, end }) => end > first).sort((a, b) => a.first - b.first);
    this.#bands = undefined;
    this.#heap.ints.fill(BAND_BITS, block.whole.first, block.whole.end);
    this.empty(contents);
  }

  /** Takes the content of these places away: who reads it before it is written again reads NaN. */
  empty(contents: readonly Span[]): void {
    const { ints } = this.#heap;
    for (const { first, end } of contents) ints.fill(EMPTY_BITS, first, end);
  }

  has(pointer: number): boolean {
    return this.#blocks.has(pointer);
  }

  /** Forgets a block, whose content is gone. @throws Error when something wrote outside of it */
  remove(pointer: number): void {
    const { purpose, contents } = this.#blocks.get(pointer)!;
    this.check(`up to the end of "${purpose}"`);
    this.empty(contents);
    this.#blocks.delete(pointer);
    this.#bands = undefined;
  }

  /** Looks at all bands. @throws Error naming `where` and the block when something wrote into one */
  check(where: string): void {
    const bands = this.#sorted();
    for (let i = 0; i < bands.length; i += 2) this.#look(where, i);
  }

  /** Looks at the bands around the buffer that `pointer` lies in, if there is one. @throws Error as `check` */
  checkAround(where: string, pointer: number): void {
    const bands = this.#sorted();
    const at = pointer >>> 2;
    let [low, high] = [0, bands.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (bands[middle]! <= at) low = middle + 1;
      else high = middle;
    }
    // Behind the first band, whose end is at 1, and in front of the last.
    if (low < 2 || low === bands.length) return;
    this.#look(where, (low & ~1) - 2);
    this.#look(where, low & ~1);
  }

  #sorted(): readonly number[] {
    return (this.#bands ??= [...this.#blocks.values()]
      .sort((a, b) => a.whole.first - b.whole.first)
      .flatMap(({ whole, contents }) => [
        whole.first,
        ...contents.flatMap(({ first, end }) => [first, end]),
        whole.end,
      ]));
  }

  /** Looks at the band whose first element is the `i`-th of the list. */
  #look(where: string, i: number): void {
    const bands = this.#bands!;
    const { ints } = this.#heap;
    for (let at = bands[i]!; at < bands[i + 1]!; at++) {
      if (ints[at] !== BAND_BITS) this.#refuse(where, at);
    }
  }

  #refuse(where: string, at: number): never {
    const { ints, floats } = this.#heap;
    const found = `${floats[at]} (0x${(ints[at]! >>> 0).toString(16)})`;
    const block = [...this.#blocks.values()].find(({ whole }) => at >= whole.first && at < whole.end)!;
    const near = block.contents.map(({ first, end }) => (at < first ? at - first : at - end + 1));
    const distance = near.reduce((a, b) => (Math.abs(a) <= Math.abs(b) ? a : b), Infinity);
    // One report for each fault: the next check finds what is new.
    ints[at] = BAND_BITS;
    throw new Error(
      `guards: ${where}: expected no write outside of buffers, got ${found} ` +
        `${Math.abs(distance)} elements ${distance < 0 ? "before" : "behind"} one of "${block.purpose}"`,
    );
  }
}

/** The module of the heap with one that is guarded while `guarding.on`. */
export function guardHeap<Module extends { Heap: typeof Heap }>(plain: Module): Module {
  class GuardedHeap extends plain.Heap {
    readonly #guards = guarding.on ? new Guards(this) : undefined;
    #blocks = 0;

    override get allocatedBytes(): number {
      return super.allocatedBytes - this.#blocks * 2 * BAND * 4;
    }

    override allocate(elements: number, purpose: string): number {
      if (!this.#guards || !(elements >= 0)) return super.allocate(elements, purpose);
      const pointer = super.allocate(Math.max(1, elements) + 2 * BAND, purpose) + BAND * 4;
      this.#blocks++;
      this.#guards.add(pointer, elements, purpose);
      return pointer;
    }

    override free(start: number): void {
      if (!this.#guards?.has(start)) return super.free(start);
      this.#guards.remove(start);
      this.#blocks--;
      super.free(start - BAND * 4);
    }
  }
  return { ...plain, Heap: GuardedHeap };
}
