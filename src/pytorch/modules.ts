/** Layers as modules of PyTorch: the tensors that a module has for the weights of a layer, and how they become those. */
import type { Graph, GraphNode } from "../graph/graph.ts";
import { owners, weightName } from "../graph/parameters.ts";
import type { WeightSpec } from "../layers/contract.ts";
import { reorder } from "../onnx/file/reorder.ts";
import { sizeOf, type Shape, type Tensor } from "../tensor.ts";
import type { Orders, Places } from "./orders.ts";

/** A tensor of a module. */
export interface ModuleTensor {
  /** Its name in the module. */
  readonly name: string;
  readonly shape: Shape;
  /** The name of the weight that it becomes. */
  readonly weight: string;
  convert(data: Float32Array): Tensor;
}

/** A layer, or a part of one, as a module. */
export interface Module {
  /** The name of the layer, `layer.part` of a part. */
  readonly name: string;
  readonly tensors: readonly ModuleTensor[];
}

/** PyTorch's names for the weights of the package's layers. */
const NAMES: Readonly<Record<string, string>> = {
  kernel: "weight",
  depthwiseKernel: "weight",
  pointwiseKernel: "weight",
  gamma: "weight",
  alpha: "weight",
  movingMean: "running_mean",
  movingVariance: "running_var",
  beta: "bias",
  bias: "bias",
};

/** The layers that have such weights. Those of others are called and lie in PyTorch as here. */
const KNOWN: ReadonlySet<string> = new Set([
  "batchNormalization",
  "conv1d",
  "conv2d",
  "conv2dTranspose",
  "dense",
  "groupNormalization",
  "instanceNormalization",
  "layerNormalization",
  "prelu",
  "separableConv2d",
]);

/**
 * The axes of PyTorch's tensor in the order in which the weight has them. Filters are `[f, c, …size]` there and `[…size, c, f]`
 * here, of transposed convolutions `[c, f, …size]` and `[…size, f, c]`, matrices `[out, in]` and `[in, out]`.
 */
function orderOf(weight: string, { length }: Shape, isChannelsFirst: boolean): readonly number[] {
  const axes = Array.from({ length }, (_, axis) => axis);
  if (/kernel$/i.test(weight)) return [...axes.slice(2), 1, 0];
  return length === 3 && isChannelsFirst ? [1, 2, 0] : axes;
}

/** The shape in PyTorch: slopes of channels have no axes for the pixels there. */
function shapeThere(weight: string, shape: Shape, order: readonly number[]): Shape {
  const isShared = weight === "alpha" && sizeOf(shape) === shape.at(-1);
  return isShared ? shape.slice(-1) : order.map((_, axis) => shape[order.indexOf(axis)]!);
}

/** A matrix with its rows and columns from other places; what has one axis is a single row. */
function placed(data: Float32Array, columns: number, rows: Places, places: Places): Float32Array {
  if (!rows && !places) return data;
  return data.map((_, i) => {
    const [row, column] = [Math.floor(i / columns), i % columns];
    return data[(rows?.[row] ?? row) * columns + (places?.[column] ?? column)]!;
  });
}

function moduleTensor(node: GraphNode, spec: WeightSpec, orders: Orders | undefined): ModuleTensor {
  const { name, shape } = spec;
  const weight = weightName(node, spec);
  if (!KNOWN.has(node.layer.type)) return { name, shape, weight, convert: (data) => ({ shape, data }) };
  const order = orderOf(name, shape, orders !== undefined);
  const there = shapeThere(name, shape, order);
  const rows = shape.length === 2 ? orders?.of(node.inputs[0]!) : undefined;
  const columns = shape.length <= 2 ? orders?.of(node.output) : undefined;
  return {
    name: NAMES[name]!,
    shape: there,
    weight,
    convert(data) {
      const turned = there.length === order.length ? reorder(data, there, order) : data;
      return { shape, data: placed(turned, shape.at(-1)!, rows, columns) };
    },
  };
}

/** Two modules in PyTorch: the convolution of each channel, and that of each pixel. */
function separable(node: GraphNode, tensors: readonly ModuleTensor[]): Module[] {
  const [depthwise, ...pointwise] = tensors;
  return [
    { name: `${node.name}.depthwise`, tensors: [depthwise!] },
    { name: `${node.name}.pointwise`, tensors: pointwise },
  ];
}

/** The modules of a graph in the order of its layers; `orders` unless PyTorch's net has the channels last as well. */
export function modulesOf(graph: Graph, orders: Orders | undefined): Module[] {
  return owners(graph).flatMap((node): Module[] => {
    const { name, layer, inputShapes } = node;
    const tensors = layer.weights(inputShapes).map((spec) => moduleTensor(node, spec, orders));
    if (layer.type === "separableConv2d") return separable(node, tensors);
    return tensors.length > 0 ? [{ name, tensors }] : [];
  });
}
