/** The algorithm of a convolution is the layer's own choice, the model's, or that of the shape. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  layers,
  load,
  loadModel,
  losses,
  OptionError,
  optimizers,
  sequential,
  tensor,
  type ConvAlgorithm,
  type Engine,
  type Model,
  type Tensor,
} from "../../src/index.ts";
import { loadModel as loadInference } from "../../src/inference.ts";
import { loadOnnx } from "../../src/onnx.ts";
import { bitsOf, expectSameBits } from "../support/float.ts";
import { noise } from "../support/model.ts";

let engine: Engine;
beforeAll(async () => {
  engine = await load();
});
afterAll(() => engine.dispose());

const x = noise(1, 2, 10, 10, 16);

/** Two convolutions of which `"auto"` computes the second by Winograd's algorithm. */
function net(algorithm?: ConvAlgorithm): Model {
  return sequential({
    inputShape: [10, 10, 16],
    layers: [
      layers.conv2d({ filters: 16, kernelSize: 1, name: "first" }),
      layers.conv2d({ filters: 16, kernelSize: 3, name: "second", ...(algorithm && { algorithm }) }),
    ],
    seed: 3,
  });
}

const differ = (a: Float32Array, b: Float32Array): boolean => {
  const other = bitsOf(b);
  return bitsOf(a).some((bits, i) => bits !== other[i]);
};

/** The output of the net by an algorithm of the operators. */
function expected(model: Model, algorithm: ConvAlgorithm): Float32Array {
  const weight = (name: string): Tensor => model.weights.get(name)!;
  const first = engine.conv2d(x, weight("first.kernel"), { bias: weight("first.bias") });
  return engine.conv2d(first, weight("second.kernel"), { bias: weight("second.bias"), algorithm }).data;
}

describe("a layer and a model", () => {
  it("compute with the bits of the operator, in predict and in a session", () => {
    for (const algorithm of ["im2row", "winograd"] as const) {
      const own = net(algorithm);
      own.compile({ engine });
      const shared = net();
      const bits = expected(own, algorithm);
      expectSameBits(own.predict(x).data, bits);
      if (algorithm === "im2row") shared.compile({ engine, algorithm });
      else shared.compile({ engine });
      expectSameBits(shared.predict(x).data, bits);
      const session = shared.session({ batchSize: 2 });
      session.input.set(x.data);
      session.run();
      expectSameBits(session.output.slice(), bits);
    }
    expect(differ(expected(net(), "im2row"), expected(net(), "winograd"))).toBe(true);
  });

  it("the layer's own choice counts before the model's", () => {
    const model = net("winograd");
    model.compile({ engine, algorithm: "im2row" });
    expectSameBits(model.predict(x).data, expected(model, "winograd"));
  });

  it("both gradients follow", () => {
    const [auto, own, shared] = (
      [
        [undefined, undefined],
        ["im2row", undefined],
        [undefined, "im2row"],
      ] as const
    ).map(([layer, model]) => {
      const each = net(layer);
      const training = { loss: losses.meanSquaredError(), optimizer: optimizers.sgd({ learningRate: 0.1 }) };
      each.compile({ engine, ...training, ...(model && { algorithm: model }) });
      // With targets far from any output the gradients at the output are the same to the bit, or nearly so.
      each.trainOnBatch(x, tensor(new Float32Array(2 * 8 * 8 * 16).fill(1000), [2, 8, 8, 16]));
      return each.gradients;
    });
    // That of the first layer comes through the second one's input gradient.
    for (const name of ["first.kernel", "second.kernel"]) {
      expectSameBits(own!.get(name)!.data, shared!.get(name)!.data);
      expect(differ(own!.get(name)!.data, auto!.get(name)!.data)).toBe(true);
    }
  });

  it("a file keeps the layer's", () => {
    const file = net("im2row").toSafetensors();
    for (const model of [loadModel(file), loadInference(file)]) {
      model.compile({ engine });
      expectSameBits(model.predict(x).data, expected(net(), "im2row"));
    }
    // One that says nothing takes the model's.
    const plain = loadInference(net().toSafetensors());
    plain.compile({ engine, algorithm: "im2row" });
    expectSameBits(plain.predict(x).data, expected(net(), "im2row"));
  });

  it("layers of every kind are computed by im2row, depthwise ones directly", () => {
    const all = (): Model =>
      sequential({
        inputShape: [9, 9, 8],
        layers: [
          layers.depthwiseConv2d({ kernelSize: 3, padding: "same" }),
          layers.separableConv2d({ filters: 8, kernelSize: 3, padding: "same" }),
          layers.conv2dTranspose({ filters: 8, kernelSize: 3, padding: "same" }),
          layers.reshape({ targetShape: [81, 8] }),
          layers.conv1d({ filters: 4, kernelSize: 3 }),
        ],
        seed: 2,
      });
    const images = noise(2, 1, 9, 9, 8);
    const [auto, im2row] = [all(), all()];
    auto.compile({ engine });
    im2row.compile({ engine, algorithm: "im2row" });
    const [a, b] = [auto.predict(images).data, im2row.predict(images).data];
    // The transposed one goes by Winograd's algorithm if nothing is said.
    expect(differ(a, b)).toBe(true);
    expect(Math.max(...a.map((v, i) => Math.abs(v - b[i]!)))).toBeLessThan(1e-4);
  });
});

it("by im2row an infinity reaches the outputs that see it, by Winograd's algorithm its tile's", () => {
  const filter = tensor(new Float32Array(9 * 16 * 16).fill(0.1), [3, 3, 16, 16]);
  const image = new Float32Array(1600).fill(1);
  image[(4 * 10 + 4) * 16] = Infinity;
  const counts = (["im2row", "auto"] as const).map((algorithm) => {
    const y = engine.conv2d(tensor(image, [1, 10, 10, 16]), filter, { algorithm });
    return y.data.filter((v, i) => i % 16 === 0 && !Number.isFinite(v)).length;
  });
  // Of the 64 outputs 9 have the pixel in their patch. All 16 of the first tile get it; of the other three, whose first row or
  // column it is in, Bᵀ and Aᵀ hand it to one row, one column and one pixel.
  expect(counts).toEqual([9, 16 + 4 + 4 + 1]);
});

describe("refuses", () => {
  const conv = (options: object): (() => unknown) => {
    const layer = (): never => layers.conv2d({ filters: 4, kernelSize: 3, name: "c", ...options }) as never;
    return () => sequential({ inputShape: [8, 8, 4], layers: [layer()] });
  };

  it.each<[what: string, call: () => unknown, message: string]>([
    ["another word", conv({ algorithm: "fast" }), 'conv2d: algorithm: expected one of "auto", "im2row"'],
    [
      "winograd with strides",
      conv({ algorithm: "winograd", strides: 2 }),
      'c: algorithm: expected 3×3 filters and no strides, dilation or groups for "winograd"',
    ],
    [
      "depthwise without groups",
      conv({ algorithm: "depthwise" }),
      'c: algorithm: expected as many groups and filters as channels (4) for "depthwise", got 1 group and 4 filters',
    ],
    [
      "another word of a model",
      () => net().compile({ engine, algorithm: "fast" as never }),
      'compile: algorithm: expected one of "auto", "im2row", "winograd", "depthwise"; got "fast"',
    ],
    [
      "winograd for a model with other filters",
      () => net().compile({ engine, algorithm: "winograd" }),
      'compile: first: algorithm: expected 3×3 filters and no strides, dilation or groups for "winograd"',
    ],
    [
      "depthwise for a saved model with other filters",
      () => loadInference(net().toSafetensors()).compile({ engine, algorithm: "depthwise" }),
      "compile: first: algorithm: expected as many groups and filters as channels (16)",
    ],
  ])("%s", (_, call, message) => {
    expect(call).toThrow(OptionError);
    expect(call).toThrow(message);
  });
});

describe("a net from an ONNX file", () => {
  it("takes the choice, in inference and training", async () => {
    const file = net().toOnnx({ layout: "NHWC" });
    const outputs: Float32Array[] = [];
    for (const algorithm of ["im2row", "auto"] as const) {
      const onnx = await loadOnnx(file, { engine, algorithm });
      const [input] = onnx.inputNames;
      const y = Object.values(onnx.predict({ [input!]: x }))[0]!.data as Float32Array;
      onnx.compile({ loss: losses.meanSquaredError(), optimizer: optimizers.sgd({ learningRate: 0 }) });
      const again = Object.values(onnx.predict({ [input!]: x }))[0]!.data as Float32Array;
      expectSameBits(again, y);
      outputs.push(y);
    }
    expectSameBits(outputs[0]!, expected(net(), "im2row"));
    expectSameBits(outputs[1]!, expected(net(), "winograd"));
  });

  it("refuses what there is not, and what does not fit", async () => {
    const file = net().toOnnx();
    await expect(loadOnnx(file, { engine, algorithm: "fast" as never })).rejects.toThrow(
      'loadOnnx: algorithm: expected one of "auto"',
    );
    await expect(loadOnnx(file, { engine, algorithm: "winograd" })).rejects.toThrow(OptionError);
  });
});
