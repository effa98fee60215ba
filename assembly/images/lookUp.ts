/** Images of bytes as float32, each byte looked up in the table of its channel. */
import { endShare, firstShare } from "../lib/share";

/**
 * `y[i, p, channel] = table[channel, x[i, p, channel]]` for n images of `pixels` pixels of `c` bytes; the table is
 * `[c, 256]`. With `planar` it is `y[i, channel, p]`. Exact. Threads share the pixels.
 *
 * @split COPY * n * pixels * c
 */
export function lookUpBytes(
  table: usize,
  planar: bool,
  n: i32,
  pixels: i32,
  c: i32,
  x: usize,
  y: usize,
): void {
  const first = firstShare(pixels);
  const own = endShare(pixels) - first;
  const image = <usize>pixels * <usize>c;
  const step: usize = planar ? 4 : (<usize>c) << 2;
  const apart: usize = planar ? (<usize>pixels) << 2 : 4;
  x += <usize>first * <usize>c;
  y += <usize>first * step;
  for (; n > 0; n--, x += image, y += image << 2) {
    for (let channel = 0; channel < c; channel++) {
      const row = table + ((<usize>channel) << 10);
      let from = x + <usize>channel;
      let to = y + <usize>channel * apart;
      for (let p = own; p > 0; p--, from += <usize>c, to += step) {
        store<f32>(to, load<f32>(row + ((<usize>load<u8>(from)) << 2)));
      }
    }
  }
}
