/** Threads and relaxed math: what a host has of them, and that threads change no bit. */
import { tensor, type Engine } from "im2row";
import relaxed from "im2row/relaxed";
import type { Case, Context } from "./case.ts";
import { holds, sameBits } from "./expect.ts";
import { sized, tensorsOf, type Sized } from "./sized.ts";
import { noise } from "../support/model.ts";

/** Large enough that threads share them. */
const SHAPES: Record<string, Sized> = {
  "Winograd's algorithm": sized([2, 31, 30, 17], [3, 3, 24], { padding: "same" }),
  im2row: sized([1, 33, 33, 16], [5, 5, 21], { strides: 2 }),
  "a group a channel": sized([1, 60, 61, 70], [3, 3, 70], { groups: 70, padding: "same" }),
};

function convolve(engine: Engine, { conv, options }: Sized): Float32Array[] {
  const { x, filter, bias, dy } = tensorsOf(conv, 7);
  return [
    engine.conv2d(x, filter, { ...options, bias, activation: "relu" }),
    engine.conv2dBackpropFilter(x, dy, filter.shape, options),
    engine.conv2dBackpropInput(dy, filter, x.shape, options),
  ].map(({ data }) => data);
}

/** The threads of this host: `2`, or `1: why`. */
export async function describeThreads({ load }: Pick<Context, "load">): Promise<string> {
  const engine = await load({ threads: 2 });
  const { threads, threadsUnavailable } = engine;
  engine.dispose();
  return threadsUnavailable === undefined ? String(threads) : `${threads}: ${threadsUnavailable}`;
}

async function expectSameBits({ engine: one, load }: Context): Promise<void> {
  const engine = await load({ threads: 2 });
  const { threads, threadsUnavailable } = engine;
  holds(
    "threads",
    threads === 2 ? threadsUnavailable === undefined : threads === 1 && Boolean(threadsUnavailable),
    "two, or one and the reason",
    `${threads}, ${String(threadsUnavailable)}`,
  );
  for (const [name, shape] of Object.entries(SHAPES)) {
    const expected = convolve(one, shape);
    convolve(engine, shape).forEach((actual, i) => sameBits(`${name}, pass ${i}`, actual, expected[i]!));
  }
  const [a, b] = [noise(1, 130, 140), noise(2, 140, 150)];
  sameBits("matMul", engine.matMul(a, b).data, one.matMul(a, b).data);
  const x = tensor(noise(3, 700_000).data, [700_000]);
  sameBits("tanh", engine.activation(x, "tanh").data, one.activation(x, "tanh").data);
  engine.dispose();
}

async function expectRelaxed({ engine: exact, load }: Context): Promise<void> {
  const engine = await load({ math: relaxed });
  const { math, mathUnavailable } = engine;
  holds(
    "math",
    math === "relaxed" ? mathUnavailable === undefined : math === "exact" && Boolean(mathUnavailable),
    "relaxed, or exact and the reason",
    `${math}, ${String(mathUnavailable)}`,
  );
  const [a, b] = [noise(1, 30, 40), noise(2, 40, 50)];
  const expected = exact.matMul(a, b).data;
  const apart = engine.matMul(a, b).data.map((value, i) => Math.abs(value - expected[i]!));
  // 40 products below 1, each rounded once or twice on its way into the sum.
  const bound = 40 * 40 * 2 ** -24;
  const most = apart.reduce((worst, value) => Math.max(worst, value));
  holds("matMul", most <= bound, `at most ${bound} apart`, most);
  engine.dispose();
}

export const threadCases: readonly Case[] = [
  { name: "threads: two give the bits of one, or the engine says why there is one", run: expectSameBits },
  { name: "math: relaxed is near exact, or the engine says why it is exact", run: expectRelaxed },
];
