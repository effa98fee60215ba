import { OptionError } from "../errors.ts";
import { readLaidOut, type Parameter, type Parameters } from "../graph/parameters.ts";
import { isCount, show } from "../options.ts";
import type { Region } from "../runtime/region.ts";
import type { Runtime } from "../runtime/runtime.ts";
import type { Tensor } from "../tensor.ts";
import { checkLaidOut, writeLaidOut } from "./slots.ts";
import { spansOf, type Span } from "./spans.ts";

/** Gradients of batches that wait for those of others. */
export interface Accumulated {
  /** The batches, and the images in them. */
  readonly batches: number;
  readonly images: number;
  /** The sums over the batches of the images times their mean gradient, by weight. */
  readonly gradients: ReadonlyMap<string, Tensor>;
}

/**
 * Adds the gradients of several batches up to that of one larger batch: Σ nᵢ·gᵢ / Σ nᵢ over the batches of nᵢ images in their
 * order, in float32, where each product, sum and the quotient's product by 1 / Σ nᵢ is rounded once.
 */
export class Accumulation {
  readonly #runtime: Runtime;
  readonly #learning: ReadonlySet<Parameter>;
  readonly #spans: readonly Span[];
  readonly #steps: number;
  readonly #gradients: number;
  readonly #sums: number;
  #batches = 0;
  #images = 0;

  /** `gradients` is the address of those of a batch, laid out as the weights. @throws MemoryError */
  constructor(
    runtime: Runtime,
    parameters: Parameters,
    learning: ReadonlySet<Parameter>,
    steps: number,
    gradients: number,
    region: Region,
  ) {
    this.#runtime = runtime;
    this.#learning = learning;
    this.#spans = spansOf(parameters, learning, () => true);
    this.#steps = steps;
    this.#gradients = gradients;
    this.#sums = region.zeros(parameters.size);
  }

  /** The images whose gradients wait. */
  get images(): number {
    return this.#images;
  }

  /** Takes in the gradients of a batch of `n` images. Returns true when they are those of the last batch. */
  add(n: number): boolean {
    for (const { first, size } of this.#spans) {
      const at = first.offset * 4;
      this.#runtime.kernels.axpby(size, n, this.#gradients + at, 1, this.#sums + at);
    }
    this.#images += n;
    return ++this.#batches === this.#steps;
  }

  /** Puts the mean gradient where that of a batch was, and begins anew. */
  finish(): void {
    for (const { first, size } of this.#spans) {
      const at = first.offset * 4;
      this.#runtime.kernels.scaleForward(1 / this.#images, this.#sums + at, this.#gradients + at, size);
    }
    this.clear();
  }

  /** Forgets what waits. */
  clear(): void {
    this.#batches = 0;
    this.#images = 0;
    for (const { first, size } of this.#spans) {
      const start = (this.#sums >>> 2) + first.offset;
      this.#runtime.heap.floats.fill(0, start, start + size);
    }
  }

  /** Copies of what waits, if anything does. */
  read(): Accumulated | undefined {
    if (this.#batches === 0) return undefined;
    const gradients = readLaidOut(this.#runtime.heap.floats.subarray(this.#sums >>> 2), this.#learning);
    return { batches: this.#batches, images: this.#images, gradients };
  }

  /** Checks what `read` returned. @throws OptionError, ShapeError */
  check(where: string, { batches, images, gradients }: Accumulated): Accumulated {
    for (const [name, count] of Object.entries({ batches, images })) {
      const most = name === "batches" ? this.#steps - 1 : Infinity;
      if (isCount(count) && count > 0 && count <= most) continue;
      const range = most === Infinity ? "a positive integer" : `an integer from 1 to ${most}`;
      throw new OptionError(`${where}: ${name}: expected ${range}, got ${show(count)}`);
    }
    return { batches, images, gradients: checkLaidOut(`${where}: gradients`, gradients, this.#learning) };
  }

  /** Puts back what was checked. */
  write(accumulated: Accumulated | undefined): void {
    this.clear();
    if (!accumulated) return;
    this.#batches = accumulated.batches;
    this.#images = accumulated.images;
    writeLaidOut(this.#runtime.heap.floats, this.#sums, accumulated.gradients, this.#learning);
  }
}
