/** Shapes, names and seeds that a model cannot be built with: the place, the expected, the given. */
import { describe, expect, it } from "vitest";
import { layers, OptionError, sequential, ShapeError, type Layer, type Model } from "../../src/index.ts";
import { conv, type Any } from "../support/options.ts";

describe("a model refuses to be built with", () => {
  const build = (inputShape: readonly number[], ...list: Layer[]): Model =>
    sequential({ inputShape, layers: list });
  const filters = (kernelSize: number, more = {}): Layer => conv({ filters: 4, kernelSize, ...more });

  it.each(
    Object.entries<() => unknown>({
      "conv2d_1: height: expected an image of at least 9 with its padding, got 5 + 0 + 0": () =>
        build([7, 7, 3], filters(3), filters(9)),
      "wide: width: expected an image of at least 5 with its padding, got 4 + 0 + 0": () =>
        build([9, 4, 3], filters(3, { dilationRate: 2, name: "wide" })),
      "model: inputShape: expected a shape of positive integers, got [7,0,3]": () =>
        build([7, 0, 3], filters(3)),
      "model: inputShape: expected a shape of positive integers, got undefined": () =>
        build(undefined as Any, filters(3)),
    }),
  )("%s", (message, call) => {
    expect(call).toThrow(ShapeError);
    expect(call).toThrow(message);
  });

  it.each(
    Object.entries<() => unknown>({
      "sequential: layers: expected at least one layer, got []": () => build([7, 7, 3]),
      [`sequential: layers[1]: expected one of layers.*, got "relu"`]: () =>
        build([7, 7, 3], filters(3), "relu" as Any),
      [`conv2d: name: expected a name of its own, got "a" for the second time`]: () =>
        build([7, 7, 3], filters(3, { name: "a" }), filters(1, { name: "a" })),
      [`conv2d: name: expected letters, digits, "_" and "-", got "a.b"`]: () =>
        build([7, 7, 3], filters(3, { name: "a.b" })),
      [`conv2d: name: expected letters, digits, "_" and "-", got 5`]: () =>
        build([7, 7, 3], filters(3, { name: 5 })),
      "sequential: seed: expected an integer from 0 to 2^53 - 1, got -1": () =>
        sequential({ inputShape: [1], layers: [layers.flatten()], seed: -1 }),
      "sequential: seed: expected an integer from 0 to 2^53 - 1, got 0.5": () =>
        sequential({ inputShape: [1], layers: [layers.flatten()], seed: 0.5 }),
      [`sequential: expected the options inputShape, inputDtype, layers, seed; got "shape"`]: () =>
        sequential({ shape: [1] } as Any),
    }),
  )("%s", (message, call) => {
    expect(call).toThrow(OptionError);
    expect(call).toThrow(message);
  });

  it("but names layers around the names that were given", () => {
    const net = build([7, 7, 3], filters(1, { name: "conv2d_1" }), filters(1), filters(1), filters(1));
    const names = [...net.weights.keys()].filter((name) => name.endsWith("kernel"));
    expect(names).toEqual(["conv2d_1.kernel", "conv2d.kernel", "conv2d_2.kernel", "conv2d_3.kernel"]);
  });
});
