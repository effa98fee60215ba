/** Windows over sequences `[steps, channels]`, which are computed as images of one row. */
import { OptionError, ShapeError } from "../errors.ts";
import { isCount, pairOf, show } from "../options.ts";
import { shapeText, type Shape } from "../tensor.ts";
import { resolveWindow, type Window } from "./window.ts";

/** The padding of a sequence, like that of an image. `"causal"` pads only in front, so that no output reads a later step. */
export type SequencePadding = "same" | "valid" | "causal" | readonly [before: number, after: number];

export interface SequenceOptions<P extends SequencePadding = SequencePadding> {
  readonly kernelSize: number;
  readonly strides: number;
  readonly dilationRate: number;
  readonly padding: P;
}

/** Reads a padding that is one of `names` or a pair. */
export function sequencePadding<const Name extends string>(
  names: readonly Name[],
): (where: string, padding: unknown) => Name | [number, number] {
  return (where, padding) => {
    if (names.includes(padding as Name)) return padding as Name;
    const pair = pairOf(padding);
    if (pair?.every(isCount)) return pair as [number, number];
    const expected = names.map((name) => JSON.stringify(name)).join(", ");
    throw new OptionError(
      `${where}: expected ${expected} or [before, after] of integers ≥ 0, got ${show(padding)}`,
    );
  };
}

/** The sizes of a sequence. @throws ShapeError naming `where` unless the shape has two dimensions */
export function sequenceOf(where: string, shape: Shape): readonly [steps: number, c: number] {
  if (shape.length === 2) return shape as readonly [number, number];
  throw new ShapeError(`${where}: expected a sequence [steps, channels], got ${shapeText(shape)}`);
}

/** The window over a sequence as an image of one row. @throws ShapeError naming `where` */
export function sequenceWindow(where: string, input: Shape, options: SequenceOptions): Window {
  const [steps, channels] = sequenceOf(where, input);
  const { kernelSize, strides, dilationRate, padding } = options;
  const reach = (kernelSize - 1) * dilationRate + 1;
  const along = padding === "causal" ? ([reach - 1, 0] as const) : padding;
  const [before, after] = typeof along === "string" ? [0, 0] : along;
  if (along !== "same" && steps + before + after < reach) {
    throw new ShapeError(
      `${where}: expected at least ${reach} steps with their padding, got ${steps} + ${before} + ${after}`,
    );
  }
  return resolveWindow(where, [1, steps, channels], {
    kernelSize: [1, kernelSize],
    strides: [1, strides],
    dilationRate: [1, dilationRate],
    padding: typeof along === "string" ? along : [[0, 0], along],
  });
}
