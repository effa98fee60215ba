/** The occupied ranges of an arena at each time. Free offsets are found quickly even among very many buffers. */

/** A buffer: its size, and the span of times during which it is needed, both ends included. */
interface Spanned {
  readonly size: number;
  readonly first: number;
  readonly last: number;
}

/** Sorted ranges of offsets, which neither overlap nor touch. */
class Ranges {
  /** The start and the end of each range, one after the other. */
  readonly #bounds: number[] = [];

  /** The index in the bounds of the first range that does not end before `offset`. */
  #from(offset: number): number {
    let [low, high] = [0, this.#bounds.length >>> 1];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#bounds[2 * middle + 1]! < offset) low = middle + 1;
      else high = middle;
    }
    return 2 * low;
  }

  /** The lowest offset, not below `offset`, at which `size` bytes overlap no range. */
  free(offset: number, size: number): number {
    const bounds = this.#bounds;
    for (let at = this.#from(offset); at < bounds.length && bounds[at]! < offset + size; at += 2) {
      offset = Math.max(offset, bounds[at + 1]!);
    }
    return offset;
  }

  /** Adds a range and merges it with those that it touches. */
  add(start: number, end: number): void {
    const bounds = this.#bounds;
    const at = this.#from(start);
    let next = at;
    while (next < bounds.length && bounds[next]! <= end) next += 2;
    if (next === at) {
      // Most are added at the end, where there is nothing to move.
      if (at === bounds.length) bounds.push(start, end);
      else bounds.splice(at, 0, start, end);
      return;
    }
    bounds[at] = Math.min(start, bounds[at]!);
    bounds[at + 1] = Math.max(end, bounds[next - 1]!);
    if (next > at + 2) bounds.splice(at + 2, next - at - 2);
  }
}

/**
 * A segment tree over times: node 1 covers all of them, nodes 2k and 2k + 1 cover the halves of node k. A buffer's span is
 * split into the fewest nodes that cover it exactly. Its range is stored in `whole` of these nodes, and in `part` of these
 * nodes and all nodes above them. So the ranges that are needed at the same time as a span are those in `part` of the span's
 * nodes and in `whole` of the nodes above these.
 */
export class Occupancy {
  readonly #end: number;
  readonly #whole: (Ranges | undefined)[];
  readonly #part: (Ranges | undefined)[];

  /** Makes an empty arena for the times 0 to `times` − 1. */
  constructor(times: number) {
    this.#end = times - 1;
    // The tree has at most twice as many nodes as the next power of two has times.
    const nodes = 4 * times;
    this.#whole = Array.from({ length: nodes });
    this.#part = Array.from({ length: nodes });
  }

  /** Puts a buffer at the lowest offset that is free during its span, and returns the offset. */
  place(buffer: Spanned): number {
    const met: Ranges[] = [];
    this.#meet(buffer, met, 1, 0, this.#end);
    let offset = 0;
    for (let before = -1; before !== offset;) {
      before = offset;
      for (const ranges of met) offset = ranges.free(offset, buffer.size);
    }
    if (buffer.size > 0) this.#add(buffer, offset, 1, 0, this.#end);
    return offset;
  }

  /** Collects in `met` what is needed at the same time as a span, below the node that covers the times `first` to `last`. */
  #meet(span: Spanned, met: Ranges[], node: number, first: number, last: number): void {
    const isWhole = span.first <= first && last <= span.last;
    const ranges = (isWhole ? this.#part : this.#whole)[node];
    if (ranges) met.push(ranges);
    if (isWhole) return;
    const middle = (first + last) >>> 1;
    if (span.first <= middle) this.#meet(span, met, 2 * node, first, middle);
    if (span.last > middle) this.#meet(span, met, 2 * node + 1, middle + 1, last);
  }

  /** Adds a buffer's range to the nodes of its span, below the node that covers the times `first` to `last`. */
  #add(buffer: Spanned, offset: number, node: number, first: number, last: number): void {
    const end = offset + buffer.size;
    (this.#part[node] ??= new Ranges()).add(offset, end);
    if (buffer.first <= first && last <= buffer.last) {
      // A node that covers a single time has no nodes below it that would look at its `whole`.
      if (first < last) (this.#whole[node] ??= new Ranges()).add(offset, end);
      return;
    }
    const middle = (first + last) >>> 1;
    if (buffer.first <= middle) this.#add(buffer, offset, 2 * node, first, middle);
    if (buffer.last > middle) this.#add(buffer, offset, 2 * node + 1, middle + 1, last);
  }
}
