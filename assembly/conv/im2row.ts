/**
 * im2row and its adjoint col2im.
 *
 * `R = im2row(x)` has one row for each output pixel `(image, oy, ox)` and one column for each `(ky, kx, channel)`:
 * `R[row, col]` is the input pixel under that tap, zero in the padding. Convolution never builds `R` (see `patches.ts`);
 * these kernels are for those who do, and `col2imBlock` folds the blocks of patch gradients that a layer computes.
 *
 * A group of channels is folded by itself: `x` then points at the group's first channel and `cg` is the number of its
 * channels, while pixels stay `window.c` channels apart.
 */
import { copyFloats, zeroFloats } from "../lib/copy";
import { add4, load4, store4 } from "../lib/simd";
import { Window } from "../lib/window";

/**
 * Goes through rows `[row0, row0 + rows)` of `R`, which lie at `r`: copies the pixels of `x` to them, or with `fold` adds
 * them to the pixels of `x`. `fold` is a constant at each call.
 */
// @ts-ignore: decorator
@inline
function eachPatch(fold: bool, window: Window, cg: i32, r: usize, row0: i32, rows: i32, x: usize): void {
  const image = (<usize>(window.h * window.w * window.c)) << 2;
  const columns = (<usize>(window.kh * window.kw * cg)) << 2;
  let ox = row0 % window.ow;
  let oy = (row0 / window.ow) % window.oh;
  x += <usize>(row0 / (window.ow * window.oh)) * image;
  for (let i = 0; i < rows; i++) {
    const iy = oy * window.strideH - window.top;
    const ix = ox * window.strideW - window.left;
    if (fold) foldPatch(window, cg, r, x, iy, ix);
    else unfoldPatch(window, cg, r, x, iy, ix);
    r += columns;
    if (++ox == window.ow) {
      ox = 0;
      if (++oy == window.oh) {
        oy = 0;
        x += image;
      }
    }
  }
}

/**
 * Goes through the runs of the patch whose first tap lies at `(iy, ix)`. A run is what lies contiguously in the image: a
 * row of taps when channels and taps touch, else one tap.
 */
// @ts-ignore: decorator
@inline
function eachRun(fold: bool, window: Window, cg: i32, r: usize, image: usize, iy: i32, ix: i32): void {
  const c = window.c;
  const joined = window.dilationW == 1 && cg == c;
  const taps = joined ? 1 : window.kw;
  const run = joined ? window.kw * c : cg;
  for (let ky = 0; ky < window.kh; ky++) {
    const y = iy + ky * window.dilationH;
    for (let kx = 0; kx < taps; kx++) {
      const xx = ix + kx * window.dilationW;
      // Floats [from, to) of the run lie inside of the image.
      let from = 0;
      let to = 0;
      if (<u32>y < <u32>window.h) {
        if (joined) {
          from = min(run, max(0, -xx * c));
          to = max(from, min(run, (window.w - xx) * c));
        } else if (<u32>xx < <u32>window.w) {
          to = run;
        }
      }
      const inside = image + ((<usize>((y * window.w + xx) * c + from)) << 2);
      const part = r + ((<usize>from) << 2);
      if (fold) {
        addFloats(inside, part, to - from);
      } else {
        zeroFloats(r, from);
        copyFloats(part, inside, to - from);
        zeroFloats(r + ((<usize>to) << 2), run - to);
      }
      r += (<usize>run) << 2;
    }
  }
}

function unfoldPatch(window: Window, cg: i32, r: usize, image: usize, iy: i32, ix: i32): void {
  eachRun(false, window, cg, r, image, iy, ix);
}

function foldPatch(window: Window, cg: i32, r: usize, image: usize, iy: i32, ix: i32): void {
  eachRun(true, window, cg, r, image, iy, ix);
}

/** `x[i] += r[i]` for `n` floats. */
// @ts-ignore: decorator
@inline
function addFloats(x: usize, r: usize, n: i32): void {
  let i = n;
  for (; i >= 4; i -= 4) {
    store4(x, add4(load4(x), load4(r)));
    x += 16;
    r += 16;
  }
  for (; i > 0; i--) {
    store<f32>(x, load<f32>(x) + load<f32>(r));
    x += 4;
    r += 4;
  }
}

/**
 * Adds rows `[row0, row0 + rows)` of `R`, all columns, back to the pixels they were unfolded from; what was unfolded from
 * padding is dropped. Order: rows ascending, and columns ascending in each, so blocks do not change a bit.
 */
export function col2imBlock(window: Window, cg: i32, r: usize, row0: i32, rows: i32, x: usize): void {
  eachPatch(true, window, cg, r, row0, rows, x);
}

/**
 * `R[n·oh·ow, kh·kw·c] = im2row(x[n, h, w, c])`, the whole matrix.
 *
 * Exact: values are only copied.
 */
export function im2row(window: Window, n: i32, x: usize, r: usize): void {
  eachPatch(false, window, window.c, r, 0, n * window.oh * window.ow, x);
}

/**
 * `x[n, h, w, c] = col2im(R[n·oh·ow, kh·kw·c])`: each pixel receives the sum of the places it was unfolded to, in
 * ascending order of rows. The adjoint of `im2row`: ⟨im2row(x), R⟩ = ⟨x, col2im(R)⟩.
 *
 * Error: γ_t · Σ|R| with t the number of patches a pixel lies in, at most ⌈kh/strideH⌉·⌈kw/strideW⌉ for dilation 1.
 */
export function col2im(window: Window, n: i32, r: usize, x: usize): void {
  memory.fill(x, 0, (<usize>(n * window.h * window.w * window.c)) << 2);
  col2imBlock(window, window.c, r, 0, n * window.oh * window.ow, x);
}
