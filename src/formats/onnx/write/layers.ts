import type { Activation } from "../../../engine/activation.ts";
import { sameShape, type Shape } from "../../../tensor.ts";
import { activate } from "./activations.ts";
import type { Site } from "./file.ts";
import { channelsLast, fileAxis, fileShape, isImage, NCHW_TO_NHWC, NHWC_TO_NCHW } from "./layout.ts";
import {
  batchNormalization,
  groupNormalization,
  instanceNormalization,
  layerNormalization,
} from "./normalizations.ts";
import {
  averagePooling2d,
  conv2d,
  depthwiseConv2d,
  globalAveragePooling2d,
  globalMaxPooling2d,
  maxPooling2d,
} from "./windows.ts";

/** Writes one use of a layer; returns the file's name of its output, which is that of its input if nothing is to be done. */
export type Exporter = (site: Site) => string;

function dense(site: Site): string {
  const [kernel, bias] = [site.weight("kernel"), site.weight("bias")];
  const product = (x: string): string => {
    if (site.shape.length === 1) return site.op("Gemm", [x, kernel, bias]);
    const y = site.op("MatMul", [x, kernel]);
    return bias ? site.op("Add", [y, bias]) : y;
  };
  const y = channelsLast(site, site.x, product);
  return activate(site, y, site.config<{ activation: Activation }>().activation);
}

/** From left to right, in the order in which the layers compute. */
const fold = (site: Site, opType: string): string => site.xs.reduce((sum, x) => site.op(opType, [sum, x]));

function concatenate(site: Site): string {
  const rank = site.outputShape.length;
  const { axis } = site.config<{ axis: number }>();
  const own = axis < 0 ? rank + axis : axis - 1;
  return site.op("Concat", site.xs, { axis: fileAxis(own, rank) });
}

/** Whether the elements of a value lie in another order in the file. */
const isTurned = (shape: Shape): boolean => isImage(shape) && shape[2]! > 1 && shape[0]! * shape[1]! > 1;

/** The elements are counted in the package's order, so images are turned before and after. */
function reshape(site: Site): string {
  const { shape, outputShape } = site;
  if (sameShape(shape, outputShape)) return site.x;
  const x = isTurned(shape) ? site.op("Transpose", [site.x], { perm: NCHW_TO_NHWC }) : site.x;
  const turn = isTurned(outputShape);
  const target = site.integers("shape", [0, ...(turn ? outputShape : fileShape(outputShape))]);
  const y = site.op("Reshape", [x, target]);
  return turn ? site.op("Transpose", [y], { perm: NHWC_TO_NCHW }) : y;
}

type Margins = readonly [readonly [top: number, bottom: number], readonly [left: number, right: number]];

function zeroPadding2d(site: Site): string {
  const [[top, bottom], [left, right]] = site.config<{ padding: Margins }>().padding;
  return site.op("Pad", [site.x, site.integers("pads", [0, 0, top, left, 0, 0, bottom, right])]);
}

function cropping2d(site: Site): string {
  const [[top], [left]] = site.config<{ cropping: Margins }>().cropping;
  const [height, width] = site.outputShape as [number, number, number];
  const starts = site.integers("starts", [top, left]);
  const ends = site.integers("ends", [top + height, left + width]);
  return site.op("Slice", [site.x, starts, ends, site.integers("axes", [2, 3])]);
}

/** By the layer's type. Nothing in it is made by a call, so that a program without models can go without it. */
export const EXPORTERS: Readonly<Record<string, Exporter>> = {
  activation: (site) => activate(site, site.x, site.config<{ activation: Activation }>().activation),
  add: (site) => fold(site, "Add"),
  averagePooling2d,
  batchNormalization,
  concatenate,
  conv2d,
  cropping2d,
  dense,
  depthwiseConv2d,
  // Training alone drops.
  dropout: ({ x }) => x,
  flatten: reshape,
  globalAveragePooling2d,
  globalMaxPooling2d,
  groupNormalization,
  instanceNormalization,
  layerNormalization,
  maxPooling2d,
  multiply: (site) => fold(site, "Mul"),
  reshape,
  zeroPadding2d,
};
