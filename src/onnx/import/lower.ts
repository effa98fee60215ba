import type { KernelEngine } from "../../runtime/engine.ts";
import { FormatError, OptionError, ShapeError } from "../../errors.ts";
import * as layers from "../../layers/index.ts";
import type { SymbolicTensor } from "../../layers/contract.ts";
import { listed } from "../../options.ts";
import { Builder, NeedsKnown, BatchDependent } from "./builder.ts";
import { Trace } from "./trace.ts";
import { nodeName, type OnnxGraph } from "./graph.ts";
import { CONSTANT_TYPE } from "../../layers/constant.ts";
import { notComputed } from "./missingOperators.ts";
import { Attributes, UnknownForm, Unsupported } from "./node.ts";
import type { Operator, OperatorTable } from "./operator.ts";
import type { Lowered, LoweredNode } from "./lowered.ts";
import { Relowering } from "./relower.ts";
import type { NodeProto } from "../file/proto.ts";
import { sizeOf, type Shape } from "../../tensor.ts";
import { shapeFault } from "../file/tensorData.ts";
import type { Constant } from "../file/constant.ts";
import { IMAGES, inWords } from "./images.ts";
import { isComputed, isConstant, type Computed, type Value } from "./values.ts";

/** Nodes cannot be computed: at all, or for what the inputs are. */
export class NotComputed extends FormatError {
  readonly #reasons: string;
  readonly #ofInputs: boolean;

  constructor(reasons: readonly string[], ofInputs: boolean) {
    const text = listed(reasons, "; ");
    super(notComputed(reasons.length, text));
    this.#reasons = text;
    this.#ofInputs = ofInputs;
  }

  /** Which nodes, and why. */
  get reasons(): string {
    return this.#reasons;
  }

  /** Whether they might be for other inputs. */
  get ofInputs(): boolean {
    return this.#ofInputs;
  }
}

/** The graph depends on the numbers of these inputs. */
export class NeedsInputs extends Error {
  readonly names: readonly string[];

  constructor(names: readonly string[], cause: NeedsKnown) {
    super(cause.message, { cause });
    this.names = names;
  }
}

/** Operators that take bytes: others are for what Cast makes of them. */
const OF_BYTES: ReadonlySet<string> = new Set(["Cast", "CastLike", "Identity", "Shape", "Transpose"]);

/** The graph of a file, lowered node by node. */
export class Lowering {
  readonly #graph: OnnxGraph;
  readonly #operators: OperatorTable;
  readonly #builder: Builder;
  readonly #values: Map<string, Value>;
  readonly #inputs = new Map<string, Computed>();
  /** Nodes that are done. */
  #done = 0;
  readonly #again: Relowering | undefined;
  readonly #nodes: LoweredNode[] = [];
  readonly #reasons: string[] = [];
  #ofInputs = true;

  /**
   * Begins to lower a graph for inputs of these shapes, or of these numbers where they are known; with `batch` for any
   * number of images, which in these shapes is `batch`. `base` is the same graph as it was lowered for other sizes, whose layers
   * are used again where they do.
   * @throws BatchDependent when an input has no images; Stale
   */
  constructor(
    graph: OnnxGraph,
    fed: ReadonlyMap<string, Shape | Constant>,
    engine: KernelEngine,
    operators: OperatorTable,
    batch?: number,
    base?: Lowered,
  ) {
    this.#graph = graph;
    this.#operators = operators;
    this.#builder = new Builder(graph.bytes.length, engine, batch);
    this.#values = new Map<string, Value>(graph.initializers);
    for (const { name, type, dims } of graph.inputs) {
      const own = fed.get(name)!;
      if (!("data" in own)) this.#inputs.set(name, this.#builder.input(name, type, own, dims[0]));
      this.#values.set(name, "data" in own ? own : this.#inputs.get(name)!);
    }
    this.#again = base && new Relowering(base, this.#builder, this.#inputs);
  }

  /**
   * Lowers all nodes.
   * @throws BatchDependent when the graph does not take any number of images; NeedsInputs when numbers must be known;
   * FormatError that lists all nodes that cannot be computed; Stale when the layers of the earlier lowering do not do
   */
  run(): Lowered {
    const { nodes } = this.#graph;
    for (; this.#done < nodes.length; this.#done++) this.#node(nodes[this.#done]!);
    if (this.#reasons.length > 0) throw new NotComputed(this.#reasons, this.#ofInputs);
    const outputs = this.#outputs();
    this.#again?.check();
    return {
      builder: this.#builder,
      inputs: this.#inputs,
      outputs,
      values: this.#values,
      ...(!this.#again && { nodes: this.#nodes }),
    };
  }

  #node(node: NodeProto): void {
    const builder = this.#builder;
    try {
      this.#lower(node);
    } catch (error) {
      const names = error instanceof NeedsKnown ? needed(error.value, this.#inputs) : [];
      if (names.length > 0) throw new NeedsInputs(names, error as NeedsKnown);
      this.#reasons.push(reasonOf(error, node, builder.batch));
      this.#ofInputs &&= !(error instanceof UnknownForm);
    }
  }

  #lower(proto: NodeProto): void {
    const [builder, values] = [this.#builder, this.#values];
    // A node that reads one that could not be computed is no reason of its own.
    if (proto.inputs.some((name) => name !== "" && !values.has(name))) return;
    const operator = operatorOf(proto, this.#operators);
    builder.node = nodeName(proto);
    builder.budget.where = `loadOnnx: ${builder.node} (${proto.opType})`;
    const inputs = proto.inputs.map((name) => (name === "" ? undefined : values.get(name)));
    if (!OF_BYTES.has(proto.opType) && inputs.some((value) => value?.type === "uint8")) {
      throw new Unsupported(`expected a Cast of the bytes to float32 in front, got uint8`);
    }
    const made =
      this.#again?.again(this.#done, proto, operator, inputs) ?? this.#made(proto, operator, inputs);
    proto.outputs.forEach((name, i) => {
      if (name === "") return;
      const value = made[i];
      if (!value)
        throw new Unsupported(`expected at most ${made.length} outputs, got ${proto.outputs.length}`);
      const shape = builder.ofOneImage(value.shape);
      const fault = shapeFault(shape);
      if (fault) throw new Unsupported(fault);
      builder.budget.checkElements(sizeOf(shape) / (builder.isSymbolic ? 1 : (builder.batch ?? 1)));
      values.set(name, value);
      if (isComputed(value)) builder.nameValue(value, name, proto.name);
    });
  }

  /** The values that a node defines, by its operator. */
  #made(proto: NodeProto, operator: Operator, inputs: readonly (Value | undefined)[]): readonly Value[] {
    const builder = this.#builder;
    const attributes = new Attributes(proto, this.#graph.version);
    const made = operator.lower({
      name: builder.node,
      type: proto.opType,
      attributes,
      inputs,
      outputs: proto.outputs.length,
      builder,
    });
    attributes.checkAllRead();
    if (this.#again) this.#again.lowered(this.#done, made);
    else this.#nodes[this.#done] = { inputs, made, trace: builder.trace };
    builder.trace = new Trace();
    return made;
  }

  #outputs(): Map<string, Value> {
    const builder = this.#builder;
    const outputs = new Map<string, Value>();
    const returned = new Set<SymbolicTensor>();
    for (const name of this.#graph.outputs) {
      const value = this.#values.get(name)!;
      if (isConstant(value) && value.ofShape && builder.batch !== undefined) {
        throw new BatchDependent(`${name} tells the number of images`);
      }
      builder.fix([value]);
      // Its numbers are made when it is returned.
      if (isConstant(value)) builder.spend(sizeOf(value.shape));
      if (value.type === "uint8") {
        throw new FormatError(`loadOnnx: ${name}: expected an output of floats or integers, got uint8`);
      }
      outputs.set(name, isConstant(value) ? value : outputOf(builder, name, value, returned));
    }
    return outputs;
  }
}

/** An output in the order of the file, computed by a layer that computes none of those that are `returned`. */
function outputOf(builder: Builder, name: string, value: Computed, returned: Set<SymbolicTensor>): Computed {
  const output = builder.inFileOrder(value);
  const { symbol } = output;
  if (symbol.layer && !returned.has(symbol)) {
    returned.add(symbol);
    builder.nameValue(output, name);
    return output;
  }
  builder.node = "output";
  const copy = builder.apply(layers.activation({ activation: "linear" }), [output], output, output.order);
  builder.nameValue(copy, name);
  return copy;
}

/** The inputs that a value follows from; a constant that is put among computed values follows from none. */
function needed({ symbol }: Computed, inputs: ReadonlyMap<string, Computed>): string[] {
  const before = symbolsBefore([symbol], ({ layer }) => layer?.type !== CONSTANT_TYPE);
  return [...inputs].flatMap(([name, input]) => (before.has(input.symbol) ? [name] : []));
}

/** Some symbols and all that they are made from, not going beyond those that `through` does not hold for. */
export function symbolsBefore(
  symbols: readonly SymbolicTensor[],
  through: (symbol: SymbolicTensor) => boolean = () => true,
): ReadonlySet<SymbolicTensor> {
  const before = new Set(symbols);
  // A set yields what is added while it is walked.
  for (const symbol of before) if (through(symbol)) for (const from of symbol.inputs) before.add(from);
  return before;
}

/** Errors that mean that a node cannot be computed; `BatchDependent` in a graph for one set of shapes. */
const REASONS = [Unsupported, NeedsKnown, ShapeError, OptionError, FormatError, BatchDependent];

/** Why a node cannot be computed; other errors go on. */
function reasonOf(error: unknown, node: NodeProto, batch: number | undefined): string {
  if (!REASONS.some((kind) => error instanceof kind)) throw error;
  const { message } = error as Error;
  const reason = `${nodeName(node)} (${node.opType}): ${batch === IMAGES ? inWords(message) : message}`;
  // Where the number of images is not known, other errors may be due to that.
  if (batch === IMAGES || (error instanceof BatchDependent && batch !== undefined)) {
    throw new BatchDependent(reason);
  }
  return reason;
}

/** The operator of a node. @throws Unsupported for another number of inputs */
function operatorOf({ opType, inputs }: NodeProto, operators: OperatorTable): Operator {
  // That it is among them was checked before.
  const operator = operators[opType]!;
  const [least, most] = operator.inputs;
  const { length } = inputs;
  if (length < least || length > most) {
    throw new Unsupported(`expected from ${least} to ${most} inputs, got ${length}`);
  }
  const absent = inputs.indexOf("");
  if (absent >= 0 && absent < least) throw new Unsupported(`expected an input ${absent}, got none`);
  return operator;
}
