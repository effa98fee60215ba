import type { Kernels } from "../kernels/kernels.ts";
import type { Buffer } from "../layers/buffer.ts";
import { stopsAt, type BuildContext } from "../layers/contract.ts";
import { buildTrainingPass, gradientOf } from "../layers/trainingPasses.ts";
import { sizeOf } from "../tensor.ts";
import { touch, type PlannedBuffer } from "./arena.ts";
import { countUses, type Graph, type GraphNode } from "./graph.ts";
import { learningValues } from "./learning.ts";
import type { Parameter, Parameters } from "./parameters.ts";
import type { Passes } from "./passes.ts";

/** The buffers that a node's backward pass writes. */
export interface NodeGradients {
  /** By input: the buffer of the total gradient or, when another reader wrote that before, of a part to add to it. */
  readonly dxs: readonly (Buffer | null)[];
  /** By weight that learns: the total gradient or, when another use of the layer wrote that before, a part to add to it. */
  readonly weights: readonly (Buffer | undefined)[];
  /** All planned buffers among them, and the totals that parts are added to. */
  readonly buffers: readonly PlannedBuffer[];
  /** Adds the parts to the totals, after the backward pass of `n` images; absent when there are no parts. */
  readonly finish?: (n: number) => void;
}

/**
 * The gradients of a training plan. Their buffers' spans include the times when the losses and the backward passes write and
 * read them.
 */
export interface Gradients {
  /** The time of the losses, after all forward passes. */
  readonly lossTime: number;
  /** By output that has a loss: the buffer of its gradient. */
  readonly outputs: readonly PlannedBuffer[];
  /** By input of the graph: the buffer of its gradient, if it has one. */
  readonly inputs: readonly (PlannedBuffer | undefined)[];
  /** By value: the buffer of its total gradient, if it has one; it holds what the passes so far have added up. */
  readonly values: readonly (PlannedBuffer | undefined)[];
  /** By node: the buffers that its backward pass writes; undefined when it has no gradient. */
  readonly nodes: readonly (NodeGradients | undefined)[];
  /** The time of the backward pass of the node at `index`; undefined when it has no gradient. */
  timeOf(index: number): number | undefined;
  /** The passes of a view; undefined when there is no work on the way back either. */
  viewPasses(index: number): Passes | undefined;
  /**
   * Builds the forward pass of a node and, unless neither an input nor a weight has a gradient, its backward pass, by the
   * gradient that the forward pass brings along or that of its type, with what adds parts to totals behind it.
   */
  passes(index: number, context: BuildContext): Passes;
}

/** Those of a node through which nothing learns. */
const NONE: NodeGradients = { dxs: [], weights: [], buffers: [] };

/** The batch size and the weights for which gradients are planned. */
export interface GradientTarget {
  readonly capacity: number;
  /** The address of the weights' gradients, which are laid out like the parameters. */
  readonly pointer: number;
  readonly learning: ReadonlySet<Parameter>;
  /** True when the graph's inputs have gradients as well. Default: false. */
  readonly ofInputs?: boolean;
  /** True for the gradients of the net as it is in inference, without dropout. Default: false. */
  readonly asInference?: boolean;
}

/**
 * Plans the buffers of all gradients, from the outputs backwards.
 *
 * The first pass that writes a gradient overwrites the buffer of the total. Every further reader of the value, and every
 * further use of the layer, writes a part, which is then added to the total. So parts are added in the order of the backward
 * pass: first the loss, then the readers from the last node to the first.
 */
export function planGradients(
  kernels: Kernels,
  graph: Graph,
  parameters: Parameters,
  target: GradientTarget,
  buffer: (elements: number) => PlannedBuffer,
): Gradients {
  const { nodes } = graph;
  const planner = new GradientPlanner(kernels, graph, parameters, target, buffer);
  const outputs = graph.lossOutputs.map((output) => planner.totalOf(graph.outputs[output]!));
  const { values } = planner;
  const own = [...nodes].reverse().map((node) => planner.node(node));
  own.reverse();
  const lossTime = nodes.length + 1;
  const timeOf = (index: number): number => lossTime + nodes.length - index;
  for (const output of outputs) touch(output, lossTime);
  own.forEach((each, index) => {
    const dy = values[nodes[index]!.output];
    if (each) for (const written of [...(dy ? [dy] : []), ...each.buffers]) touch(written, timeOf(index));
  });
  return {
    lossTime,
    outputs,
    inputs: graph.inputs.map((_, value) => values[value]),
    values,
    nodes: own,
    timeOf: (index) => (own[index] ? timeOf(index) : undefined),
    viewPasses(index) {
      const { finish } = own[index] ?? {};
      return finish && { forward: () => {}, backward: finish };
    },
    passes(index, context) {
      const { name, layer, output } = nodes[index]!;
      const built = buildTrainingPass(layer, context);
      const { dxs, weights: gradients, finish }: NodeGradients = own[index] ?? NONE;
      if (![...dxs, ...gradients].some(Boolean)) return built;
      const { prepare, ...pass } = built;
      const workspace = (elements: number): Buffer => {
        const made = buffer(elements);
        touch(made, timeOf(index));
        return made;
      };
      const gradient = gradientOf(layer, pass);
      if (!gradient) throw new Error(`${name}: expected a gradient of ${layer.type}, got none`);
      const dy = values[output]!;
      const backward = gradient({ ...context, dy, dx: dxs[0] ?? null, dxs, gradients, workspace });
      return {
        ...pass,
        forward: prepare ? inTurn(prepare, pass.forward) : pass.forward,
        backward: finish ? inTurn(backward, finish) : backward,
      };
    },
  };
}

/** Runs one, then the other: a backward pass and what adds the parts that it wrote to totals, or `prepare` and a forward pass. */
function inTurn(first: (n: number) => void, second: (n: number) => void): (n: number) => void {
  return (n) => {
    first(n);
    second(n);
  };
}

/** The gradients of a node while they are being planned. */
interface Draft {
  readonly buffers: PlannedBuffer[];
  /** The additions that run after the pass. */
  readonly additions: ((n: number) => void)[];
}

class GradientPlanner {
  readonly values: (PlannedBuffer | undefined)[] = [];
  readonly #kernels: Kernels;
  readonly #graph: Graph;
  readonly #parameters: Parameters;
  /** By value: true when it has a gradient. */
  readonly #learns: readonly boolean[];
  readonly #target: GradientTarget;
  readonly #buffer: (elements: number) => PlannedBuffer;
  /** By value: the number of times that nodes read it. */
  readonly #uses: readonly number[];
  /** The nodes whose weights already have a gradient. */
  readonly #written = new Set<number>();

  constructor(
    kernels: Kernels,
    graph: Graph,
    parameters: Parameters,
    target: GradientTarget,
    buffer: (elements: number) => PlannedBuffer,
  ) {
    this.#kernels = kernels;
    this.#graph = graph;
    this.#parameters = parameters;
    this.#learns = learningValues(graph, target.learning, target.ofInputs);
    this.#target = target;
    this.#buffer = buffer;
    this.#uses = countUses(graph.nodes, graph.shapes.length);
  }

  /** The buffer of a value's total gradient. */
  totalOf(value: number): PlannedBuffer {
    return (this.values[value] ??= this.#gradientBuffer(value));
  }

  node(node: GraphNode): NodeGradients | undefined {
    const draft: Draft = { buffers: [], additions: [] };
    if (!this.#learns[node.output]) return undefined;
    const isView = node.layer.isView(!this.#target.asInference);
    const dxs = node.inputs.map((value, place) => {
      if (!this.#learns[value] || stopsAt(node.layer, place)) return null;
      return isView ? this.#passOn(value, node.output, draft) : this.#write(value, draft);
    });
    const weights = this.#weights(node.owner, draft);
    const { buffers, additions } = draft;
    if (additions.length === 0) return { dxs, weights, buffers };
    const finish = (n: number): void => {
      for (let i = 0; i < additions.length; i++) additions[i]!(n);
    };
    return { dxs, weights, buffers, finish };
  }

  #gradientBuffer(value: number): PlannedBuffer {
    return this.#buffer(this.#target.capacity * this.#size(value));
  }

  #size(value: number): number {
    return sizeOf(this.#graph.shapes[value]!);
  }

  /** The buffer in which a reader writes the gradient of `value`, or its part of that. */
  #write(value: number, { buffers, additions }: Draft): PlannedBuffer {
    const total = this.values[value];
    const size = this.#size(value);
    const part = this.#gradientBuffer(value);
    buffers.push(part);
    if (!total) return (this.values[value] = part);
    buffers.push(total);
    additions.push((n) => this.#kernels.addForward(total.pointer, part.pointer, total.pointer, n * size));
    return part;
  }

  /** The gradient of a view's input: the buffer of the output's gradient, unless the input has other readers. */
  #passOn(value: number, output: number, { buffers, additions }: Draft): PlannedBuffer {
    const dy = this.values[output]!;
    const total = this.values[value];
    if (!total && this.#uses[value] === 1) return (this.values[value] = dy);
    const dx = this.totalOf(value);
    const size = this.#size(value);
    buffers.push(dx);
    additions.push(
      total
        ? (n) => this.#kernels.addForward(dx.pointer, dy.pointer, dx.pointer, n * size)
        : (n) => this.#kernels.copyRows(n, size, dy.pointer, size, dx.pointer, size),
    );
    return dx;
  }

  /** The gradients of a layer's weights, or parts of them when a later use of the layer has written the totals. */
  #weights(owner: number, { buffers, additions }: Draft): (Buffer | undefined)[] {
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
      additions.push(() => this.#kernels.addForward(at, part.pointer, at, size));
      return part;
    });
  }
}
