/**
 * im2row and its adjoint col2im, whole or in blocks.
 *
 * `R = im2row(x)` has one row for each output pixel `(image, oy, ox)` and one column for each `(ky, kx, channel)`:
 * `R[row, col]` is the input pixel under that tap, zero in the padding. Convolution never builds all of `R`: it unfolds
 * blocks of rows and columns right before the matrix product reads them (implicit im2row).
 *
 * A group of channels is unfolded by itself: `x` then points at the group's first channel and `cg` is the number of its
 * channels, while pixels stay `window.c` channels apart.
 */
import { copyFloats, zeroFloats } from "./gemm/copy";
import { add4, load4, store4 } from "./simd";
import { Window } from "./window";

/**
 * Unfolds rows `[row0, row0 + rows)` and columns `[col0, col0 + cols)` of `R` to `dst`, rows `dstRow` bytes apart.
 */
export function im2rowBlock(
  window: Window,
  cg: i32,
  x: usize,
  row0: i32,
  rows: i32,
  col0: i32,
  cols: i32,
  dst: usize,
  dstRow: usize,
): void {
  const image = window.h * window.w * window.c;
  let ox = row0 % window.ow;
  let oy = (row0 / window.ow) % window.oh;
  let base = x + ((<usize>(row0 / (window.ow * window.oh)) * image) << 2);
  for (let r = 0; r < rows; r++) {
    const iy = oy * window.strideH - window.top;
    const ix = ox * window.strideW - window.left;
    unfoldPatch(window, cg, base, iy, ix, col0, cols, dst);
    dst += dstRow;
    if (++ox == window.ow) {
      ox = 0;
      if (++oy == window.oh) {
        oy = 0;
        base += (<usize>image) << 2;
      }
    }
  }
}

/** Columns `[col0, col0 + cols)` of the patch whose first tap lies at `(iy, ix)`. */
function unfoldPatch(
  window: Window,
  cg: i32,
  image: usize,
  iy: i32,
  ix: i32,
  col0: i32,
  cols: i32,
  dst: usize,
): void {
  const c = window.c;
  const joined = window.dilationW == 1 && cg == c;
  // A run is what lies contiguously in the image: a row of taps when channels and taps touch, else one tap.
  const run = joined ? window.kw * c : cg;
  const end = col0 + cols;
  for (let col = col0; col < end;) {
    const index = col / run;
    const start = index * run;
    const stop = min(end, start + run);
    const ky = joined ? index : index / window.kw;
    const y = iy + ky * window.dilationH;
    const xx = joined ? ix : ix + (index - ky * window.kw) * window.dilationW;
    let from = 0;
    let to = 0;
    if (<u32>y < <u32>window.h) {
      // Floats [from, to) of the run lie inside of the image's row.
      if (joined) {
        from = max(0, -xx * c);
        to = min(run, (window.w - xx) * c);
      } else if (<u32>xx < <u32>window.w) {
        to = run;
      }
    }
    const first = min(max(col, start + from), stop);
    const after = max(min(stop, start + to), first);
    if (first > col) zeroFloats(dst, first - col);
    if (after > first) {
      const source = (y * window.w + xx) * c + (first - start);
      copyFloats(dst + ((<usize>(first - col)) << 2), image + ((<usize>source) << 2), after - first);
    }
    if (stop > after) zeroFloats(dst + ((<usize>(after - col)) << 2), stop - after);
    dst += (<usize>(stop - col)) << 2;
    col = stop;
  }
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
  const image = window.h * window.w * window.c;
  let ox = row0 % window.ow;
  let oy = (row0 / window.ow) % window.oh;
  let base = x + ((<usize>(row0 / (window.ow * window.oh)) * image) << 2);
  const columns = (<usize>(window.kh * window.kw * cg)) << 2;
  for (let i = 0; i < rows; i++) {
    const iy = oy * window.strideH - window.top;
    const ix = ox * window.strideW - window.left;
    foldPatch(window, cg, r, base, iy, ix);
    r += columns;
    if (++ox == window.ow) {
      ox = 0;
      if (++oy == window.oh) {
        oy = 0;
        base += (<usize>image) << 2;
      }
    }
  }
}

/** Adds one row of `R` to the patch whose first tap lies at `(iy, ix)`. */
function foldPatch(window: Window, cg: i32, r: usize, image: usize, iy: i32, ix: i32): void {
  const c = window.c;
  const joined = window.dilationW == 1 && cg == c;
  const taps = joined ? 1 : window.kw;
  const run = joined ? window.kw * c : cg;
  for (let ky = 0; ky < window.kh; ky++) {
    const y = iy + ky * window.dilationH;
    for (let kx = 0; kx < taps; kx++) {
      const xx = ix + kx * window.dilationW;
      let from = 0;
      let to = 0;
      if (<u32>y < <u32>window.h) {
        if (joined) {
          from = max(0, -xx * c);
          to = min(run, (window.w - xx) * c);
        } else if (<u32>xx < <u32>window.w) {
          to = run;
        }
      }
      if (to > from) {
        const target = (y * window.w + xx) * c + from;
        addFloats(image + ((<usize>target) << 2), r + ((<usize>from) << 2), to - from);
      }
      r += (<usize>run) << 2;
    }
  }
}

/**
 * `R[n·oh·ow, kh·kw·c] = im2row(x[n, h, w, c])`, the whole matrix.
 *
 * Exact: values are only copied.
 */
export function im2row(window: Window, n: i32, x: usize, r: usize): void {
  const cols = window.kh * window.kw * window.c;
  im2rowBlock(window, window.c, x, 0, n * window.oh * window.ow, 0, cols, r, (<usize>cols) << 2);
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
