import { shapeText, sizeOf, type Shape } from "../../tensor.ts";
import type { Builder } from "./builder.ts";
import { NeedsKnown, BatchDependent } from "./builder.ts";
import { hostLayer, type HostPlan } from "./layers/host.ts";
import { Unsupported, type Attributes } from "./node.ts";
import { MOST_AXES } from "../file/tensorData.ts";
import { constantRoom, type Constant, type ElementType, type Numbers } from "../file/constant.ts";
import { IMAGES } from "./images.ts";
import { isComputed, isConstant, type Value } from "./values.ts";

/** A node as an operator lowers it. */
export interface Node {
  /** Its name in errors. */
  readonly name: string;
  readonly type: string;
  readonly attributes: Attributes;
  /** An optional input that is left out is undefined. */
  readonly inputs: readonly (Value | undefined)[];
  /** Outputs that the file names. */
  readonly outputs: number;
  readonly builder: Builder;
}

/** An operator of ONNX, as it is lowered. */
export interface Operator {
  /** Least and most inputs. */
  readonly inputs: readonly [number, number];
  /**
   * True when the layers that it applies do not depend on sizes of images, beyond which of them are 1, unless it pads by
   * them: of axes after that of the channels. Default: false.
   */
  readonly resizable?: boolean;
  /** The values that the node defines. @throws Unsupported, OtherForm, BatchDependent, ShapeError, OptionError */
  lower(node: Node): readonly Value[];
}

/** Operators by the names of ONNX. */
export type OperatorTable = Readonly<Record<string, Operator>>;

/** An input that must be there. */
export function required({ inputs }: Node, index: number): Value {
  const value = inputs[index];
  if (value) return value;
  throw new Unsupported(`expected an input ${index}, got none`);
}

/** A constant input, by which the graph is lowered. @throws NeedsKnown when it is computed */
export function constantInput(node: Node, index: number, what: string): Constant {
  const value = required(node, index);
  if (isConstant(value)) return value;
  throw new NeedsKnown(what, value);
}

/** Most entries of a list by which a graph is lowered: places along an axis. */
const MOST_LISTED = 2 ** 24;

/** @throws Unsupported unless there can be a list of so many entries: a file of a few bytes can ask for any */
export function checkLength(length: number): void {
  if (!(length <= MOST_LISTED)) {
    throw new Unsupported(`expected at most ${MOST_LISTED} entries of a list, got ${length}`);
  }
}

/** The type of sizes, axes and counts. */
const SIZES: readonly ElementType[] = ["int64"];

/** The types of places, and of the bounds of slices. */
export const INDEX_TYPES: readonly ElementType[] = ["int64", "int32"];

/** The types that are computed with; booleans are not. */
export const NUMBERS: readonly ElementType[] = ["float32", "int64", "int32"];

/** @throws Unsupported unless a value is of one of the types */
export function checkType(what: string, { type }: Value, types: readonly ElementType[]): void {
  if (!types.includes(type)) throw new Unsupported(`${what}: expected ${types.join(" or ")}, got ${type}`);
}

/**
 * The numbers of an input by which the graph is lowered; undefined when it is left out. They tell of axes, once or for both
 * ends, or of outputs, so that there are few. With `ofImages` the number of images may be among them.
 * @throws BatchDependent when it is otherwise; Unsupported unless they are of one of the types, and no more than axes or outputs can have; NeedsKnown
 */
export function known(
  node: Node,
  index: number,
  what: string,
  types: readonly ElementType[] = SIZES,
  ofImages = false,
): number[] | undefined {
  const value = node.inputs[index];
  if (!value) return undefined;
  checkType(what, value, types);
  if (value.shape.length > 1)
    throw new Unsupported(`${what}: expected a list, got ${shapeText(value.shape)}`);
  const constant = constantInput(node, index, what);
  const size = sizeOf(constant.shape);
  // They are held once as the file has them, and once as a list.
  node.builder.spend(2 * size);
  const most = Math.max(2 * MOST_AXES, node.outputs);
  if (!(size <= most)) throw new Unsupported(`${what}: expected at most ${most} numbers, got ${size}`);
  const numbers = Array.from(constant.data());
  if (!ofImages) node.builder.checkKnown(constant);
  else if (!constant.ofShape) checkLiterals(node, what, numbers);
  return numbers;
}

/** @throws Unsupported of the number that stands for the number of images, in a list that follows from no shape */
function checkLiterals({ builder }: Node, what: string, numbers: readonly number[]): void {
  if (builder.isSymbolic && numbers.includes(IMAGES))
    throw new Unsupported(`${what}: expected sizes, got ${IMAGES}`);
}

/** The only number of such an input. @throws Unsupported when there are more or none; as `known` */
export function knownNumber(
  node: Node,
  index: number,
  what: string,
  types?: readonly ElementType[],
): number | undefined {
  const numbers = known(node, index, what, types);
  if (numbers && numbers.length !== 1)
    throw new Unsupported(`${what}: expected one number, got ${numbers.length}`);
  return numbers?.[0];
}

/**
 * A list of integers that is an attribute in the first versions and an input later. @throws Unsupported when it is both
 */
export function listOf(
  node: Node,
  name: string,
  index: number,
  types?: readonly ElementType[],
  ofImages?: boolean,
): number[] | undefined {
  const attribute = node.attributes.ints(name);
  if (!attribute) return known(node, index, name, types, ofImages);
  if (ofImages) checkLiterals(node, name, attribute);
  if (!node.inputs[index]) return [...attribute];
  throw new Unsupported(`${name}: expected an attribute or an input, got both`);
}

/** An axis counted from the front. @throws Unsupported unless there is such an axis */
export function axisOf(axis: number, rank: number): number {
  const own = axis < 0 ? axis + rank : axis;
  if (Number.isInteger(axis) && own >= 0 && own < rank) return own;
  throw new Unsupported(`expected an axis of ${rank} dimensions, got ${axis}`);
}

/** Axes counted from the front. @throws Unsupported unless there are such axes, each named once */
export function axesOf(axes: readonly number[], rank: number): number[] {
  const own = axes.map((axis) => axisOf(axis, rank));
  const { size } = new Set(own);
  if (size === own.length) return own;
  throw new Unsupported(`expected ${own.length} different axes, got ${size}`);
}

/** @throws Unsupported unless all are sizes; in a graph for any number of images that number is one */
export function checkSizes(sizes: readonly number[], { batch }: Partial<Builder> = {}): Shape {
  if (sizes.every((size) => Number.isInteger(size) && (size >= 0 || size === batch))) return sizes;
  throw new Unsupported(`expected sizes ≥ 0, got ${shapeText(sizes)}`);
}

/**
 * A constant of one number, which is made where it is read, so that weights are not kept twice. Of a shape that follows
 * from an input's, each image has the same.
 */
export function filledWith(
  builder: Builder,
  type: ElementType,
  shape: Shape,
  value: number,
  ofShape: boolean,
): Constant {
  const size = sizeOf(shape);
  const made = (count: number): Numbers => constantRoom(type, count).fill(value);
  const data = (): Numbers => (size < 0 ? builder.refuseImages() : made(size));
  const each = { type, shape: [1, ...shape.slice(1)], data: () => made(size / shape[0]!) };
  return { type, shape, data, ...(ofShape && { ofShape, ...(size !== 0 && { each }) }) };
}

/** A constant of these numbers; `ofShape` when they follow from the shape of an input. */
export function constantOf(type: Constant["type"], shape: Shape, data: Numbers, ofShape = false): Constant {
  return { type, shape, data: () => data, ofShape };
}

/**
 * Computes a plan's outputs now when all inputs are known, else when the net runs.
 * @throws BatchDependent when the net is to take any number of images, unless `ofImage` is the plan for one of them: then
 * each computed input and each output has the images' axis in front.
 */
export function onHost(node: Node, plan: HostPlan, ofImage?: HostPlan): Value[] {
  const { builder, inputs, type } = node;
  builder.fix(inputs);
  if (inputs.every((value) => !value || isConstant(value))) {
    const ofShape = inputs.some((value) => (value as Constant | undefined)?.ofShape);
    for (const value of [...inputs, ...plan.outputs]) if (value) builder.spend(sizeOf(value.shape));
    builder.spend(plan.work ?? 0);
    if (!plan.moves) for (const value of inputs) if (value && isConstant(value)) builder.checkKnown(value);
    const results = plan.outputs.map((output) => constantRoom(output.type, sizeOf(output.shape)));
    plan.run(
      inputs.map((value) => (value as Constant | undefined)?.data()),
      results,
    );
    return plan.outputs.map((output, i) => constantOf(output.type, output.shape, results[i]!, ofShape));
  }
  for (const value of inputs) if (value && isConstant(value)) builder.checkKnown(value);
  const { batch } = builder;
  if (batch !== undefined && !ofImage)
    throw new BatchDependent("it has no form that sees one image at a time");
  const given = inputs.map((value) => (!value || isConstant(value) ? value : builder.inFileOrder(value)));
  const computed = given.filter(isComputed);
  const own = batch === undefined ? plan : ofImage!;
  return plan.outputs.slice(0, node.outputs).map((output, i) => {
    const seen = builder.seen(output.shape);
    return builder.apply(hostLayer(type, own, given, i, seen, batch ?? 1), computed, output);
  });
}

/** Does what `onHost` does, for a plan that sees each of `images` by itself: `planOf(n)` is the plan for n of them. */
export function onHostByImage(node: Node, images: number, planOf: (n: number) => HostPlan): Value[] {
  return onHost(node, planOf(images), planOf(1));
}
