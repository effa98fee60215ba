/** Winograd's forward pass, which from rotated filters is the input gradient too. Formulas stand in `winograd.ts`. */
import { activate } from "../../elementwise/activation";
import { Activation } from "../../lib/activations";
import { NR } from "../../gemm/micro";
import { paddedColumns, PANEL_ROW } from "../../gemm/pack";
import { endShare, firstShare, share, shares } from "../../lib/share";
import { add4, LANES, load4, relu4, storeLanes } from "../../lib/simd";
import { Window } from "../../lib/window";
import { packedPoint } from "./filters";
import { productFloats, products, Side, SIDE_BYTES } from "./products";
import {
  bufferFloats,
  findTile,
  paddedChannels,
  pointStride,
  stripTiles,
  Tile,
  TILE_BYTES,
  tileColumns,
  tileRows,
} from "./tiles";
import { OUT, outputAt, POINTS, SCRATCH_BYTES, TILE, transformInput, transformOutput } from "./transform";

/** With no more tiles than this for each thread, threads split the filters instead of the tiles. */
const FEW: i32 = 16;

/** What every strip of a pass needs to know. */
@unmanaged
class Pass {
  window: Window;
  x: usize;
  y: usize;
  bias: usize;
  activation: i32;
  alpha: f32;
  /** All filters, and the first and last of this thread, the last rounded up to whole panels. */
  f: i32;
  f0: i32;
  f1: i32;
  /** The transformed tiles, the filters and their products. */
  v: Side;
  u: Side;
  m: Side;
  tile: Tile;
  scratch: usize;
  space: usize;
  buffer: usize;
}

/** Bytes of the structs, rounded up to a cache line, and of the room of the transforms. */
const PASS_BYTES: usize = 64;
const HEAD: usize = PASS_BYTES + 3 * SIDE_BYTES + TILE_BYTES + 4 + SCRATCH_BYTES;

/** Tiles of a strip. */
// @ts-ignore: decorator
@inline
function tilesFor(c: i32, f: i32): i32 {
  return stripTiles(paddedChannels(c) + paddedColumns(f));
}

/** Floats of workspace for one thread. */
function threadFloats(c: i32, f: i32): i32 {
  const tiles = tilesFor(c, f);
  const point = pointStride(tiles, paddedChannels(c)) + pointStride(tiles, paddedColumns(f));
  return <i32>(HEAD >> 2) + productFloats(tiles) + bufferFloats(c) + POINTS * <i32>(point >> 2);
}

/** Floats of workspace for `winogradForward` of `f` filters over `c` channels. @size */
export function winogradForwardWorkspace(c: i32, f: i32): f64 {
  return <f64>shares() * <f64>threadFloats(c, f);
}

/** Lays out a thread's workspace for strips of `tiles` tiles. */
function openPass(pass: Pass, c: i32, f: i32, packed: usize, tiles: i32): void {
  const at = changetype<usize>(pass) + PASS_BYTES;
  pass.v = changetype<Side>(at);
  pass.u = changetype<Side>(at + SIDE_BYTES);
  pass.m = changetype<Side>(at + 2 * SIDE_BYTES);
  pass.tile = changetype<Tile>(at + 3 * SIDE_BYTES);
  pass.scratch = changetype<usize>(pass) + HEAD - SCRATCH_BYTES;
  pass.space = pass.scratch + SCRATCH_BYTES;
  pass.buffer = pass.space + ((<usize>productFloats(tiles)) << 2);
  const v = pass.v;
  v.at = pass.buffer + ((<usize>bufferFloats(c)) << 2);
  v.row = (<usize>paddedChannels(c)) << 2;
  v.step = 4;
  v.point = pointStride(tiles, paddedChannels(c));
  const u = pass.u;
  u.row = PANEL_ROW;
  u.panel = <usize>c * PANEL_ROW;
  u.point = packedPoint(c, f);
  u.at = packed + <usize>(pass.f0 / NR) * u.panel;
  const m = pass.m;
  m.at = v.at + POINTS * v.point;
  m.row = (<usize>(pass.f1 - pass.f0)) << 2;
  m.point = pointStride(tiles, paddedColumns(f));
}

/**
 * `y[n, oh, ow, f] = act(conv2d(x[n, h, w, c], g[3, 3, c, f]) + b[f])` from transformed filters (`winogradPackFilters`);
 * `b` is 0 for none. Order and error: `winograd.ts`; then the bias, then the activation.
 *
 * @split unfolded(window, n) * f / 4
 */
export function winogradForward(
  window: Window,
  n: i32,
  f: i32,
  x: usize,
  packed: usize,
  b: usize,
  y: usize,
  activation: i32,
  alpha: f32,
  workspace: usize,
): void {
  const all = n * tileRows(window) * tileColumns(window);
  const columns = paddedColumns(f);
  const byFilters = shares() > 1 && all <= FEW * shares();
  const pass = changetype<Pass>(workspace + ((<usize>(share() * threadFloats(window.c, f))) << 2));
  pass.window = window;
  pass.x = x;
  pass.y = y;
  pass.bias = b;
  pass.activation = activation;
  pass.alpha = alpha;
  pass.f = f;
  pass.f0 = byFilters ? firstShare(columns, NR) : 0;
  pass.f1 = byFilters ? endShare(columns, NR) : columns;
  if (pass.f0 == pass.f1) return;
  const tiles = tilesFor(window.c, f);
  openPass(pass, window.c, f, packed, tiles);
  const end = byFilters ? all : endShare(all);
  for (let first = byFilters ? 0 : firstShare(all); first < end; first += tiles) {
    strip(pass, first, min(tiles, end - first));
  }
}

/** `count` tiles from `first` on: transformed, multiplied, transformed back. */
function strip(pass: Pass, first: i32, count: i32): void {
  const window = pass.window;
  const c = window.c;
  const pixel = (<usize>c) << 2;
  const tile = pass.tile;
  const v = pass.v;
  const across = tileColumns(window);
  const perImage = tileRows(window) * across;
  const imageBytes = <usize>(window.h * window.w) * pixel;
  for (let t = 0; t < count; t++) {
    const image = (first + t) / perImage;
    const inside = first + t - image * perImage;
    const y = (inside / across) * OUT - window.top;
    const x = (inside % across) * OUT - window.left;
    findTile(tile, pass.x + <usize>image * imageBytes, window.h, window.w, pixel, c, y, x, TILE, pass.buffer);
    const to = v.at + <usize>t * v.row;
    transformInput(paddedChannels(c) >> 2, tile.from, tile.row, tile.pixel, to, v.point, pass.scratch);
  }
  products(count, pass.f1 - pass.f0, c, v, pass.u, pass.m, true, pass.space);
  for (let t = 0; t < count; t++) {
    const image = (first + t) / perImage;
    const inside = first + t - image * perImage;
    writeTile(
      pass,
      image,
      (inside / across) * OUT,
      (inside % across) * OUT,
      pass.m.at + <usize>t * pass.m.row,
    );
  }
}

/** Transforms the products of one tile back and stores the pixels inside of the output, with their epilogue. */
function writeTile(pass: Pass, image: i32, oy: i32, ox: i32, from: usize): void {
  const window = pass.window;
  const rows = min(OUT, window.oh - oy);
  const cols = min(OUT, window.ow - ox);
  const pixel = (<usize>pass.f) << 2;
  const first = pass.y + <usize>((image * window.oh + oy) * window.ow + ox) * pixel;
  const relu = pass.activation == Activation.relu;
  const end = min(pass.f, pass.f1);
  for (let f = pass.f0; f < end; f += 4) {
    transformOutput(from, pass.m.point, pass.scratch);
    from += 16;
    const at = (<usize>f) << 2;
    storePixels(
      pass.scratch,
      rows,
      cols,
      first + at,
      <usize>window.ow * pixel,
      pixel,
      pass.bias ? pass.bias + at : 0,
      relu,
      end - f,
    );
  }
  if (pass.activation == Activation.linear || relu) return;
  for (let r = 0; r < rows; r++) {
    for (let s = 0; s < cols; s++) {
      const at = first + ((<usize>pass.f0) << 2) + <usize>(r * window.ow + s) * pixel;
      activate(pass.activation, pass.alpha, at, at, end - pass.f0);
    }
  }
}

/** Stores up to four filters of a tile's pixels, `+ bias`, then relu. */
// @ts-ignore: decorator
@inline
function storePixels(
  scratch: usize,
  rows: i32,
  cols: i32,
  y: usize,
  row: usize,
  pixel: usize,
  bias: usize,
  relu: bool,
  lanes: i32,
): void {
  for (let r = 0; r < rows; r++) {
    if (cols == OUT && lanes >= LANES) {
      storePixel(y, load4(outputAt(scratch, r, 0)), bias, relu, LANES);
      storePixel(y + pixel, load4(outputAt(scratch, r, 1)), bias, relu, LANES);
      storePixel(y + 2 * pixel, load4(outputAt(scratch, r, 2)), bias, relu, LANES);
      storePixel(y + 3 * pixel, load4(outputAt(scratch, r, 3)), bias, relu, LANES);
    } else {
      for (let s = 0; s < cols; s++) {
        storePixel(y + <usize>s * pixel, load4(outputAt(scratch, r, s)), bias, relu, lanes);
      }
    }
    y += row;
  }
}

// @ts-ignore: decorator
@inline
function storePixel(to: usize, v: v128, bias: usize, relu: bool, lanes: i32): void {
  if (bias) v = add4(v, load4(bias));
  if (relu) v = relu4(v);
  storeLanes(to, v, lanes);
}
