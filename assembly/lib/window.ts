/**
 * A sliding window over an NHWC image: the geometry that im2row, col2im, convolution and pooling share.
 *
 * Output pixel `(oy, ox)` and filter
 * tap `(ky, kx)` meet input pixel `(oy·strideH + ky·dilationH − top, ox·strideW + kx·dilationW − left)`; outside of the
 * image lies padding.
 *
 * @abi
 */
@unmanaged
export class Window {
  /** Input height, width and channels, of one image. */
  h: i32;
  w: i32;
  c: i32;
  /** Filter or pool size. */
  kh: i32;
  kw: i32;
  /** Output height and width, of one image. */
  oh: i32;
  ow: i32;
  strideH: i32;
  strideW: i32;
  dilationH: i32;
  dilationW: i32;
  /** Rows of padding above and columns of padding left of the image (negative crops). */
  top: i32;
  left: i32;
}

/** The first of the taps at `start + t·dilation`, t ≥ 0, that is not before the image. */
// @ts-ignore: decorator
@inline
export function firstTap(start: i32, dilation: i32): i32 {
  return start >= 0 ? 0 : (dilation - 1 - start) / dilation;
}

/** One past the last of `taps` taps at `start + t·dilation` that is below `size`. */
// @ts-ignore: decorator
@inline
export function endTap(start: i32, dilation: i32, taps: i32, size: i32): i32 {
  return start >= size ? 0 : min(taps, (size - start + dilation - 1) / dilation);
}
