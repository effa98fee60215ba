/**
 * Implicit im2row: where the patches of an image lie, so that a matrix product reads them in place.
 *
 * A patch is a few runs of floats, one for each row of taps (or for each tap, when taps are dilated): the runs' offsets
 * are the same for all patches, and the patches differ by their address alone. Padding is made real first: the rows of
 * the image that a strip of output rows needs are copied to a buffer with zeros around, `(kh − 1)/strip` more than the
 * strip itself and not `kh·kw` times the image. An image without padding is read where it is.
 */
import { copyFloats, zeroFloats } from "../lib/copy";
import { RUN } from "../gemm/micro";
import { Window } from "../lib/window";

/** Floats of the buffer for padded strips, 64 KB, unless one row of output needs more. */
const STRIP: i32 = 16384;

/** The patches of one group of channels, as the packing of a product reads them. All strides are bytes. */
@unmanaged
export class Patches {
  window: Window;
  /** Zeros between the pixels of the image, plus one. */
  zoomH: i32;
  zoomW: i32;
  /** Channels read. */
  cg: i32;
  /** True when strips are copied. */
  copied: bool;
  /** From one pixel, row and image of the strip to the next. */
  pixel: usize;
  row: usize;
  image: usize;
  /** Output rows and images in a strip: several images only when the rows are all of an image's. */
  rows: i32;
  images: i32;
  /** Runs of a patch, and floats in each. */
  runs: i32;
  length: i32;
}

/** Columns and rows of the image that `count` output columns or rows reach over. */
// @ts-ignore: decorator
@inline
function reach(count: i32, stride: i32, taps: i32, dilation: i32): i32 {
  return (count - 1) * stride + (taps - 1) * dilation + 1;
}

/** Width of a padded strip. */
function stripWidth(window: Window): i32 {
  return reach(window.ow, window.strideW, window.kw, window.dilationW);
}

/** True when no patch reaches outside of the image. */
function fits(window: Window): bool {
  return (
    window.top <= 0 &&
    window.left <= 0 &&
    reach(window.oh, window.strideH, window.kh, window.dilationH) - window.top <= window.h &&
    stripWidth(window) - window.left <= window.w
  );
}

/**
 * Floats of the strip buffer for `ow` output columns at stride `strideW`, with the taps of `window`, over `cg` channels.
 * Sizes are told in float64, which does not wrap around: what is too large for the memory is refused there.
 */
export function stripFloats(ow: i32, strideW: i32, window: Window, cg: i32): f64 {
  const width = (<f64>ow - 1) * <f64>strideW + (<f64>window.kw - 1) * <f64>window.dilationW + 1;
  const height = (<f64>window.kh - 1) * <f64>window.dilationH + 1;
  return max<f64>(STRIP, height * width * <f64>cg);
}

/** Most output pixels in a strip that is to hold about `pixels`. */
export function stripPixels(ow: i32, pixels: i32): i32 {
  return max(pixels, ow);
}

/** Fills in how to read `window`'s patches, in strips of at most `stripPixels(ow, pixels)` output pixels. */
export function describePatches(
  p: Patches,
  window: Window,
  zoomH: i32,
  zoomW: i32,
  cg: i32,
  pixels: i32,
): void {
  p.window = window;
  p.zoomH = zoomH;
  p.zoomW = zoomW;
  p.cg = cg;
  p.copied = max(zoomH, zoomW) > 1 || cg != window.c || !fits(window);
  const width = p.copied ? stripWidth(window) : window.w;
  p.pixel = (<usize>(p.copied ? cg : window.c)) << 2;
  p.row = <usize>width * p.pixel;
  let rows = min(window.oh, max(1, pixels / window.ow));
  if (p.copied) {
    const halo = reach(1, window.strideH, window.kh, window.dilationH);
    rows = min(rows, max(1, (STRIP / (width * cg) - halo) / window.strideH + 1));
  }
  p.rows = rows;
  const height = p.copied ? reach(rows, window.strideH, window.kh, window.dilationH) : window.h;
  p.image = <usize>height * p.row;
  p.images = 1;
  if (rows == window.oh) {
    p.images = max(1, pixels / (window.oh * window.ow));
    if (p.copied) p.images = max(1, min(p.images, STRIP / (height * width * cg)));
  }
  const joined = window.dilationW == 1;
  p.runs = joined ? window.kh : window.kh * window.kw;
  p.length = joined ? window.kw * cg : cg;
}

/**
 * Makes the strip of `rows` output rows from `row0` of `images` images from `image0` readable, and returns its address.
 * `x` points at the group's first channel of the first image.
 */
export function openStrip(
  p: Patches,
  x: usize,
  image0: i32,
  images: i32,
  row0: i32,
  rows: i32,
  buffer: usize,
): usize {
  const window = p.window;
  const iy = row0 * window.strideH - window.top;
  const pixel = (<usize>window.c) << 2;
  const imageBytes = <usize>(window.h * window.w) * pixel;
  x += <usize>image0 * imageBytes;
  if (!p.copied) return x + <usize>(iy * window.w - window.left) * pixel;
  const height = reach(rows, window.strideH, window.kh, window.dilationH);
  let to = buffer;
  for (let i = 0; i < images; i++) {
    for (let r = 0; r < height; r++) {
      const y = iy + r;
      const real = y >= 0 && y % p.zoomH == 0 && y / p.zoomH < window.h;
      if (real) copyRow(p, x + <usize>(y / p.zoomH) * window.w * pixel, to + r * p.row);
      else zeroFloats(to + r * p.row, (<i32>p.row) >> 2);
    }
    x += imageBytes;
    to += p.image;
  }
  return buffer;
}

/** Copies one image row to a padded row. */
function copyRow(p: Patches, from: usize, to: usize): void {
  const window = p.window;
  const cg = p.cg;
  const width = stripWidth(window);
  if (p.zoomW == 1 && cg == window.c) {
    const before = min(width, max(0, window.left));
    const first = before - window.left;
    const inside = max(0, min(width - before, window.w - first));
    zeroFloats(to, before * cg);
    copyFloats(to + ((<usize>(before * cg)) << 2), from + ((<usize>(first * cg)) << 2), inside * cg);
    zeroFloats(to + ((<usize>((before + inside) * cg)) << 2), (width - before - inside) * cg);
    return;
  }
  for (let i = 0; i < width; i++) {
    const xx = i - window.left;
    const real = xx >= 0 && xx % p.zoomW == 0 && xx / p.zoomW < window.w;
    if (real) copyFloats(to, from + ((<usize>((xx / p.zoomW) * window.c)) << 2), cg);
    else zeroFloats(to, cg);
    to += p.pixel;
  }
}

/** Writes the addresses of a strip's patches in order of output pixels; returns their number. */
export function patchAddresses(p: Patches, strip: usize, images: i32, rows: i32, table: usize): i32 {
  const window = p.window;
  const stepX = <usize>window.strideW * p.pixel;
  const stepY = <usize>window.strideH * p.row;
  for (let i = 0; i < images; i++) {
    let line = strip + i * p.image;
    for (let r = 0; r < rows; r++) {
      let at = line;
      for (let ox = 0; ox < window.ow; ox++) {
        store<usize>(table, at);
        table += 4;
        at += stepX;
      }
      line += stepY;
    }
  }
  return images * rows * window.ow;
}

/** Writes the runs of a patch that hold its elements `[first, last)`, for the register tile. */
export function patchRuns(p: Patches, first: i32, last: i32, table: usize): void {
  const window = p.window;
  const perRow = p.runs / window.kh;
  let at: usize = 0;
  for (let k = first; k < last;) {
    const run = k / p.length;
    const inside = k - run * p.length;
    const steps = min(last - k, p.length - inside);
    const ky = run / perRow;
    const kx = run - ky * perRow;
    const offset =
      <usize>(ky * window.dilationH) * p.row +
      <usize>(kx * window.dilationW) * p.pixel +
      ((<usize>inside) << 2);
    store<usize>(table, offset - at);
    store<i32>(table, steps, 4);
    table += RUN;
    at = offset + ((<usize>steps) << 2);
    k += steps;
  }
  store<i32>(table, 0, 4);
}

/** Writes the offset of each element of a patch: `kh·kw·cg` of them. */
export function elementOffsets(p: Patches, table: usize): void {
  const window = p.window;
  for (let ky = 0; ky < window.kh; ky++) {
    for (let kx = 0; kx < window.kw; kx++) {
      let at = <usize>(ky * window.dilationH) * p.row + <usize>(kx * window.dilationW) * p.pixel;
      for (let ch = 0; ch < p.cg; ch++) {
        store<usize>(table, at);
        table += 4;
        at += 4;
      }
    }
  }
}

/** Writes a run for each output row of a strip: from patch to patch, `window.ow` steps. Returns the steps in all. */
export function rowRuns(p: Patches, strip: usize, images: i32, rows: i32, table: usize): i32 {
  const window = p.window;
  const steps = <usize>(window.ow * window.strideW) * p.pixel;
  let at: usize = 0;
  for (let i = 0; i < images; i++) {
    for (let r = 0; r < rows; r++) {
      const offset = strip + i * p.image + <usize>(r * window.strideH) * p.row;
      store<usize>(table, offset - at);
      store<i32>(table, window.ow, 4);
      table += RUN;
      at = offset + steps;
    }
  }
  store<i32>(table, 0, 4);
  return images * rows * window.ow;
}

/**
 * Copies `count` elements of each patch, from element `first` on, to a dense block `[patches, count]`. The patches are
 * those of `runs` (as `rowRuns` writes them), `step` bytes apart; `elements` is the table of `elementOffsets`.
 */
export function gatherElements(
  p: Patches,
  elements: usize,
  first: i32,
  count: i32,
  runs: usize,
  step: usize,
  block: usize,
): void {
  const row = (<usize>count) << 2;
  const end = first + count;
  for (let q = first; q < end;) {
    // Elements of one run of a patch touch each other in the image.
    const touching = min(end - q, p.length - (q % p.length));
    let at = load<usize>(elements + ((<usize>q) << 2));
    let to = block;
    for (let run = runs; load<i32>(run, 4) > 0; run += RUN) {
      at += load<usize>(run);
      for (let i = load<i32>(run, 4); i > 0; i--) {
        copyFloats(to, at, touching);
        to += row;
        at += step;
      }
    }
    block += (<usize>touching) << 2;
    q += touching;
  }
}
