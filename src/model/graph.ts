import { OptionError, ShapeError } from "../errors.ts";
import type { Layer } from "../layers/layer.ts";
import { show } from "../options.ts";
import { checkShape, type Shape } from "../tensor.ts";

/** One use of a layer. Values are numbered: 0 is the graph's input, node `i` defines value `i + 1`. */
export interface GraphNode {
  readonly name: string;
  readonly layer: Layer;
  /** The values it reads. */
  readonly inputs: readonly number[];
  /** The value it defines. */
  readonly output: number;
  /** Shapes of one image's inputs and output, without the batch. */
  readonly inputShapes: readonly Shape[];
  readonly outputShape: Shape;
}

/** A model's layers in an order in which each comes after what it reads. */
export interface Graph {
  readonly inputShape: Shape;
  readonly nodes: readonly GraphNode[];
  /** The value that the model returns, and its shape. */
  readonly output: number;
  readonly outputShape: Shape;
}

/** A layer and the values that it reads, before shapes are known. */
export interface NodeSpec {
  readonly layer: Layer;
  readonly inputs: readonly number[];
}

/** Names the layers as Keras does: the type, then `type_1`, `type_2` …, unless the user gave a name. */
function nameLayers(specs: readonly NodeSpec[]): string[] {
  const taken = new Set<string>();
  for (const { layer } of specs) {
    if (layer.name === undefined) continue;
    if (typeof layer.name !== "string" || !/^[\w-]+$/.test(layer.name)) {
      throw new OptionError(
        `${layer.type}: name: expected letters, digits, "_" and "-", got ${show(layer.name)}`,
      );
    }
    if (taken.has(layer.name)) {
      throw new OptionError(
        `${layer.type}: name: expected a name of its own, got ${show(layer.name)} for the second time`,
      );
    }
    taken.add(layer.name);
  }
  const used = new Map<string, number>();
  return specs.map(({ layer }) => {
    if (layer.name !== undefined) return layer.name;
    for (;;) {
      const count = used.get(layer.type) ?? 0;
      used.set(layer.type, count + 1);
      const name = count === 0 ? layer.type : `${layer.type}_${count}`;
      if (!taken.has(name)) return name;
    }
  });
}

/** A layer that is used twice would share its weights, which models cannot do yet. @throws OptionError */
function refuseTwins(specs: readonly NodeSpec[]): void {
  specs.forEach(({ layer }, index) => {
    const first = specs.findIndex((spec) => spec.layer === layer);
    if (first < index) {
      throw new OptionError(
        `model: layers[${index}]: expected a layer of its own, got that of layers[${first}] (${layer.type})`,
      );
    }
  });
}

/** Names the nodes and infers every shape. @throws ShapeError, OptionError naming the layer. */
export function createGraph(inputShape: Shape, specs: readonly NodeSpec[]): Graph {
  checkShape("model: inputShape", inputShape);
  if (inputShape.length === 0) {
    throw new ShapeError("model: inputShape: expected at least one dimension, got none");
  }
  refuseTwins(specs);
  const names = nameLayers(specs);
  const shapes: Shape[] = [[...inputShape]];
  const nodes = specs.map(({ layer, inputs }, index): GraphNode => {
    const name = names[index]!;
    const inputShapes = inputs.map((value) => shapes[value]!);
    const outputShape = layer.outputShape(inputShapes, name);
    shapes.push(outputShape);
    return { name, layer, inputs, output: index + 1, inputShapes, outputShape };
  });
  const output = shapes.length - 1;
  return { inputShape: shapes[0]!, nodes, output, outputShape: shapes[output]! };
}

/** The graph of a list of layers, each reading the one before. */
export function chain(inputShape: Shape, layers: readonly Layer[]): Graph {
  return createGraph(
    inputShape,
    layers.map((layer, index) => ({ layer, inputs: [index] })),
  );
}
