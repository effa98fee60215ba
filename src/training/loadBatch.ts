/** Copies batches to the buffers of a plan. */
import type { Graph } from "../graph/graph.ts";
import type { Heap } from "../runtime/heap.ts";
import { expectAttached, sizeOf } from "../tensor.ts";
import { copyElements, type TrainingBatch } from "./batch.ts";
import type { TrainingPlan } from "./plan.ts";

/**
 * Copies the images, their numbers and the labels of a batch to the plan's buffers. Numbers of images that belong to no epoch follow the first `before`, those of batches of the same step.
 * @throws ShapeError when the images were detached
 */
export function loadBatch(
  heap: Heap,
  graph: Graph,
  { batchKey, inputs, labels }: TrainingPlan,
  { images, targets, order, indices, epoch, start, count }: TrainingBatch,
  before = 0,
): void {
  const first = epoch === undefined ? before : 0;
  for (let i = 0; i < images.length; i++) expectAttached(images[i]!.data, sizeOf(images[i]!.shape));
  for (let at = 0; at < count; at++) {
    const image = order ? order[start + at]! : start + at;
    heap.ints[(batchKey.indices >>> 2) + at] = indices ? indices[image]! : first + image;
    for (let i = 0; i < images.length; i++) {
      const size = sizeOf(graph.inputs[i]!.shape);
      const { dtype, pointer } = inputs[i]!;
      const isBytes = dtype === "uint8";
      const to = (isBytes ? pointer : pointer >>> 2) + at * size;
      copyElements(images[i]!.data, image * size, isBytes ? heap.bytes : heap.floats, to, size);
    }
    for (let i = 0; i < targets.length; i++) {
      const { classes, data, size } = targets[i]!;
      const to = (labels[i]! >>> 2) + at * size;
      copyElements(data, image * size, classes ? heap.ints : heap.floats, to, size);
    }
  }
}
