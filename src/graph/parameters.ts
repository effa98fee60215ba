import type { Runtime } from "../runtime/runtime.ts";
import type { DType } from "../dtype.ts";
import { OptionError, ShapeError } from "../errors.ts";
import type { WeightSpec } from "../layers/contract.ts";
import type { Penalty } from "../layers/regularizers.ts";
import { listed } from "../options.ts";
import { sameShape, shapeText, sizeOf, type Shape, type OwnTensor, type Tensor } from "../tensor.ts";
import type { Graph, GraphNode } from "./graph.ts";
import { alignedSize, WeightBlock, type SharedSlots, type Slot } from "./weightBlock.ts";

/** The most elements of all weights together, which are 4 GiB. */
const MOST = 2 ** 30;

/** One weight of a model: its offset among all weights, and the slot that stores it. */
export interface Parameter {
  /** The name `layer.weight`, as in files. */
  readonly name: string;
  /** The index of the graph's node that first uses the layer. */
  readonly node: number;
  readonly shape: Shape;
  /** The type of its numbers. */
  readonly dtype: DType;
  /** The index of its first element in arrays that are laid out like the weights: gradients and optimizer state. */
  readonly offset: number;
  readonly size: number;
  /** False for weights that no gradient changes. */
  readonly trainable: boolean;
  /** The penalty that training adds to the loss. */
  readonly regularizer: Penalty | undefined;
  readonly slot: Slot;
}

/** The name and the shape of a weight. */
interface NamedShape {
  readonly name: string;
  readonly shape: Shape;
}

/** The name of a weight in files and maps: `layer.weight`. */
export function weightName(node: GraphNode, weight: WeightSpec): string {
  return `${node.name}.${weight.name}`;
}

/** The nodes with weights of their own: the first use of each layer. */
export function owners({ nodes }: Graph): GraphNode[] {
  return nodes.filter(({ owner }, index) => owner === index);
}

/** The names and shapes of a graph's weights, without making any. */
export function weightsOf(graph: Graph): NamedShape[] {
  return owners(graph).flatMap((node) =>
    node.layer
      .weights(node.inputShapes)
      .map((weight) => ({ name: weightName(node, weight), shape: weight.shape })),
  );
}

/** Among the weights of `from`, those of layers that `to` uses too, by their names in `to`. */
export function sharedWeights(
  to: Graph,
  from: Graph,
  weights: ReadonlyMap<string, Tensor>,
): Map<string, Tensor> {
  const others = new Map(owners(from).map((node) => [node.layer, node]));
  const shared = owners(to).flatMap((node) => {
    const other = others.get(node.layer);
    if (!other) return [];
    const specs = node.layer.weights(node.inputShapes);
    return specs.map((spec) => [weightName(node, spec), weights.get(weightName(other, spec))!] as const);
  });
  return new Map(shared);
}

/** @throws ShapeError naming the tensor that is missing, unknown or of another shape. */
export function checkWeights(
  where: string,
  expected: readonly NamedShape[],
  tensors: ReadonlyMap<string, Tensor>,
): void {
  for (const { name, shape } of expected) {
    const tensor = tensors.get(name);
    if (!tensor || !sameShape(tensor.shape, shape)) {
      const got = tensor ? `shape ${shapeText(tensor.shape)}` : "no such tensor";
      throw new ShapeError(`${where}: ${name}: expected shape ${shapeText(shape)}, got ${got}`);
    }
  }
  const names = new Set(expected.map(({ name }) => name));
  const unknown = [...tensors.keys()].find((name) => !names.has(name));
  if (unknown !== undefined) {
    throw new ShapeError(`${where}: expected the weights ${listed([...names])}; got ${unknown} besides`);
  }
}

/**
 * All weights of a model, laid out one after the other so that an optimizer's step is one call. They are stored in a block
 * of their own, except those that the model shares with others. The gaps between them are always zero.
 */
export class Parameters {
  readonly list: readonly Parameter[];
  /** The weights that a node owns, by the node's index. */
  readonly #byNode = new Map<number, Parameter[]>();
  /** The number of elements of the layout, including gaps. */
  readonly size: number;
  /** The blocks that store the weights, each once. */
  readonly #blocks: readonly WeightBlock[];
  /** The number of times that weights were replaced from outside, rather than by a step. */
  replaced = 0;

  /**
   * Makes the weights of a graph. `start` returns their starting values by name and is called once for each weight, in the
   * order of the nodes; without it they are zero. `shared` returns the slot of each weight, if other models share some.
   * @throws ShapeError when there are too many.
   */
  constructor(graph: Graph, start?: (name: string) => Float32Array, shared?: SharedSlots) {
    const own = new WeightBlock(start);
    const list: Parameter[] = [];
    let offset = 0;
    for (const node of owners(graph)) {
      const first = list.length;
      for (const weight of node.layer.weights(node.inputShapes)) {
        const size = sizeOf(weight.shape);
        if (offset + size > MOST) {
          throw new ShapeError(
            `${node.name}: ${weight.name}: expected at most ${MOST} weights in all, got shape ${shapeText(weight.shape)}`,
          );
        }
        const { shape, dtype = "float32", trainable = true, regularizer } = weight;
        if (trainable && dtype !== "float32") {
          throw new OptionError(
            `${node.name}: ${weight.name}: expected a weight that learns to be of float32, got ${dtype}`,
          );
        }
        const name = weightName(node, weight);
        const add = (): Slot => own.add(name, size, dtype);
        const slot = shared ? shared(name, add) : add();
        list.push({ name, node: node.owner, shape, dtype, offset, size, trainable, regularizer, slot });
        offset += alignedSize(size);
      }
      if (list.length > first) this.#byNode.set(node.owner, list.slice(first));
    }
    this.list = list;
    this.size = offset;
    const blocks = new Set(list.map(({ slot }) => slot.block));
    this.#blocks = blocks.size > 0 ? [...blocks] : [own];
  }

  /** The weights of the layer whose first use is the node `owner`. */
  of(owner: number): readonly Parameter[] {
    return this.#byNode.get(owner) ?? [];
  }

  /** The number of elements of all weights. */
  get count(): number {
    return this.list.reduce((sum, { size }) => sum + size, 0);
  }

  /** The number of changes of the weights, by any model that shares them. */
  get revision(): number {
    let sum = 0;
    for (let i = 0; i < this.#blocks.length; i++) sum += this.#blocks[i]!.revision;
    return sum;
  }

  /** Records that the weights have changed. Returns the new revision. */
  changed(): number {
    for (let i = 0; i < this.#blocks.length; i++) this.#blocks[i]!.revision++;
    return this.revision;
  }

  /** The address of a weight in the engine's memory. */
  addressOf({ slot }: Parameter): number {
    return slot.block.pointer + slot.offset * 4;
  }

  /** The blocks that lie around addresses in the engine's memory. */
  blocksAt(pointers: readonly number[]): WeightBlock[] {
    const around = pointers.map((at) => this.#blocks.find((block) => block.includes(at))!);
    return [...new Set(around)];
  }

  /**
   * Moves the weights to an engine's memory. `letGo` is called when a model that shares some moves them to another engine.
   * @throws MemoryError; Error when they went with an engine that was disposed
   */
  move(runtime: Runtime, letGo: () => void): void {
    if (this.list.some(({ slot }) => slot.block.isLost(slot))) {
      throw new Error(
        "compile: expected weights, but they went with the engine that was disposed: " +
          "give others by setWeights() or loadSafetensors() first",
      );
    }
    try {
      for (const block of this.#blocks) block.move(runtime, this, letGo);
    } catch (error) {
      this.leave();
      throw error;
    }
  }

  /**
   * Moves the weights back to JavaScript and frees their memory on the engine, unless the engine was disposed or another
   * model uses them there.
   */
  leave(): void {
    for (const block of this.#blocks) block.leave(this);
  }

  /** Returns copies of all weights, or of `which`, by name, as float32. Integers up to 2²⁴ are exact. */
  read(which: readonly Parameter[] = this.list): Map<string, OwnTensor> {
    return new Map(
      which.map(({ name, shape, slot }) => [
        name,
        { shape: [...shape], data: Float32Array.from(slot.block.dataOf(slot)) },
      ]),
    );
  }

  /**
   * Replaces all weights, or those of `which`, or none when it throws.
   * @throws ShapeError naming the weight that is missing, unknown or of another shape.
   */
  write(where: string, tensors: ReadonlyMap<string, Tensor>, which: readonly Parameter[] = this.list): void {
    checkWeights(where, which, tensors);
    for (const { name, slot } of which) slot.block.write(slot, tensors.get(name)!.data);
    this.replaced++;
    this.changed();
  }

  /** Copies all weights from those of the same graph, integers too as they are. */
  copy({ list }: Parameters): void {
    this.list.forEach(({ slot }, i) => {
      const from = list[i]!.slot;
      slot.block.write(slot, from.block.dataOf(from));
    });
    this.replaced++;
    this.changed();
  }
}

/** Returns copies, by name, of some tensors of `data`, which is laid out like the weights. */
export function readLaidOut(data: Float32Array, which: Iterable<Parameter>): Map<string, OwnTensor> {
  return new Map(
    Array.from(which, ({ name, shape, offset, size }) => [
      name,
      { shape: [...shape], data: data.slice(offset, offset + size) },
    ]),
  );
}
