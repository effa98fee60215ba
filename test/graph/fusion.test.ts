import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { input, layers, load, model, type Engine, type Layer, type Model } from "../../src/index.ts";
import type { SymbolicTensor } from "../../src/layers/contract.ts";
import { fuse } from "../../src/graph/fusion.ts";
import { forwardMagnitude, TRANSFORM_ROUNDINGS } from "../oracles/winograd.ts";
import { conv2d } from "../support/convolution.ts";
import { bitsOf, expectWithin, gamma as errorOf } from "../support/float.ts";
import { CHANNELS, conv, image, relu, run, SIZE, unfused } from "../support/fusion.ts";
import { noise } from "../support/model.ts";
import { random } from "../support/random.ts";

let engine: Engine;

beforeAll(async () => {
  engine = await load();
});

afterAll(() => engine.dispose());

/** The passes of a model's inference: the layers that each computes. */
function passesOf(net: Model): string[] {
  return fuse(net["graph"]).map(({ node, absorbed }) =>
    [node, ...absorbed.map((each) => each.node)].map(({ layer }) => layer.type).join(" + "),
  );
}

/** Weights that differ from their simple beginnings, variances above zero. */
function stir(net: Model): void {
  const weights = net.weights;
  for (const [name, { data }] of weights) {
    const values = random(name.length).uniform(data.length);
    data.set(name.endsWith("Variance") ? values.map((value) => value + 1.5) : values);
  }
  net["parameters"].write("test", weights);
}

describe("what becomes one pass", () => {
  const cases: [string, (x: SymbolicTensor) => SymbolicTensor | SymbolicTensor[], string[]][] = [
    [
      "a residual block",
      (x) => {
        const a = layers.batchNormalization().apply(conv({ useBias: false }).apply(x));
        const b = layers.batchNormalization().apply(conv({ useBias: false }).apply(relu().apply(a)));
        return relu().apply(layers.add().apply([b, x]));
      },
      ["conv2d + batchNormalization + activation", "conv2d + batchNormalization + add + activation"],
    ],
    [
      "a sum of two convolutions, which the later one takes",
      (x) => {
        const [a, b] = [conv(), conv({ kernelSize: 1 })];
        return layers.add().apply([a.apply(x), b.apply(x)]);
      },
      ["conv2d", "conv2d + add"],
    ],
    [
      "depthwise convolutions and dense layers",
      (x) => {
        const a = relu().apply(layers.depthwiseConv2d({ kernelSize: 3 }).apply(x));
        const b = layers.dense({ units: 3 }).apply(layers.flatten().apply(a));
        return layers.activation({ activation: "silu" }).apply(layers.batchNormalization().apply(b));
      },
      ["depthwiseConv2d + activation", "flatten", "dense + batchNormalization + activation"],
    ],
    [
      "convolutions of sequences and their residual sums",
      (x) => {
        const steps = layers.reshape({ targetShape: [SIZE * SIZE, CHANNELS] }).apply(x);
        const same = () => layers.conv1d({ filters: CHANNELS, kernelSize: 3, padding: "same" });
        const a = relu().apply(layers.batchNormalization().apply(same().apply(steps)));
        return layers.add().apply([steps, layers.batchNormalization().apply(same().apply(a))]);
      },
      ["reshape", "conv1d + batchNormalization + activation", "conv1d + batchNormalization + add"],
    ],
    [
      "a sum by itself and its activation",
      (x) => relu().apply(layers.add().apply([x, layers.maxPooling2d({ poolSize: 1 }).apply(x)])),
      ["maxPooling2d", "add + activation"],
    ],
    [
      "nothing after an activation of the layer's own",
      (x) => layers.batchNormalization().apply(conv({ activation: "relu" }).apply(x)),
      ["conv2d", "batchNormalization"],
    ],
    [
      "nothing out of order",
      (x) => layers.batchNormalization().apply(relu().apply(conv().apply(x))),
      ["conv2d + activation", "batchNormalization"],
    ],
    [
      "nothing twice",
      (x) => relu().apply(layers.activation({ activation: "tanh" }).apply(conv().apply(x))),
      ["conv2d + activation", "activation"],
    ],
    [
      "no softmax",
      (x) => layers.activation({ activation: "softmax" }).apply(conv().apply(x)),
      ["conv2d", "activation"],
    ],
    [
      "nothing that two read",
      (x) => {
        const a = conv().apply(x);
        return layers.multiply().apply([relu().apply(a), a]);
      },
      ["conv2d", "activation", "multiply"],
    ],
    [
      "nothing that one reads twice",
      (x) => {
        const a = conv().apply(x);
        return layers.add().apply([a, a]);
      },
      ["conv2d", "add"],
    ],
    [
      "no sum of three",
      (x) => layers.add().apply([conv().apply(x), x, layers.maxPooling2d({ poolSize: 1 }).apply(x)]),
      ["conv2d", "maxPooling2d", "add"],
    ],
    [
      "nothing that the model returns",
      (x) => {
        const a = conv().apply(x);
        return [a, relu().apply(a)];
      },
      ["conv2d", "activation"],
    ],
  ];
  it.each(cases)("%s", (_name, draw, expected) => {
    const x = image();
    expect(passesOf(model({ inputs: x, outputs: draw(x) }))).toEqual(expected);
  });

  it("follows a layer that is spread into another", () => {
    const x = image();
    const spread = Object.assign(conv(), { ...conv() });
    expect(passesOf(model({ inputs: x, outputs: relu().apply(spread.apply(x)) }))).toEqual([
      "conv2d + activation",
    ]);
  });
});

/** The layers that fold normalization, and the length of their sums. */
const FOLDING: [string, () => Layer, number][] = [
  ["conv2d by patches", () => conv({ strides: 2 }), 9 * CHANNELS],
  ["conv2d in groups, without bias", () => conv({ strides: 2, groups: 2, useBias: false }), 9 * 4],
  ["depthwiseConv2d", () => layers.depthwiseConv2d({ kernelSize: 3 }), 9],
  ["dense", () => layers.dense({ units: 5 }), CHANNELS],
  ["conv1d", () => layers.conv1d({ filters: 5, kernelSize: 3 }), 3 * CHANNELS],
];

describe("fused passes compute what the layers compute one by one", () => {
  it.each([1, 3])("sums and activations of %i images bit for bit", (batch) => {
    for (const activation of ["relu", "relu6", "hardSwish", "silu", "gelu", { leakyRelu: 0.1 }] as const) {
      for (const first of [conv(), conv({ strides: 1, kernelSize: 1 }), conv({ groups: CHANNELS })]) {
        const x = image();
        const a = first.apply(x);
        const sum = layers.add().apply([x, a]);
        const y = layers.activation({ activation }).apply(sum);
        const fused = model({ inputs: x, outputs: y });
        stir(fused);
        expect(passesOf(fused)).toEqual(["conv2d + add + activation"]);
        const expected = run(unfused(x, [a, sum, y], fused), batch, engine);
        expect(bitsOf(run(fused, batch, engine))).toEqual(bitsOf(expected));
      }
    }
  });

  it.each([
    ["a convolution by patches", () => conv({ strides: 2 })],
    ["a convolution by Winograd's algorithm", () => conv()],
    ["a convolution of single pixels", () => conv({ kernelSize: 1 })],
    ["a depthwise convolution", () => layers.depthwiseConv2d({ kernelSize: 3 })],
    ["a dense layer", () => layers.dense({ units: 5 })],
  ])("activations of %s bit for bit", (_name, make) => {
    for (const activation of ["relu", "relu6", "hardSwish", "silu", "sigmoid", { leakyRelu: 0.1 }] as const) {
      const x = image();
      const a = make().apply(x);
      const y = layers.activation({ activation }).apply(a);
      const fused = model({ inputs: x, outputs: y });
      stir(fused);
      expect(fuse(fused["graph"])).toHaveLength(1);
      expect(bitsOf(run(fused, 2, engine))).toEqual(bitsOf(run(unfused(x, [a, y], fused), 2, engine)));
    }
  });

  it.each(FOLDING)("batch normalization after %s within the error of both", (_name, make, k) => {
    const x = image();
    const first = make();
    const steps = layers.reshape({ targetShape: [SIZE * SIZE, CHANNELS] });
    const a = first.apply(first.type === "conv1d" ? steps.apply(x) : x);
    const y = layers.batchNormalization().apply(a);
    const fused = model({ inputs: x, outputs: y });
    stir(fused);
    expect(passesOf(fused).at(-1)).toBe(`${first.type} + batchNormalization`);
    const separateNet = unfused(x, [a, y], fused);
    const expected = run(separateNet, 2, engine);
    // |x|, |mean| and |beta| ≤ 1, |w| and |b| ≤ 1, factors ≤ 1 / √½: the sums of magnitudes.
    const factor = Math.SQRT2;
    const magnitude = (k + 1 + 1) * factor + 1;
    // Apart: k + 1 roundings of the sum, 4 of the affine map and 1 of the result. Folded: 2 of the weights, k + 1.
    expectWithin(run(fused, 2, engine), expected, () => (errorOf(k + 6) + errorOf(k + 3)) * magnitude);
    expect(bitsOf(run(fused, 2, engine))).not.toEqual(bitsOf(expected));
  });

  it("batch normalization after Winograd's algorithm, and again when the weights change", () => {
    const x = input({ shape: [12, 12, 16], name: "image" });
    const a = layers.conv2d({ filters: 16, kernelSize: 3, padding: "same" }).apply(x);
    const y = relu().apply(layers.batchNormalization().apply(a));
    const fused = model({ inputs: x, outputs: y });
    for (const scale of [1, 0.5]) {
      stir(fused);
      const weights = fused.weights;
      for (const [name, { data }] of weights) if (name.endsWith("gamma")) data.fill(scale);
      fused["parameters"].write("test", weights);
      const expected = run(unfused(x, [a, y], fused), 2, engine);
      const w = weights.get("conv2d.kernel")!.data;
      const geometry = conv2d(2, 12, 16, 3, 16, { pad: "same" });
      const magnitude = forwardMagnitude(geometry, noise(3, 2, 12, 12, 16).data, w);
      // Biases, means and shifts are below 1, factors below √2: roundings as above, and those of the transforms.
      const roundings = errorOf(16 + TRANSFORM_ROUNDINGS + 6) + errorOf(16 + TRANSFORM_ROUNDINGS + 3);
      expectWithin(
        run(fused, 2, engine),
        expected,
        (i) => roundings * ((magnitude[i]! + 2) * Math.SQRT2 + 1),
      );
    }
  });
});
