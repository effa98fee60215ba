import type { Settled } from "../../options.ts";
import type { LrnLayerOptions } from "../../layers/lrn.ts";
import { sizeOf, type Tensor } from "../../tensor.ts";
import type { Site } from "./file.ts";
import { channelsFirst, channelsLast, fileAxis, isImage, reshaped } from "./layout.ts";

const epsilonOf = (site: Site) => ({ epsilon: { float: site.config<{ epsilon: number }>().epsilon } });

export function batchNormalization(site: Site): string {
  const shape = [site.shape.at(-1)!];
  const weights = [
    site.weightOr(1, "gamma", shape),
    site.weightOr(0, "beta", shape),
    site.weight("movingMean"),
    site.weight("movingVariance"),
  ];
  return channelsFirst(site, site.x, (x) => site.op("BatchNormalization", [x, ...weights], epsilonOf(site)));
}

export function layerNormalization(site: Site): string {
  const { length } = site.config<{ axis: readonly number[] }>().axis;
  const weights = [site.weightOr(1, "gamma", site.shape.slice(-length)), site.weight("beta")];
  return channelsLast(site, site.x, (x) =>
    site.op("LayerNormalization", [x, ...weights], { axis: -length, ...epsilonOf(site) }),
  );
}

export function instanceNormalization(site: Site): string {
  const c = site.shape.at(-1)!;
  const weights = [site.weightOr(1, "gamma", [c]), site.weightOr(0, "beta", [c])];
  const normalize = (x: string): string => site.op("InstanceNormalization", [x, ...weights], epsilonOf(site));
  if (site.shape.length > 1) return channelsFirst(site, site.x, normalize);
  // ONNX wants pixels: a row of channels is one.
  const pixel = site.op("Reshape", [site.x, site.integers("pixel", [0, c, 1])]);
  return site.op("Reshape", [normalize(pixel), site.integers("row", [0, c])]);
}

const column = ({ shape, data }: Tensor): Tensor => ({ shape: [...shape, 1], data });

/** Opset 17 has no group normalization: instances of `[n, groups, everything else]`, then scale and shift a channel. */
export function groupNormalization(site: Site): string {
  const { groups } = site.config<{ groups: number }>();
  const c = site.shape.at(-1)!;
  const [gamma, beta] = [site.weight("gamma", column), site.weight("beta", column)];
  return channelsFirst(site, site.x, (x) => {
    const cut = site.op("Reshape", [x, site.integers("groups", [0, groups, -1])]);
    const affine = [site.filled(1, "ones", [groups]), site.filled(0, "zeros", [groups])];
    const even = site.op("InstanceNormalization", [cut, ...affine], epsilonOf(site));
    let y = site.op("Reshape", [even, site.integers("channels", [0, c, -1])]);
    if (gamma) y = site.op("Mul", [y, gamma]);
    if (beta) y = site.op("Add", [y, beta]);
    return site.op("Reshape", [y, site.integers("shape", [0, c, ...site.shape.slice(0, -1)])]);
  });
}

/** A value that is no image is written as one of a single column, since onnxruntime normalizes images alone. */
export function lrn(site: Site): string {
  const { size, alpha, beta, bias } = site.config<Settled<LrnLayerOptions>>();
  const attributes = { size, alpha: { float: alpha }, beta: { float: beta }, bias: { float: bias } };
  const { shape } = site;
  if (isImage(shape)) return site.op("LRN", [site.x], attributes);
  const c = shape.at(-1)!;
  const image = [sizeOf(shape) / c, 1, c];
  const y = site.op("LRN", [reshaped(site, site.x, shape, image, "image")], attributes);
  return reshaped(site, y, image, shape);
}

/** ReduceL2, with the norm bounded below as the package's. Images have their channels first, other values last. */
export function unitNormalization(site: Site): string {
  const { length } = site.config<{ axis: readonly number[] }>().axis;
  const rank = site.shape.length;
  const axes = Array.from({ length }, (_, i) => fileAxis(rank - 1 - i, rank)).sort((a, b) => a - b);
  const norm = site.op("ReduceL2", [site.x], { axes, keepdims: 1 });
  return site.op("Div", [site.x, site.op("Max", [norm, site.scalar(1e-12)])]);
}
