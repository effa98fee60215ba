/**
 * Where the elements of flattened values stand in PyTorch. There a flattening counts an image `[c, h, w]`, here `[h, w, c]`, so
 * that the matrix behind it, and the one before its inverse, has rows or columns in another order.
 */
import { OptionError } from "../errors.ts";
import type { Graph, GraphNode } from "../graph/graph.ts";
import { sizeOf, type Shape } from "../tensor.ts";

/** By the place of an element here, its place in PyTorch; undefined where all have the same. */
export type Places = Int32Array | undefined;

/** Layers that do the same with each element of a row, or bring along numbers for each. */
const ELEMENTWISE: ReadonlySet<string> = new Set([
  "activation",
  "add",
  "alphaDropout",
  "average",
  "batchNormalization",
  "dropout",
  "gaussianDropout",
  "gaussianNoise",
  "layerNormalization",
  "logSoftmax",
  "maximum",
  "multiply",
  "prelu",
  "subtract",
  "unary",
]);

/** Layers of sequences, which PyTorch has as `[c, steps]`. */
const SLIDING: ReadonlySet<string> = new Set(["conv1d", "maxPooling1d", "averagePooling1d"]);

const ARRANGING: ReadonlySet<string> = new Set(["flatten", "reshape"]);

/** The places of an image's elements, or a sequence's, when both are flattened. */
function placesOf(shape: Shape): Places {
  const c = shape.at(-1)!;
  const pixels = sizeOf(shape) / c;
  if (c === 1 || pixels === 1) return undefined;
  return Int32Array.from({ length: c * pixels }, (_, i) => (i % c) * pixels + Math.floor(i / c));
}

const samePlaces = (a: Places, b: Places): boolean =>
  a === b || (a !== undefined && a.length === b?.length && a.every((place, i) => place === b[i]));

/** The places of rows that are put one behind the other. */
function joined(parts: readonly Places[], sizes: readonly number[]): Places {
  if (parts.every((part) => part === undefined)) return undefined;
  let start = 0;
  return Int32Array.from(
    parts.flatMap((part, i) => {
      const size = sizes[i]!;
      const places = Array.from({ length: size }, (_, k) => start + (part ? part[k]! : k));
      start += size;
      return places;
    }),
  );
}

function refuse({ name, layer }: GraphNode, expected: string): never {
  throw new OptionError(`loadStateDict: ${name}: expected ${expected}, got ${layer.type}`);
}

/** By value of a graph, the places of a row's elements. */
export class Orders {
  readonly #places: Places[] = [];
  /** By value: whether it is a sequence that PyTorch has as `[c, steps]`. */
  readonly #isTurned: boolean[];

  /** @throws OptionError naming a layer that mixes elements which have other places */
  constructor(graph: Graph) {
    this.#isTurned = graph.shapes.map(({ length }) => length === 3);
    for (const node of graph.nodes) {
      const keeps = node.outputShape.length === 2 && ELEMENTWISE.has(node.layer.type);
      this.#isTurned[node.output] ||=
        SLIDING.has(node.layer.type) || (keeps && node.inputs.every((value) => this.#isTurned[value]));
    }
    for (const node of graph.nodes.toReversed()) this.#want(node);
    for (const node of graph.nodes) this.#follow(node);
  }

  /** The places of a value's elements, if it is a row. */
  of(value: number): Places {
    return this.#places[value];
  }

  /** What a row is turned into decides about the order that it has to have. */
  #want({ layer, inputs, output, inputShapes, outputShape }: GraphNode): void {
    if (ARRANGING.has(layer.type) && inputShapes[0]!.length === 1 && this.#isTurned[output]) {
      this.#places[inputs[0]!] = placesOf(outputShape);
    }
    const places = this.#places[output];
    if (places && ELEMENTWISE.has(layer.type)) for (const value of inputs) this.#places[value] ??= places;
  }

  /** What a row is made of decides as well: both have to agree. */
  #follow(node: GraphNode): void {
    const { layer, output, inputShapes } = node;
    const wanted = this.#places[output];
    if (layer.type === "dense" && inputShapes[0]!.length === 1) return;
    const made = this.#made(node);
    if (wanted && !samePlaces(wanted, made)) {
      refuse(node, "dense before a row that becomes an image, or a flattening of an image of the same shape");
    }
    this.#places[output] = made;
  }

  #made(node: GraphNode): Places {
    const { layer, inputs, output, inputShapes, outputShape } = node;
    const parts = inputs.map((value) => this.#places[value]);
    if (ARRANGING.has(layer.type) && outputShape.length === 1) {
      return this.#isTurned[inputs[0]!] ? placesOf(inputShapes[0]!) : parts[0];
    }
    if (layer.type === "concatenate" && outputShape.length === 1)
      return joined(parts, inputShapes.map(sizeOf));
    if (parts.every((part) => part === undefined)) return undefined;
    if (ARRANGING.has(layer.type) && samePlaces(parts[0], placesOf(outputShape)) && this.#isTurned[output]) {
      return undefined;
    }
    const isAlike = parts.every((part) => samePlaces(part, parts[0]));
    if (isAlike && ELEMENTWISE.has(layer.type) && outputShape.length === 1) return parts[0];
    return refuse(node, "a layer that computes a flattened image element by element, or dense");
  }
}
