/** Threads share outputs: what one instance after the other writes as each of the threads. */
import { describe, expect, it } from "vitest";
import exact from "../../build/wasm.js";
import type { Kernels } from "../../src/kernels/kernels.ts";
import { onSharedMemory } from "../../src/runtime/threads/sharedMemory.ts";
import { random } from "../support/random.ts";

const PAGES = 128;
const FLOATS = (PAGES * 65536) / 4;
/** Memory that nobody wrote holds this large float32. */
const UNTOUCHED = 0x5eadbeef;

const memory = new WebAssembly.Memory({ initial: PAGES, maximum: 65536, shared: true });
const module = new WebAssembly.Module(onSharedMemory(exact()) as BufferSource);
const instance = new WebAssembly.Instance(module, { env: { memory } });
const kernels = instance.exports as unknown as Kernels;
const [floats, ints] = [new Float32Array(memory.buffer), new Int32Array(memory.buffer)];

let top = 0;

function alloc(n: number): number {
  const p = top;
  top += Math.ceil(n / 16) * 64;
  if (top > FLOATS * 4) throw new RangeError(`${n} elements do not fit into memory`);
  return p;
}

function put(data: Float32Array | Int32Array): number {
  const p = alloc(data.length);
  (data instanceof Int32Array ? ints : floats).set(data, p >>> 2);
  return p;
}

/** A call that writes to `places`, `[pointer, elements]`. */
interface Call {
  readonly places: readonly (readonly [number, number])[];
  run(): void;
}

interface Case {
  readonly name: string;
  /** The number of threads that have something to do. */
  readonly busy: number;
  prepare(): Call;
}

const SHARES = 8;

function normalized(images: number, rows: number, c: number, groups: number, inPlace = false): Call {
  const size = images * rows * c;
  const x = put(random(1).uniform(size));
  const dx = put(random(2).uniform(size));
  const dy = inPlace ? dx : put(random(2).uniform(size));
  const [mean, variance] = [put(random(3).uniform(images * groups)), alloc(images * groups)];
  floats.fill(1, variance >>> 2, (variance >>> 2) + images * groups);
  const [y, dgamma, dbeta, m, v] = [size, c, c, images * groups, images * groups].map(alloc) as [
    number,
    number,
    number,
    number,
    number,
  ];
  const space = alloc(kernels.normalizeWorkspace(c));
  const cut = [images, rows, c, groups] as const;
  return {
    places: [
      ...[y, ...(inPlace ? [] : [dx])].map((p) => [p, size] as const),
      ...[dgamma, dbeta].map((p) => [p, c] as const),
      ...[m, v].map((p) => [p, images * groups] as const),
    ],
    run() {
      kernels.normalizeStatistics(...cut, x, m, v, space);
      kernels.normalizeForward(...cut, x, mean, variance, 0.1, 0, 0, y, space);
      kernels.normalizeBackward(...cut, x, dy, mean, variance, 0.1, 0, false, dx, dgamma, dbeta, space);
    },
  };
}

const CASES: readonly Case[] = [
  {
    name: "a transposition of fewer lines than threads",
    busy: 4,
    prepare() {
      const [x, y] = [put(random(1).uniform(64 ** 3)), alloc(64 ** 3)];
      const axes = put(Int32Array.of(64, 1, 64, 64, 64, 4096));
      return { places: [[y, 64 ** 3]], run: () => kernels.transpose(3, axes, 1, 0, x, y) };
    },
  },
  {
    name: "a copy of one row",
    busy: SHARES,
    prepare() {
      const [x, y] = [put(random(1).uniform(1000)), alloc(1000)];
      return { places: [[y, 1000]], run: () => kernels.copyRows(1, 1000, x, 2000, y, 3000) };
    },
  },
  {
    name: "a copy of rows side by side",
    busy: SHARES,
    prepare() {
      const [x, y] = [put(random(1).uniform(1000)), alloc(1000)];
      return { places: [[y, 1000]], run: () => kernels.copyRows(2, 500, x, 500, y, 500) };
    },
  },
  { name: "a normalization of layers", busy: SHARES, prepare: () => normalized(20, 1, 37, 1) },
  { name: "a normalization of one group", busy: SHARES, prepare: () => normalized(9, 5, 12, 1) },
  { name: "a normalization of instances", busy: SHARES, prepare: () => normalized(9, 5, 33, 33) },
  { name: "a normalization of a batch", busy: SHARES, prepare: () => normalized(1, 5, 200, 200) },
  {
    name: "images moved at random",
    busy: SHARES,
    prepare() {
      const [ranges, indices] = [put(Float32Array.of(-0.5, 0.5, -0.5, 0.5, 0)), put(Int32Array.of(3, 4, 5))];
      const [x, y] = [put(random(1).uniform(3 * 7 * 5 * 2)), alloc(3 * 6 * 4 * 2)];
      const run = (): void =>
        kernels.randomTransform(1, true, 2, ranges, x, y, 3, 7, 5, 2, 6, 4, 1, 2, 3, 4, indices);
      return { places: [[y, 3 * 6 * 4 * 2]], run };
    },
  },
  {
    name: "images of other contrast",
    busy: 5,
    prepare() {
      const indices = put(Int32Array.of(3, 4, 5, 6, 7));
      const [x, y] = [put(random(1).uniform(5 * 12)), alloc(5 * 12)];
      const run = (): void => kernels.randomColor(true, -0.5, 0.5, 0, 1, x, y, 5, 6, 2, 1, 2, 3, 4, indices);
      return { places: [[y, 5 * 12]], run };
    },
  },
  {
    name: "floats on another scale",
    busy: SHARES,
    prepare() {
      const [x, y] = [put(random(1).uniform(1000)), alloc(1000)];
      return { places: [[y, 1000]], run: () => kernels.rescaleForward(2, 1, x, y, 1000) };
    },
  },
  {
    name: "rows over their norms, and the gradient of that",
    busy: SHARES,
    prepare() {
      const [x, dy, y, dx] = [
        put(random(1).uniform(300)),
        put(random(2).uniform(300)),
        alloc(300),
        alloc(300),
      ];
      return {
        places: [
          [y, 300],
          [dx, 300],
        ],
        run() {
          kernels.unitNormalizeForward(20, 15, x, y);
          kernels.unitNormalizeBackward(20, 15, x, dy, dx);
        },
      };
    },
  },
  {
    name: "a normalization of layers in place",
    busy: SHARES,
    prepare: () => normalized(20, 1, 37, 1, true),
  },
];

describe.each(CASES)("$name", ({ busy, prepare }) => {
  it("has each output written by one thread", () => {
    top = Math.ceil(kernels.heapBase() / 64) * 64;
    kernels.joinThreads(0, SHARES);
    const { places, run } = prepare();
    const writers = places.map(([, n]) => new Int32Array(n));
    const workers = new Set<number>();
    for (let share = 0; share < SHARES; share++) {
      for (const [p, n] of places) ints.fill(UNTOUCHED, p >>> 2, (p >>> 2) + n);
      kernels.joinThreads(share, SHARES);
      run();
      places.forEach(([p], k) => {
        const count = writers[k]!;
        for (let i = 0; i < count.length; i++) {
          if (ints[(p >>> 2) + i] === UNTOUCHED) continue;
          count[i]!++;
          workers.add(share);
        }
      });
    }
    for (const count of writers) expect(count.every((times) => times === 1)).toBe(true);
    expect(workers.size).toBe(busy);
  });
});
