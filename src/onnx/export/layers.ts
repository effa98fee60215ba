import type { Activation } from "../../kernels/activation.ts";
import type { Interpolation } from "../../layers/upSampling2d.ts";
import { sameShape, type Shape, type Tensor } from "../../tensor.ts";
import { reorder } from "../file/reorder.ts";
import { activate } from "./activations.ts";
import type { Attribute, Site } from "./file.ts";
import { channelsLast, fileAxis, fileShape, isImage, NCHW_TO_NHWC, NHWC_TO_NCHW } from "./layout.ts";
import { add, average, concatenate, maximum, multiply, subtract } from "./merges.ts";
import {
  batchNormalization,
  groupNormalization,
  instanceNormalization,
  layerNormalization,
} from "./normalizations.ts";
import {
  averagePooling1d,
  averagePooling2d,
  conv1d,
  conv2d,
  conv2dTranspose,
  depthwiseConv2d,
  globalAveragePooling1d,
  globalAveragePooling2d,
  globalMaxPooling1d,
  globalMaxPooling2d,
  maxPooling1d,
  maxPooling2d,
  separableConv2d,
} from "./windows.ts";

/**
 * Writes one use of a layer; returns the file's name of its output, which is that of its input if nothing is to be
 * done.
 */
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

function permute(site: Site): string {
  const { dims } = site.config<{ dims: readonly number[] }>();
  const rank = dims.length;
  const perm = [0];
  dims.forEach((axis, i) => (perm[fileAxis(i, rank)] = fileAxis(axis - 1, rank)));
  return site.op("Transpose", [site.x], { perm });
}

/** The attributes by which `Resize` maps the output's pixels to the input's. */
const PLACES: Record<Interpolation, Record<string, Attribute>> = {
  nearest: { mode: "nearest", coordinate_transformation_mode: "asymmetric", nearest_mode: "floor" },
  bilinear: { mode: "linear", coordinate_transformation_mode: "half_pixel" },
};

function upSampling2d(site: Site): string {
  type Config = { size: readonly [number, number]; interpolation: Interpolation };
  const { size, interpolation } = site.config<Config>();
  return site.op("Resize", [site.x, "", site.floats("scales", [1, 1, ...size])], PLACES[interpolation]);
}

/** The slopes of an image in the order of its axes in the file. */
function slopes({ shape, data }: Tensor): Tensor {
  return { shape: fileShape(shape), data: isImage(shape) ? reorder(data, shape, [2, 0, 1]) : data };
}

/**
 * The functions that write layers, by type. Nothing in it is made by a call, so that bundlers can drop it from a
 * program without models.
 */
export const EXPORTERS: Readonly<Record<string, Exporter>> = {
  activation: (site) => activate(site, site.x, site.config<{ activation: Activation }>().activation),
  add,
  average,
  averagePooling1d,
  averagePooling2d,
  batchNormalization,
  concatenate,
  conv1d,
  conv2d,
  conv2dTranspose,
  cropping2d,
  dense,
  depthwiseConv2d,
  // Training alone drops.
  dropout: ({ x }) => x,
  flatten: reshape,
  globalAveragePooling1d,
  globalAveragePooling2d,
  globalMaxPooling1d,
  globalMaxPooling2d,
  groupNormalization,
  instanceNormalization,
  layerNormalization,
  maximum,
  maxPooling1d,
  maxPooling2d,
  multiply,
  permute,
  prelu: (site) => site.op("PRelu", [site.x, site.weight("alpha", slopes)]),
  reshape,
  separableConv2d,
  subtract,
  upSampling2d,
  zeroPadding2d,
};
