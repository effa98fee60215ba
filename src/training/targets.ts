import { ShapeError } from "../errors.ts";
import { classList, copyClasses, copyValues, type Labels } from "../labels.ts";
import type { Loss } from "./losses/loss.ts";
import { lengthOf } from "../options.ts";
import { expectShape, isBatchOf, noTensor, shapeText, sizeOf, type Shape } from "../tensor.ts";

/** Labels, copied and checked. */
export interface Targets {
  /** True for int32 class numbers, one an image; else float32 values like the output's. */
  classes: boolean;
  /** At least as many as there are. */
  data: Int32Array | Float32Array;
  /** Elements an image. */
  size: number;
}

export function noTargets(): Targets {
  return { classes: false, data: new Float32Array(0), size: 0 };
}

/** The labels that were read last: training steps reuse the object instead of making one. */
const scratch = noTensor();

/**
 * Copies labels for `n` images to `targets`, checked against one output and its loss: the caller's may change before they
 * are used, or while they are checked. Targets that were used before are used again, and allocate nothing when they are large
 * enough.
 * @throws ShapeError, OptionError naming the output, the expected and the actual.
 */
export function checkLabels(
  where: string,
  labels: Labels,
  n: number,
  output: Shape,
  loss: Loss,
  targets: Targets,
): void {
  const list = classList(where, labels, scratch);
  if (!list) {
    const { shape, data } = scratch;
    if (shape[0] !== n || !isBatchOf(shape, output)) expectShape(where, shape, [n, ...output]);
    const size = sizeOf(output);
    const used = targets.data instanceof Float32Array ? targets.data : undefined;
    const values = used && used.length >= n * size ? used : new Float32Array(n * size);
    copyValues(where, data, shape, loss.labels, values);
    fill(targets, false, values, size);
    return;
  }
  const length = lengthOf(list);
  if (!loss.takesClasses || output.length !== 1) {
    const wanted = loss.takesClasses ? "several rows of output an image" : loss.type;
    throw new ShapeError(
      `${where}: expected a tensor ${shapeText([n, ...output])} for ${wanted}, got ${length} numbers`,
    );
  }
  if (length !== n) throw new ShapeError(`${where}: expected ${n} labels, got ${length}`);
  const used = targets.data instanceof Int32Array ? targets.data : undefined;
  const numbers = used && used.length >= n ? used : new Int32Array(n);
  copyClasses(where, list, n, output[0]!, numbers);
  fill(targets, true, numbers, 1);
}

function fill(targets: Targets, classes: boolean, data: Int32Array | Float32Array, size: number): void {
  targets.classes = classes;
  targets.data = data;
  targets.size = size;
}
