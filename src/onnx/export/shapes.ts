/** Writes layers that arrange elements. */
import type { Interpolation } from "../../layers/upSampling2d.ts";
import { middleOf, type CropOptions } from "../../layers/preprocessing.ts";
import type { Attribute, Site } from "./file.ts";
import { fileAxis, reshaped } from "./layout.ts";

/** The elements are counted in the package's order, so images are turned before and after, unless they lie so. */
export function reshape(site: Site): string {
  if (site.form === "own")
    return site.op("Reshape", [site.x, site.integers("shape", [0, ...site.outputShape])]);
  return reshaped(site, site.x, site.shape, site.outputShape);
}

export const flatten = reshape;

type Margins = readonly [readonly [top: number, bottom: number], readonly [left: number, right: number]];

export function zeroPadding2d(site: Site): string {
  const [[top, bottom], [left, right]] = site.config<{ padding: Margins }>().padding;
  return site.op("Pad", [site.x, site.integers("pads", [0, 0, top, left, 0, 0, bottom, right])]);
}

export function cropping2d(site: Site): string {
  const [[top], [left]] = site.config<{ cropping: Margins }>().cropping;
  return cropped(site, top, left);
}

/** In inference a random crop is that of the middle. */
export function centerCrop(site: Site): string {
  return cropped(site, ...middleOf(site.shape, site.config<CropOptions>()));
}
export const randomCrop = centerCrop;

function cropped(site: Site, top: number, left: number): string {
  const [height, width] = site.outputShape as [number, number, number];
  const starts = site.integers("starts", [top, left]);
  const ends = site.integers("ends", [top + height, left + width]);
  return site.op("Slice", [site.x, starts, ends, site.integers("axes", [2, 3])]);
}

export function permute(site: Site): string {
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

export function upSampling2d(site: Site): string {
  type Config = { size: readonly [number, number]; interpolation: Interpolation };
  const { size, interpolation } = site.config<Config>();
  return site.op("Resize", [site.x, "", site.numbers("scales", [1, 1, ...size])], PLACES[interpolation]);
}

/** Channels lie by the row in the block, the column, then the depth, which ONNX calls DCR. */
export function depthToSpace(site: Site): string {
  const { blockSize } = site.config<{ blockSize: number }>();
  return site.op("DepthToSpace", [site.x], { blocksize: blockSize, mode: "DCR" });
}

export function spaceToDepth(site: Site): string {
  return site.op("SpaceToDepth", [site.x], { blocksize: site.config<{ blockSize: number }>().blockSize });
}

/** The number of images and the channels of the output are those of the input, which the file does not know. */
export function resizing(site: Site): string {
  const { interpolation } = site.config<{ interpolation: Interpolation }>();
  const x = site.floats();
  const kept = site.op("Slice", [
    site.op("Shape", [x]),
    site.integers("start", [0]),
    site.integers("end", [2]),
  ]);
  const sizes = site.op("Concat", [kept, site.integers("size", site.outputShape.slice(0, 2))], { axis: 0 });
  const nearest = { mode: "nearest", nearest_mode: "round_prefer_ceil" };
  const mode = interpolation === "nearest" ? nearest : { mode: "linear" };
  return site.op("Resize", [x, "", "", sizes], { ...mode, coordinate_transformation_mode: "half_pixel" });
}
