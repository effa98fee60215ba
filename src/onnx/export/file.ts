import type { GraphNode } from "../../graph/graph.ts";
import type { Layer } from "../../layers/contract.ts";
import { wideAxes, type WeightOrigin } from "../../layers/origin.ts";
import { sameShape, sizeOf, type Shape, type Tensor } from "../../tensor.ts";
import type { DType } from "../../dtype.ts";
import { reorder } from "../file/reorder.ts";
import { ATTRIBUTE_TYPE, DATA_TYPE, type AttributeProto, type GraphProto } from "../file/proto.ts";

/** An attribute of an operator: an integer, a list of them, a float, or a string. */
export type Attribute = number | readonly number[] | { readonly float: number } | string;

function attributeProto(name: string, value: Attribute): AttributeProto {
  const empty = { name, floats: [], ints: [], strings: [] };
  if (typeof value === "number") return { ...empty, type: ATTRIBUTE_TYPE.int, i: value };
  if (typeof value === "string") return { ...empty, type: ATTRIBUTE_TYPE.string, s: value };
  if ("float" in value) return { ...empty, type: ATTRIBUTE_TYPE.float, f: Math.fround(value.float) };
  return { ...empty, type: ATTRIBUTE_TYPE.ints, ints: [...value] };
}

type Numbers = Float32Array | Int32Array | BigInt64Array;

/**
 * The forms of an image in a file: its axes lie as in the model, or turned to channels first, as operators want them. What
 * is no image is in both at once.
 */
export type Form = "own" | "turned";

/** Copies numbers into an array of a type that values have, which are floats or integers of 32 bits. */
const arrayOf = (values: ArrayLike<number>, type: DType): Numbers =>
  type === "float32" ? Float32Array.from(values) : Int32Array.from(values);

function dataTypeOf(data: Numbers): number {
  if (data instanceof Float32Array) return DATA_TYPE.float32;
  return data instanceof Int32Array ? DATA_TYPE.int32 : DATA_TYPE.int64;
}

/** Adds a name to those in use: this one, or with a number behind it. */
function uniqueIn(names: Set<string>, wanted: string): string {
  let name = wanted;
  for (let i = 1; names.has(name); i++) name = `${wanted}_${i}`;
  names.add(name);
  return name;
}

/**
 * The nodes and constants of a file, as they come. Values are called by names, `""` for an optional one that is absent.
 */
export class OnnxFile {
  readonly graph: GraphProto = {
    name: "im2row",
    nodes: [],
    initializers: [],
    inputs: [],
    outputs: [],
    sparse: 0,
  };
  /** The names in use, of values and of nodes, and those of the constants by the names that they were wanted under. */
  readonly #names = new Set<string>();
  readonly #nodes = new Set<string>();
  readonly #constants = new Map<string, string>();
  /** The names that values are to have in the end, by those under which they were written. */
  readonly renames: Map<string, string> = new Map();

  /** Takes a name for a value, unless another has it. */
  claim(name: string): boolean {
    return this.#names.size < this.#names.add(name).size;
  }

  /** Takes a name for a value: this one, or with a number behind it. */
  unique(wanted: string): string {
    return uniqueIn(this.#names, wanted);
  }

  /** Adds an operator, whose node is called as its output unless another is. Returns the output's name. */
  op(
    output: string,
    opType: string,
    inputs: readonly string[],
    attributes: Record<string, Attribute>,
  ): string {
    this.graph.nodes.push({
      name: uniqueIn(this.#nodes, output),
      opType,
      domain: "",
      inputs: inputs.slice(0, inputs.findLastIndex((input) => input !== "") + 1),
      outputs: [output],
      attributes: Object.entries(attributes).map(([name, value]) => attributeProto(name, value)),
    });
    return output;
  }

  /** Renames the output of the operator that was added last, and the operator, which is called as that if `name` is taken. */
  rename(output: string, name = output): string {
    const node = this.graph.nodes.at(-1)!;
    this.#nodes.delete(node.name);
    for (const old of node.outputs) this.#names.delete(old);
    node.name = uniqueIn(this.#nodes, this.#nodes.has(name) ? output : name);
    node.outputs = [output];
    return output;
  }

  /** Gives the values in `renames` their names, wherever they are computed and read. */
  renameValues(): void {
    const now = (name: string): string => this.renames.get(name) ?? name;
    for (const node of this.graph.nodes) {
      node.inputs = node.inputs.map(now);
      node.outputs = node.outputs.map(now);
    }
  }

  /** Adds a constant unless there is one under that key, which is its name unless another is wanted; returns the name. */
  constant(key: string, dims: Shape, data: Numbers, wanted = key): string {
    const known = this.#constants.get(key);
    if (known !== undefined) return known;
    const name = this.#names.has(wanted) ? this.unique(key) : this.unique(wanted);
    this.#constants.set(key, name);
    this.graph.initializers.push({
      name,
      dims: [...dims],
      dataType: dataTypeOf(data),
      raw: new Uint8Array(data.buffer, data.byteOffset, data.byteLength),
      floats: [],
      int32s: [],
      int64s: [],
      doubles: [],
      external: false,
    });
    return name;
  }
}

/** The operator of a kind of function, reduction or arithmetic: ONNX's names are the package's with a capital. */
export const operatorOf = (kind: string): string => kind.charAt(0).toUpperCase() + kind.slice(1);

/** Whether a weight as it is written has the numbers in the order of the tensor of a file that it comes from. */
function isArrangedAs({ shape, order }: WeightOrigin, weight: Tensor, written: Tensor): boolean {
  if (!sameShape(wideAxes(shape), wideAxes(written.shape))) return false;
  const sizes = order.map((axis) => shape[axis]!);
  const back = shape.map((_, axis) => order.indexOf(axis));
  const inFile = reorder(weight.data, sizes, back);
  return inFile.every((value, i) => Object.is(value, written.data[i]));
}

/** One use of a layer, for the function that writes it. The file's names of what the layer owns start with its name. */
export class Site {
  readonly #file: OnnxFile;
  readonly #node: GraphNode;
  readonly #weightsOf: string;
  readonly #weights: ReadonlyMap<string, Tensor>;
  /** The file's names of the values that the layer reads, and of the first; and the types of their numbers. */
  readonly xs: readonly string[];
  readonly x: string;
  readonly types: readonly DType[];
  /** The form in which images are read, and the output is to be. */
  readonly form: Form;
  #operators = 0;

  /** `weightsOf` is the layer's name before the dot in those of its weights. */
  constructor(
    file: OnnxFile,
    node: GraphNode,
    xs: readonly string[],
    types: readonly DType[],
    weightsOf: string,
    weights: ReadonlyMap<string, Tensor>,
    form: Form,
  ) {
    this.#file = file;
    this.#node = node;
    this.#weightsOf = weightsOf;
    this.#weights = weights;
    this.xs = xs;
    this.x = xs[0]!;
    this.types = types;
    this.form = form;
  }

  get name(): string {
    return this.#node.name;
  }

  /** The layer's options. */
  config<T>(): T {
    return this.#node.layer.config as T;
  }

  /** Shapes in the package's order of axes, for one image: of the inputs, of the first, of the output. */
  get shapes(): readonly Shape[] {
    return this.#node.inputShapes;
  }

  get shape(): Shape {
    return this.shapes[0]!;
  }

  get outputShape(): Shape {
    return this.#node.outputShape;
  }

  /** The use of a layer that this layer wraps, with some weights in place of its own. */
  wrapping(layer: Layer, weights: ReadonlyMap<string, Tensor>): Site {
    const own = new Map([
      ...this.#weights,
      ...Array.from(weights, ([name, weight]) => [`${this.#weightsOf}.${name}`, weight] as const),
    ]);
    return new Site(
      this.#file,
      { ...this.#node, layer },
      this.xs,
      this.types,
      this.#weightsOf,
      own,
      this.form,
    );
  }

  /** The first value that the layer reads, as float32. */
  floats(): string {
    return this.types[0] === "float32" ? this.x : this.op("Cast", [this.x], { to: DATA_TYPE.float32 });
  }

  /** A copy of a weight of the layer. */
  tensor(name: string): Tensor {
    return this.#weights.get(`${this.#weightsOf}.${name}`)!;
  }

  /** Adds an operator; returns the name of its output. */
  op(opType: string, inputs: readonly string[], attributes: Record<string, Attribute> = {}): string {
    const name = this.#file.unique(`${this.name}/${opType}_${this.#operators++}`);
    return this.#file.op(name, opType, inputs, attributes);
  }

  /** The tensor of a file that a weight of the layer is. */
  origin(weight: string): WeightOrigin | undefined {
    return this.#node.layer.weights(this.shapes).find(({ name }) => name === weight)?.origin;
  }

  /**
   * A weight of the layer, `""` if it has none of that name. `arrange` turns it as ONNX wants it. It is called as in the file
   * that it comes from, if it has the same numbers in the same order there, else `layer.weight`.
   */
  weight(name: string, arrange = (weight: Tensor): Tensor => weight): string {
    const key = `${this.#weightsOf}.${name}`;
    const weight = this.#weights.get(key);
    if (!weight) return "";
    const arranged = arrange(weight);
    const { shape, data } = arranged;
    const origin = this.origin(name);
    const wanted = origin && isArrangedAs(origin, weight, arranged) ? origin.name : key;
    return this.#file.constant(key, shape, data, wanted);
  }

  /** A weight that ONNX wants where the layer may have none: then it is `value` all over. */
  weightOr(value: number, name: string, shape: Shape): string {
    return this.weight(name) || this.filled(value, name, shape);
  }

  /** A constant of one value all over. */
  filled(value: number, name: string, shape: Shape): string {
    return this.#file.constant(`${this.name}/${name}`, shape, new Float32Array(sizeOf(shape)).fill(value));
  }

  /** A single number. */
  scalar(value: number, type: DType = "float32"): string {
    const text = Object.is(value, -0) ? "-0" : value;
    return this.#file.constant(`${type === "float32" ? "scalar" : type}/${text}`, [], arrayOf([value], type));
  }

  /** Numbers of a shape; by default a list of floats. */
  numbers(
    name: string,
    values: ArrayLike<number>,
    shape: Shape = [values.length],
    type: DType = "float32",
  ): string {
    return this.#file.constant(`${this.name}/${name}`, shape, arrayOf(values, type));
  }

  /** A list of integers, such as a shape. */
  integers(name: string, values: readonly number[]): string {
    return this.#file.constant(`${this.name}/${name}`, [values.length], BigInt64Array.from(values, BigInt));
  }
}
