/** Shapes, groups, names and seeds that a model cannot be built with: the place, the expected, the given. */
import { describe, expect, it } from "vitest";
import { layers, OptionError, sequential, ShapeError, type Layer, type Model } from "../../src/index.ts";
import { conv, conv1d, separable, transposed, type Any } from "../support/options.ts";

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
      "maxPooling2d: height: expected an image of at least 8 with its padding, got 7 + 0 + 0": () =>
        build([7, 7, 3], layers.maxPooling2d({ poolSize: 8 })),
      "zeroPadding2d: expected at most 1073741824 elements in an image, got 131079×131079×3": () =>
        build([7, 7, 3], layers.zeroPadding2d({ padding: 2 ** 16 })),
      "conv2d: expected an image [height, width, channels], got 147": () =>
        build([7, 7, 3], layers.flatten(), filters(1)),
      "conv2d: expected an image [height, width, channels], got 7×7": () => build([7, 7], filters(1)),
      "permute: expected 2 dimensions, got 7×7×3": () => build([7, 7, 3], layers.permute({ dims: [2, 1] })),
      "upSampling2d: expected at most 1073741824 elements in an image, got 458752×458752×3": () =>
        build([7, 7, 3], layers.upSampling2d({ size: 2 ** 16 })),
      "conv2dTranspose: expected at most 1073741824 elements in an image with its padding, got 65542×65542×2":
        () => build([7, 7, 3], transposed({ kernelSize: 2 ** 16 })),
      "upSampling2d: expected an image [height, width, channels], got 7×7": () =>
        build([7, 7], layers.upSampling2d()),
      "prelu: expected at least 3 dimensions, got 7×3": () =>
        build([7, 3], layers.prelu({ sharedAxes: [1, 2, 3] })),
      "conv2dTranspose: expected an image [height, width, channels], got 7×3": () =>
        build([7, 3], transposed({})),
      "conv2dTranspose: height: expected an output of at least 1 with its padding, got 0": () =>
        build(
          [1, 1, 3],
          transposed({
            padding: [
              [1, 0],
              [0, 0],
            ],
          }),
        ),
      "separableConv2d: expected an image [height, width, channels], got 7×3": () =>
        build([7, 3], separable({})),
      "separableConv2d: width: expected an image of at least 8 with its padding, got 7 + 0 + 0": () =>
        build([9, 7, 3], separable({ kernelSize: 8 })),
      "conv1d: expected a sequence [steps, channels], got 7×7×3": () => build([7, 7, 3], conv1d({})),
      "conv1d: expected at least 7 steps with their padding, got 5 + 0 + 1": () =>
        build([5, 3], conv1d({ kernelSize: 3, dilationRate: 3, padding: [0, 1] })),
      "maxPooling1d: expected at least 6 steps with their padding, got 5 + 0 + 0": () =>
        build([5, 3], layers.maxPooling1d({ poolSize: 6 })),
      "globalMaxPooling1d: expected a sequence [steps, channels], got 7": () =>
        build([7], layers.globalMaxPooling1d()),
      "layerNormalization: expected at least 3 axes, got 7×3": () =>
        build([7, 3], layers.layerNormalization({ axis: [-1, -2, -3] })),
      "groupNormalization: groups: expected a divisor of the 3 channels (7×7×3), got 2": () =>
        build([7, 7, 3], layers.groupNormalization({ groups: 2 })),
      "globalAveragePooling2d: expected an image [height, width, channels], got 7": () =>
        build([7], layers.globalAveragePooling2d()),
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
      "conv2d: groups: expected a divisor of 3 input channels and 4 filters, got 2": () =>
        build([7, 7, 3], filters(3, { groups: 2 })),
      "conv2dTranspose: groups: expected a divisor of 3 input channels and 2 filters, got 2": () =>
        build([7, 7, 3], transposed({ groups: 2 })),
      "conv1d: groups: expected a divisor of 3 input channels and 2 filters, got 2": () =>
        build([7, 3], conv1d({ groups: 2 })),
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
      [`sequential: expected the options inputShape, layers, seed; got "shape"`]: () =>
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
