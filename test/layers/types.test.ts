/** Layers read floats, except those that move numbers of any type; others refuse integers by their name. */
import { describe, expect, it } from "vitest";
import {
  defineLayer,
  input,
  layers,
  model,
  OptionError,
  sequential,
  type Layer,
  type SymbolicTensor,
} from "../../src/index.ts";

const x = input({ shape: [2, 3] });
const integers = (): SymbolicTensor =>
  layers.constant({ shape: [2, 3], integers: [1, 2, 3, 4, 5, 6] }).apply(x);

const copy = defineLayer({ type: "copy", forward: (pass) => pass.y.set(pass.x) });

describe("integers are", () => {
  it.each<[string, () => Layer, (() => SymbolicTensor)[]]>([
    ["dense", () => layers.dense({ units: 2 }), [integers]],
    ["unary", () => layers.unary({ kind: "neg" }), [integers]],
    ["reduce", () => layers.reduce({ kind: "sum", axes: [1] }), [integers]],
    ["add", () => layers.add(), [() => x, integers]],
    ["broadcast", () => layers.broadcast({ kind: "mul" }), [integers, integers]],
    ["concatenate", () => layers.concatenate(), [() => x, integers]],
    ["where", () => layers.where(), [integers, () => x, integers]],
    ["take", () => layers.take({ axis: 1, indices: [-1, 0], fill: 0.5 }), [integers]],
    ["take", () => layers.take({ axis: 1, indices: [0], blends: [[[0, 2]]] }), [integers]],
    ["copy", () => copy(), [integers]],
  ])("refused by %s", (type, layer, values) => {
    const call = (): unknown => layer().apply(values.map((value) => value()));
    expect(call).toThrow(OptionError);
    expect(call).toThrow(`${type}: expected inputs of float32, got int32`);
  });

  it.each<[string, Layer, number]>([
    ["flatten", layers.flatten(), 1],
    ["reshape", layers.reshape({ targetShape: [3, 2] }), 1],
    ["permute", layers.permute({ dims: [2, 1] }), 1],
    ["take", layers.take({ axis: 1, indices: [0] }), 1],
    ["concatenate", layers.concatenate(), 2],
    ["where", layers.where(), 3],
  ])("moved by %s", (_, layer, count) => {
    expect(layer.apply(Array.from({ length: count }, integers)).dtype).toBe("int32");
  });

  it("no output of a model, whose outputs are floats", () => {
    const message = "model: outputs: expected values of float32, got int32 of constant";
    expect(() => model({ inputs: x, outputs: integers() })).toThrow(new OptionError(message));
    const layer = layers.constant({ shape: [1], integers: [1] });
    expect(() => sequential({ inputShape: [2], layers: [layer] })).toThrow(new OptionError(message));
  });
});
