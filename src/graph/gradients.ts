import type { Kernels } from "../kernels/kernels.ts";
import type { Buffer } from "../layers/buffer.ts";
import { sizeOf } from "../tensor.ts";
import type { PlannedBuffer } from "./arena.ts";
import { countUses, type Graph, type GraphNode } from "./graph.ts";
import { learningValues } from "./learning.ts";
import type { Parameter, Parameters } from "./parameters.ts";

/** The buffers that a node's backward pass writes to. */
export interface NodeGradients {
  /** By input: the gradient itself or, when another reader has written it, a part that is added to it. */
  readonly dxs: readonly (Buffer | null)[];
  /** The gradients of its weights that learn, or parts of them when another use of the layer has written those. */
  readonly weights: readonly (Buffer | undefined)[];
  /** All planned buffers among them, and the sums that they are added to. */
  readonly buffers: readonly PlannedBuffer[];
  /** Adds the parts to the sums, after the backward pass of `n` images; absent when there are none. */
  readonly finish?: (n: number) => void;
}

/** The gradients of a training plan. */
export interface Gradients {
  /** By value; only of outputs that have a loss, and of what learns. */
  readonly values: readonly (PlannedBuffer | undefined)[];
  /** By node, of those that a gradient goes back through. */
  readonly nodes: readonly (NodeGradients | undefined)[];
}

/** The sizes and the memory that a plan's gradients are made for. */
interface Target {
  readonly capacity: number;
  /** Address of the weights' gradients, laid out as the parameters. */
  readonly pointer: number;
  readonly learning: ReadonlySet<Parameter>;
}

/**
 * Plans where gradients go, from the outputs backwards.
 *
 * The first to write a gradient overwrites it; any further reader of a value, and any further use of a layer, writes a
 * part that is then added. The order of such a sum is that of the backward pass: the loss, then readers from the last
 * node to the first.
 */
export function planGradients(
  kernels: Kernels,
  graph: Graph,
  parameters: Parameters,
  target: Target,
  buffer: (elements: number) => PlannedBuffer,
): Gradients {
  const planner = new GradientPlanner(kernels, graph, parameters, target, buffer);
  for (const place of graph.lossOutputs) planner.sumOf(graph.outputs[place]!);
  const nodes = [...graph.nodes].reverse().map((node) => planner.node(node));
  return { values: planner.values, nodes: nodes.reverse() };
}

/** The buffers that a node's backward pass writes to, while they are being collected. */
interface Draft {
  readonly buffers: PlannedBuffer[];
  /** Run after the pass. */
  readonly sums: ((n: number) => void)[];
}

class GradientPlanner {
  readonly values: (PlannedBuffer | undefined)[] = [];
  readonly #kernels: Kernels;
  readonly #graph: Graph;
  readonly #parameters: Parameters;
  /** By value: whether it has a gradient. */
  readonly #learns: readonly boolean[];
  readonly #target: Target;
  readonly #buffer: (elements: number) => PlannedBuffer;
  /** By value: how often nodes read it. */
  readonly #uses: readonly number[];
  /** Nodes whose weights have a gradient by now. */
  readonly #written = new Set<number>();

  constructor(
    kernels: Kernels,
    graph: Graph,
    parameters: Parameters,
    target: Target,
    buffer: (elements: number) => PlannedBuffer,
  ) {
    this.#kernels = kernels;
    this.#graph = graph;
    this.#parameters = parameters;
    this.#learns = learningValues(graph, target.learning);
    this.#target = target;
    this.#buffer = buffer;
    this.#uses = countUses(graph.nodes, graph.shapes.length);
  }

  /** The gradient of a value. */
  sumOf(value: number): PlannedBuffer {
    return (this.values[value] ??= this.#room(value));
  }

  node(node: GraphNode): NodeGradients | undefined {
    const draft: Draft = { buffers: [], sums: [] };
    if (!this.#learns[node.output]) return undefined;
    const isView = node.layer.isView(true);
    const dxs = node.inputs.map((value) => {
      if (!this.#learns[value]) return null;
      return isView ? this.#passOn(value, node.output, draft) : this.#write(value, draft);
    });
    const weights = this.#weights(node.owner, draft);
    const { buffers, sums } = draft;
    if (sums.length === 0) return { dxs, weights, buffers };
    const finish = (n: number): void => {
      for (let i = 0; i < sums.length; i++) sums[i]!(n);
    };
    return { dxs, weights, buffers, finish };
  }

  #room(value: number): PlannedBuffer {
    return this.#buffer(this.#target.capacity * this.#size(value));
  }

  #size(value: number): number {
    return sizeOf(this.#graph.shapes[value]!);
  }

  /** The buffer that a reader writes the gradient of `value` to, or its part of it. */
  #write(value: number, { buffers, sums }: Draft): PlannedBuffer {
    const sum = this.values[value];
    const size = this.#size(value);
    const part = this.#room(value);
    buffers.push(part);
    if (!sum) return (this.values[value] = part);
    buffers.push(sum);
    sums.push((n) => this.#kernels.addForward(sum.pointer, part.pointer, sum.pointer, n * size));
    return part;
  }

  /** The gradient of a view's input: that of its output, unless there are other readers. */
  #passOn(value: number, output: number, { buffers, sums }: Draft): PlannedBuffer {
    const dy = this.values[output]!;
    const sum = this.values[value];
    if (!sum && this.#uses[value] === 1) return (this.values[value] = dy);
    const dx = this.sumOf(value);
    const size = this.#size(value);
    buffers.push(dx);
    sums.push(
      sum
        ? (n) => this.#kernels.addForward(dx.pointer, dy.pointer, dx.pointer, n * size)
        : (n) => this.#kernels.copyRows(n, size, dy.pointer, size, dx.pointer, size),
    );
    return dx;
  }

  /** The gradients of a layer's weights, or parts of them when a later use has written those. */
  #weights(owner: number, { buffers, sums }: Draft): (Buffer | undefined)[] {
    const further = this.#written.has(owner);
    this.#written.add(owner);
    const own = this.#parameters.of(owner);
    return own.map((parameter) => {
      if (!this.#target.learning.has(parameter)) return undefined;
      const { offset, size } = parameter;
      const at = this.#target.pointer + offset * 4;
      if (!further) return { pointer: at, dtype: "float32" };
      const part = this.#buffer(size);
      buffers.push(part);
      sums.push(() => this.#kernels.addForward(at, part.pointer, at, size));
      return part;
    });
  }
}
