/** The orders in which images lie in a file and in the model, and the layers to which one is as good as another. */
import type { Graph, GraphNode } from "../../graph/graph.ts";
import type { Activation } from "../../kernels/activation.ts";
import type { Layer } from "../../layers/contract.ts";
import { isFileOrder } from "../../layers/origin.ts";
import { sameShape, type Shape } from "../../tensor.ts";
import type { Form } from "./file.ts";
import { fileShape, isImage, isTurned, NCHW_TO_NHWC, NHWC_TO_NCHW } from "./layout.ts";

export const FORMS: readonly Form[] = ["own", "turned"];

/** Whether axes of the file lie in the model as NCHW does in NHWC. */
export const isChannelsLast = (order: readonly number[]): boolean =>
  order.every((axis, place) => axis === NCHW_TO_NHWC[place]);

/** The axes of an image in the order in which a form has them. */
const AXES: Readonly<Record<Form, readonly number[]>> = { own: [0, 1, 2, 3], turned: NHWC_TO_NCHW };

/** The shape of an image in a form that has its elements in the order of the model; undefined of one in another order. */
function shapeInOrder(shape: Shape, form: Form): Shape | undefined {
  if (form === "own") return shape;
  return isTurned(shape) ? undefined : fileShape(shape);
}

/** Whether a layer that moves axes of an image makes, in one form, what its input is in another. */
export function isSame({ layer, inputShapes, outputShape }: GraphNode, from: Form, to: Form): boolean {
  const [shape] = inputShapes as readonly [Shape, ...Shape[]];
  if (!isImage(shape) || !isImage(outputShape)) return false;
  if (layer.type === "permute") {
    const axes = [0, ...(layer.config as { dims: readonly number[] }).dims];
    return AXES[to].every((axis, i) => axes[axis] === AXES[from][i]);
  }
  const [before, after] = [shapeInOrder(shape, from), shapeInOrder(outputShape, to)];
  return layer.type === "reshape" && before !== undefined && after !== undefined && sameShape(before, after);
}

/** Layers that count elements in the order of the model: what lies like that need not be turned. */
export const ARRANGING: ReadonlySet<string> = new Set(["reshape", "flatten"]);

/** Layers that compute elements by themselves, whatever their order, besides those that do nothing in inference. */
const POINTWISE: ReadonlySet<string> = new Set([
  "activation",
  "add",
  "average",
  "maximum",
  "multiply",
  "rescaling",
  "subtract",
  "unary",
]);

/** Whether a layer does nothing in inference, as dropout, noise and augmentation. */
export const isIdle = ({ hasTrainingPass = false, isView }: Layer): boolean =>
  hasTrainingPass && isView(false);

/** Whether a layer may compute images in any order: softmax is along an axis, and a row beside an image is its channels. */
export function isPointwise({ layer, inputShapes, outputShape }: GraphNode): boolean {
  if (!POINTWISE.has(layer.type) && !isIdle(layer)) return false;
  const { activation } = layer.config as { activation?: Activation };
  return activation !== "softmax" && inputShapes.every((shape) => sameShape(shape, outputShape));
}

/** By value: whether it is in the order of a file's, as values of files are and what is computed of them element by element. */
export function areInFileOrder({ origins, nodes }: Graph): boolean[] {
  const are = origins.map((origin) => origin !== undefined && isFileOrder(origin.order));
  for (const node of nodes) {
    are[node.output] ||= isPointwise(node) && node.inputs.every((value) => are[value]);
  }
  return are;
}
