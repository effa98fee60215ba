import { KeptRegion, type Region } from "../runtime/region.ts";
import type { Runtime } from "../runtime/runtime.ts";
import { ShapeError } from "../errors.ts";
import type { WeightSpec } from "../layers/contract.ts";
import { listed } from "../options.ts";
import { sameShape, shapeText, sizeOf, type Shape, type Tensor } from "../tensor.ts";
import type { Graph, GraphNode } from "./graph.ts";

/** Most elements of all weights together: 4 GiB. */
const MOST = 2 ** 30;
/** Weights start at multiples of this many floats. */
const ALIGNMENT = 4;

/** One weight and where it lies among all of them. */
export interface Parameter {
  /** `layer.weight`, as in files. */
  readonly name: string;
  /** Index of the graph's node that first uses the layer. */
  readonly node: number;
  readonly shape: Shape;
  /** First element, counted from the start of all parameters. */
  readonly offset: number;
  readonly size: number;
  /** False for what no gradient changes. */
  readonly trainable: boolean;
}

/** Name and shape of each weight. */
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

/** The weights of a graph, before any is made. */
export function weightsOf(graph: Graph): NamedShape[] {
  return owners(graph).flatMap((node) =>
    node.layer
      .weights(node.inputShapes)
      .map((weight) => ({ name: weightName(node, weight), shape: weight.shape })),
  );
}

/** The weights of the layers that both graphs use, as `to` calls them, of those of `from`. */
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
    const given = tensors.get(name);
    if (!given || !sameShape(given.shape, shape)) {
      const got = given ? `shape ${shapeText(given.shape)}` : "no such tensor";
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
 * All weights of a model in one block, so that an optimizer's step is one call. They lie in JavaScript until the model
 * is compiled, then in the engine's memory. The gaps between them are and stay zero.
 */
export class Parameters {
  readonly list: readonly Parameter[];
  /** Those of a node that owns some, by its index. */
  readonly #byNode = new Map<number, Parameter[]>();
  /** Elements of the block, gaps included. */
  readonly size: number;
  #host: Float32Array | undefined;
  /** Fills in the starting values, until somebody asked for them: large nets need not have them twice. */
  #start: ((name: string) => Float32Array) | undefined;
  #runtime: Runtime | undefined;
  #region: Region | undefined;
  /** Address of the block in the engine's memory. */
  pointer = 0;
  /** Counts the changes of the weights. */
  revision = 1;

  /**
   * The weights of a graph with starting values by name, asked for once and in the order of the nodes; zero without.
   * @throws ShapeError when they are too many.
   */
  constructor(graph: Graph, start?: (name: string) => Float32Array) {
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
        const { shape, trainable = true } = weight;
        list.push({ name: weightName(node, weight), node: node.owner, shape, offset, size, trainable });
        offset += Math.ceil(size / ALIGNMENT) * ALIGNMENT;
      }
      if (list.length > first) this.#byNode.set(node.owner, list.slice(first));
    }
    this.list = list;
    this.size = offset;
    this.#start = start;
  }

  /** Those of the layer that a node is the first to use. */
  of(owner: number): readonly Parameter[] {
    return this.#byNode.get(owner) ?? [];
  }

  /** Number of weights, tensors by their elements. */
  get count(): number {
    return this.list.reduce((sum, { size }) => sum + size, 0);
  }

  /** The whole block where it lies now; a view that memory growth may detach. */
  get #data(): Float32Array {
    if (!this.#runtime) return (this.#host ??= this.#started(new Float32Array(this.size)));
    const first = this.pointer >>> 2;
    return this.#runtime.heap.floats.subarray(first, first + this.size);
  }

  /** Fills in the starting values. */
  #started(data: Float32Array): Float32Array {
    if (this.#start) for (const { name, offset } of this.list) data.set(this.#start(name), offset);
    this.#start = undefined;
    return data;
  }

  /** Moves the block to an engine's memory. @throws Error when it went with an engine that was disposed */
  move(runtime: Runtime): void {
    if (this.#runtime === runtime) return;
    if (this.#runtime?.disposed) {
      throw new Error(
        "compile: expected weights, but they went with the engine that was disposed: " +
          "give others by setWeights() or loadSafetensors() first",
      );
    }
    const region = new KeptRegion(runtime.heap, "model: weights");
    const pointer = region.zeros(this.size);
    const place = runtime.heap.floats.subarray(pointer >>> 2, (pointer >>> 2) + this.size);
    if (!this.#host && !this.#runtime) this.#started(place);
    else place.set(this.#data);
    this.leave();
    this.#host = undefined;
    this.#runtime = runtime;
    this.#region = region;
    this.pointer = pointer;
  }

  /** Takes the weights back to JavaScript and frees their place in the engine's memory, unless both went with it. */
  leave(): void {
    if (!this.#region || this.#runtime!.disposed) return;
    this.#host = this.#data.slice();
    this.#region.release();
    this.#region = undefined;
    this.#runtime = undefined;
  }

  /** Copies of all weights by name. */
  read(): Map<string, Tensor> {
    return slices(this.#data, this.list);
  }

  /** Copies, by name, of some of what lies at `pointer` in the engine's memory in the order of the weights. */
  readAt(pointer: number, which: Iterable<Parameter>): Map<string, Tensor> {
    return slices(this.#runtime!.heap.floats.subarray(pointer >>> 2), which);
  }

  /**
   * Replaces all weights; either all or none.
   * @throws ShapeError naming the weight that is missing, unknown or of another shape.
   */
  write(where: string, tensors: ReadonlyMap<string, Tensor>): void {
    checkWeights(where, this.list, tensors);
    if (this.#runtime?.disposed) this.#runtime = this.#region = undefined;
    const data = this.#data;
    for (const { name, offset, size } of this.list) {
      data.subarray(offset, offset + size).set(tensors.get(name)!.data);
    }
    this.revision++;
  }
}

function slices(data: Float32Array, which: Iterable<Parameter>): Map<string, Tensor> {
  return new Map(
    Array.from(which, ({ name, shape, offset, size }) => [
      name,
      { shape: [...shape], data: data.slice(offset, offset + size) },
    ]),
  );
}
