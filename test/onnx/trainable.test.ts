/** Nets train by their names and past these operators, and `notTrainable` says what `compile` refuses. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { load, losses, metrics, optimizers, type Engine } from "../../src/index.ts";
import { loadOnnx, type OnnxModel } from "../../src/onnx.ts";
import type { NodeProto } from "../../src/onnx/file/proto.ts";
import { skipped } from "../support/data.ts";
import { constant, node, onnxFile, valueInfo } from "../support/onnxFile.ts";
import { CASES, GROUPS } from "./cases.ts";
import { floats, noise } from "./support/net.ts";

let engine: Engine;

beforeAll(async () => {
  engine = await load();
});

afterAll(() => engine.dispose());

const step = { optimizer: optimizers.sgd({ learningRate: 1 }), loss: losses.meanSquaredError() };

/** A net of some nodes from x [n, 1, 4, 4], with a filter w [1, 1, 3, 3] and a matrix m [16, 2]. */
function netOf(nodes: readonly NodeProto[], outputs: readonly string[] = ["y"]): Promise<OnnxModel> {
  const initializers = [
    constant("w", [1, 1, 3, 3], noise(1, [9]).data),
    constant("m", [16, 2], noise(2, [32]).data),
    constant("half", [], [0.5]),
  ];
  return loadOnnx(onnxFile({ inputs: [valueInfo("x", ["n", 1, 4, 4])], initializers, nodes, outputs }), {
    engine,
  });
}

const CONV = node("Conv", ["x", "w"], "a", { pads: [1, 1, 1, 1] });
const x = noise(3, [2, 1, 4, 4]);

describe("a mask of peaks", () => {
  // CenterNet and M-LSD have this: no slope of Equal and Cast, dy times the mask through the product.
  const peaks = [
    CONV,
    node("MaxPool", ["a"], "p", { kernel_shape: [3, 3], pads: [1, 1, 1, 1] }),
    node("Equal", ["a", "p"], "e"),
    node("Cast", ["e"], "k", { to: 1 }),
    node("Mul", ["a", "k"], "y"),
  ];

  it("trains by the slopes of the pixels that it lets through", async () => {
    const net = await netOf(peaks);
    expect(net.notTrainable).toBeUndefined();
    const { y } = net.predict({ x });
    const target = noise(4, [2, 1, 4, 4]);
    net.compile(step);
    net.trainOnBatch(x, target);
    const gradient = [...net.model.gradients.values()][0]!.data;
    // A pixel that is let through is none of 0: y = a·k there, and dL/dw = Σ 2 (y − t) / 32 · x of the window.
    for (let tap = 0; tap < 9; tap++) {
      let sum = 0;
      for (let at = 0; at < 32; at++) {
        const made = y!.data[at] as number;
        const [row, column] = [((at % 16) >> 2) + Math.floor(tap / 3) - 1, (at % 4) + (tap % 3) - 1];
        if (made === 0 || row < 0 || row > 3 || column < 0 || column > 3) continue;
        sum += ((2 * (made - target.data[at]!)) / 32) * x.data[(at & 16) + 4 * row + column]!;
      }
      expect(Math.abs(gradient[tap]! - sum)).toBeLessThan(32 * 2 ** -24 * 4);
    }
    expect(gradient.some((value) => Math.abs(value) > 0.01)).toBe(true);
    net.dispose();
  });

  it("alone has no slope: there is nothing to learn by, and both say so", async () => {
    const net = await netOf(peaks.slice(0, 4), ["k"]);
    expect(net.notTrainable).toBe("expected an output with a gradient for what learns, got none");
    expect(() => net.compile(step)).toThrow(`compile: optimizer: ${net.notTrainable}`);
    net.compile({ loss: step.loss });
    expect(net.evaluate(x, x).loss).toBeGreaterThan(0);
    net.dispose();
  });

  it("leaves what is read by comparisons alone as it is, weight decay included", async () => {
    const nodes = [
      CONV,
      node("Conv", ["x", "w2"], "b", { pads: [1, 1, 1, 1] }),
      node("Greater", ["b", "half"], "g"),
      node("Cast", ["g"], "k", { to: 1 }),
      node("Mul", ["a", "k"], "y"),
    ];
    const initializers = [
      constant("w", [1, 1, 3, 3], noise(1, [9]).data),
      constant("w2", [1, 1, 3, 3], noise(5, [9], 0, 1).data),
      constant("half", [], [0]),
    ];
    const file = onnxFile({ inputs: [valueInfo("x", ["n", 1, 4, 4])], initializers, nodes, outputs: ["y"] });
    const net = await loadOnnx(file, { engine });
    net.compile({ ...step, optimizer: optimizers.adamw({ weightDecay: 0.5 }) });
    const before = [...net.model.weights.values()].map(({ data }) => [...data]);
    net.trainOnBatch(x, noise(4, [2, 1, 4, 4]));
    const after = [...net.model.weights.values()].map(({ data }) => [...data]);
    expect(after.map((data, i) => data.some((value, j) => value !== before[i]![j]))).toEqual([true, false]);
    expect([...net.model.gradients.keys()].length).toBe(1);
    net.dispose();
  });
});

describe("outputs", () => {
  const nodes = [
    { ...CONV, name: "Conv_0" },
    { ...node("Relu", ["a"], "scores:0"), name: "Relu_1" },
    { ...node("Sigmoid", ["a"], "__proto__"), name: "Sigmoid_2" },
  ];
  const outputs = ["scores:0", "__proto__"];
  const named = <T>(first: T, second: T): Record<string, T> =>
    Object.fromEntries([
      ["scores:0", first],
      ["__proto__", second],
    ]);

  it("are called as predict calls them by losses, metrics, labels and what evaluate tells", async () => {
    const net = await netOf(nodes, outputs);
    const { loss, optimizer } = step;
    net.compile({ optimizer, loss: named(loss, loss), metrics: named([], [metrics.topK({ k: 2 })]) });
    const labels = named(noise(5, [2, 1, 4, 4]), noise(6, [2, 1, 4, 4], 0, 1));
    const { outputs: figures } = net.evaluate(x, labels);
    expect(Object.keys(figures!)).toEqual(outputs);
    const made = net.predict({ x });
    for (const name of outputs) {
      const [ys, ts] = [made[name]!.data as Float32Array, labels[name]!.data];
      const mean = ys.reduce((sum, y, i) => sum + (y - ts[i]!) ** 2, 0) / ys.length;
      expect(figures![name]!.loss).toBeCloseTo(mean, 5);
    }
    expect(figures!["__proto__"]!.topK2).toBeGreaterThanOrEqual(0);
    const states: string[][] = [];
    const history = await net.fit(x, labels, {
      validationData: [x, labels],
      onEpochEnd: ({ validation }) => states.push(Object.keys(validation!.outputs!)),
    });
    expect(states).toEqual([outputs]);
    expect(history.validationLoss.length).toBe(1);
    expect(net.trainOnBatch(x, labels)).toBeLessThan(history.loss[0]!);
    expect(net.model.outputs.map(({ name }) => name)).toEqual(outputs);
    net.dispose();
  });

  it("are named in what is refused", async () => {
    const net = await netOf(nodes, outputs);
    const wrong = { "scores:0": step.loss, Sigmoid_2: step.loss };
    expect(() => net.compile({ ...step, loss: wrong })).toThrow(
      "compile: loss: expected scores:0, __proto__, got none called __proto__",
    );
    net.compile(step);
    expect(() => net.trainOnBatch(x, named(x, noise(1, [2, 3])))).toThrow(
      "trainOnBatch: labels: __proto__: expected shape 2×1×4×4, got 2×3",
    );
    net.dispose();
  });

  it("that are integers have no loss, and are predicted as before", async () => {
    const beside = [
      node("Flatten", ["x"], "f"),
      node("MatMul", ["f", "m"], "scores"),
      node("ArgMax", ["scores"], "class", { axis: 1, keepdims: 0 }),
    ];
    const net = await netOf(beside, ["class", "scores"]);
    expect(net.notTrainable).toBeUndefined();
    net.compile({ ...step, loss: losses.softmaxCrossEntropy() });
    const alone = await netOf(beside.slice(0, 2), ["scores"]);
    alone.compile({ ...step, loss: losses.softmaxCrossEntropy() });
    expect(net.evaluate(x, [0, 1])).toEqual(alone.evaluate(x, [0, 1]));
    expect(net.trainOnBatch(x, [0, 1])).toBe(alone.trainOnBatch(x, [0, 1]));
    const made = net.predict({ x });
    expect(made["scores"]).toEqual(alone.predict({ x })["scores"]);
    const scores = made["scores"]!.data as Float32Array;
    const largest = [0, 1].map((row) => BigInt(scores[2 * row + 1]! > scores[2 * row]! ? 1 : 0));
    expect(made["class"]).toEqual({ shape: [2], data: BigInt64Array.from(largest) });
    net.compile({ ...step, loss: { scores: step.loss } as never });
    for (const each of [net, alone]) each.dispose();
  });

  it("that are all integers have nothing to learn by", async () => {
    const net = await netOf([CONV, node("Greater", ["a", "half"], "y")]);
    expect(net.notTrainable).toBe("expected an output of float32 to have a loss, got y");
    expect(() => net.compile(step)).toThrow(`compile: optimizer: ${net.notTrainable}`);
    net.dispose();
  });
});

/** Whether `compile` takes an optimizer is what `notTrainable` tells, and one that it takes makes a step. */
function agree(net: OnnxModel): boolean {
  const trains = net.notTrainable === undefined;
  try {
    net.compile({ ...step, optimizer: optimizers.sgd({ learningRate: 2 ** -20 }) });
  } catch {
    return !trains;
  }
  return trains;
}

describe("notTrainable", () => {
  it("follows what is frozen", async () => {
    const norms = node("LpPool", ["a"], "l", { kernel_shape: [1, 1] });
    const rest = [node("Flatten", ["l"], "f"), node("MatMul", ["f", "m"], "y")];
    const net = await netOf([CONV, norms, ...rest]);
    const { layers } = net.model;
    const conv = layers.find(({ type }) => type === "conv2d")!;
    const dense = layers.find(({ type }) => type === "dense")!;
    expect(net.notTrainable).toMatch(/^expected layers with a backward pass behind all that learns, got l/);
    expect(agree(net)).toBe(true);
    conv.trainable = false;
    expect(net.notTrainable).toBeUndefined();
    expect(agree(net)).toBe(true);
    expect(net.trainOnBatch(x, floats([2, 2], [0, 0, 0, 0]))).toBeGreaterThan(0);
    dense.trainable = false;
    expect(net.notTrainable).toBe("expected a layer that learns, got all of them frozen");
    expect(agree(net)).toBe(true);
    net.dispose();
  });

  const absent = !existsSync(CASES);
  it.skipIf(absent)(
    `says what compile refuses of all cases of the suites${absent ? skipped("conformance/onnx") : ""}`,
    { timeout: 300_000 },
    async () => {
      const wrong: string[] = [];
      let trained = 0;
      for (const folder of GROUPS.flatMap((group) =>
        readdirSync(`${CASES}/${group}`).map((name) => `${group}/${name}`),
      )) {
        const net = await loadOnnx(readFileSync(`${CASES}/${folder}/model.onnx`), { engine });
        if (!agree(net)) wrong.push(folder);
        if (net.notTrainable === undefined) trained++;
        net.dispose();
      }
      expect(wrong).toEqual([]);
      expect(trained).toBeGreaterThan(100);
    },
  );
});
