import { FormatError, OptionError } from "../../errors.ts";
import { isFileOrder } from "../../layers/origin.ts";
import { nodeOf, type Graph, type GraphNode } from "../../graph/graph.ts";
import { metadataTexts, type ModelMetadata } from "../../metadata.ts";
import { sameShape, type Tensor } from "../../tensor.ts";
import { DATA_TYPE, METADATA_PREFIX, type ModelProto, type ValueInfoProto } from "../file/proto.ts";
import { OnnxFile, Site, type Form } from "./file.ts";
import * as exporters from "./layers.ts";
import { fileShape, isImage, NCHW_TO_NHWC, NHWC_TO_NCHW } from "./layout.ts";
import { areInFileOrder, ARRANGING, FORMS, isChannelsLast, isIdle, isPointwise, isSame } from "./order.ts";

/** The order of the axes of the images that a file takes and returns. */
export type OnnxLayout = "NCHW" | "NHWC";

/** The functions that write layers, by type. */
const EXPORTERS: Readonly<Record<string, (site: Site) => string>> = exporters;

const IR_VERSION = 8;
const OPSET = 17;

/** The name of the number of images where no file has another. */
const IMAGES = "N";

/** The names of a value in its forms, of one at least. */
type Names = Readonly<Partial<Record<Form, string | undefined>>>;

/** What names end with when a value has both forms. */
const LAYOUT_OF: Readonly<Record<Form, OnnxLayout>> = { own: "NHWC", turned: "NCHW" };

/** Protocol buffers end at 2 GiB; a MiB is left for what is no weight. */
const MOST_BYTES = 2 ** 31 - 2 ** 20;

/** @throws FormatError when the weights do not fit into a file */
function checkSize(weights: ReadonlyMap<string, Tensor>): void {
  let bytes = 0;
  for (const { data } of weights.values()) bytes += data.byteLength;
  if (bytes > MOST_BYTES) {
    throw new FormatError(
      `toOnnx: expected at most ${MOST_BYTES} bytes of weights, which one file holds, got ${bytes}`,
    );
  }
}

/** A model as the messages of a file: its graph, with images NCHW inside, and its weights by their names. */
class Writer {
  readonly #file = new OnnxFile();
  readonly #graph: Graph;
  readonly #weights: ReadonlyMap<string, Tensor>;
  readonly #layout: OnnxLayout;
  /** The names of the outputs by their values. */
  readonly #outputs: ReadonlyMap<number, string>;
  /** The names of inputs and outputs, and of what becomes an output: they stay. */
  readonly #ends: Set<string>;
  /** By value: whether its axes have the order of a file that the model comes from. */
  readonly #areInFileOrder: readonly boolean[];
  /** The file's name of each value, of both forms where it has been written in both. */
  readonly #values: Names[] = [];

  constructor(graph: Graph, weights: ReadonlyMap<string, Tensor>, layout: OnnxLayout) {
    this.#graph = graph;
    this.#weights = weights;
    this.#layout = layout;
    this.#areInFileOrder = areInFileOrder(graph);
    this.#outputs = new Map(
      graph.outputs.map((value, i) => [value, this.#outputName(value, graph.outputNames[i]!)]),
    );
    this.#ends = new Set(this.#outputs.values());
  }

  write(metadata: ModelMetadata): ModelProto {
    const { inputs, nodes, outputs } = this.#graph;
    for (const value of inputs.keys()) this.#input(value);
    for (const node of nodes) this.#values.push(this.#layer(node));
    for (const value of outputs) this.#output(value);
    this.#file.renameValues();
    return {
      irVersion: IR_VERSION,
      producer: "im2row",
      opsets: [{ domain: "", version: OPSET }],
      graph: this.#file.graph,
      functions: 0,
      metadata: metadataTexts(metadata, METADATA_PREFIX),
    };
  }

  /** The name of an output: that of the file that it comes from, unless the user gave it another. */
  #outputName(value: number, name: string): string {
    const origin = this.#graph.origins[value];
    const isGiven = name !== nodeOf(this.#graph, value).name;
    return origin && !isGiven && this.#file.claim(origin.name) ? origin.name : this.#file.unique(name);
  }

  /** The form in which the world outside has a value: values of files in the order of theirs. */
  #formOutside(value: number): Form {
    const { shapes } = this.#graph;
    const isOwn = this.#layout === "NHWC" || this.#areInFileOrder[value];
    return isOwn || !isImage(shapes[value]!) ? "own" : "turned";
  }

  #declare(value: number, name: string, images: string): ValueInfoProto {
    const { shapes, types } = this.#graph;
    const shape = shapes[value]!;
    const dims = this.#formOutside(value) === "own" ? shape : fileShape(shape);
    const all = [images, ...(this.#isNumber(value) ? [] : dims)];
    return { name, elementType: DATA_TYPE[types[value]!], dims: all };
  }

  /** Whether a value is a single number for each image, `[N]` in its file, which a model has as a row of one. */
  #isNumber(value: number): boolean {
    const { origins, shapes } = this.#graph;
    return origins[value]?.order.length === 1 && sameShape(shapes[value]!, [1]);
  }

  /** Gives a value of numbers, or of rows of one, the other shape. */
  #reshaped(from: string, to: string, shape: readonly number[]): string {
    const sizes = BigInt64Array.from(shape, BigInt);
    return this.#file.op(
      to,
      "Reshape",
      [from, this.#file.constant(`shape/${shape.join("×")}`, [shape.length], sizes)],
      {},
    );
  }

  #input(value: number): void {
    const { inputs, origins } = this.#graph;
    const origin = origins[value];
    const own = inputs[value]!.name;
    const name = origin && this.#file.claim(origin.name) ? origin.name : this.#file.unique(own);
    this.#ends.add(name);
    this.#file.graph.inputs.push(this.#declare(value, name, origin?.images ?? IMAGES));
    const inside = this.#isNumber(value)
      ? this.#reshaped(name, this.#file.unique(`${name}/row`), [-1, 1])
      : name;
    this.#values.push(this.#named(value, this.#formOutside(value), inside));
  }

  /** The names of a value that is written in one form; what is no image has both in one. */
  #named(value: number, form: Form, name: string): Names {
    return isImage(this.#graph.shapes[value]!) ? { [form]: name } : { own: name, turned: name };
  }

  /** The file's name of a value in a form; it is transposed where it is there in the other form alone. */
  #inForm(value: number, form: Form): string {
    const names = this.#values[value]!;
    const other = form === "own" ? names.turned! : names.own!;
    const name = names[form] ?? this.#turned(other, form, this.#file.unique(`${other}/${LAYOUT_OF[form]}`));
    this.#values[value] = { ...names, [form]: name };
    return name;
  }

  #turned(from: string, form: Form, name: string): string {
    return this.#file.op(name, "Transpose", [from], { perm: form === "own" ? NCHW_TO_NHWC : NHWC_TO_NCHW });
  }

  /** Whether all values have been written in a form. */
  #areIn(form: Form, values: readonly number[]): boolean {
    return values.every((value) => this.#values[value]![form] !== undefined);
  }

  /** The form in which a layer reads and returns images. */
  #formOf(node: GraphNode): Form {
    const { inputs, output, layer } = node;
    if (ARRANGING.has(layer.type)) {
      const isFromFile = this.#graph.origins[output] !== undefined;
      const isOwn = isImage(node.inputShapes[0]!) ? this.#areIn("own", inputs) : isFromFile;
      return isOwn ? "own" : "turned";
    }
    const isOwn = isPointwise(node) && this.#areIn("own", inputs) && !this.#areIn("turned", inputs);
    return isOwn ? "own" : "turned";
  }

  /** Writes one use of a layer; its last operator and that one's output are called as the use. */
  #layer(node: GraphNode): Names {
    const { name, layer, inputs, output, owner } = node;
    const exporter = Object.hasOwn(EXPORTERS, layer.type) ? EXPORTERS[layer.type] : undefined;
    if (!exporter && !isIdle(layer)) {
      throw new OptionError(
        `toOnnx: ${name}: expected one of layers.*, got a layer of the type ${layer.type}`,
      );
    }
    const same = this.#sameInFile(node);
    if (same) return same;
    const form = this.#formOf(node);
    const xs = inputs.map((value) => this.#inForm(value, form));
    const types = inputs.map((value) => this.#graph.types[value]!);
    const site = new Site(this.#file, node, xs, types, this.#graph.nodes[owner]!.name, this.#weights, form);
    const y = exporter ? exporter(site) : site.x;
    return this.#named(output, form, xs.includes(y) ? y : this.#rename(node, form));
  }

  /** The names of what a layer makes of an image by moving axes, where one of its forms is one of its input's in the file. */
  #sameInFile(node: GraphNode): Names | undefined {
    const { inputs, output } = node;
    for (const from of FORMS) {
      const name = this.#values[inputs[0]!]![from];
      const to = name !== undefined && FORMS.find((form) => isSame(node, from, form));
      if (!to) continue;
      const wanted = this.#outputs.get(output);
      const isOutput = wanted !== undefined && to === this.#formOutside(output);
      return { [to]: isOutput ? this.#renameValue(name, wanted) : name };
    }
    return undefined;
  }

  /** Calls a value as an output, unless it is an output already, or an input of the file; returns its name. */
  #renameValue(name: string, wanted: string): string {
    if (this.#ends.has(name)) return name;
    this.#ends.add(name);
    this.#file.renames.set(name, wanted);
    return wanted;
  }

  /** Gives the operator that was written last for a layer, and its output, their names. */
  #rename({ name, output }: GraphNode, form: Form): string {
    const { origins, shapes } = this.#graph;
    const [own, origin] = [this.#outputs.get(output), origins[output]];
    const isOutput = own !== undefined && form === this.#formOutside(output);
    if (this.#isNumber(output))
      return this.#file.rename(this.#file.unique(`${own ?? name}/row`), origin!.node);
    if (own !== undefined && (isOutput || !isImage(shapes[output]!)))
      return this.#file.rename(own, origin?.node);
    const isInOrder = form === "own" || !isImage(shapes[output]!) ? isFileOrder : isChannelsLast;
    if (origin && isInOrder(origin.order) && this.#file.claim(origin.name)) {
      return this.#file.rename(origin.name, origin.node);
    }
    const wanted = own === undefined ? name : `${own}/${LAYOUT_OF[form]}`;
    const free = this.#file.claim(wanted) ? wanted : this.#file.unique(`${wanted}/layer`);
    return this.#file.rename(free, origin?.node);
  }

  #output(value: number): void {
    const name = this.#outputs.get(value)!;
    const images = this.#graph.origins.find((origin) => origin?.images)?.images ?? IMAGES;
    this.#file.graph.outputs.push(this.#declare(value, name, images));
    const form = this.#formOutside(value);
    const names = this.#values[value]!;
    const inside = names[form];
    if (this.#isNumber(value)) this.#reshaped(inside!, name, [-1]);
    else if (inside === undefined) this.#turned(names.own ?? names.turned!, form, name);
    else if (inside !== name) this.#file.op(name, "Identity", [inside], {});
  }
}

/**
 * A model as the messages of an ONNX file.
 * @throws OptionError naming a layer that has no exporter; FormatError when the weights are too many for one file.
 */
export function writeModel(
  graph: Graph,
  weights: ReadonlyMap<string, Tensor>,
  layout: OnnxLayout,
  metadata: ModelMetadata = {},
): ModelProto {
  checkSize(weights);
  return new Writer(graph, weights, layout).write(metadata);
}
