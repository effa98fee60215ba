/** The same bits at any number of threads. */
import { describe, expect, it } from "vitest";
import { input, layers, load, model, type Engine } from "../../src/index.ts";
import golden from "../conformance/digests.json" with { type: "json" };
import { operatorsDigest } from "../conformance/operatorsDigest.ts";
import { sized, tensorsOf, type Sized } from "../conformance/sized.ts";
import { weightsDigest } from "../conformance/weightsDigest.ts";
import { constant } from "../support/constants.ts";
import { expectSameBits } from "../support/float.ts";
import { noise } from "../support/model.ts";
import { MERGED, merges, normalizations, strided } from "../support/splitKernels.ts";
import { splitEverything, withThreads } from "../support/threads.ts";

splitEverything();

const FEW_ROWS = constant("conv/correlate.ts", "FEW_ROWS");
const GATHER = constant("conv/filterGradient.ts", "GATHER");
/** Rows and columns of pixels of one image that have more tiles than `FEW` for each of three threads. */
const MANY = 4 * Math.ceil(Math.sqrt(3 * constant("conv/winograd/forward.ts", "FEW") + 1)) - 1;

/** Shapes whose rows, columns, images, channels and filters are more and fewer than threads, whole tiles and not. */
const SHAPES: Record<string, Sized> = {
  "more images than threads": sized([7, 9, 8, 5], [3, 3, 6], { padding: "same" }),
  "one image of many rows": sized([1, 3 * FEW_ROWS + 2, 7, 3], [3, 2, 5], { padding: "same" }),
  "one image of few rows and many filters": sized([1, 5, 7, 6], [3, 3, 60]),
  "fewer images than threads": sized([2, 40, 5, 4], [5, 5, 7], { strides: 2 }),
  "one row": sized([1, 1, 20, 4], [1, 3, 9]),
  groups: sized([1, 8, 8, 12], [3, 3, 48], { groups: 2, padding: "same", dilationRate: 2 }),
  "a group a channel": sized([2, 9, 11, 37], [3, 3, 37], { groups: 37, padding: "same" }),
  "a group a channel, strides": sized([3, 9, 11, 6], [3, 3, 6], { groups: 6, strides: 2 }),
  "winograd, few tiles": sized([1, 7, 7, 40], [3, 3, 70], { padding: "same" }),
  "winograd, many tiles": sized([2, MANY, MANY, 9], [3, 3, 19], { padding: "same" }),
  "elements that are gathered, with strides": sized([1, 9, 9, GATHER], [2, 2, GATHER], { strides: 2 }),
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

/** The output of a net whose inference is one pass: a convolution, its normalization, a sum and an activation. */
function fusedPass(engine: Engine): Float32Array {
  const x = input({ shape: [12, 11, 8] });
  const y = layers.conv2d({ filters: 8, kernelSize: 3, padding: "same" }).apply(x);
  const sum = layers.add().apply([layers.batchNormalization().apply(y), x]);
  const net = model({ inputs: x, outputs: layers.activation({ activation: "silu" }).apply(sum), seed: 3 });
  net.compile({ engine });
  return net.predict(noise(5, 3, 12, 11, 8)).data;
}

/** The value, with one NaN for all: its bits are left open. */
const number = (value: number): number => (Number.isNaN(value) ? Infinity : value);

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
