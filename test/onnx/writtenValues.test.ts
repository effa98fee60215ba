/** Files that models write give infinities, NaN and zeros of either sign as the models do, here and in onnxruntime. */
import { input, layers, load, model, tensor, type Layer, type Tensor } from "im2row";
import { loadOnnx } from "im2row/onnx";
import { afterAll, describe, expect, it } from "vitest";
import { onnxruntimeIsAbsent, runOnnx } from "../support/onnxruntime.ts";

const engine = await load();
afterAll(() => engine.dispose());

const { NaN: nan, POSITIVE_INFINITY: inf } = Number;

type Case = readonly [what: string, layer: Layer, inputs: readonly number[][], output: readonly number[]];

const CASES: readonly Case[] = [
  [
    "a condition of −0 or NaN is true, as its bits are not those of 0",
    layers.where(),
    [
      [0, -0, nan, 1, -1],
      [1, 2, 3, 4, 5],
      [nan, -2, -3, inf, -5],
    ],
    [nan, 2, 3, 4, 5],
  ],
  ["copies beside infinities", layers.take({ axis: 1, indices: [2, -1, 0] }), [[inf, nan, 1]], [1, 0, inf]],
  [
    "a filling of −Infinity",
    layers.take({ axis: 1, indices: [-1, 1], fill: "-Infinity" }),
    [[1, 2]],
    [-inf, 2],
  ],
  ["a filling of NaN", layers.take({ axis: 1, indices: [-1, 1], fill: "NaN" }), [[1, 2]], [nan, 2]],
  ["a filling of −0", layers.take({ axis: 1, indices: [-1, 1], fill: -0 }), [[1, 2]], [-0, 2]],
  [
    "a filling of −0 behind the end",
    layers.take({ axis: 1, indices: [0, 1, -1], fill: -0 }),
    [[1, 2]],
    [1, 2, -0],
  ],
  [
    "a sum of fewer elements than another, and of none, which is the filling",
    layers.take({
      axis: 1,
      indices: [0, 1, -1, 2],
      blends: [
        [
          [1, 2],
          [2, 1],
        ],
        [[0, 1]],
        [],
        [],
      ],
      fill: 9,
    }),
    [[inf, 3, 1]],
    [7, inf, 9, 9],
  ],
  [
    "a bound of infinity",
    layers.unary({ kind: "clip", alpha: 0, beta: "Infinity" }),
    [[-1, 2, inf]],
    [0, 2, inf],
  ],
  [
    "exp of both infinities",
    layers.unary({ kind: "exponential", alpha: 2, beta: 3 }),
    [[-inf, inf, 0]],
    [-2, inf, 0],
  ],
];

const NETS = CASES.map(([what, layer, inputs, output]) => {
  const xs = inputs.map(({ length }, i) => input({ shape: [length], name: `x${i}` }));
  const net = model({ inputs: xs, outputs: layer.apply(xs) });
  const feeds = inputs.map((values, i) => [`x${i}`, tensor(values, [1, values.length])] as const);
  return { what, net, feeds: Object.fromEntries(feeds), output };
});

const onlyOutput = (outputs: Readonly<Record<string, unknown>>): number[] => [
  ...(Object.values(outputs)[0] as Tensor).data,
];

describe("a written file has", () => {
  it.each(NETS)("$what", async ({ net, feeds, output }) => {
    net.compile({ engine });
    expect(onlyOutput(net.predict(feeds))).toEqual(output);
    const again = await loadOnnx(net.toOnnx(), { engine });
    expect(onlyOutput(again.predict(feeds))).toEqual(output);
    again.dispose();
  });

  it.skipIf(onnxruntimeIsAbsent).each(NETS)("in onnxruntime, $what", async ({ net, feeds, output }) => {
    expect(onlyOutput(await runOnnx(net.toOnnx(), feeds))).toEqual(output);
  });
});
