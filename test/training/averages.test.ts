/** Moving averages of weights, learning rates that change, and rates of layers. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  layers,
  load,
  loadModel,
  losses,
  OptionError,
  optimizers,
  sequential,
  type CompileOptions,
  type Engine,
  type Model,
  type Tensor,
} from "../../src/index.ts";
import { bitsOf } from "../support/float.ts";
import { noise, weightBits } from "../support/model.ts";

const SHAPE = [5, 4, 2];
const loss = losses.softmaxCrossEntropy();
const f32 = Math.fround;

let engine: Engine;
beforeAll(async () => void (engine = await load()));
afterAll(() => engine.dispose());

const net = (): Model =>
  sequential({
    inputShape: SHAPE,
    layers: [
      layers.conv2d({ filters: 3, kernelSize: 2, activation: "tanh" }),
      layers.batchNormalization(),
      layers.flatten(),
      layers.dense({ units: 3 }),
    ],
    seed: 4,
  });

const [images, labels] = [noise(1, 6, ...SHAPE), Int32Array.of(0, 2, 1, 1, 0, 2)];
const sgd = (learningRate = 0.25): CompileOptions<[]> => ({
  engine,
  loss,
  optimizer: optimizers.sgd({ learningRate, momentum: 0.5 }),
});
const averaged = (emaMomentum = 0.75): CompileOptions<[]> => ({ ...sgd(), useEma: true, emaMomentum });

type Weights = ReadonlyMap<string, Tensor>;
const learns = (name: string): boolean => !name.includes("moving");

describe("averages", () => {
  it("follow m·average + (1 − m)·w in float32, from the weights of the first step on", () => {
    const [model, plain] = [net().compile(averaged(0.8)), net().compile(sgd())];
    let expected: Map<string, Float32Array> | undefined;
    for (let step = 0; step < 4; step++) {
      for (const each of [model, plain]) each.trainOnBatch(images, labels);
      const before = expected;
      expected = new Map(
        [...plain.weights].map(([name, { data }]) => {
          const old = before?.get(name);
          const next = (w: number, i: number): number => f32(f32(0.8) * old![i]!) + f32(f32(1 - 0.8) * w);
          return [name, old && learns(name) ? data.map(next) : data];
        }),
      );
      model.useAverages();
      for (const [name, { data }] of model.weights) {
        expect(bitsOf(data), name).toEqual(bitsOf(expected.get(name)!));
      }
    }
    model.useAverages(false);
    expect(weightBits(model)).toEqual(weightBits(plain));
    for (const each of [model, plain]) each.dispose();
  });

  it("are the weights after each epoch, in validation, callbacks and files", async () => {
    const model = net().compile(averaged());
    const seen: object[] = [];
    const history = await model.fit(images, labels, {
      epochs: 2,
      batchSize: 2,
      validationData: [images, labels],
      onEpochEnd: () => seen.push(weightBits(model)),
    });
    expect(history.validationLoss[1]).toBe(model.evaluate(images, labels).loss);
    expect(seen[1]).toEqual(weightBits(model));
    expect(weightBits(loadModel(model.toSafetensors()))).toEqual(seen[1]);
    const averages = weightBits(model);
    model.useAverages(false);
    expect(weightBits(model)).not.toEqual(averages);
    model.dispose();
  });

  it("make two calls of one epoch what one call of two is", async () => {
    const [once, twice, plain] = [net().compile(averaged()), net().compile(averaged()), net().compile(sgd())];
    const options = { batchSize: 2, validationData: [images, labels] } as const;
    await once.fit(images, labels, { ...options, epochs: 2 });
    await plain.fit(images, labels, { ...options, epochs: 2 });
    await twice.fit(images, labels, options);
    await twice.fit(images, labels, options);
    expect(weightBits(twice)).toEqual(weightBits(once));
    once.useAverages(false);
    expect(weightBits(once)).toEqual(weightBits(plain));
    for (const each of [once, twice, plain]) each.dispose();
  });

  it("begin anew when the weights are replaced while they are in use", async () => {
    const [model, fresh] = [net().compile(averaged()), net()];
    await model.fit(images, labels, { batchSize: 2 });
    const weights: Weights = fresh.weights;
    model.setWeights(weights);
    expect(weightBits(model)).toEqual(weightBits(fresh));
    fresh.compile({ engine, loss, optimizer: optimizers.sgd({ learningRate: 0.25 }) });
    model.trainOnBatch(images, labels);
    const next = weightBits(model);
    model.useAverages();
    expect(weightBits(model)).toEqual(next);
    for (const each of [model, fresh]) each.dispose();
  });

  it("are refused without sense", () => {
    for (const [message, options] of Object.entries<object>({
      "compile: emaMomentum: expected a number ≥ 0 and < 1, got 1": { useEma: true, emaMomentum: 1 },
      "compile: useEma: expected true beside emaMomentum, got none": { emaMomentum: 0.5 },
      "compile: useEma: expected true or false, got 1": { useEma: 1 },
      "compile: optimizer: expected one beside useEma, got none": { useEma: true, optimizer: undefined },
    })) {
      expect(() => net().compile({ ...sgd(), ...options })).toThrow(message);
    }
  });
});

describe("the learning rate", () => {
  it("can be set between steps and in callbacks, and is the optimizer's again after compile", async () => {
    const [model, other] = [net().compile(sgd(0.25)), net().compile(sgd(0.5))];
    expect(model.learningRate).toBe(0.25);
    model.learningRate = 0.5;
    expect(model.learningRate).toBe(0.5);
    for (const each of [model, other]) each.trainOnBatch(images, labels);
    expect(weightBits(model)).toEqual(weightBits(other));
    const rates: number[] = [];
    await model.fit(images, labels, {
      epochs: 3,
      onEpochEnd: () => {
        model.learningRate /= 2;
        rates.push(model.learningRate);
      },
    });
    expect(rates).toEqual([0.25, 0.125, 0.0625]);
    model.compile(sgd(0.25));
    expect(model.learningRate).toBe(0.25);
    for (const each of [model, other]) each.dispose();
  });

  it("that follows a schedule is that of the next step, and cannot be set", () => {
    const model = net();
    const optimizer = optimizers.adam({ learningRate: (step) => 1 / (1 + step) });
    model.compile({ engine, loss, optimizer });
    model.trainOnBatch(images, labels);
    expect(model.learningRate).toBe(0.5);
    expect(() => (model.learningRate = 0.1)).toThrow(OptionError);
    expect(() => (model.learningRate = 0.1)).toThrow(
      "learningRate: expected an optimizer with a constant rate, which can be changed, got adam with a schedule",
    );
    model.compile(sgd());
    expect(() => (model.learningRate = -1)).toThrow("learningRate: expected a finite number ≥ 0, got -1");
    expect(model.learningRate).toBe(0.25);
    model.dispose();
  });
});

describe("a layer's learning rate", () => {
  it("is the optimizer's times its multiplier", () => {
    for (const multiplier of [0.5, 0, 3]) {
      const model = net();
      model.layers[0]!.learningRateMultiplier = multiplier;
      model.compile({ engine, loss, optimizer: optimizers.sgd({ learningRate: 0.25 }) });
      const before = model.weights;
      model.trainOnBatch(images, labels);
      for (const [name, { data }] of model.gradients) {
        const rate = f32(0.25 * (name.startsWith("conv2d") ? multiplier : 1));
        const w = before.get(name)!.data;
        const expected = data.map((g, i) => w[i]! - f32(rate * g));
        expect(bitsOf(model.weights.get(name)!.data), name).toEqual(bitsOf(expected));
      }
      model.dispose();
    }
  });

  it("comes back from a file, and reaches the parts of a composed layer", () => {
    const model = net();
    model.layers[3]!.learningRateMultiplier = 0.1;
    const again = loadModel(model.toSafetensors());
    expect(again.layers.map((layer) => layer.learningRateMultiplier)).toEqual([1, 1, 1, 0.1]);
    expect(Object.keys(JSON.parse(JSON.stringify(net().layers[0])))).toContain("learningRateMultiplier");
  });

  it("is refused when it is none", () => {
    const model = net();
    model.layers[0]!.learningRateMultiplier = -1;
    expect(() => model.compile(sgd())).toThrow(
      "compile: conv2d: learningRateMultiplier: expected a finite number ≥ 0, got -1",
    );
  });
});
