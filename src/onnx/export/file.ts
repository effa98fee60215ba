import type { GraphNode } from "../../graph/graph.ts";
import { sizeOf, type Shape, type Tensor } from "../../tensor.ts";
import type { DType } from "../../dtype.ts";
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

/** Copies numbers into an array of a type that values have, which are floats or integers of 32 bits. */
const arrayOf = (values: ArrayLike<number>, type: DType): Numbers =>
  type === "float32" ? Float32Array.from(values) : Int32Array.from(values);

function dataTypeOf(data: Numbers): number {
  if (data instanceof Float32Array) return DATA_TYPE.float32;
  return data instanceof Int32Array ? DATA_TYPE.int32 : DATA_TYPE.int64;
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
  readonly #constants = new Set<string>();

  /** Adds an operator, whose node is called as its output. Returns that name. */
  op(
    output: string,
    opType: string,
    inputs: readonly string[],
    attributes: Record<string, Attribute>,
  ): string {
    this.graph.nodes.push({
      name: output,
      opType,
      domain: "",
      inputs: inputs.slice(0, inputs.findLastIndex((input) => input !== "") + 1),
      outputs: [output],
      attributes: Object.entries(attributes).map(([name, value]) => attributeProto(name, value)),
    });
    return output;
  }

  /** Renames the operator that was added last, and its output. */
  rename(name: string): string {
    const node = this.graph.nodes.at(-1)!;
    node.name = name;
    node.outputs = [name];
    return name;
  }

  /** Adds a constant unless there is one of that name; returns the name. */
  constant(name: string, dims: Shape, data: Numbers): string {
    if (this.#constants.has(name)) return name;
    this.#constants.add(name);
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
  #operators = 0;

  /** `weightsOf` is the layer's name before the dot in those of its weights. */
  constructor(
    file: OnnxFile,
    node: GraphNode,
    xs: readonly string[],
    types: readonly DType[],
    weightsOf: string,
    weights: ReadonlyMap<string, Tensor>,
  ) {
    this.#file = file;
    this.#node = node;
    this.#weightsOf = weightsOf;
    this.#weights = weights;
    this.xs = xs;
    this.x = xs[0]!;
    this.types = types;
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

  /** Adds an operator; returns the name of its output. */
  op(opType: string, inputs: readonly string[], attributes: Record<string, Attribute> = {}): string {
    return this.#file.op(`${this.name}/${opType}_${this.#operators++}`, opType, inputs, attributes);
  }

  /** A weight of the layer, `layer.weight`; `""` if it has none of that name. `arrange` turns it as ONNX wants it. */
  weight(name: string, arrange = (weight: Tensor): Tensor => weight): string {
    const key = `${this.#weightsOf}.${name}`;
    const weight = this.#weights.get(key);
    if (!weight) return "";
    const { shape, data } = arrange(weight);
    return this.#file.constant(key, shape, data);
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
