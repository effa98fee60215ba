/** Threads: the same bits at any number of them, and what becomes of the engine when one is lost. */
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import workerThreads, { type Worker } from "node:worker_threads";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { input, layers, load, model, tensor, type Engine } from "../../src/index.ts";
import { Region } from "../../src/engine/region.ts";
import { resizeTable } from "../../src/engine/resize.ts";
import { tuning } from "../../src/engine/threads/start.ts";
import { broadcastTable, reductionTable } from "../../src/formats/onnx/layers/strides.ts";
import { operatorsDigest, weightsDigest } from "../conformance/digests.ts";
import golden from "../conformance/digests.json" with { type: "json" };
import { sized, tensorsOf, type Sized } from "../conformance/sized.ts";
import { expectSameBits } from "../support/float.ts";
import { noise } from "../support/model.ts";

const worth = tuning.worth;

beforeAll(() => {
  // Everything that can be split is, however small.
  tuning.worth = 0;
});

afterAll(() => {
  tuning.worth = worth;
});

/** Runs `body` on an engine of so many threads. */
async function withThreads(threads: number, body: (engine: Engine) => void): Promise<void> {
  const engine = await load({ threads });
  try {
    expect(engine.threadsUnavailable).toBeUndefined();
    expect(engine.threads).toBe(threads);
    body(engine);
  } finally {
    engine.dispose();
  }
}

/** Shapes whose rows, columns, images, channels and filters are more and fewer than threads, whole tiles and not. */
const SHAPES: Record<string, Sized> = {
  "more images than threads": sized([7, 9, 8, 5], [3, 3, 6], { padding: "same" }),
  "one image of many rows": sized([1, 50, 7, 3], [3, 2, 5], { padding: "same" }),
  "one image of few rows and many filters": sized([1, 5, 7, 6], [3, 3, 60]),
  "fewer images than threads": sized([2, 40, 5, 4], [5, 5, 7], { strides: 2 }),
  "one row": sized([1, 1, 20, 4], [1, 3, 9]),
  groups: sized([1, 8, 8, 12], [3, 3, 48], { groups: 2, padding: "same", dilationRate: 2 }),
  "a group a channel": sized([2, 9, 11, 37], [3, 3, 37], { groups: 37, padding: "same" }),
  "a group a channel, strides": sized([3, 9, 11, 6], [3, 3, 6], { groups: 6, strides: 2 }),
  "winograd, few tiles": sized([1, 7, 7, 40], [3, 3, 70], { padding: "same" }),
  "winograd, many tiles": sized([2, 41, 38, 9], [3, 3, 19], { padding: "same" }),
  pointwise: sized([1, 13, 13, 24], [1, 1, 33]),
  "one channel": sized([1, 45, 21, 1], [5, 5, 6], { padding: "same" }),
};

function allPasses(engine: Engine, { conv, options }: Sized): Float32Array[] {
  const { x, filter, bias, dy } = tensorsOf(conv, 3);
  const own = conv.groups > 1 && conv.groups === conv.g.c;
  const routes = own ? (["auto"] as const) : (["auto", "col2im", "flipped"] as const);
  return [
    engine.conv2d(x, filter, { ...options, bias, activation: "relu" }),
    engine.conv2d(x, filter, { ...options, bias, activation: "tanh" }),
    engine.conv2dBackpropFilter(x, dy, filter.shape, options),
    ...routes.map((algorithm) => engine.conv2dBackpropInput(dy, filter, x.shape, { ...options, algorithm })),
  ].map(({ data }) => data);
}

function products(engine: Engine): Float32Array[] {
  const sizes = [
    [1, 70, 30],
    [3, 3, 9],
    [64, 5, 300],
    [5, 64, 7],
    [70, 71, 260],
  ] as const;
  return sizes.flatMap(([m, n, k]) =>
    [false, true].flatMap((transposeA) =>
      [false, true].map((transposeB) => {
        const a = transposeA ? noise(1, k, m) : noise(1, m, k);
        const b = transposeB ? noise(2, n, k) : noise(2, k, n);
        return engine.matMul(a, b, { transposeA, transposeB, bias: noise(3, n), activation: "relu" }).data;
      }),
    ),
  );
}

/** Transpositions whose longest axis is rows, columns, images or what lies between. */
function transpositions(engine: Engine): Float32Array[] {
  const cases = [
    [
      [3, 50],
      [1, 0],
    ],
    [
      [50, 3],
      [1, 0],
    ],
    [
      [37, 41],
      [1, 0],
    ],
    [
      [2, 33, 5],
      [1, 0, 2],
    ],
    [
      [40, 3, 2, 5],
      [0, 3, 1, 2],
    ],
    [
      [2, 3, 40],
      [1, 0, 2],
    ],
    [
      [40, 30, 20],
      [2, 1, 0],
    ],
  ] as const;
  return cases.map(([shape, perm]) => engine.transpose(noise(1, ...shape), perm).data);
}

/** The kernels behind ONNX's operators, which no operator of the engine's calls. */
function strided({ runtime }: Engine): Float32Array[] {
  const { kernels, heap } = runtime;
  const region = new Region(heap, "test");
  const [n, shape] = [3, [7, 5, 9]];
  const size = 7 * 5 * 9;
  const [x, row] = [region.put(noise(1, n, size).data), region.put(noise(2, 1, 9).data)];
  const layout = region.put(broadcastTable(shape, [shape, [1, 1, 9]], [true, false]));
  const runs: ((y: number) => void)[] = [
    ...[0, 1, 2, 3, 4, 5, 6, 7].map(
      (kind) => (y: number) => kernels.broadcastForward(kind, layout, n, x, row, y),
    ),
    ...[[0], [1], [2], [0, 1, 2]].flatMap((axes) => {
      const reduction = region.put(reductionTable(shape, new Set(axes)));
      return [0, 1, 2, 3].map((kind) => (y: number) => kernels.reduceForward(kind, reduction, n, x, y));
    }),
    ...Array.from({ length: 15 }, (_, kind) => (y: number) => {
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
const MERGED: [images: number, rows: number, c: number][] = [
  [7, 3, 5],
  [1, 50, 3],
  [2, 3, 77],
  [1, 90, 1],
  [40, 1, 1],
];

/** What merges images with rows, resizes them and moves their gradients, run on the memory itself. */
function merges({ runtime }: Engine, [images, rows, c]: (typeof MERGED)[number]): Float32Array[] {
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
  const [largest, left] = [put(4, size), put(5, size)];
  collect(size, (y) => kernels.maximumBackward(x, largest, left, y, size));
  results.push(heap.floats.slice(left >>> 2, (left >>> 2) + size));
  region.release();
  return results;
}

/** The value, with one NaN for all: its bits are left open. */
const number = (value: number): number => (Number.isNaN(value) ? Infinity : value);

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

/** All passes of a normalization, by the kernels. */
function normalizations(engine: Engine): Float32Array[] {
  const { kernels, heap } = engine.runtime;
  return CUTS.flatMap(([images, rows, c, groups]) => {
    const size = images * rows * c;
    const region = new Region(heap, "test");
    const put = (data: Float32Array): number => {
      const pointer = region.room(data.length);
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
    const space = region.room(kernels.normalizeWorkspace(c));
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

/** The output of a net whose inference is one pass: a convolution, its normalization, a sum and an activation. */
function fusedPass(engine: Engine): Float32Array {
  const x = input({ shape: [12, 11, 8] });
  const y = layers.conv2d({ filters: 8, kernelSize: 3, padding: "same" }).apply(x);
  const sum = layers.add().apply([layers.batchNormalization().apply(y), x]);
  const net = model({ inputs: x, outputs: layers.activation({ activation: "silu" }).apply(sum), seed: 3 });
  net.compile({ engine });
  return net.predict(noise(5, 3, 12, 11, 8)).data;
}

/** Large enough to be split. */
const large = noise(1, 1_000_000);

/** An engine of two threads, and its worker. */
async function loadWithWorker(): Promise<{ engine: Engine; worker: Worker }> {
  const { Worker: original } = workerThreads;
  const workers: Worker[] = [];
  workerThreads.Worker = class extends original {
    constructor(...args: ConstructorParameters<typeof Worker>) {
      super(...args);
      workers.push(this);
    }
  };
  try {
    const engine = await load({ threads: 2 });
    expect(workers).toHaveLength(1);
    return { engine, worker: workers[0]! };
  } finally {
    workerThreads.Worker = original;
  }
}

describe.each([2, 3, 5])("%i threads", (threads) => {
  it("give the golden digests", async () => {
    await withThreads(threads, (engine) => {
      expect(operatorsDigest(engine)).toBe(golden.operators);
      expect(weightsDigest(engine)).toBe(golden.weights);
    });
  });

  it.each(MERGED)("give the bits of one for what merges and resizes %i images of %i×%i", async (...cut) => {
    const one = await load();
    const expected = merges(one, cut);
    one.dispose();
    await withThreads(threads, (engine) =>
      merges(engine, cut).forEach((actual, i) => expectSameBits(actual, expected[i]!)),
    );
  });

  it("give the bits of one for transpositions", async () => {
    const one = await load();
    const expected = transpositions(one);
    one.dispose();
    await withThreads(threads, (engine) =>
      transpositions(engine).forEach((actual, i) => expectSameBits(actual, expected[i]!)),
    );
  });

  it("give the bits of one for broadcasts, reductions and functions of one element", async () => {
    const one = await load();
    const expected = strided(one);
    one.dispose();
    await withThreads(threads, (engine) =>
      strided(engine).forEach((actual, i) => expectSameBits(actual.map(number), expected[i]!.map(number))),
    );
  });

  it("give the bits of one for normalizations", async () => {
    const one = await load();
    const expected = normalizations(one);
    one.dispose();
    await withThreads(threads, (engine) => {
      normalizations(engine).forEach((actual, i) => expectSameBits(actual, expected[i]!));
    });
  });

  it("give the bits of one for convolutions and products of all shapes, and for passes that are fused", async () => {
    const one = await load();
    await withThreads(threads, (engine) => {
      for (const given of Object.values(SHAPES)) {
        const expected = allPasses(one, given);
        allPasses(engine, given).forEach((actual, i) => expectSameBits(actual, expected[i]!));
      }
      const expected = products(one);
      products(engine).forEach((actual, i) => expectSameBits(actual, expected[i]!));
      expectSameBits(fusedPass(engine), fusedPass(one));
    });
    one.dispose();
  });
});

describe("an engine with threads", () => {
  it("has one memory that grows", async () => {
    await withThreads(2, (engine) => {
      const before = engine.memory.bytes;
      const big = tensor(new Float32Array(4_000_000).fill(-1), [4_000_000]);
      expect(engine.activation(big, "relu").data.every((value) => value === 0)).toBe(true);
      expect(engine.memory.bytes).toBeGreaterThan(before);
    });
  });

  it("refuses clearly after a kernel failed on a thread", async () => {
    const engine = await load({ threads: 2 });
    const { kernels } = engine.runtime;
    // Far outside of the memory: every share traps.
    expect(() => kernels.activationForward(1, 0, 2 ** 31, 2 ** 31, 1000)).toThrow(
      /engine: expected all of its threads alive, got a failure \(activationForward failed.*; load a new engine/,
    );
    expect(() => engine.activation(tensor([1], [1]), "relu")).toThrow("load a new engine");
    engine.dispose();
  });

  it("ends a call whose worker was killed, and refuses the next", async () => {
    const { engine, worker } = await loadWithWorker();
    void worker.terminate();
    // Without a pause, so that nobody hears of the end but the call that waits for the worker.
    const work = (): void => {
      for (let i = 0; i < 1000; i++) engine.activation(large, "relu");
    };
    expect(work).toThrow(/activationForward: no end of a worker's share after \d+ ms.*; load a new engine/);
    expect(() => engine.activation(tensor([1], [1]), "relu")).toThrow("load a new engine");
    engine.dispose();
  }, 30_000);

  it("refuses when a worker was killed between two calls", async () => {
    const { engine, worker } = await loadWithWorker();
    engine.activation(large, "relu");
    await worker.terminate();
    expect(() => engine.activation(large, "relu")).toThrow(/worker 1: exit code 1.*; load a new engine/);
    engine.dispose();
  });

  it("lives a hundred times without leaving threads behind", async () => {
    for (let i = 0; i < 100; i++) await withThreads(2, (engine) => engine.activation(noise(1, 9), "relu"));
  }, 60_000);

  it.each([
    [0, "load: threads: expected an integer from 1 to 64"],
    [65, "load: threads: expected an integer from 1 to 64"],
    ["many", "load: threads: expected an integer from 1 to 64"],
  ])("refuses %o threads", async (threads, message) => {
    await expect(load({ threads: threads as number })).rejects.toThrow(message);
  });

  it("says that a module without threads has none", async () => {
    const { default: exact } = await import("../../build/wasm.js");
    const engine = await load({ module: exact(), threads: 2 });
    expect(engine.threads).toBe(1);
    expect(engine.threadsUnavailable).toBe("the module given is im2row.wasm, not im2row.threads.wasm");
    engine.dispose();
  });

  it("does not keep a process alive", () => {
    const program = `
      import { load, tensor } from ${JSON.stringify(new URL("../../dist/index.js", import.meta.url).href)};
      const engine = await load({ threads: 2 });
      const x = tensor(new Float32Array(1e6).fill(2), [1e6]);
      console.log(engine.threads, engine.threadsUnavailable, engine.activation(x, "relu").data[999999]);`;
    const cwd = fileURLToPath(new URL("../..", import.meta.url));
    const { stdout, stderr, status } = spawnSync(
      process.execPath,
      ["--input-type=module", "--eval", program],
      { cwd, encoding: "utf8", timeout: 20_000 },
    );
    expect({ stdout, stderr, status }).toEqual({ stdout: "2 undefined 2\n", stderr: "", status: 0 });
  });
});

describe("relaxed math", () => {
  it("runs where a probe passes, or says why not", async () => {
    const engine = await load({ math: "relaxed" });
    if (engine.math === "exact") expect(engine.mathUnavailable).toMatch(/\w/);
    else expect(engine.mathUnavailable).toBeUndefined();
    const { data } = engine.matMul(noise(1, 30, 40), noise(2, 40, 50));
    const exact = await load();
    const expected = exact.matMul(noise(1, 30, 40), noise(2, 40, 50)).data;
    data.forEach((value, i) => expect(Math.abs(value - expected[i]!)).toBeLessThan(1e-5));
    engine.dispose();
    exact.dispose();
  });
});
