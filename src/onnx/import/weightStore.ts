import { OptionError } from "../../errors.ts";
import type { SharedSlots, Slot } from "../../graph/weightBlock.ts";
import type { TensorProto } from "../file/proto.ts";
import type { Builder } from "./builder.ts";
import type { StoredWeight } from "./trace.ts";

/** A weight of a plan, and where it lies. */
export interface HeldWeight {
  /** The tensor and layout that it is made from, by which other plans find it. */
  readonly key: string;
  readonly name: string;
  readonly weight: StoredWeight;
  readonly slot: Slot;
}

/** The name that a model has for a weight. */
const nameOf = ({ layer, weight }: StoredWeight): string => `${layer.name}.${weight}`;

/** The numbers of a weight: all weights of a file are of float32. */
const floatsOf = (slot: Slot): Float32Array => slot.block.dataOf(slot) as Float32Array;

/** Whether a weight is not what the file makes it start with. */
function hasChanged({ slot, weight }: HeldWeight): boolean {
  return slot.block.revision > 1 && !sameBits(floatsOf(slot), weight.start());
}

function sameBits(a: Float32Array, b: Float32Array): boolean {
  const [m, n] = [a, b].map(({ buffer, byteOffset, length }) => new Int32Array(buffer, byteOffset, length));
  return m!.length === n!.length && m!.every((bits, i) => bits === n![i]);
}

/** @throws OptionError, since the file has no place for what such a weight was trained to */
function refuseComputed(where: string, { name }: HeldWeight): never {
  throw new OptionError(
    `${where}: ${name}: expected a weight that stands in the file, got one that is computed there from others`,
  );
}

/**
 * The weights of a net, each once for all of its plans: what one of them is trained to, the others compute with.
 *
 * Plans have a weight in common when it comes from the same tensor of the file in the same layout, or starts with the same
 * numbers where the file computes it. What a plan computes from its own shapes is its own.
 */
export class WeightStore {
  readonly #held = new Map<string, HeldWeight>();
  readonly #bySource = new Map<TensorProto, HeldWeight[]>();
  readonly #numbers = new Map<TensorProto, number>();
  /** The slots by the weights that plans brought, which are the same ones in layers that plans share. */
  readonly #slots = new Map<StoredWeight, Slot>();

  /** The memory in which a model finds the weights of a graph, and the list of those that it will have for itself. */
  slotsFor(builder: Builder): { readonly shared: SharedSlots; readonly own: HeldWeight[] } {
    const { stored } = builder;
    if (stored.every((weight) => this.#slots.has(weight))) {
      const slots = new Map(stored.map((weight) => [nameOf(weight), this.#slots.get(weight)!]));
      return { shared: (name, add) => slots.get(name) ?? add(), own: [] };
    }
    const keys = this.#keysOf(builder);
    const own: HeldWeight[] = [];
    const shared: SharedSlots = (name, add) => {
      const wanted = keys.get(name);
      if (!wanted) return add();
      const { key, weight } = wanted;
      const held = this.#held.get(key);
      if (held && (weight.source || sameBits(held.weight.start(), weight.start()))) return held.slot;
      const added = { key, name, weight, slot: add() };
      if (held) own.push(added);
      else this.#hold(added);
      return added.slot;
    };
    return { shared, own };
  }

  #hold(added: HeldWeight): void {
    this.#held.set(added.key, added);
    this.#slots.set(added.weight, added.slot);
    const { source } = added.weight;
    if (!source) return;
    const same = this.#bySource.get(source);
    if (same) same.push(added);
    else this.#bySource.set(source, [added]);
  }

  /** Keys by the names of weights: the tensor or the node that each comes from, its layout, and which of such it is. */
  #keysOf({ stored, nodeOf }: Builder): Map<string, { readonly key: string; readonly weight: StoredWeight }> {
    const tensors = this.#numbers;
    const counts = new Map<string, number>();
    const keys = new Map<string, { readonly key: string; readonly weight: StoredWeight }>();
    for (const each of stored) {
      const { layer, weight, source, layout } = each;
      if (layer.name === undefined) continue;
      if (source && !tensors.has(source)) tensors.set(source, tensors.size);
      const from = source ? `tensor ${tensors.get(source)} ${layout}` : `node ${nodeOf.get(layer.name)}`;
      const kind = `${from} ${weight}`;
      const count = counts.get(kind) ?? 0;
      counts.set(kind, count + 1);
      keys.set(nameOf(each), { key: `${kind} ${count}`, weight: each });
    }
    return keys;
  }

  /** Lets weights that a plan brought start from what the same tensors were trained to in another layout. */
  resume(): void {
    for (const same of this.#bySource.values()) {
      if (same.length < 2) continue;
      const trained = same.find(hasChanged);
      if (!trained) continue;
      const { weight, slot } = trained;
      const now = weight.toFile(floatsOf(slot));
      for (const other of same) {
        if (other.slot.block.revision > 1) continue;
        other.slot.block.write(other.slot, other.weight.fromFile(now));
      }
    }
  }

  /**
   * @throws OptionError naming `where` when one plan was trained in a weight that others, among whose `own` it is, compute
   * otherwise
   */
  checkShared(where: string, own: Iterable<HeldWeight>): void {
    for (const weight of own) {
      if (hasChanged(weight) || hasChanged(this.#held.get(weight.key)!)) refuseComputed(where, weight);
    }
  }

  /**
   * What has become of the file's tensors that were trained; `own` are the weights that plans have for themselves.
   * @throws OptionError naming `where` when a weight that was trained is none in the file, or became two of one there
   */
  trained(where: string, own: readonly HeldWeight[]): Map<TensorProto, Float32Array> {
    const trained = new Map<TensorProto, Float32Array>();
    for (const held of [...this.#held.values(), ...own].filter(hasChanged)) {
      const { source, toFile } = held.weight;
      if (!source) refuseComputed(where, held);
      trained.set(source, toFile(floatsOf(held.slot)));
    }
    for (const [source, now] of trained) {
      const other = this.#bySource
        .get(source)!
        .find(({ slot, weight }) => !sameBits(weight.toFile(floatsOf(slot)), now));
      if (!other) continue;
      throw new OptionError(
        `${where}: ${other.name}: expected one set of numbers for ${source.name}, got layers that share it trained apart`,
      );
    }
    return trained;
  }
}
