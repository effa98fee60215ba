/** Winograd's forward pass, which from rotated filters is the input gradient too. Formulas stand in `winograd.ts`. */
import { activate } from "../../elementwise/activation";
import { Activation } from "../../lib/activations";
import { NR } from "../../gemm/micro";
import { paddedColumns, PANEL_ROW } from "../../gemm/pack";
import { endShare, firstShare, shares } from "../../lib/share";
import { openWorkspace, take, takeFloats, workspaceFloats } from "../../lib/workspace";
import { add4, LANES, load4, relu4, storeLanes } from "../../lib/simd";
import { Window } from "../../lib/window";
import { packedPoint } from "./filters";
import { products, Side } from "./products";
import { takeProduct } from "../../gemm/block";
import {
  bufferFloats,
  findTile,
  paddedChannels,
  pointStride,
  stripTiles,
  Tile,
  tileColumns,
  tileRows,
} from "./tiles";
import { OUT, outputAt, POINTS, takeTransform, TILE, transformInput, transformOutput } from "./transform";

/** With no more tiles than this for each thread, threads split the filters instead of the tiles. */
const FEW: i32 = 16;

/** The operands and the workspace of a pass, which all of its strips share. */
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
  /** The workspace of the transforms, and a tile with what lies outside of the image. */
  transform: usize;
  buffer: usize;
}

/** Tiles of a strip. */
// @ts-ignore: decorator
@inline
function tilesFor(c: i32, f: i32): i32 {
  return stripTiles(paddedChannels(c) + paddedColumns(f));
}

/** The structs of a pass, its transformed tiles and their products, the workspace of the transforms, and a tile. */
let passAt: usize = 0;
let vAt: usize = 0;
let uAt: usize = 0;
let mAt: usize = 0;
let tileAt: usize = 0;
let transformAt: usize = 0;
let buffer: usize = 0;
let transformed: usize = 0;
let multiplied: usize = 0;

/** Takes the workspace of a pass over `c` channels for `f` filters. */
export function takePass(c: i32, f: i32): void {
  const tiles = tilesFor(c, f);
  passAt = take(offsetof<Pass>());
  vAt = take(offsetof<Side>());
  uAt = take(offsetof<Side>());
  mAt = take(offsetof<Side>());
  tileAt = take(offsetof<Tile>());
  transformAt = takeTransform();
  takeProduct(tiles);
  buffer = takeFloats(bufferFloats(c));
  transformed = takeFloats(<f64>POINTS * <f64>(pointStride(tiles, paddedChannels(c)) >> 2));
  multiplied = takeFloats(<f64>POINTS * <f64>(pointStride(tiles, paddedColumns(f)) >> 2));
}

/** Floats of workspace for `winogradForward` of `f` filters over `c` channels. @size */
export function winogradForwardWorkspace(c: i32, f: i32): f64 {
  openWorkspace(0);
  takePass(c, f);
  return workspaceFloats();
}

/** Describes what a pass reads and writes in strips of `tiles` tiles. */
function describe(pass: Pass, c: i32, f: i32, packed: usize, tiles: i32): void {
  pass.v = changetype<Side>(vAt);
  pass.u = changetype<Side>(uAt);
  pass.m = changetype<Side>(mAt);
  pass.tile = changetype<Tile>(tileAt);
  pass.transform = transformAt;
  pass.buffer = buffer;
  const v = pass.v;
  v.at = transformed;
  v.row = (<usize>paddedChannels(c)) << 2;
  v.step = 4;
  v.point = pointStride(tiles, paddedChannels(c));
  const u = pass.u;
  u.row = PANEL_ROW;
  u.panel = <usize>c * PANEL_ROW;
  u.point = packedPoint(c, f);
  u.at = packed + <usize>(pass.f0 / NR) * u.panel;
  const m = pass.m;
  m.at = multiplied;
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
  openWorkspace(workspace);
  convolve(window, n, f, x, packed, b, y, activation, alpha);
}

/** The same in what is left of a workspace that was opened. */
export function convolve(
  window: Window,
  n: i32,
  f: i32,
  x: usize,
  packed: usize,
  b: usize,
  y: usize,
  activation: i32,
  alpha: f32,
): void {
  takePass(window.c, f);
  const all = n * tileRows(window) * tileColumns(window);
  const columns = paddedColumns(f);
  const byFilters = shares() > 1 && all <= FEW * shares();
  const pass = changetype<Pass>(passAt);
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
  describe(pass, window.c, f, packed, tiles);
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
    transformInput(paddedChannels(c) >> 2, tile.from, tile.row, tile.pixel, to, v.point, pass.transform);
  }
  products(count, pass.f1 - pass.f0, c, v, pass.u, pass.m, true);
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
    transformOutput(from, pass.m.point, pass.transform);
    from += 16;
    const at = (<usize>f) << 2;
    storePixels(
      pass.transform,
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
  transform: usize,
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
      storePixel(y, load4(outputAt(transform, r, 0)), bias, relu, LANES);
      storePixel(y + pixel, load4(outputAt(transform, r, 1)), bias, relu, LANES);
      storePixel(y + 2 * pixel, load4(outputAt(transform, r, 2)), bias, relu, LANES);
      storePixel(y + 3 * pixel, load4(outputAt(transform, r, 3)), bias, relu, LANES);
    } else {
      for (let s = 0; s < cols; s++) {
        storePixel(y + <usize>s * pixel, load4(outputAt(transform, r, s)), bias, relu, lanes);
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
