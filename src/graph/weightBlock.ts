import { arrayOn, bytesOf, type DType, type NumberArray } from "../dtype.ts";
import type { Runtime } from "../runtime/runtime.ts";
import { KeptRegion, type Region } from "../runtime/region.ts";

/** Weights start at multiples of this many words of four bytes. */
const ALIGNMENT = 4;

/** The location of one weight in a block. */
export interface Slot {
  readonly block: WeightBlock;
  /** The number of four-byte words between the start of the block and the weight. */
  readonly offset: number;
  /** The number of its elements, and their type. */
  readonly size: number;
  readonly dtype: DType;
}

/** Returns the slot of a model's weight: that of another model that shares it, or the new one that `add` makes. */
export type SharedSlots = (name: string, add: () => Slot) => Slot;

/**
 * Weights that are stored one after the other and move together. They are in JavaScript until the first model that uses them
 * is compiled, then in the memory of its engine. Several models may use one block and see each other's changes. The gaps
 * between weights are always zero.
 */
export class WeightBlock {
  /** The size of the block in four-byte words, including gaps. */
  size = 0;
  /** The number of changes of the weights. */
  revision = 1;
  readonly #slots: (Slot & { readonly name: string })[] = [];
  /** The slots whose values were lost when their engine was disposed. */
  readonly #lost = new Set<Slot>();
  #host: Float32Array | undefined;
  /** Returns the starting values. It is called only when they are needed and then dropped, so that they exist once. */
  #start: ((name: string) => Float32Array) | undefined;
  #runtime: Runtime | undefined;
  #region: Region | undefined;
  #pointer = 0;
  /** The models that use the block on its engine, each with the function that makes it let go of the block. */
  readonly #users = new Map<object, () => void>();

  /** @param start returns starting values by name; it is called once for each slot, in their order. Default: zeros */
  constructor(start?: (name: string) => Float32Array) {
    this.#start = start;
  }

  /** Adds a weight. All are added before the block is read or moved. */
  add(name: string, size: number, dtype: DType): Slot {
    const slot = { name, block: this, offset: this.size, size, dtype };
    this.#slots.push(slot);
    this.size += alignedSize(Math.ceil((size * bytesOf(dtype)) / 4));
    return slot;
  }

  /** The address of the block in the engine's memory. */
  get pointer(): number {
    return this.#pointer;
  }

  /** True when an address is within the block. */
  includes(address: number): boolean {
    return address >= this.#pointer && address < this.#pointer + 4 * this.size;
  }

  /** A view of a slot's values, which memory growth may detach. */
  dataOf(slot: Slot): NumberArray {
    return viewIn(this.#data, slot);
  }

  /** Writes the values of a slot. */
  write(slot: Slot, data: ArrayLike<number>): void {
    if (this.#runtime?.disposed) {
      for (const each of this.#slots) this.#lost.add(each);
      this.#onHost(new Float32Array(this.size));
    }
    this.#lost.delete(slot);
    this.dataOf(slot).set(data);
  }

  /** True when the values of a slot were lost with their engine. */
  isLost(slot: Slot): boolean {
    return this.#runtime?.disposed === true || this.#lost.has(slot);
  }

  /**
   * Moves the block to an engine's memory for a user, a model. Users on another engine let go of it first.
   * @throws MemoryError
   */
  move(runtime: Runtime, user: object, letGo: () => void): void {
    if (this.#runtime !== runtime) {
      for (const [other, otherLetsGo] of this.#users) if (other !== user) otherLetsGo();
      const region = new KeptRegion(runtime.heap, "model: weights");
      const pointer = region.zeros(this.size);
      const view = runtime.heap.floats.subarray(pointer >>> 2, (pointer >>> 2) + this.size);
      if (!this.#host && !this.#runtime) this.#started(view);
      else view.set(this.#data);
      this.#region?.release();
      this.#host = undefined;
      this.#runtime = runtime;
      this.#region = region;
      this.#pointer = pointer;
    }
    this.#users.set(user, letGo);
  }

  /** Ends a use. After the last one the weights move back to JavaScript, unless their engine was disposed. */
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

  /** Fills in the starting values and returns `data`. */
  #started(data: Float32Array): Float32Array {
    if (this.#start) for (const slot of this.#slots) viewIn(data, slot).set(this.#start(slot.name));
    this.#start = undefined;
    return data;
  }
}

/** A view of a slot in the words of its block. */
function viewIn(words: Float32Array, { dtype, offset, size }: Slot): NumberArray {
  return arrayOn(dtype, words.buffer, words.byteOffset + offset * 4, size);
}

/** The number of words of a weight with the gap after it. */
export function alignedSize(size: number): number {
  return Math.ceil(size / ALIGNMENT) * ALIGNMENT;
}
