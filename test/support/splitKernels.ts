/** Kernels that threads share and no operator of the engine calls, run on the memory itself: their results. */
import { BROADCAST, REDUCE, UNARY } from "../../src/kernels/kernels.ts";
import { Region } from "../../src/runtime/region.ts";
import { resizeTable } from "../../src/kernels/resizeTable.ts";
import { tapsOf } from "../../src/layers/take.ts";
import { broadcastTable, reductionTable } from "../../src/kernels/layouts.ts";
import type { Engine } from "../../src/index.ts";
import { noise } from "./model.ts";

/** Runs the kernels behind ONNX's operators. */
export function strided({ runtime }: Engine): Float32Array[] {
  const { kernels, heap } = runtime;
  const region = new Region(heap, "test");
  const [n, shape] = [3, [7, 5, 9]];
  const size = 7 * 5 * 9;
  const [x, row] = [region.put(noise(1, n, size).data), region.put(noise(2, 1, 9).data)];
  const layout = region.put(broadcastTable(shape, [shape, [1, 1, 9]], [true, false]));
  const runs: ((y: number) => void)[] = [
    ...Object.values(BROADCAST).map(
      (kind) => (y: number) => kernels.broadcastForward(kind, layout, n, x, row, y),
    ),
    ...[[0], [1], [2], [0, 1, 2]].flatMap((axes) => {
      const reduction = region.put(reductionTable(shape, new Set(axes)));
      return Object.values(REDUCE).map(
        (kind) => (y: number) => kernels.reduceForward(kind, reduction, n, x, y),
      );
    }),
    ...Object.values(UNARY).map((kind) => (y: number) => {
      kernels.unaryForward(kind, -0.5, 0.5, x, y, n * size);
      kernels.unaryBackward(kind, -0.5, 0.5, x, y, y, n * size);
    }),
    (y) => kernels.logSoftmaxForward(x, y, n * 35, 9),
    (y) => kernels.logSoftmaxBackward(x, x, y, n * 35, 9),
  ];
  const results = runs.map((run) => {
    const y = region.zeros(n * size);
    run(y);
    return heap.floats.slice(y >>> 2, (y >>> 2) + n * size);
  });
  region.release();
  return results;
}

/** Sizes of which images, rows or channels are the most, and none is a multiple of a cache line. */
export const MERGED: [images: number, rows: number, c: number][] = [
  [7, 3, 5],
  [1, 50, 3],
  [2, 3, 77],
  [1, 90, 1],
  [40, 1, 1],
];

/** Runs the kernels that merge images with rows, resize them and move their gradients. */
export function merges({ runtime }: Engine, [images, rows, c]: (typeof MERGED)[number]): Float32Array[] {
  const { kernels, heap } = runtime;
  const region = new Region(heap, "merges");
  const size = images * rows * c;
  const results: Float32Array[] = [];
  /** The results of a call that writes `n` elements. */
  const collect = (n: number, run: (y: number) => void): void => {
    const y = region.zeros(n);
    run(y);
    results.push(heap.floats.slice(y >>> 2, (y >>> 2) + n));
  };
  const put = (seed: number, n: number): number => region.put(noise(seed, n).data);
  const [x, dy, s] = [put(1, size), put(2, size), put(3, images * c)];
  collect(size, (y) => kernels.addRowsForward(images, rows, c, x, s, y));
  collect(size, (y) => kernels.multiplyRowsForward(images, rows, c, x, s, y));
  collect(images * c, (y) => kernels.addRowsBackward(images, rows, c, dy, y));
  collect(images * c, (y) => kernels.multiplyRowsBackward(images, rows, c, dy, x, y));
  collect(size, (y) => kernels.preluForward(images * rows, c, x, s, y));
  collect(size, (y) => kernels.preluBackpropInput(images * rows, c, x, s, dy, y));
  collect(c, (y) => kernels.preluBackpropAlpha(images * rows, c, x, dy, y));
  collect(size, (y) => kernels.subtractForward(x, dy, y, size));
  collect(size, (y) => kernels.maximumForward(x, dy, y, size));
  collect(size, (y) => kernels.scaleForward(0.3, x, y, size));
  const [h, oh] = [rows, 2 * rows];
  const down = region.put(resizeTable(h, oh, (i) => i / 2));
  const across = region.put(resizeTable(1, 2, () => 0));
  collect(4 * size, (y) => kernels.resizeForward(down, across, images, h, 1, c, oh, 2, x, y));
  collect(size, (y) => kernels.resizeBackward(down, across, images, h, 1, c, h, 1, dy, y));
  const table = tapsOf(
    {
      from: rows,
      indices: Array.from({ length: oh }, (_, i) => (i === 1 ? -1 : 0)),
      blends: Array.from({ length: oh }, (_, i) => [
        [i >> 1, 0.7],
        [rows - 1 - (i >> 1), 0.4],
      ]),
      fill: 3,
    },
    true,
  );
  const taps = region.put(table);
  collect(2 * size, (y) => kernels.tapsForward(taps, images, rows, oh, c, x, y));
  const doubled = put(6, 2 * size);
  collect(size, (y) => kernels.tapsBackward(taps, images, rows, oh, c, doubled, y));
  const [largest, left] = [put(4, size), put(5, size)];
  collect(size, (y) => kernels.maximumBackward(x, largest, left, y, size));
  results.push(heap.floats.slice(left >>> 2, (left >>> 2) + size));
  region.release();
  return results;
}

/** Cuts of `x[images, rows, c]` into groups: fewer and more than threads, within cache lines and across. */
const CUTS = [
  [1, 30, 70, 70],
  [3, 7, 33, 33],
  [4, 5, 48, 4],
  [2, 6, 100, 2],
  [9, 1, 21, 1],
  [7, 4, 33, 33],
  [11, 3, 20, 1],
] as const;

/** All passes of a normalization. */
export function normalizations(engine: Engine): Float32Array[] {
  const { kernels, heap } = engine.runtime;
  return CUTS.flatMap(([images, rows, c, groups]) => {
    const size = images * rows * c;
    const region = new Region(heap, "test");
    const put = (data: Float32Array): number => {
      const pointer = region.allocate(data.length);
      heap.floats.set(data, pointer >>> 2);
      return pointer;
    };
    const [x, dy] = [put(noise(1, size).data), put(noise(2, size).data)];
    const [gamma, beta] = [put(noise(3, c).data), put(noise(4, c).data)];
    const sizes = [images * groups, images * groups, size, size, c, c];
    const outputs = sizes.map((n) => put(new Float32Array(n)));
    const [mean, variance, y, dx, dgamma, dbeta] = outputs as [
      number,
      number,
      number,
      number,
      number,
      number,
    ];
    const space = region.allocate(kernels.normalizeWorkspace(c));
    kernels.normalizeStatistics(images, rows, c, groups, x, mean, variance, space);
    const cut = [images, rows, c, groups] as const;
    kernels.normalizeForward(...cut, x, mean, variance, 0.001, gamma, beta, y, space);
    const read = [x, dy, mean, variance, 0.001, gamma] as const;
    kernels.normalizeBackward(...cut, ...read, false, dx, dgamma, dbeta, space);
    const found = outputs.map((pointer, i) => heap.floats.slice(pointer >>> 2, (pointer >>> 2) + sizes[i]!));
    region.release();
    return found;
  });
}
