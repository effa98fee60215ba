/** Two operands of equal rank that are repeated along axes of size 1, as NumPy broadcasts them. */
import { OptionError, ShapeError } from "../errors.ts";
import { listOf, show } from "../options.ts";
import { CONSTANT } from "./constant.ts";
import type { WeightSpec } from "./contract.ts";
import { readShape, shapeText, sizeOf, type Shape } from "../tensor.ts";

/** The index of an operand: 0 for the left one, 1 for the right one. */
export type Side = 0 | 1;

/** Adds ones in front of shapes so that all have the rank of the longest. */
export function padded(shapes: readonly Shape[]): Shape[] {
  const rank = Math.max(...shapes.map((shape) => shape.length));
  return shapes.map((shape) => [...Array.from({ length: rank - shape.length }, () => 1), ...shape]);
}

/** The shape of the result of operands of equal rank. @throws ShapeError naming `where` unless they can be broadcast */
export function broadcastTogether(where: string, operands: readonly Shape[]): Shape {
  return operands[0]!.map((_, axis) => {
    const size = Math.max(...operands.map((shape) => shape[axis]!));
    if (operands.every((shape) => shape[axis] === 1 || shape[axis] === size)) return size;
    throw new ShapeError(
      `${where}: expected shapes that are the same along each axis or 1, got ${operands.map(shapeText).join(" and ")}`,
    );
  });
}

/** The options by which a layer describes its operands. */
export interface OperandOptions {
  /**
   * The shape of each operand for one image, both of equal rank, with 1 along the axes on which it is repeated. Default:
   * those of the inputs, with ones in front.
   */
  readonly operands?: readonly [Shape, Shape] | undefined;
  /** The operand that is a weight of the layer, which does not learn, rather than an input. Needs `operands`. Default: none. */
  readonly constant?: Side | undefined;
}

function readPair(where: string, value: unknown): [Shape, Shape] {
  const list = listOf(value, Array.isArray as (value: unknown) => value is Shape);
  const pair = list?.map((shape, i) => readShape(`${where}[${i}]`, shape));
  if (pair?.length === 2 && pair[0]!.length === pair[1]!.length) return pair as unknown as [Shape, Shape];
  throw new OptionError(`${where}: expected two shapes of one rank, got ${show(value)}`);
}

function readSide(where: string, value: unknown): Side {
  if (value === 0 || value === 1) return value;
  throw new OptionError(`${where}: expected 0 or 1, got ${show(value)}`);
}

/** The readers of these options. */
export const OPERANDS = { operands: [readPair], constant: [readSide] } as const;

/** The weight that is an operand, or none. @throws OptionError naming `type` when its shape is missing */
export function constantOf(type: string, { operands, constant }: OperandOptions): WeightSpec[] {
  if (constant === undefined) return [];
  const shape = operands?.[constant];
  if (shape) return [{ name: CONSTANT, shape, initializer: "zeros", trainable: false }];
  throw new OptionError(`${type}: operands: expected two shapes, one of them the constant's, got none`);
}

/** The shapes of a layer's operands, for inputs of these shapes. @throws ShapeError naming `where` */
export function operandsOf(
  where: string,
  { operands, constant }: OperandOptions,
  inputs: readonly Shape[],
): [Shape, Shape] {
  const count = constant === undefined ? 2 : 1;
  if (inputs.length !== count) {
    throw new ShapeError(
      `${where}: expected ${count === 1 ? "one input" : "two inputs"}, got ${inputs.length}`,
    );
  }
  if (!operands) return padded(inputs) as [Shape, Shape];
  const fed = operands.filter((_, side) => side !== constant);
  const other = fed.findIndex((shape, i) => sizeOf(shape) !== sizeOf(inputs[i]!));
  if (other < 0) return [...operands];
  throw new ShapeError(
    `${where}: expected an input of ${sizeOf(fed[other]!)} elements, got ${shapeText(inputs[other]!)}`,
  );
}

/** The axes along which an operand is repeated. */
export function repeatedAxes(own: Shape, shape: Shape): ReadonlySet<number> {
  return new Set(shape.flatMap((_, axis) => (own[axis] === shape[axis] ? [] : [axis])));
}
