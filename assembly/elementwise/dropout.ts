/** Dropout with a stateless generator: the mask is a function of keys and position, so it is never stored. */
import { Stream, absorb, hash4, layerKey } from "../lib/hash";
import {
  LANES,
  add4,
  addInt4,
  laneNumbers,
  lessUnsigned4,
  loadLanes,
  mul4,
  select4,
  splat,
  splatInt,
  storeLanes,
} from "../lib/simd";

/** Drops elements of one row, whose key is `key`. */
function dropRow(
  x: usize,
  y: usize,
  size: i32,
  key: u64,
  keepBelow: u32,
  factor: f32,
  term: f32,
  value: f32,
): void {
  const first = splatInt(<i32>key);
  const second = splatInt(<i32>(key >>> 32));
  const below = splatInt(keepBelow);
  const scale = splat(factor);
  const shift = splat(term);
  const dropped = splat(value);
  const step = splatInt(LANES);
  let counter = laneNumbers();
  for (let left = size; left > 0; left -= LANES, x += 16, y += 16) {
    const count = min(left, LANES);
    const kept = lessUnsigned4(hash4(counter, first, second), below);
    if (count == LANES) {
      storeLanes(y, select4(kept, add4(mul4(loadLanes(x, LANES), scale), shift), dropped), LANES);
    } else {
      storeLanes(y, select4(kept, add4(mul4(loadLanes(x, count), scale), shift), dropped), count);
    }
    counter = addInt4(counter, step);
  }
}

/**
 * Dropout of `n` images of `rows` rows of `size` elements each:
 * `y[image, r, i] = hash < keepBelow ? x[image, r, i]·scale + shift : dropped`, the product and the sum each rounded; `y`
 * may be `x`. A `shift` of −0 changes nothing. An element is kept with probability `keepBelow / 2^32` (unsigned), and with
 * it those of the same place in the image's other rows. The backward pass is the same kernel on `dy` with the same keys.
 *
 * The hash is a function of the seed, the step, the layer, the image's place in the batch and the element's place in the
 * row, and of nothing else: a shard of a batch that begins with its image `firstImage` draws what the whole batch would.
 * The key of an image is made of two words, `a = seedLow` and `b = seedHigh` at the start, by `absorb` of 0, of `step`, of
 * `layer` and of `firstImage + image`, in this order; then `hash(i) = mix(mix(i ^ a) ^ b)`. `mix` is the finalizer
 * `lowbias32` (C. Wellons, hash-prospector). Masks under keys that differ in any bit are unrelated.
 */
export function dropout(
  x: usize,
  y: usize,
  n: i32,
  rows: i32,
  size: i32,
  keepBelow: u32,
  scale: f32,
  shift: f32,
  dropped: f32,
  seedLow: u32,
  seedHigh: u32,
  step: u32,
  layer: u32,
  firstImage: u32,
): void {
  const key = layerKey(seedLow, seedHigh, Stream.step, step, layer);
  const bytes = (<usize>size) << 2;
  for (let image = 0; image < n; image++) {
    const own = absorb(key, firstImage + image);
    for (let r = rows; r > 0; r--, x += bytes, y += bytes) {
      dropRow(x, y, size, own, keepBelow, scale, shift, dropped);
    }
  }
}
