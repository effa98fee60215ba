import { FormatError, OptionError } from "../../errors.ts";
import { nodeOf, type Graph, type GraphNode } from "../../graph/graph.ts";
import { metadataTexts, type ModelMetadata } from "../../metadata.ts";
import type { Shape, Tensor } from "../../tensor.ts";
import type { DType } from "../../dtype.ts";
import { DATA_TYPE, METADATA_PREFIX, type ModelProto, type ValueInfoProto } from "../file/proto.ts";
import { OnnxFile, Site } from "./file.ts";
import * as exporters from "./layers.ts";
import { fileShape, isImage, NCHW_TO_NHWC, NHWC_TO_NCHW } from "./layout.ts";

/** The order of the axes of the images that a file takes and returns. */
export type OnnxLayout = "NCHW" | "NHWC";

/** The functions that write layers, by type. */
const EXPORTERS: Readonly<Record<string, (site: Site) => string>> = exporters;

const IR_VERSION = 8;
const OPSET = 17;

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
  /** The file's name of each value. */
  readonly #values: string[] = [];

  constructor(graph: Graph, weights: ReadonlyMap<string, Tensor>, layout: OnnxLayout) {
    this.#graph = graph;
    this.#weights = weights;
    this.#layout = layout;
    this.#outputs = new Map(graph.outputs.map((value, i) => [value, graph.outputNames[i]!]));
  }

  write(metadata: ModelMetadata): ModelProto {
    const { inputs, nodes, outputs, outputNames, types } = this.#graph;
    for (const [value, { name, shape }] of inputs.entries()) this.#input(name, shape, types[value]!);
    for (const node of nodes) this.#values.push(this.#layer(node));
    for (const [i, value] of outputs.entries()) this.#output(value, outputNames[i]!);
    return {
      irVersion: IR_VERSION,
      producer: "im2row",
      opsets: [{ domain: "", version: OPSET }],
      graph: this.#file.graph,
      functions: 0,
      metadata: metadataTexts(metadata, METADATA_PREFIX),
    };
  }

  /** True when an input or output has another order of axes than the same value has inside of the file. */
  #isTurned(shape: Shape): boolean {
    return this.#layout === "NHWC" && isImage(shape);
  }

  /** The name, inside of the file, of a value that the world outside calls `name`. */
  #inside(name: string, shape: Shape): string {
    return this.#isTurned(shape) ? `${name}/NCHW` : name;
  }

  #declare(name: string, shape: Shape, type: DType): ValueInfoProto {
    const dims = ["N", ...(this.#isTurned(shape) ? shape : fileShape(shape))];
    return { name, elementType: DATA_TYPE[type], dims };
  }

  #input(name: string, shape: Shape, type: DType): void {
    this.#file.graph.inputs.push(this.#declare(name, shape, type));
    const inside = this.#inside(name, shape);
    if (inside !== name) this.#file.op(inside, "Transpose", [name], { perm: NHWC_TO_NCHW });
    this.#values.push(inside);
  }

  /** The file's name of a node's value: that of the output that it is, else the node's own, unless an output has it. */
  #nameOf({ name, output }: GraphNode): string {
    const own = this.#outputs.get(output);
    if (own !== undefined) return own;
    return this.#graph.outputNames.includes(name) ? `${name}/layer` : name;
  }

  /** Writes one use of a layer; its last operator and that one's output are called as the use. */
  #layer(node: GraphNode): string {
    const { name, layer, inputs, output, outputShape, owner } = node;
    const exporter = Object.hasOwn(EXPORTERS, layer.type) ? EXPORTERS[layer.type] : undefined;
    if (!exporter) {
      const known = Object.keys(EXPORTERS).sort().join(", ");
      throw new OptionError(`toOnnx: ${name}: expected a layer of the types ${known}; got ${layer.type}`);
    }
    const xs = inputs.map((value) => this.#values[value]!);
    const types = inputs.map((value) => this.#graph.types[value]!);
    const site = new Site(this.#file, node, xs, types, this.#graph.nodes[owner]!.name, this.#weights);
    const y = exporter(site);
    if (xs.includes(y)) return y;
    const own = this.#nameOf(node);
    return this.#file.rename(this.#outputs.has(output) ? this.#inside(own, outputShape) : own);
  }

  #output(value: number, name: string): void {
    const { outputShape } = nodeOf(this.#graph, value);
    this.#file.graph.outputs.push(this.#declare(name, outputShape, this.#graph.types[value]!));
    const inside = this.#values[value]!;
    if (this.#isTurned(outputShape)) this.#file.op(name, "Transpose", [inside], { perm: NCHW_TO_NHWC });
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
