/** Feeds of nets are checked here, and become the shapes and numbers that their graphs are lowered for. */
import { ShapeError } from "../../errors.ts";
import type { Labels } from "../../labels.ts";
import type { FitOptions } from "../../training/fitOptions.ts";
import type { Named } from "../../graph/namedTensors.ts";
import { listed, show } from "../../options.ts";
import { shapeText, type Shape } from "../../tensor.ts";
import { checkFeedShape, readFeed, readSizes, type OnnxTensor } from "./feeds.ts";
import type { OnnxInput } from "./graph.ts";
import type { Fed } from "./lowerNet.ts";
import type { NotComputed } from "./lower.ts";
import type { Constant } from "../file/constant.ts";

/** The tensors that an ONNX net is fed with, by the names of its inputs. */
export type Feeds = Readonly<Record<string, OnnxTensor>>;

/** The images for `fit` and `evaluate`: a tensor for the one input, or tensors by the names of inputs. */
export type Images = OnnxTensor | Feeds;

/** The options of `Model.fit`, with images as the net takes them. */
export interface OnnxFitOptions extends Omit<FitOptions, "validationData"> {
  /** Evaluated after each epoch; the third element has the weight of each image in the loss. */
  validationData?:
    | readonly [
        images: OnnxTensor | Feeds,
        labels: Labels | Named<Labels>,
        sampleWeight?: ArrayLike<number> | undefined,
      ]
    | undefined;
}

/** Shapes by the names of inputs. */
export type Shapes = Readonly<Record<string, Shape>>;

type Inputs = readonly OnnxInput[];

const isOpen = (size: number | string): boolean => typeof size === "string";

/** The entry by a name, which may be any text. */
export const ownOf = <T>(fed: Readonly<Record<string, T>>, name: string): T | undefined =>
  Object.hasOwn(fed, name) ? fed[name] : undefined;

/** @throws ShapeError unless all names are those of inputs */
export function checkNames(where: string, inputs: Inputs, fed: object): void {
  const names = inputs.map(({ name }) => name);
  const known = new Set(names);
  const unknown = Object.keys(fed).find((name) => !known.has(name));
  if (unknown === undefined) return;
  throw new ShapeError(`${where}: expected ${listed(names)}; got ${unknown} besides`);
}

/**
 * The shape that a graph is lowered for: with as many images as the file declares, which decides what can be batched.
 */
const drawnShape = ({ dims }: OnnxInput, shape: Shape): Shape =>
  typeof dims[0] === "number" ? [dims[0], ...shape.slice(1)] : shape;

/** The tensors that are fed, each read once. @throws ShapeError naming what is missing, unknown or of other data */
export function readFeeds(where: string, inputs: Inputs, feeds: Feeds): Feeds {
  if (typeof feeds !== "object" || feeds === null) {
    throw new ShapeError(`${where}: expected tensors by the names of inputs, got ${show(feeds)}`);
  }
  checkNames(where, inputs, feeds);
  return Object.fromEntries(
    inputs.map((input) => [input.name, readFeed(where, input, ownOf(feeds, input.name))]),
  );
}

/** The shapes that are fed, each read once. @throws ShapeError naming what is unknown */
export function readShapes(where: string, inputs: Inputs, shapes: Shapes): Shapes {
  checkNames(where, inputs, shapes);
  return Object.fromEntries(Object.keys(shapes).map((name) => [name, readSizes(shapes[name]!)]));
}

/**
 * Reads the shapes from feeds, and the numbers of those that are `deciding`; `open` for any number of images. @throws
 * ShapeError
 */
export function fedByFeeds(
  where: string,
  inputs: Inputs,
  feeds: Feeds,
  deciding: ReadonlySet<string>,
  open: boolean,
): Fed {
  return new Map(
    inputs.map((input): [string, Shape | Constant] => {
      const { name, type } = input;
      const decides = deciding.has(name);
      const { shape, data } = feeds[name]!;
      checkFeedShape(`${where}: ${name}`, input, shape, open && !decides);
      if (!decides) return [name, drawnShape(input, shape)];
      const numbers =
        type === "float32"
          ? Float32Array.from(data as Float32Array)
          : Float64Array.from(data as Int32Array, Number);
      return [name, { type, shape, data: () => numbers }];
    }),
  );
}

/** @throws ShapeError unless all inputs have as many images. */
export function checkImages(
  where: string,
  inputs: Inputs,
  feeds: Feeds,
  deciding: ReadonlySet<string>,
): void {
  const counts = inputs.flatMap(({ name }) =>
    deciding.has(name) ? [] : [{ name, count: feeds[name]!.shape[0] }],
  );
  const first = counts[0]!;
  const other = counts.find(({ count }) => count !== first.count);
  if (!other) return;
  throw new ShapeError(
    `${where}: ${other.name}: expected ${first.count} images as in ${first.name}, got ${other.count}`,
  );
}

/**
 * Reads the shapes from those that the file declares and those that are passed; `open` for any number of images.
 * @throws ShapeError
 */
export function fedByShapes(
  inputs: Inputs,
  shapes: Shapes,
  batchSize: number | undefined,
  open: boolean,
): Fed {
  // Where the file leaves their number open.
  const images = batchSize ?? countsIn(inputs, shapes)[0] ?? 1;
  return new Map(
    inputs.map((input): [string, Shape] => {
      const { name, dims } = input;
      const place = `session: shapes: ${name}`;
      const own = ownOf(shapes, name);
      if (own !== undefined) checkFeedShape(place, input, own, open);
      const shape = own ?? dims.map((size, axis) => (axis === 0 && typeof size === "string" ? images : size));
      const size = shape.find((each) => typeof each === "string");
      if (size !== undefined) throw new ShapeError(`${place}: expected a size for ${show(size)}, got none`);
      return [name, drawnShape(input, shape as Shape)];
    }),
  );
}

/** Why nodes cannot be computed for what inputs are: those that the file leaves open, or all. */
export function misfit(where: string, inputs: Inputs, fed: Fed, cause: NotComputed): ShapeError {
  const open = inputs.filter(({ name, dims }) => "data" in fed.get(name)! || dims.some(isOpen));
  const asked = open.length > 0 ? open : inputs;
  const shapes = asked.map(({ name }) => {
    const own = fed.get(name)!;
    return "data" in own ? `numbers of shape ${shapeText(own.shape)}` : shapeText(own);
  });
  return new ShapeError(
    `${where}: ${listed(asked.map(({ name }) => name))}: expected what all nodes can be computed of, got ${listed(shapes)}: ${cause.reasons}`,
    { cause },
  );
}

/** First sizes of the shapes that are fed. */
const countsIn = (inputs: Inputs, shapes: Shapes): number[] =>
  inputs.flatMap(({ name }) => ownOf(shapes, name)?.[0] ?? []);

/**
 * Images in a session: `batchSize`, or as many as the shapes have.
 * @throws ShapeError when they contradict each other
 */
export function sessionImages(inputs: Inputs, shapes: Shapes, batchSize: number | undefined): number {
  const counts = countsIn(inputs, shapes);
  const images = batchSize ?? counts[0] ?? 1;
  const other = counts.find((count) => count !== images);
  if (other === undefined) return images;
  throw new ShapeError(`session: expected ${images} images in all shapes, got ${other}`);
}
