import { Region } from "../engine/region.ts";
import type { Runtime } from "../engine/runtime.ts";
import type { Buffer, BuildContext, Pass } from "../layers/layer.ts";
import { sizeOf } from "../tensor.ts";
import { assignOffsets, touch, untouched, type PlannedBuffer } from "./arena.ts";
import type { Graph, GraphNode } from "./graph.ts";
import type { Parameters } from "./parameters.ts";

export interface PlanOptions {
  /** The most images in a batch. */
  readonly capacity: number;
  /** Absent for inference. */
  readonly training?: TrainingOptions;
}

export interface TrainingOptions {
  /** Address of the gradients, laid out as the parameters. */
  readonly gradients: number;
  readonly backward: BuildContext["backward"];
}

/** A step through a graph with all of its buffers, ready to run without allocating. */
export interface Plan {
  readonly capacity: number;
  /** Where the batch goes, and where the output comes out. */
  readonly input: Buffer;
  readonly output: Buffer;
  /** Where the loss writes its gradient; in training only. */
  readonly outputGradient: Buffer;
  /** Identifies the step for layers that draw random numbers. */
  readonly randomKey: { step: number };
  /** After the weights changed, before the next forward pass; in inference only. */
  prepare(): void;
  forward(n: number): void;
  backward(n: number): void;
  dispose(): void;
}

/**
 * Plans the buffers of a graph by the time that their content is needed, and builds each layer's pass.
 *
 * Time: 0 the input is written; i + 1 node i runs forward; N + 1 the loss; 2N + 1 − i node i runs backward; 2N + 2 the
 * caller reads the output.
 * @throws MemoryError, with everything freed.
 */
export function createPlan(
  runtime: Runtime,
  graph: Graph,
  parameters: Parameters,
  options: PlanOptions,
): Plan {
  const region = new Region(runtime.heap, `model: buffers for batches of ${options.capacity}`);
  try {
    return new Planner(runtime, graph, parameters, options, region).plan();
  } catch (error) {
    region.release();
    throw error;
  }
}

class Planner {
  readonly #runtime: Runtime;
  readonly #graph: Graph;
  readonly #parameters: Parameters;
  readonly #options: PlanOptions;
  readonly #region: Region;
  readonly #training: boolean;
  readonly #buffers: PlannedBuffer[] = [];
  /** By value: its data, its gradient, and whether anything that it is made from learns. */
  readonly #values: PlannedBuffer[] = [];
  readonly #gradients: (PlannedBuffer | null)[] = [];
  readonly #learns: boolean[] = [false];
  readonly #randomKey = { step: 0 };

  constructor(runtime: Runtime, graph: Graph, parameters: Parameters, options: PlanOptions, region: Region) {
    this.#runtime = runtime;
    this.#graph = graph;
    this.#parameters = parameters;
    this.#options = options;
    this.#region = region;
    this.#training = options.training !== undefined;
  }

  plan(): Plan {
    const { nodes, output } = this.#graph;
    const count = nodes.length;
    this.#allocateValues();
    if (this.#training) this.#allocateGradients();
    const passes = nodes.map((node, index) => this.#build(node, index));
    const input = this.#values[0]!;
    const result = this.#values[output]!;
    touch(input, 0);
    if (this.#training) {
      touch(result, count + 1);
    } else {
      // A caller may fill the input once and run twice, and reads the output after the run.
      touch(input, 2 * count + 2);
      touch(result, 2 * count + 2);
    }
    const outputGradient = this.#gradients[output] ?? untouched(0);
    if (this.#training) touch(outputGradient, count + 1);
    const base = this.#region.room(assignOffsets(this.#buffers));
    for (const buffer of this.#buffers) buffer.pointer = base + buffer.offset * 4;
    const forwards = passes.filter((pass) => pass !== null);
    const backwards = forwards.filter((pass) => pass.backward !== undefined).reverse();
    return {
      capacity: this.#options.capacity,
      input,
      output: result,
      outputGradient,
      randomKey: this.#randomKey,
      prepare() {
        for (const pass of forwards) pass.prepare?.();
      },
      forward(n) {
        for (let i = 0; i < forwards.length; i++) forwards[i]!.forward(n);
      },
      backward(n) {
        for (let i = 0; i < backwards.length; i++) backwards[i]!.backward!(n);
      },
      dispose: () => this.#region.release(),
    };
  }

  #buffer(elements: number): PlannedBuffer {
    const buffer = untouched(elements);
    this.#buffers.push(buffer);
    return buffer;
  }

  #allocateValues(): void {
    const { inputShape, nodes } = this.#graph;
    const { capacity } = this.#options;
    this.#values.push(this.#buffer(capacity * sizeOf(inputShape)));
    nodes.forEach(({ layer, inputs, outputShape }, index) => {
      const isView = layer.isView(this.#training);
      this.#values.push(isView ? this.#values[inputs[0]!]! : this.#buffer(capacity * sizeOf(outputShape)));
      const hasWeights = this.#parameters.list.some(({ node }) => node === index);
      this.#learns.push(hasWeights || inputs.some((value) => this.#learns[value]));
    });
  }

  /** From the output backwards: each value that learns gets a gradient; a view shares its input's. */
  #allocateGradients(): void {
    const { nodes, output, outputShape, inputShape } = this.#graph;
    const { capacity } = this.#options;
    this.#gradients[output] = this.#buffer(capacity * sizeOf(outputShape));
    for (const { layer, inputs, output: value } of [...nodes].reverse()) {
      for (const input of inputs) {
        if (this.#gradients[input]) throw new Error("plan: expected one reader for each value, got several");
        const shape = input === 0 ? inputShape : nodes[input - 1]!.outputShape;
        if (!this.#learns[input]) this.#gradients[input] = null;
        else if (layer.isView(true)) this.#gradients[input] = this.#gradients[value]!;
        else this.#gradients[input] = this.#buffer(capacity * sizeOf(shape));
      }
    }
  }

  /** The node's pass, with everything it uses marked as needed at its times; null for a view. */
  #build(node: GraphNode, index: number): Pass | null {
    const forwardTime = index + 1;
    const backwardTime = 2 * this.#graph.nodes.length + 1 - index;
    const x = this.#values[node.inputs[0]!]!;
    const y = this.#values[node.output]!;
    const dx = this.#gradients[node.inputs[0]!] ?? null;
    const dy = this.#gradients[node.output] ?? untouched(0);
    if (node.layer.isView(this.#training)) return null;
    touch(x, forwardTime);
    touch(y, forwardTime);
    const { training } = this.#options;
    const goesBack = this.#training && this.#learns[node.output] === true;
    if (goesBack) {
      touch(dy, backwardTime);
      if (dx) touch(dx, backwardTime);
      if (node.layer.backwardReads.x) touch(x, backwardTime);
      if (node.layer.backwardReads.y) touch(y, backwardTime);
    }
    const parameters = this.#parameters.list.filter((parameter) => parameter.node === index);
    const at = (base: number): Buffer[] => parameters.map(({ offset }) => ({ pointer: base + offset * 4 }));
    const context: BuildContext = {
      kernels: this.#runtime.kernels,
      name: node.name,
      capacity: this.#options.capacity,
      training: goesBack,
      backward: goesBack ? training!.backward : undefined,
      inputs: node.inputShapes,
      output: node.outputShape,
      x,
      y,
      dy,
      dx,
      weights: at(this.#parameters.pointer),
      gradients: training ? at(training.gradients) : [],
      randomKey: this.#keyOf(index),
      saved: (elements) => {
        const buffer = this.#buffer(elements);
        touch(buffer, forwardTime);
        if (goesBack) touch(buffer, backwardTime);
        return buffer;
      },
      kept: (elements) => {
        const buffer = this.#buffer(elements);
        touch(buffer, 0);
        touch(buffer, 2 * this.#graph.nodes.length + 2);
        return buffer;
      },
      scratch: (elements, pass) => {
        const buffer = this.#buffer(elements);
        touch(buffer, pass === "forward" ? forwardTime : backwardTime);
        return buffer;
      },
      window: (window) => this.#region.window(window),
    };
    return node.layer.build(context);
  }

  /** The step's key, which changes, beside the layer's, which does not. */
  #keyOf(index: number): { readonly step: number; readonly layer: number } {
    const shared = this.#randomKey;
    return {
      get step() {
        return shared.step;
      },
      layer: index,
    };
  }
}
