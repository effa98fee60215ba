import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { layers, load, model, type Engine, type Layer } from "../../src/index.ts";
import type { SymbolicTensor } from "../../src/layers/contract.ts";
import { fuse, separate } from "../../src/graph/fusion.ts";
import { aliasValues } from "../../src/graph/aliasing.ts";
import { bitsOf } from "../support/float.ts";
import { CHANNELS, image, relu, run, SIZE, unfused } from "../support/fusion.ts";
import { noise } from "../support/model.ts";

let engine: Engine;

beforeAll(async () => {
  engine = await load();
});

afterAll(() => engine.dispose());

/** The layers whose outputs lie where an input of theirs was, in inference. */
function inPlace(x: SymbolicTensor, outputs: SymbolicTensor | SymbolicTensor[]): string[] {
  const graph = model({ inputs: x, outputs })["graph"];
  const steps = fuse(graph);
  const aliases = aliasValues(graph, steps, false);
  return steps.filter(({ output }) => aliases[output] !== output).map(({ node }) => node.layer.type);
}

describe("what is written over its input", () => {
  const pool = (): Layer => layers.maxPooling2d({ poolSize: 1 });
  const cases: [string, (x: SymbolicTensor) => SymbolicTensor | SymbolicTensor[], string[]][] = [
    ["an activation", (x) => relu().apply(pool().apply(x)), ["activation"]],
    [
      "batch normalization",
      (x) => layers.batchNormalization().apply(pool().apply(x)),
      ["batchNormalization"],
    ],
    ["a sum, over its second operand", (x) => layers.add().apply([x, pool().apply(x)]), ["add"]],
    [
      "an activation of a view",
      (x) => relu().apply(layers.flatten().apply(pool().apply(x))),
      ["flatten", "activation"],
    ],
    ["never the caller's input", (x) => relu().apply(x), []],
    ["never a view of the caller's input", (x) => relu().apply(layers.flatten().apply(x)), ["flatten"]],
    [
      "never what is read later",
      (x) => {
        const a = pool().apply(x);
        return layers.concatenate().apply([relu().apply(a), a]);
      },
      [],
    ],
    [
      "never what is read later under another shape",
      (x) => {
        const a = pool().apply(x);
        const flat = layers.flatten().apply(a);
        const b = layers.flatten().apply(relu().apply(a));
        return layers.concatenate().apply([b, flat]);
      },
      ["flatten", "flatten"],
    ],
    [
      "never what the model returns",
      (x) => {
        const a = pool().apply(x);
        return [a, relu().apply(a)];
      },
      [],
    ],
    [
      "a sum of three, over its second operand when the first is read again",
      (x) => {
        const [a, b] = [pool().apply(x), pool().apply(x)];
        return layers.add().apply([a, b, a]);
      },
      ["add"],
    ],
  ];
  it.each(cases)("%s", (_name, draw, expected) => {
    const x = image();
    expect(inPlace(x, draw(x))).toEqual(expected);
  });

  it("nothing in training but views", () => {
    const x = image();
    const graph = model({ inputs: x, outputs: relu().apply(pool().apply(x)) })["graph"];
    expect(aliasValues(graph, separate(graph), true)).toEqual([0, 1, 2]);
  });

  /** The operands, made of two values, and which of the two each one is. */
  const merges: [string, (a: SymbolicTensor, b: SymbolicTensor) => SymbolicTensor[], number[]][] = [
    ["a, b, a", (a, b) => [a, b, a], [0, 1, 0]],
    ["a, b, b", (a, b) => [a, b, b], [0, 1, 1]],
    ["a, a, b", (a, b) => [a, a, b], [0, 0, 1]],
    ["a, a, a", (a) => [a, a, a], [0, 0, 0]],
    ["a, b, a, b", (a, b) => [a, b, a, b], [0, 1, 0, 1]],
    ["a, b, dropout(a)", (a, b) => [a, b, layers.dropout({ rate: 0.5 }).apply(a)], [0, 1, 0]],
    ["a, b, reshape(b)", (a, b) => [a, b, layers.reshape({ targetShape: a.shape }).apply(b)], [0, 1, 1]],
  ];
  it.each(merges)("never what add and multiply read again: %s", (_name, operands, which) => {
    for (const freeA of [true, false]) {
      for (const [merge, of] of [
        [layers.add(), (u: number, v: number) => u + v],
        [layers.multiply(), (u: number, v: number) => u * v],
      ] as const) {
        const x = image();
        const a = relu().apply(x);
        const b = layers.activation({ activation: { leakyRelu: 2 } }).apply(x);
        const y = merge.apply(operands(a, b));
        const net = model({ inputs: x, outputs: freeA ? y : [a, y] });
        const { data } = noise(3, 2, SIZE, SIZE, CHANNELS);
        const values = [data.map((v) => Math.max(v, 0)), data.map((v) => (v > 0 ? v : 2 * v))];
        const expected = data.map((_, i) =>
          which.map((from) => values[from]![i]!).reduce((u, v) => Math.fround(of(u, v))),
        );
        expect(bitsOf(run(net, 2, engine))).toEqual(bitsOf(expected));
      }
    }
  });

  it("gives the same bits as on buffers of their own", () => {
    const x = image();
    const a = pool().apply(x);
    const b = layers.activation({ activation: "tanh" }).apply(a);
    const c = layers.multiply().apply([b, x]);
    const d = layers.layerNormalization().apply(layers.add().apply([c, b, x]));
    const fused = model({ inputs: x, outputs: d });
    expect(inPlace(x, d)).toEqual(["activation", "add", "layerNormalization"]);
    const expected = run(unfused(x, [a, b, c, d], fused), 2, engine);
    expect(bitsOf(run(fused, 2, engine))).toEqual(bitsOf(expected));
  });
});
