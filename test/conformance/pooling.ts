/** Pooling and its gradients against the float64 oracle. Maxima are exact, wherever they lie. */
import { tensor, type Engine, type PoolOptions, type Tensor } from "im2row";
import { averagePool, averagePoolGradient, maxPool, maxPoolGradient } from "../oracles/pool.ts";
import { geometry, type Sliding } from "../support/convolution.ts";
import { gamma } from "../support/float.ts";
import { noise } from "../support/model.ts";
import { random } from "../support/random.ts";
import type { Geometry } from "../support/window.ts";
import type { Case } from "./case.ts";
import { close, same } from "./expect.ts";

const [N, H, W] = [2, 7, 6];
/** Around the vector of four. */
const CHANNELS = [1, 3, 4, 5, 8, 9];

interface Pool {
  options: PoolOptions;
  window: Pick<Sliding, "kh" | "kw" | "strideH" | "strideW" | "pad">;
}

const POOLS: Record<string, Pool> = {
  "strides of the pool size by default": {
    options: { poolSize: 2 },
    window: { kh: 2, kw: 2, strideH: 2, strideW: 2, pad: "valid" },
  },
  "own strides, by axis": {
    options: { poolSize: [3, 2], strides: [1, 2] },
    window: { kh: 3, kw: 2, strideH: 1, strideW: 2, pad: "valid" },
  },
  "strides larger than the pool": {
    options: { poolSize: 2, strides: 3 },
    window: { kh: 2, kw: 2, strideH: 3, strideW: 3, pad: "valid" },
  },
  "same padding": {
    options: { poolSize: 3, strides: 2, padding: "same" },
    window: { kh: 3, kw: 3, strideH: 2, strideW: 2, pad: "same" },
  },
  "explicit padding": {
    options: {
      poolSize: 3,
      strides: 1,
      padding: [
        [1, 0],
        [0, 2],
      ],
    },
    window: { kh: 3, kw: 3, strideH: 1, strideW: 1, pad: { top: 1, bottom: 0, left: 0, right: 2 } },
  },
  "one window for the image": {
    options: { poolSize: [7, 6] },
    window: { kh: 7, kw: 6, strideH: 7, strideW: 6, pad: "valid" },
  },
};

function geometryOf({ window }: Pool, c: number): Geometry {
  const g = geometry({ h: H, w: W, c, dilationH: 1, dilationW: 1, ...window });
  if (!g) throw new Error("the image is smaller than the pool");
  return g;
}

/** The maxima, their places and the gradient, for images `x` of any values. */
function expectMaxima(engine: Engine, pool: Pool, x: Tensor): void {
  const g = geometryOf(pool, x.shape[3]!);
  const shape = [N, g.oh, g.ow, g.c];
  const { y, argmax } = engine.maxPool2d(x, pool.options);
  const exact = maxPool(g, N, x.data);
  same("maxPool2d: shapes", [y.shape, argmax.shape], [shape, shape]);
  same("maxPool2d: y", [...y.data], exact.y);
  same("maxPool2d: argmax", [...argmax.data], exact.argmax);
  const dy = noise(9, ...shape);
  const dx = engine.maxPool2dBackprop(dy, argmax, x.shape);
  const sum = maxPoolGradient(g, N, dy.data, exact.argmax);
  const absolute = maxPoolGradient(g, N, dy.data.map(Math.abs), exact.argmax);
  same("maxPool2dBackprop: shape", dx.shape, x.shape);
  // A pixel wins at most kh·kw windows: one rounding less than terms.
  close("maxPool2dBackprop", dx.data, sum, (i) => gamma(g.kh * g.kw - 1) * absolute[i]!);
}

/** The means over the pixels of the image alone, and their gradient. */
function expectMeans(engine: Engine, pool: Pool, x: Tensor): void {
  const g = geometryOf(pool, x.shape[3]!);
  const taps = g.kh * g.kw;
  const y = engine.averagePool2d(x, pool.options);
  const sizes = averagePool(g, N, x.data.map(Math.abs));
  same("averagePool2d: shape", y.shape, [N, g.oh, g.ow, g.c]);
  close("averagePool2d", y.data, averagePool(g, N, x.data), (i) => gamma(taps) * sizes[i]!);
  const dy = noise(8, ...y.shape);
  const dx = engine.averagePool2dBackprop(dy, x.shape, pool.options);
  const absolute = averagePoolGradient(g, N, dy.data.map(Math.abs));
  same("averagePool2dBackprop: shape", dx.shape, x.shape);
  // A pixel lies in at most kh·kw windows; each share is rounded, then added.
  const bound = (i: number): number => gamma(taps) * absolute[i]!;
  close("averagePool2dBackprop", dx.data, averagePoolGradient(g, N, dy.data), bound);
}

const images = (c: number, value: (index: number) => number): Tensor =>
  tensor(
    Float32Array.from({ length: N * H * W * c }, (_, i) => value(i)),
    [N, H, W, c],
  );

/** Images whose maxima are easily missed. */
const SPECIAL: Record<string, (c: number) => Tensor> = {
  "windows of negative values": (c) => images(c, (i) => -1 - ((i * 7) % 11)),
  "windows of −∞ alone": (c) => images(c, () => -Infinity),
  "ties: the first wins": (c) =>
    tensor(Float32Array.from(random(c).integers(N * H * W * c, -2, 1)), [N, H, W, c]),
  "NaN: the first wins": (c) => images(c, (i) => (i % 13 === 5 ? NaN : (i * 5) % 17)),
};

/** By hand: the index is that within an image, and padding neither wins nor counts. */
function expectByHand(engine: Engine): void {
  const x = tensor([9, 0, 0, 0, 0, 9, 0, 0, 0, 0, 0, 9], [3, 2, 2, 1]);
  const { argmax } = engine.maxPool2d(x, { poolSize: 2 });
  same("argmax", [...argmax.data], [0, 1, 3]);
  const dx = engine.maxPool2dBackprop(tensor([1, 2, 3], [3, 1, 1, 1]), argmax, x.shape);
  same("dx", [...dx.data], [1, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 3]);
  const padding = [
    [1, 1],
    [1, 1],
  ] as const;
  const options = { poolSize: 2, strides: 1, padding };
  const mean = engine.averagePool2d(tensor([4, 8, 12, 16], [1, 2, 2, 1]), options);
  same("mean", [...mean.data], [4, 6, 8, 8, 10, 12, 12, 14, 16]);
  const largest = engine.maxPool2d(tensor([-4, -8, -12, -16], [1, 2, 2, 1]), options);
  same("maximum", [...largest.y.data], [-4, -4, -8, -4, -4, -8, -12, -12, -16]);
}

export const poolingCases: readonly Case[] = [
  ...Object.entries(POOLS).flatMap(([name, pool]): Case[] => [
    {
      name: `max pooling with ${name}: maxima, places and gradient`,
      run({ engine }) {
        for (const c of CHANNELS) expectMaxima(engine, pool, noise(c, N, H, W, c));
      },
    },
    {
      name: `average pooling with ${name}: means and gradient`,
      run({ engine }) {
        for (const c of CHANNELS) expectMeans(engine, pool, noise(c, N, H, W, c));
      },
    },
  ]),
  ...Object.entries(SPECIAL).map(([name, special]): Case => ({
    name: `max pooling, ${name}`,
    run({ engine }) {
      for (const c of CHANNELS) {
        for (const pool of Object.values(POOLS)) expectMaxima(engine, pool, special(c));
      }
    },
  })),
  { name: "pooling by hand: indices within an image, padding", run: ({ engine }) => expectByHand(engine) },
];
