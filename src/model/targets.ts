import { ShapeError } from "../errors.ts";
import { checkClasses, type Labels } from "../labels.ts";
import type { Loss } from "../losses/index.ts";
import { show } from "../options.ts";
import { checkTensor, expectShape, isBatchOf, sizeOf, type Shape } from "../tensor.ts";

/** Labels, checked. */
export interface Targets {
  /** True for int32 class numbers, one an image; else float32 values like the output's. */
  classes: boolean;
  data: ArrayLike<number>;
  /** Elements an image. */
  size: number;
}

export function noTargets(): Targets {
  return { classes: false, data: [], size: 0 };
}

/**
 * Checks labels for `n` images against one output and its loss, and fills in `targets`. Class numbers are copied, because kernels use
 * them as indices and the caller may change them before they are used; with `targets`, for use at once, nothing is copied
 * or allocated.
 * @throws ShapeError, OptionError naming the place, the expected and the given.
 */
export function checkLabels(
  where: string,
  labels: Labels,
  n: number,
  output: Shape,
  loss: Loss,
  targets: Targets,
  borrow: boolean,
): void {
  const isTensor = typeof labels === "object" && labels !== null && "shape" in labels;
  if (isTensor) {
    checkTensor(where, labels);
    if (labels.shape.length !== 1) {
      if (labels.shape[0] !== n || !isBatchOf(labels.shape, output)) {
        expectShape(where, labels.shape, [n, ...output]);
      }
      fill(targets, false, labels.data, sizeOf(output));
      return;
    }
  }
  const data: ArrayLike<number> = isTensor ? labels.data : labels;
  if (typeof data?.length !== "number") {
    throw new ShapeError(`${where}: expected an array or a tensor, got ${show(labels)}`);
  }
  if (!loss.takesClasses || output.length !== 1) {
    const wanted = loss.takesClasses ? "several rows of output an image" : loss.type;
    throw new ShapeError(
      `${where}: expected a tensor ${[n, ...output].join("×")} for ${wanted}, got ${data.length} numbers`,
    );
  }
  if (data.length !== n) throw new ShapeError(`${where}: expected ${n} labels, got ${data.length}`);
  checkClasses(where, data, output.at(-1)!);
  fill(targets, true, borrow ? data : Int32Array.from(data), 1);
}

function fill(targets: Targets, classes: boolean, data: ArrayLike<number>, size: number): void {
  targets.classes = classes;
  targets.data = data;
  targets.size = size;
}
