import { arrayOn, bytesOf, type DType, type NumberArray } from "../dtype.ts";
import type { Runtime } from "../runtime/runtime.ts";
import { KeptRegion, type Region } from "../runtime/region.ts";

/** Weights start at multiples of this many words of four bytes. */
const ALIGNMENT = 4;

/** Where one weight lies in a block. */
export interface Slot {
  readonly block: WeightBlock;
  /** Words of four bytes between the start of the block and the weight. */
  readonly offset: number;
  /** Its elements, and their type. */
  readonly size: number;
  readonly dtype: DType;
}

/** Tells where a model's weight lies: where another model has it, or where `add` makes room for it. */
export type SharedSlots = (name: string, add: () => Slot) => Slot;

/**
 * Weights that lie one behind the other and move together: in JavaScript until the first model that uses them is compiled,
 * then in the memory of its engine. Several models may use one block, and see what any of them makes of it. The gaps
 * between weights are and stay zero.
 */
export class WeightBlock {
  /** Words of four bytes that the block takes, gaps included. */
  size = 0;
  /** Counts the changes of the weights. */
  revision = 1;
  readonly #slots: (Slot & { readonly name: string })[] = [];
  /** Those whose numbers went with an engine. */
  readonly #lost = new Set<Slot>();
  #host: Float32Array | undefined;
  /** Gives the starting values, until somebody asked for them: large nets need not have them twice. */
  #start: ((name: string) => Float32Array) | undefined;
  #runtime: Runtime | undefined;
  #region: Region | undefined;
  #pointer = 0;
  /** Those who use it where it lies now, each with what makes it let go. */
  readonly #users = new Map<object, () => void>();

  /** @param start gives the starting values by name, asked for once and in the order of the slots; zero without */
  constructor(start?: (name: string) => Float32Array) {
    this.#start = start;
  }

  /** Adds a weight, before anybody reads or moves the block. */
  add(name: string, size: number, dtype: DType): Slot {
    const slot = { name, block: this, offset: this.size, size, dtype };
    this.#slots.push(slot);
    this.size += alignedSize(Math.ceil((size * bytesOf(dtype)) / 4));
    return slot;
  }

  /** Address of the block in the engine's memory. */
  get pointer(): number {
    return this.#pointer;
  }

  /** The numbers of a slot where they lie now; a view that memory growth may detach. */
  dataOf(slot: Slot): NumberArray {
    return viewIn(this.#data, slot);
  }

  /** Writes the numbers of a slot. */
  write(slot: Slot, data: ArrayLike<number>): void {
    if (this.#runtime?.disposed) {
      for (const each of this.#slots) this.#lost.add(each);
      this.#onHost(new Float32Array(this.size));
    }
    this.#lost.delete(slot);
    this.dataOf(slot).set(data);
  }

  /** Whether the numbers of a slot are gone, with the engine that they lay in. */
  isLost(slot: Slot): boolean {
    return this.#runtime?.disposed === true || this.#lost.has(slot);
  }

  /**
   * Moves the block to an engine's memory for a user. Other users on another engine let go of it first.
   * @throws MemoryError
   */
  move(runtime: Runtime, user: object, letGo: () => void): void {
    if (this.#runtime !== runtime) {
      for (const [other, otherLetsGo] of this.#users) if (other !== user) otherLetsGo();
      const region = new KeptRegion(runtime.heap, "model: weights");
      const pointer = region.zeros(this.size);
      const place = runtime.heap.floats.subarray(pointer >>> 2, (pointer >>> 2) + this.size);
      if (!this.#host && !this.#runtime) this.#started(place);
      else place.set(this.#data);
      this.#region?.release();
      this.#host = undefined;
      this.#runtime = runtime;
      this.#region = region;
      this.#pointer = pointer;
    }
    this.#users.set(user, letGo);
  }

  /** The user is done; when it was the last one, the weights go back to JavaScript, unless they went with the engine. */
  leave(user: object): void {
    this.#users.delete(user);
    if (this.#users.size > 0 || !this.#region || this.#runtime!.disposed) return;
    const data = this.#data.slice();
    this.#region.release();
    this.#onHost(data);
  }

  #onHost(data: Float32Array): void {
    this.#host = data;
    this.#runtime = this.#region = undefined;
    this.#users.clear();
  }

  get #data(): Float32Array {
    if (!this.#runtime) return (this.#host ??= this.#started(new Float32Array(this.size)));
    const first = this.#pointer >>> 2;
    return this.#runtime.heap.floats.subarray(first, first + this.size);
  }

  /** Fills in the starting values. */
  #started(data: Float32Array): Float32Array {
    if (this.#start) for (const slot of this.#slots) viewIn(data, slot).set(this.#start(slot.name));
    this.#start = undefined;
    return data;
  }
}

/** The numbers of a slot in the words of its block. */
function viewIn(words: Float32Array, { dtype, offset, size }: Slot): NumberArray {
  return arrayOn(dtype, words.buffer, words.byteOffset + offset * 4, size);
}

/** The words that a weight takes with the gap behind it. */
export function alignedSize(size: number): number {
  return Math.ceil(size / ALIGNMENT) * ALIGNMENT;
}
