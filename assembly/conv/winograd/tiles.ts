/**
 * The tiles of Winograd's algorithm: which part of the image each needs, and strips of them that fit the caches.
 *
 * Tile `(ty, tx)` yields the 4×4 output pixels from `(4ty, 4tx)` on and reads the 6×6 input pixels from
 * `(4ty − top, 4tx − left)` on. Tiles are numbered through a batch: image, row, column.
 */
import { copyFloats, zeroFloats } from "../../lib/copy";
import { MR } from "../../gemm/micro";
import { OUT, POINTS, TILE } from "./transform";
import { Window } from "../../lib/window";

/** Floats of the transformed tiles of a strip, 1 MB for both sides of the products: about half of an L2. */
const STRIP: i32 = 262144;
/** Fewest and most tiles of a strip: the products read all filters once a strip. Multiples of the register tile. */
const FEWEST: i32 = 10 * MR;
export const MOST_TILES: i32 = 16 * MR;

/** Rows and columns of tiles of one image. */
// @ts-ignore: decorator
@inline
export function tileRows(window: Window): i32 {
  return (window.oh + OUT - 1) / OUT;
}

// @ts-ignore: decorator
@inline
export function tileColumns(window: Window): i32 {
  return (window.ow + OUT - 1) / OUT;
}

/** Tiles of a strip with `floats` floats a point and tile. */
// @ts-ignore: decorator
@inline
export function stripTiles(floats: i32): i32 {
  return min(MOST_TILES, max(FEWEST, (STRIP / (POINTS * floats) / MR) * MR));
}

/** Bytes from one point of a strip to the next: a cache line more than it has, so that points share no cache set. */
// @ts-ignore: decorator
@inline
export function pointStride(tiles: i32, floats: i32): usize {
  return (<usize>(tiles * floats + 16)) << 2;
}

/** A tile as the transforms read it: where, and the bytes to its next row and pixel. */
@unmanaged
export class Tile {
  from: usize;
  row: usize;
  pixel: usize;
}

/**
 * Finds the `size`×`size` pixels from row `y` and column `x` on of an image `[h, w]` whose pixels are `pixel` bytes
 * apart, and of which `c` channels are read. What lies in part outside is copied to `buffer` with zeros around.
 */
export function findTile(
  tile: Tile,
  image: usize,
  h: i32,
  w: i32,
  pixel: usize,
  c: i32,
  y: i32,
  x: i32,
  size: i32,
  buffer: usize,
): void {
  const row = <usize>w * pixel;
  if (min(y, x) >= 0 && y + size <= h && x + size <= w) {
    tile.from = image + <usize>y * row + <usize>x * pixel;
    tile.row = row;
    tile.pixel = pixel;
    return;
  }
  const width = paddedChannels(c);
  tile.from = buffer;
  tile.pixel = (<usize>width) << 2;
  tile.row = <usize>size * tile.pixel;
  for (let r = 0; r < size; r++) {
    for (let s = 0; s < size; s++) {
      const inside = y + r >= 0 && y + r < h && x + s >= 0 && x + s < w;
      if (inside) copyFloats(buffer, image + <usize>(y + r) * row + <usize>(x + s) * pixel, c);
      else zeroFloats(buffer, c);
      buffer += tile.pixel;
    }
  }
}

/** Channels rounded up to whole vectors. */
// @ts-ignore: decorator
@inline
export function paddedChannels(c: i32): i32 {
  return (c + 3) & -4;
}

/** Floats of the buffer. */
// @ts-ignore: decorator
@inline
export function bufferFloats(c: i32): i32 {
  return TILE * TILE * paddedChannels(c);
}
