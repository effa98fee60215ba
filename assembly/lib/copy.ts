/** Short copies of float32 runs. `memory.copy` leaves the module and costs more than the runs met here. */
import { add4, load2, load4, store2, store4, zero4 } from "./simd";

/** `dst[0..n) = src[0..n)`; the ranges do not overlap. */
// @ts-ignore: decorator
@inline
export function copyFloats(dst: usize, src: usize, n: i32): void {
  let i = n;
  for (; i >= 4; i -= 4) {
    store4(dst, load4(src));
    dst += 16;
    src += 16;
  }
  copyTail(dst, src, i);
}

/** `dst[0..n) = src[0..n)` for `n` of 0 to 3. */
// @ts-ignore: decorator
@inline
export function copyTail(dst: usize, src: usize, n: i32): void {
  if (n & 2) {
    store2(dst, load2(src));
    dst += 8;
    src += 8;
  }
  if (n & 1) store<f32>(dst, load<f32>(src));
}

/** `dst[0..n) = 0`. */
// @ts-ignore: decorator
@inline
export function zeroFloats(dst: usize, n: i32): void {
  let i = n;
  for (; i >= 4; i -= 4) {
    store4(dst, zero4());
    dst += 16;
  }
  for (; i > 0; i--) {
    store<f32>(dst, 0);
    dst += 4;
  }
}

/** `dst[0..n) += src[0..n)`. */
export function addFloats(dst: usize, src: usize, n: i32): void {
  let i = n;
  for (; i >= 4; i -= 4) {
    store4(dst, add4(load4(dst), load4(src)));
    dst += 16;
    src += 16;
  }
  for (; i > 0; i--) {
    store<f32>(dst, load<f32>(dst) + load<f32>(src));
    dst += 4;
    src += 4;
  }
}
