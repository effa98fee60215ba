/** Winograd's filter gradient, the adjoint of its forward pass in the filters. Formulas stand in `winograd.ts`. */
import { MR, NR } from "../../gemm/micro";
import { paddedColumns } from "../../gemm/pack";
import { endShare, firstShare } from "../../lib/share";
import { openWorkspace, take, takeFloats, workspaceFloats } from "../../lib/workspace";
import { load4, store4, storeLanes, zero4 } from "../../lib/simd";
import { Window } from "../../lib/window";
import { products, Side } from "./products";
import { takeProduct } from "../../gemm/block";
import {
  bufferFloats,
  findTile,
  MOST_TILES,
  paddedChannels,
  pointStride,
  stripTiles,
  Tile,
  tileColumns,
  tileRows,
} from "./tiles";
import {
  OUT,
  POINTS,
  takeTransform,
  TILE,
  transformGradient,
  transformInput,
  transformTaps,
} from "./transform";

/** The operands and the workspace of a pass, which all of its strips share. */
@unmanaged
class Pass {
  window: Window;
  f: i32;
  x: usize;
  dy: usize;
  /** This thread's channels. */
  c0: i32;
  c1: i32;
  /** The transformed tiles, the transformed gradients, and the gradient of the transformed filters. */
  v: Side;
  d: Side;
  u: Side;
  tile: Tile;
  /** The workspace of the transforms, the nine taps of four filters, and a tile with what lies outside of the image. */
  transform: usize;
  taps: usize;
  buffer: usize;
}

/** Floats of sums that are transformed back at a time, 512 KB. */
const BLOCK: i32 = 131072;

/** Taps of a filter, and bytes of a vector of four filters. */
const TAPS: usize = 9;
const VECTOR: usize = 16;

/** Sums that are larger than an L2, 1 MB at the 36 points, are read and written as seldom as may be. */
const LARGE: i32 = 8192;

/** Tiles of a strip. */
// @ts-ignore: decorator
@inline
function tilesFor(c: i32, f: i32): i32 {
  return <f64>c * <f64>f > LARGE ? MOST_TILES : stripTiles(paddedChannels(c) + paddedColumns(f));
}

/** Floats from one tile to the next: a cache line more than it has, since the sums walk from tile to tile. */
// @ts-ignore: decorator
@inline
function tileFloats(padded: i32): i32 {
  return padded + 16;
}

/**
 * The structs of a pass, the workspace of the transforms, the taps, a tile, the transformed tiles of the image and of the
 * gradient, and the sums of their products.
 */
let passAt: usize = 0;
let vAt: usize = 0;
let dAt: usize = 0;
let uAt: usize = 0;
let tileAt: usize = 0;
let transformAt: usize = 0;
let tapsAt: usize = 0;
let buffer: usize = 0;
let image: usize = 0;
let gradient: usize = 0;
let sums: usize = 0;

function layOut(c: i32, f: i32): void {
  const tiles = tilesFor(c, f);
  passAt = take(offsetof<Pass>());
  vAt = take(offsetof<Side>());
  dAt = take(offsetof<Side>());
  uAt = take(offsetof<Side>());
  tileAt = take(offsetof<Tile>());
  transformAt = takeTransform();
  tapsAt = take(TAPS * VECTOR);
  takeProduct(c);
  buffer = takeFloats(bufferFloats(max(c, f)));
  image = takeFloats(<f64>POINTS * <f64>(pointStride(tiles, tileFloats(paddedChannels(c))) >> 2));
  gradient = takeFloats(<f64>POINTS * <f64>(pointStride(tiles, tileFloats(paddedColumns(f))) >> 2));
  sums = takeFloats(<f64>POINTS * <f64>(pointStride(c, paddedColumns(f)) >> 2));
}

/** Floats of workspace for `winogradBackpropFilter` of `f` filters over `c` channels. @size */
export function winogradBackpropFilterWorkspace(c: i32, f: i32): f64 {
  openWorkspace(0);
  layOut(c, f);
  return workspaceFloats();
}

/** Describes what a pass reads and writes in strips of `tiles` tiles. */
function describe(pass: Pass, c: i32, f: i32, tiles: i32): void {
  pass.v = changetype<Side>(vAt);
  pass.d = changetype<Side>(dAt);
  pass.u = changetype<Side>(uAt);
  pass.tile = changetype<Tile>(tileAt);
  pass.transform = transformAt;
  pass.taps = tapsAt;
  pass.buffer = buffer;
  const columns = paddedColumns(f);
  const v = pass.v;
  v.at = image;
  // Read from its side: a row of the product is a channel, a step of its sum a tile.
  v.row = 4;
  v.step = (<usize>tileFloats(paddedChannels(c))) << 2;
  v.point = pointStride(tiles, tileFloats(paddedChannels(c)));
  const d = pass.d;
  d.at = gradient;
  d.row = (<usize>tileFloats(columns)) << 2;
  d.panel = (<usize>NR) << 2;
  d.point = pointStride(tiles, tileFloats(columns));
  const u = pass.u;
  u.at = sums;
  u.row = (<usize>columns) << 2;
  u.point = pointStride(c, columns);
}

/**
 * `dg[3, 3, c, f]` from `x[n, h, w, c]` and `dy[n, oh, ow, f]`. Order and error: `winograd.ts`.
 *
 * @split unfolded(window, n) * f / 4
 */
export function winogradBackpropFilter(
  window: Window,
  n: i32,
  f: i32,
  x: usize,
  dy: usize,
  dg: usize,
  workspace: usize,
): void {
  const c = window.c;
  openWorkspace(workspace);
  layOut(c, f);
  const pass = changetype<Pass>(passAt);
  const all = n * tileRows(window) * tileColumns(window);
  const tiles = tilesFor(c, f);
  pass.window = window;
  pass.f = f;
  pass.x = x;
  pass.dy = dy;
  pass.c0 = firstShare(c, 4);
  pass.c1 = endShare(c, 4);
  if (pass.c0 == pass.c1) return;
  describe(pass, c, f, tiles);
  for (let first = 0; first < all; first += tiles) {
    const count = min(tiles, all - first);
    transformTiles(pass, first, count);
    if (first + count < all) multiply(pass, 0, pass.c1 - pass.c0, count, first == 0, pass.u.at);
    else finish(pass, count, first == 0, dg);
  }
}

/** Adds the products of a strip of `count` tiles for `channels` channels from this thread's `ch` on. */
function multiply(pass: Pass, ch: i32, channels: i32, count: i32, fresh: bool, to: usize): void {
  const v = pass.v;
  const u = pass.u;
  const first = v.at;
  const sums = u.at;
  v.at += (<usize>ch) << 2;
  u.at = to;
  products(channels, paddedColumns(pass.f), count, v, pass.d, u, fresh);
  v.at = first;
  u.at = sums;
}

/**
 * The last strip, a few channels at a time: their sums are transformed back while they are in the cache. When it is the
 * first strip as well, all channels use the same memory.
 */
function finish(pass: Pass, count: i32, fresh: bool, dg: usize): void {
  const u = pass.u;
  const own = pass.c1 - pass.c0;
  const block = max(MR, (BLOCK / (POINTS * paddedColumns(pass.f)) / MR) * MR);
  for (let ch = 0; ch < own; ch += block) {
    const channels = min(block, own - ch);
    const sums = fresh ? u.at : u.at + <usize>ch * u.row;
    multiply(pass, ch, channels, count, fresh, sums);
    writeTaps(pass, pass.c0 + ch, channels, sums, dg);
  }
}

/** Transforms `count` tiles from `first` on, of the image and of the gradient. */
function transformTiles(pass: Pass, first: i32, count: i32): void {
  const window = pass.window;
  const across = tileColumns(window);
  const perImage = tileRows(window) * across;
  for (let t = 0; t < count; t++) {
    const image = (first + t) / perImage;
    const inside = first + t - image * perImage;
    const y = (inside / across) * OUT;
    const x = (inside % across) * OUT;
    transformImageTile(pass, image, y - window.top, x - window.left, <usize>t);
    transformGradientTile(pass, image, y, x, <usize>t);
  }
}

/** This thread's channels of one tile of an image. */
function transformImageTile(pass: Pass, image: i32, y: i32, x: i32, t: usize): void {
  const window = pass.window;
  const v = pass.v;
  const tile = pass.tile;
  const pixel = (<usize>window.c) << 2;
  const own = pass.c1 - pass.c0;
  const from = pass.x + ((<usize>pass.c0) << 2) + <usize>(image * window.h * window.w) * pixel;
  findTile(tile, from, window.h, window.w, pixel, own, y, x, TILE, pass.buffer);
  const to = v.at + t * v.step;
  transformInput(paddedChannels(own) >> 2, tile.from, tile.row, tile.pixel, to, v.point, pass.transform);
}

/** All filters of one tile of the gradient; those that fill the last panel are zero. */
function transformGradientTile(pass: Pass, image: i32, y: i32, x: i32, t: usize): void {
  const window = pass.window;
  const d = pass.d;
  const tile = pass.tile;
  const pixel = (<usize>pass.f) << 2;
  const from = pass.dy + <usize>(image * window.oh * window.ow) * pixel;
  findTile(tile, from, window.oh, window.ow, pixel, pass.f, y, x, OUT, pass.buffer);
  const to = d.at + t * d.row;
  const filters = paddedChannels(pass.f);
  transformGradient(filters >> 2, tile.from, tile.row, tile.pixel, to, d.point, pass.transform);
  if (filters == paddedColumns(pass.f)) return;
  let last = to + ((<usize>filters) << 2);
  for (let point = 0; point < POINTS; point++) {
    store4(last, zero4());
    last += d.point;
  }
}

/** Transforms the gradients of transformed filters, `sums`, back to the nine taps: `channels` channels from `ch` on. */
function writeTaps(pass: Pass, ch: i32, channels: i32, sums: usize, dg: usize): void {
  const f = pass.f;
  const u = pass.u;
  const taps = pass.taps;
  const tap = (<usize>(pass.window.c * f)) << 2;
  for (let i = 0; i < channels; i++) {
    for (let j = 0; j < f; j += 4) {
      transformTaps(sums + ((<usize>j) << 2), u.point, taps, pass.transform);
      let to = dg + ((<usize>((ch + i) * f + j)) << 2);
      for (let t: usize = 0; t < TAPS; t++) {
        storeLanes(to, load4(taps + t * VECTOR), f - j);
        to += tap;
      }
    }
    sums += u.row;
  }
}
