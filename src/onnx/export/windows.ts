/** Convolutions and pooling. */
import { resolvePool, type Pooling } from "../../kernels/pool2d.ts";
import { transposedSequence, type TransposedSequence } from "../../layers/conv1dTranspose.ts";
import type { PoolLayerOptions } from "../../layers/pool.ts";
import { sequenceWindow, type SequenceOptions } from "../../kernels/sequence.ts";
import { transposedWindow, type TransposedSliding } from "../../kernels/transposedWindow.ts";
import { resolveWindow, type Window, type Sliding } from "../../kernels/window.ts";
import type { Activation } from "../../kernels/activation.ts";
import type { Tensor } from "../../tensor.ts";
import { reorder } from "../file/reorder.ts";
import { activate } from "./activate.ts";
import type { Attribute, Site } from "./file.ts";
import { channelsFirst } from "./layout.ts";

/**
 * The distance by which the last window exceeds the image, below and right; negative where it leaves rows or columns
 * over.
 */
function excess(window: Window): [bottom: number, right: number] {
  const { h, w, kh, kw, oh, ow, strideH, strideW, dilationH, dilationW, top, left } = window;
  return [
    (oh - 1) * strideH + (kh - 1) * dilationH + 1 - h - top,
    (ow - 1) * strideW + (kw - 1) * dilationW + 1 - w - left,
  ];
}

/** Selects, of a pair of numbers, those for the axes that the layer slides along: a sequence is an image of one row. */
function along(site: Site, rows: number, columns: number): number[] {
  return site.shape.length === 2 ? [columns] : [rows, columns];
}

/** Sizes, strides and padding; the padding below and right is as much as the last window needs. */
function geometry(site: Site, window: Window): Record<string, Attribute> {
  const { kh, kw, strideH, strideW, top, left } = window;
  const [bottom, right] = excess(window);
  return {
    kernel_shape: along(site, kh, kw),
    strides: along(site, strideH, strideW),
    pads: [...along(site, top, left), ...along(site, Math.max(0, bottom), Math.max(0, right))],
  };
}

/** Filters `[…size, c, f]` as `[f, c, …size]`. */
function filtersFirst({ shape, data }: Tensor): Tensor {
  const last = shape.length - 1;
  const order = [last, last - 1, ...shape.keys()].slice(0, shape.length);
  return { shape: order.map((axis) => shape[axis]!), data: reorder(data, shape, order) };
}

/** The attributes of a convolution, in either direction. */
function convolving(site: Site, window: Window, group: number): Record<string, Attribute> {
  return { ...geometry(site, window), dilations: along(site, window.dilationH, window.dilationW), group };
}

interface Activated {
  readonly activation: Activation;
}

/** A convolution of an image or a sequence. */
function convolution(site: Site, window: Window, group: number): string {
  const [kernel, bias] = [site.weight("kernel", filtersFirst), site.weight("bias")];
  const attributes = convolving(site, window, group);
  const y = channelsFirst(site, site.x, (x) => site.op("Conv", [x, kernel, bias], attributes));
  return activate(site, y, site.config<Activated>().activation);
}

const windowOf = (site: Site): Window => resolveWindow(site.name, site.shape, site.config<Sliding>());

export function conv1d(site: Site): string {
  const window = sequenceWindow(site.name, site.shape, site.config<SequenceOptions>());
  return convolution(site, window, site.config<{ groups: number }>().groups);
}

export function conv2d(site: Site): string {
  return convolution(site, windowOf(site), site.config<{ groups: number }>().groups);
}

export function depthwiseConv2d(site: Site): string {
  return convolution(site, windowOf(site), site.shape[2]!);
}

/** A depthwise convolution and the pointwise one behind it. */
function separable(site: Site, window: Window): string {
  const c = site.shape.at(-1)!;
  const depthwise = site.weight("depthwiseKernel", filtersFirst);
  const pointwise = [site.weight("pointwiseKernel", filtersFirst), site.weight("bias")];
  const y = channelsFirst(site, site.x, (x) =>
    site.op("Conv", [site.op("Conv", [x, depthwise], convolving(site, window, c)), ...pointwise]),
  );
  return activate(site, y, site.config<Activated>().activation);
}

export function separableConv1d(site: Site): string {
  return separable(site, sequenceWindow(site.name, site.shape, site.config<SequenceOptions>()));
}

export function separableConv2d(site: Site): string {
  return separable(site, windowOf(site));
}

/** Rows and columns of the output that no window of the convolution from there sees are ONNX's output padding. */
function transposed(site: Site, window: Window): string {
  const { activation, groups } = site.config<Activated & { groups: number }>();
  const weights = [site.weight("kernel", filtersFirst), site.weight("bias")];
  const [bottom, right] = excess(window);
  const attributes = {
    ...convolving(site, window, groups),
    output_padding: along(site, Math.max(0, -bottom), Math.max(0, -right)),
  };
  const y = channelsFirst(site, site.x, (x) => site.op("ConvTranspose", [x, ...weights], attributes));
  return activate(site, y, activation);
}

export function conv1dTranspose(site: Site): string {
  return transposed(site, transposedSequence(site.name, site.shape, site.config<TransposedSequence>()));
}

export function conv2dTranspose(site: Site): string {
  const config = site.config<TransposedSliding & { filters: number }>();
  return transposed(site, transposedWindow(site.name, site.shape, config.filters, config));
}

function pooling(site: Site, opType: string, window: Window, more: Record<string, Attribute> = {}): string {
  return channelsFirst(site, site.x, (x) => site.op(opType, [x], { ...geometry(site, window), ...more }));
}

const poolOf = (site: Site): Window => resolvePool(site.name, site.shape, site.config<Pooling>());

/** The window of a pooling layer over a sequence. */
function sequencePoolOf(site: Site): Window {
  const { poolSize, ...config } = site.config<SequenceOptions & { poolSize: number }>();
  return sequenceWindow(site.name, site.shape, { ...config, kernelSize: poolSize, dilationRate: 1 });
}

export function maxPooling1d(site: Site): string {
  return pooling(site, "MaxPool", sequencePoolOf(site));
}

export function maxPooling2d(site: Site): string {
  return pooling(site, "MaxPool", poolOf(site));
}

export function averagePooling1d(site: Site): string {
  return pooling(site, "AveragePool", sequencePoolOf(site), { count_include_pad: 0 });
}

export function averagePooling2d(site: Site): string {
  return pooling(site, "AveragePool", poolOf(site), { count_include_pad: 0 });
}

/** Attributes of a reduction over the steps, `[n, steps, c]` → `[n, c]`. */
const STEPS = { axes: [1], keepdims: 0 };

export function globalMaxPooling1d(site: Site): string {
  return site.op("ReduceMax", [site.x], STEPS);
}

export function globalAveragePooling1d(site: Site): string {
  return site.op("ReduceMean", [site.x], STEPS);
}

/** `[n, c, 1, 1]` as `[n, c]`. */
function globalPooling(site: Site, opType: string): string {
  return site.op("Flatten", [site.op(opType, [site.x])], { axis: 1 });
}

export function globalMaxPooling2d(site: Site): string {
  return globalPooling(site, "GlobalMaxPool");
}

export function globalAveragePooling2d(site: Site): string {
  return globalPooling(site, "GlobalAveragePool");
}

/** Cuts off the rows and columns of an image that no window reaches, by its window; returns that for the rest as well. */
function cropped(site: Site, window: Window): [x: string, window: Window] {
  const { h, w, top, left } = window;
  const [bottom, right] = excess(window);
  const starts = [Math.max(0, -top), Math.max(0, -left)] as const;
  const ends = [h + Math.min(0, bottom), w + Math.min(0, right)] as const;
  const rest = {
    h: ends[0] - starts[0],
    w: ends[1] - starts[1],
    top: Math.max(0, top),
    left: Math.max(0, left),
  };
  if (rest.h === h && rest.w === w) return [site.x, window];
  const bounds = [
    site.integers("starts", starts),
    site.integers("ends", ends),
    site.integers("axes", [2, 3]),
  ];
  return [site.op("Slice", [site.x, ...bounds]), { ...window, ...rest }];
}

/** Counts, for each position of a window along an axis, the taps that are within the axis. */
function tapsWithin(
  size: number,
  positions: number,
  taps: number,
  stride: number,
  dilation: number,
  before: number,
) {
  return Array.from({ length: positions }, (_, position) => {
    const first = position * stride - before;
    const inside = Array.from({ length: taps }, (__, tap) => first + tap * dilation);
    return inside.filter((at) => at >= 0 && at < size).length;
  });
}

/** Writes means of dilated windows, which AveragePool has from opset 19 on: sums by a convolution, and their divisors. */
function dilatedMeans(site: Site, x: string, window: Window): string {
  const { h, w, c, kh, kw, oh, ow, strideH, strideW, dilationH, dilationW, top, left } = window;
  const ones = site.filled(1, "ones", [c, 1, kh, kw]);
  const sums = site.op("Conv", [x, ones], convolving(site, window, c));
  const rows = tapsWithin(h, oh, kh, strideH, dilationH, top);
  const columns = tapsWithin(w, ow, kw, strideW, dilationW, left);
  const counts = rows.flatMap((row) => columns.map((column) => row * column));
  return site.op("Div", [sums, site.numbers("counts", counts, [oh, ow])]);
}

export function pool(site: Site): string {
  const { kind, window: plane } = site.config<PoolLayerOptions>();
  const [h, w, c] = site.shape as [number, number, number];
  const [x, window] = cropped(site, { ...plane, h, w, c });
  const { dilationH, dilationW } = window;
  const isDilated = dilationH > 1 || dilationW > 1;
  if (kind === "average" && isDilated) return dilatedMeans(site, x, window);
  const more: Record<string, Attribute> =
    kind === "average" ? { count_include_pad: 0 } : { dilations: [dilationH, dilationW] };
  return site.op(kind === "max" ? "MaxPool" : "AveragePool", [x], { ...geometry(site, window), ...more });
}
