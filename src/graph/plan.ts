import { Budget } from "../budget.ts";
import type { DType } from "../dtype.ts";
import type { Buffer } from "../layers/buffer.ts";
import type { BatchKey, BuildContext } from "../layers/contract.ts";
import type { Epilogue } from "../layers/epilogue.ts";
import { KeptRegion, type Region } from "../runtime/region.ts";
import type { Runtime } from "../runtime/runtime.ts";
import { sizeOf } from "../tensor.ts";
import { aliasValues } from "./aliasing.ts";
import { assignOffsets, touch, untouched, type PlannedBuffer } from "./arena.ts";
import { fuse, separate, type Step } from "./fusion.ts";
import type { Gradients, GradientTarget, planGradients } from "./gradients.ts";
import type { Graph } from "./graph.ts";
import { PlanLayouts } from "./laidOut.ts";
import type { Parameters } from "./parameters.ts";
import { forwardPasses, type ForwardPasses, type NamedPasses, type Passes } from "./passes.ts";

export interface PlanOptions {
  /** The most images in a batch. */
  readonly capacity: number;
  /** Absent for inference. */
  readonly training?: TrainingOptions;
}

export interface TrainingOptions {
  /** Plans the gradients. It is an option so that the bundle of a program that only runs models has no such code. */
  readonly planGradients: typeof planGradients;
  readonly target: GradientTarget;
  /** By node: true when its layer is not frozen. */
  readonly trainable: readonly boolean[];
}

/** The passes of a graph and all of their buffers, ready to run without allocating memory. */
export interface Plan extends ForwardPasses {
  readonly capacity: number;
  /** The buffers of the model's inputs and outputs. */
  readonly inputs: readonly Buffer[];
  readonly outputs: readonly Buffer[];
  /** The buffers for the gradients of the outputs that have a loss, which the losses write; in training only. */
  readonly outputGradients: readonly Buffer[];
  /** The buffers with the gradients of the model's inputs, where they are asked for and there are any. */
  readonly inputGradients: readonly (Buffer | undefined)[];
  /** By value: its buffer, which holds it from the pass that defines it to the last that reads it; none inside of a fused step. */
  readonly values: readonly (Buffer | undefined)[];
  /** In training only. */
  readonly gradients: Gradients | undefined;
  /** The key of the layers' random numbers, which is set before each training step. */
  readonly batchKey: BatchKey;
  /** The passes one by one, with the names of their layers. */
  readonly passes: readonly NamedPasses[];
  /** Allocates further memory that is freed with the plan, and returns its address. @throws MemoryError */
  allocate(elements: number, dtype?: DType): number;
  dispose(): void;
}

/**
 * Plans the buffers of a graph by the times at which their content is needed, and builds the pass of each layer or, in
 * inference, of each step of `fuse`.
 *
 * The times are, for N nodes: 0 when the inputs are written; i + 1 when node i runs forward; N + 1 for the losses;
 * 2N + 1 − i when node i runs backward; 2N + 2 when the caller reads the outputs.
 * @throws MemoryError, with everything freed.
 */
export function createPlan(
  runtime: Runtime,
  graph: Graph,
  parameters: Parameters,
  options: PlanOptions,
): Plan {
  const region = new KeptRegion(runtime.heap, `model: buffers for batches of ${options.capacity}`);
  const layouts = new PlanLayouts(runtime.heap);
  try {
    return new Planner(runtime, graph, parameters, options, region, layouts).plan();
  } catch (error) {
    region.release();
    layouts.release();
    throw error;
  }
}

const NO_EPILOGUE: Epilogue = {};

class Planner {
  readonly #runtime: Runtime;
  readonly #graph: Graph;
  readonly #parameters: Parameters;
  readonly #options: PlanOptions;
  readonly #region: Region;
  readonly #layouts: PlanLayouts;
  readonly #training: boolean;
  readonly #buffers: PlannedBuffer[] = [];
  readonly #steps: readonly Step[];
  /** By value: its buffer; a value inside of a fused step has none. */
  readonly #values: PlannedBuffer[] = [];
  readonly #gradients: Gradients | undefined;
  readonly #batchKey: BatchKey = { seedLow: 0, seedHigh: 0, step: 0, firstImage: 0, epoch: 0, indices: 0 };
  readonly #budget: Budget;
  /** The times at which the pass of the step that is built runs first and last. */
  #forwardTime = 0;
  #lastTime = 0;
  /** The part of the context that is the same for all layers. */
  readonly #shared: Pick<
    BuildContext,
    "saved" | "kept" | "laidOut" | "workspace" | "window" | "table" | "tableOf" | "spend"
  > = {
    saved: (elements, dtype) => this.#needed(elements, dtype, this.#forwardTime, this.#lastTime),
    kept: (elements, dtype) => this.#needed(elements, dtype, 0, this.#endTime),
    laidOut: (weights, layout, elements, make) => {
      const pointers = weights.map(({ pointer }) => pointer);
      return this.#layouts.of(this.#parameters.blocksAt(pointers), pointers, layout, elements, make);
    },
    workspace: (elements) => this.#needed(elements, "float32", this.#forwardTime),
    window: (window) => this.#region.window(window),
    table: (numbers) => this.#shared.tableOf(numbers.length, () => numbers),
    tableOf: (length, make) => {
      this.#budget.spend(4 * length);
      return this.#region.put(make());
    },
    spend: (bytes) => this.#budget.spend(bytes),
  };
  /** The time when the caller reads the outputs. */
  readonly #endTime: number;

  constructor(
    runtime: Runtime,
    graph: Graph,
    parameters: Parameters,
    options: PlanOptions,
    region: Region,
    layouts: PlanLayouts,
  ) {
    this.#runtime = runtime;
    this.#graph = graph;
    this.#parameters = parameters;
    this.#options = options;
    this.#region = region;
    this.#layouts = layouts;
    const { training } = options;
    this.#training = training !== undefined && !training.target.asInference;
    this.#steps = training ? separate(graph) : fuse(graph);
    this.#budget = new Budget("model", runtime.limits);
    this.#budget.checkNodes(graph.nodes.length);
    this.#endTime = 2 * graph.nodes.length + 2;
    this.#allocateValues();
    const buffer = (elements: number): PlannedBuffer => this.#buffer(elements);
    this.#gradients = training?.planGradients(runtime.kernels, graph, parameters, training.target, buffer);
  }

  plan(): Plan {
    const passes = this.#steps.flatMap((step) => {
      const pass = this.#build(step);
      return pass ? [{ name: step.node.name, index: step.index, pass }] : [];
    });
    const ends = this.#touchEnds();
    const base = this.#region.allocate(assignOffsets(this.#buffers), "uint8");
    for (const buffer of this.#buffers) buffer.pointer = base + buffer.offset;
    return {
      capacity: this.#options.capacity,
      ...ends,
      values: this.#values,
      gradients: this.#gradients,
      batchKey: this.#batchKey,
      outputGradients: this.#gradients?.outputs ?? [],
      inputGradients: this.#gradients?.inputs ?? [],
      passes,
      ...forwardPasses(passes),
      allocate: (elements, dtype) => this.#region.allocate(elements, dtype),
      dispose: () => {
        this.#region.release();
        this.#layouts.release();
      },
    };
  }

  /** The buffers that the caller writes and reads, with their spans extended to these times. */
  #touchEnds(): Pick<Plan, "inputs" | "outputs"> {
    const inputs = this.#graph.inputs.map((_, value) => this.#values[value]!);
    const outputs = this.#graph.outputs.map((value) => this.#values[value]!);
    for (const buffer of inputs) touch(buffer, 0);
    for (const buffer of this.#gradients?.inputs ?? []) if (buffer) touch(buffer, this.#endTime);
    // In inference the caller may fill the inputs once and run several times, and reads the outputs after the run. In
    // training the losses read the outputs.
    if (this.#gradients) for (const buffer of outputs) touch(buffer, this.#gradients.lossTime);
    else for (const buffer of [...inputs, ...outputs]) touch(buffer, this.#endTime);
    return { inputs, outputs };
  }

  #buffer(elements: number, dtype?: DType): PlannedBuffer {
    const buffer = untouched(elements, dtype);
    this.#buffers.push(buffer);
    return buffer;
  }

  #allocateValues(): void {
    const { inputs, nodes, shapes, types } = this.#graph;
    const { capacity } = this.#options;
    const overwriting = this.#options.training === undefined;
    const aliases = aliasValues(this.#graph, this.#steps, this.#training, overwriting);
    for (const value of [...inputs.keys(), ...this.#steps.map(({ output }) => output)]) {
      const alias = aliases[value]!;
      this.#budget.where = (inputs[value] ?? nodes[value - inputs.length]!).name;
      this.#budget.checkElements(sizeOf(shapes[value]!));
      this.#values[value] =
        alias === value
          ? this.#buffer(capacity * sizeOf(shapes[value]!), types[value])
          : this.#values[alias]!;
    }
  }

  /** The buffers of the weights that a node owns. */
  #weightsOf(owner: number): Buffer[] {
    return this.#parameters.of(owner).map((parameter) => ({
      pointer: this.#parameters.addressOf(parameter),
      dtype: parameter.dtype,
    }));
  }

  #epilogueOf({ absorbed }: Step): Epilogue {
    if (absorbed.length === 0) return NO_EPILOGUE;
    const parts = absorbed.map(({ node, epilogue, other }): Epilogue => {
      if (epilogue.kind === "affine") return { affine: epilogue.of(this.#weightsOf(node.owner)) };
      if (epilogue.kind === "residual") return { residual: this.#values[other!]! };
      return { activation: epilogue.activation };
    });
    return Object.assign({}, ...parts) as Epilogue;
  }

  /** Builds a step's pass and extends the spans of all buffers that it uses. Returns undefined for a view without any work. */
  #build(step: Step): Passes | undefined {
    const { node, index } = step;
    this.#budget.where = node.name;
    this.#budget.spend(0);
    const gradients = this.#gradients;
    if (node.layer.isView(this.#training)) return gradients?.viewPasses(index);
    const context = this.#contextOf(step, gradients?.timeOf(index));
    return gradients ? gradients.passes(index, context) : node.layer.build(context);
  }

  /** The context of a step's layer; extends the spans of the values that its passes read and write. */
  #contextOf(step: Step, backwardTime: number | undefined): BuildContext {
    const { node, index, reads } = step;
    const forwardTime = index + 1;
    const lastTime = backwardTime ?? forwardTime;
    const xs = node.inputs.map((value) => this.#values[value]!);
    const y = this.#values[step.output]!;
    for (const value of reads) touch(this.#values[value]!, forwardTime);
    touch(y, forwardTime);
    const { backwardReads } = node.layer;
    if (backwardReads.x) for (const x of xs) touch(x, lastTime);
    if (backwardReads.y) touch(y, lastTime);
    this.#forwardTime = forwardTime;
    this.#lastTime = lastTime;
    return {
      kernels: this.#runtime.kernels,
      heap: this.#runtime.heap,
      name: node.name,
      algorithm: this.#graph.algorithm ?? "auto",
      capacity: this.#options.capacity,
      training: this.#options.training?.trainable[node.owner] ?? false,
      needsGradient: backwardTime !== undefined,
      inputs: node.inputShapes,
      output: node.outputShape,
      x: xs[0]!,
      xs,
      y,
      weights: this.#weightsOf(node.owner),
      epilogue: this.#epilogueOf(step),
      randomKey: { batch: this.#batchKey, layer: index },
      ...this.#shared,
    };
  }

  /** Makes a buffer that a layer needs from the first of these times to the last. */
  #needed(elements: number, dtype: DType | undefined, first: number, last = first): PlannedBuffer {
    const buffer = this.#buffer(elements, dtype);
    touch(buffer, first);
    touch(buffer, last);
    return buffer;
  }
}
