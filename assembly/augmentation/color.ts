/** Images made brighter, darker, or of more or less contrast at random. */
import { Stream, absorb, layerKey, uniform } from "../lib/hash";
import { endShare, firstShare } from "../lib/share";

/** The mean of one channel, in one float64 sum in the order of the pixels. */
function meanOf(x: usize, pixels: i32, stride: usize): f64 {
  let sum: f64 = 0;
  for (let p = pixels; p > 0; p--, x += stride) sum += <f64>load<f32>(x);
  return sum / <f64>pixels;
}

/**
 * `n` images of `pixels` pixels of `c` channels; with the random number `p = low + (high − low)·u₀` of each image
 *
 * - contrast: `y = (x − mean)·(1 + p) + mean`, with the mean of each channel of the image;
 * - brightness, otherwise: `y = x + p·(ceiling − floor)`;
 *
 * then `y = min(max(y, floor), ceiling)`. In float64, rounded once; NaN stays NaN. u₀ is drawn as in `randomTransform`.
 * `y` may be `x`. Threads share the images.
 *
 * @split SCATTER * n * pixels * c
 */
export function randomColor(
  contrast: bool,
  low: f64,
  high: f64,
  floor: f64,
  ceiling: f64,
  x: usize,
  y: usize,
  n: i32,
  pixels: i32,
  c: i32,
  seedLow: u32,
  seedHigh: u32,
  epoch: u32,
  layer: u32,
  indices: usize,
): void {
  const key = layerKey(seedLow, seedHigh, Stream.epoch, epoch, layer);
  const stride = (<usize>c) << 2;
  const size = <usize>pixels * stride;
  for (let image = firstShare(n), end = endShare(n); image < end; image++) {
    const p = low + (high - low) * uniform(absorb(key, load<u32>(indices + ((<usize>image) << 2))), 0);
    for (let channel = 0; channel < c; channel++) {
      let from = x + <usize>image * size + ((<usize>channel) << 2);
      let to = y + <usize>image * size + ((<usize>channel) << 2);
      const mean = contrast ? meanOf(from, pixels, stride) : 0;
      const factor = contrast ? 1 + p : 1;
      const term = contrast ? mean : p * (ceiling - floor);
      for (let i = pixels; i > 0; i--, from += stride, to += stride) {
        const value = (<f64>load<f32>(from) - mean) * factor + term;
        store<f32>(to, <f32>min(max(value, floor), ceiling));
      }
    }
  }
}
