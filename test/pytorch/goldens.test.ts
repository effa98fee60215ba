/** State dicts of the nets of test/goldens, which PyTorch made, give what PyTorch computed. */
import { readFileSync } from "node:fs";
import { load, tensor, type Model, type Tensor } from "im2row";
import { loadStateDict } from "im2row/pytorch";
import { afterAll, describe, expect, it } from "vitest";
import { hourglass } from "../conformance/hourglass.ts";
import { lenet5, normalized, strided } from "../conformance/nets.ts";
import { expectWithin, ulp } from "../support/float.ts";
import { readGolden, type Golden } from "../support/golden.ts";
import { weightBits } from "../support/model.ts";
import { COUNTER, imageThere, kernelThere, stateDict, type TorchTensor } from "./stateDict.ts";

const engine = await load();
afterAll(() => engine.dispose());

const goldenOf = (name: string): Golden =>
  readGolden(name, readFileSync(new URL(`../goldens/${name}.safetensors`, import.meta.url)));

const KINDS: Record<string, string> = {
  gamma: "weight",
  beta: "bias",
  movingMean: "running_mean",
  movingVariance: "running_var",
};

/** A weight as PyTorch names and lays it: the inverse of `ours` in test/goldens/make.py. */
function there(key: string, weight: Tensor): [name: string, tensor: TorchTensor] {
  const [layer, kind] = key.split(".") as [string, string];
  const part = /^(depthwise|pointwise)Kernel$/.exec(kind)?.[1];
  if (part) return [`${layer}.${part}.weight`, kernelThere(weight)];
  if (kind === "kernel") return [`${layer}.weight`, kernelThere(weight)];
  if (kind === "alpha") return [`${layer}.weight`, { shape: [weight.data.length], data: weight.data }];
  const module = layer.startsWith("separable") ? `${layer}.pointwise` : layer;
  return [`${module}.${KINDS[kind] ?? kind}`, weight];
}

const dictOf = (golden: Golden): Record<string, TorchTensor> =>
  Object.fromEntries(Array.from(golden.family("weights"), ([key, weight]) => there(key, weight)));

function expectLogits(golden: Golden, model: Model): void {
  model.compile({ engine });
  const { shape, data } = golden.get("logits");
  const logits = model.predict(golden.get("x"));
  expect(logits.shape).toEqual(shape);
  // The bound of the conformance tests.
  expectWithin(logits.data, [...data], (i) => 4 * golden.error("logits") + ulp(data[i]!));
  model.dispose();
}

describe("by the names of layers, of nets that flatten NHWC", () => {
  it.each([
    ["strided", strided],
    ["hourglass", () => hourglass(2)],
    ["normalized", () => normalized(2)],
  ] as const)("%s", (name, build) => {
    const [golden, model] = [goldenOf(name), build()];
    const file = stateDict({ ...dictOf(golden), "batchNormalization.num_batches_tracked": COUNTER });
    const withCounter = name === "normalized" ? file : stateDict(dictOf(golden));
    const loaded = loadStateDict(model, withCounter, { layout: "NHWC" });
    expect(loaded.map(({ weight }) => weight)).toEqual([...model.weights.keys()]);
    expectLogits(golden, model);
  });
});

/** Modules by numbers, as in `nn.Sequential`, in an order that is not that of texts. */
function numbered(dict: Record<string, TorchTensor>): Record<string, TorchTensor> {
  const numbers = new Map<string, number>();
  const entries = Object.entries(dict).map(([key, value]) => {
    const [module, name] = [key.slice(0, key.lastIndexOf(".")), key.slice(key.lastIndexOf(".") + 1)];
    if (!numbers.has(module)) numbers.set(module, 2 * numbers.size + 1);
    return [`net.${numbers.get(module)!}.${name}`, value] as const;
  });
  return Object.fromEntries(entries);
}

describe("by kinds and sizes, of nets that flatten NCHW", () => {
  const rows = (dict: Record<string, TorchTensor>, name: string, image: [number, number, number]): void => {
    // The matrix [out, in] has its rows here: those of [in, out] are turned.
    const { shape, data } = dict[name]!;
    const [out, size] = shape as [number, number];
    const turned = new Float32Array(data.length);
    for (let o = 0; o < out; o++)
      turned.set(imageThere((data as Float32Array).slice(o * size, (o + 1) * size), image), o * size);
    dict[name] = { shape, data: turned };
  };

  it("strided", () => {
    const [golden, model] = [goldenOf("strided"), strided()];
    const dict = dictOf(golden);
    rows(dict, "dense.weight", [5, 2, 6]);
    loadStateDict(model, stateDict(numbered(dict)), { layout: "NCHW" });
    expect(model.weights).toEqual(golden.family("weights"));
    expectLogits(golden, model);
  });

  it("normalized, with a normalization over the image", () => {
    const [golden, model] = [goldenOf("normalized"), normalized(2)];
    const dict = dictOf(golden);
    rows(dict, "dense.weight", [3, 2, 6]);
    for (const name of ["weight", "bias"]) {
      const key = `layerNormalization_1.${name}`;
      const data = imageThere(dict[key]!.data as Float32Array, [3, 2, 6]);
      dict[key] = { shape: [6, 3, 2], data };
    }
    loadStateDict(model, stateDict(numbered(dict)));
    expect(model.weights).toEqual(golden.family("weights"));
    expectLogits(golden, model);
  });

  it("LeNet-5, whose golden has no weights: a round trip of drawn ones", () => {
    const [from, to] = [lenet5(1), lenet5(2)];
    const dict = Object.fromEntries(Array.from(from.weights, ([key, weight]) => there(key, weight)));
    rows(dict, "dense.weight", [5, 5, 16]);
    loadStateDict(to, stateDict(numbered(dict)));
    expect(weightBits(to)).toEqual(weightBits(from));
    expect(tensor([1], [1]).shape).toEqual([1]);
  });
});
