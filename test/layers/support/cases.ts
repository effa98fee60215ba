/**
 * The cases of a layer: the options that it has by default, what it refuses, its shapes, and nets with it in all of its
 * forms. `test/layers/layers.test.ts` runs all of that; the suite of every runtime and the tests of exported files run the
 * nets. Nothing here needs a test runner.
 */
import { input, layers, model, sequential } from "im2row";
import type { Layer, Model, OptionError, ShapeError, SymbolicTensor } from "im2row";

/** A layer, or several that are applied to a value by hand. */
export type Between = (x: SymbolicTensor) => Layer | SymbolicTensor;

/** A net's name, how it is built, and the magnitude of its inputs if that is not 1. */
export type ModelCase = [name: string, build: () => Model, magnitude?: number];

/** The shape of one image's only input, or those of several. */
export type Shapes = readonly number[] | readonly (readonly number[])[];

/** This is all that tests know of one layer. The names of its nets begin with the layer's. */
export interface LayerCases {
  /** A layer made with as few options as it takes, and the options that it then has. */
  readonly defaults: readonly [layer: Layer, config: object];
  /** Output shapes for one image, by the documentation or by arithmetic. */
  readonly shapes: readonly (readonly [layer: Layer, inputs: Shapes, output: readonly number[]])[];
  /** Calls that throw an OptionError, by (a part of) its message. */
  readonly refuses: Readonly<Record<string, () => unknown>>;
  /**
   * Layers that cannot be used on inputs of these shapes, by (a part of) the message. They throw a ShapeError, unless
   * another class is named.
   */
  readonly refusesInputs: Readonly<
    Record<string, readonly [layer: Layer, inputs: Shapes, error?: typeof ShapeError | typeof OptionError]>
  >;
  /**
   * What lies between a layer that hands its gradient on and a dense one, for images 6×5×4: gradients are compared with the
   * slopes of the loss, in every runtime.
   */
  readonly gradients: Readonly<Record<string, Between>>;
  /** Nets that are saved, loaded and exported. Together they have every option, and values of each rank. */
  readonly models: readonly ModelCase[];
  /** The digest of the first of these after some steps, the same in every runtime: for a layer that is in no other one. */
  readonly digest?: string;
}

export const IMAGE = [9, 8, 4];
/** An odd number of steps, so that strides leave some over. */
export const SEQUENCE = [11, 4];
/** Values of each rank: what an axis is called differs among them. */
export const RANKS = [[6], [5, 6], IMAGE, [2, 3, 2, 6]];

/** A net of a list of layers. */
export const chain = (name: string, inputShape: number[], list: () => Layer[], magnitude = 1): ModelCase => [
  name,
  () => sequential({ inputShape, layers: list(), seed: 1 }),
  magnitude,
];

/** A layer of several values, for inputs of some shapes. */
export const merged = (name: string, shapes: readonly number[][], layer: () => Layer): ModelCase => [
  `${name} of ${shapes.map((shape) => shape.join("×")).join(" and ")}`,
  () => {
    const inputs = shapes.map((shape, i) => input({ shape, name: `input-${i}` }));
    return model({ inputs, outputs: layer().apply(inputs) });
  },
];

export const margins = (top: number, bottom: number, left: number, right: number) =>
  [
    [top, bottom],
    [left, right],
  ] as const;

/** An image as a sequence of its pixels. */
export const sequence = (x: SymbolicTensor): SymbolicTensor =>
  layers.reshape({ targetShape: [-1, x.shape.at(-1)!] }).apply(x);

/** A convolution that keeps the shape of images of four channels. */
export const tanhConv = (): Layer =>
  layers.conv2d({ filters: 4, kernelSize: 3, padding: "same", activation: "tanh" });

/** A row of channels made of an image. */
export const gate = (x: SymbolicTensor): SymbolicTensor =>
  layers
    .dense({ units: x.shape.at(-1)!, activation: "sigmoid" })
    .apply(layers.globalAveragePooling2d().apply(x));
