/** Checkpoints: a run that is taken up in another model goes on with the same bits. */
import { describe, expect, it } from "vitest";
import {
  FormatError,
  layers,
  load,
  loadModel,
  losses,
  OptionError,
  optimizers,
  Random,
  sequential,
  tensor,
  type Model,
  type Optimizer,
} from "../../src/index.ts";
import { loadModel as loadForInference } from "../../src/inference.ts";
import { decodeSafetensors, encodeSafetensors } from "../../src/formats/safetensors.ts";
import { weightBits } from "../support/model.ts";

const engine = await load();
const random = new Random(5);
const images = tensor(
  Float32Array.from({ length: 20 * 16 }, () => random.uniform()),
  [20, 4, 4, 1],
);
const labels = Int32Array.from({ length: 20 }, () => random.integer(3));
const loss = losses.softmaxCrossEntropy();

/** All that a run may depend on besides weights: dropout draws, moving means, a schedule, and a frozen layer. */
function create(): Model {
  const frozen = layers.dense({ units: 6, activation: "tanh" });
  frozen.trainable = false;
  return sequential({
    inputShape: [4, 4, 1],
    layers: [
      layers.conv2d({ filters: 3, kernelSize: 3 }),
      layers.batchNormalization(),
      layers.flatten(),
      layers.dropout({ rate: 0.3 }),
      frozen,
      layers.dense({ units: 3 }),
    ],
    seed: 9,
  });
}

const OPTIMIZERS: Record<string, () => Optimizer> = {
  sgd: () => optimizers.sgd({ learningRate: 0.1 }),
  momentum: () => optimizers.sgd({ learningRate: (step) => 0.1 / (1 + step), momentum: 0.9 }),
  adam: () => optimizers.adam({ learningRate: 0.05 }),
  lamb: () => optimizers.lamb({ learningRate: 0.05 }),
};
const compiled = (model: Model, optimizer: Optimizer): Model => model.compile({ engine, optimizer, loss });
const fit = (model: Model, epochs: number) => model.fit(images, labels, { epochs, batchSize: 6 });

describe("a checkpoint", () => {
  it("holds gradients that wait, averages and a rate that was set", async () => {
    const compileRich = (model: Model): Model =>
      model.compile({
        engine,
        optimizer: optimizers.adam({ learningRate: 0.05 }),
        loss,
        gradientAccumulationSteps: 3,
        useEma: true,
        emaMomentum: 0.8,
      });
    const whole = compileRich(create());
    let model = compileRich(create());
    for (let epoch = 0; epoch < 3; epoch++) {
      for (const each of [whole, model]) {
        if (epoch === 1) each.learningRate = 0.02;
        await each.fit(images, labels, { batchSize: 6 });
      }
      const bytes = model.toCheckpoint();
      const waiting = [1, 2, 0][epoch];
      const { metadata } = decodeSafetensors(bytes);
      const counted = Object.values(metadata).some((text) =>
        text.includes(`"accumulated":{"batches":${waiting},`),
      );
      expect(counted, `epoch ${epoch}`).toBe(waiting !== 0);
      model.dispose();
      model = compileRich(loadModel(bytes));
      expect(model.toCheckpoint()).toEqual(bytes);
      expect(weightBits(model)).toEqual(weightBits(whole));
    }
    expect(model.learningRate).toBe(0.02);
    for (const each of [whole, model]) each.trainOnBatch(images, labels);
    expect(weightBits(model)).toEqual(weightBits(whole));
    const bytes = model.toCheckpoint();
    expect(() => compiled(loadModel(bytes), optimizers.adam())).toThrow(
      "compile: the checkpoint: accumulated: expected none, as compile asked for none, got some",
    );
    for (const each of [whole, model]) each.dispose();
  });

  it.each(Object.entries(OPTIMIZERS))(
    "goes on bit for bit, between epochs and steps, with %s",
    async (_, optimizer) => {
      const whole = compiled(create(), optimizer());
      const expected = (await fit(whole, 3)).loss;
      expected.push(whole.trainOnBatch(images, labels), whole.trainOnBatch(images, labels));
      let model = compiled(create(), optimizer());
      const found: number[] = [];
      const again = (): void => {
        const bytes = model.toCheckpoint();
        model.dispose();
        model = compiled(loadModel(bytes), optimizer());
        expect(model.toCheckpoint()).toEqual(bytes);
      };
      again();
      for (let epoch = 0; epoch < 3; epoch++) {
        found.push(...(await fit(model, 1)).loss);
        again();
      }
      found.push(model.trainOnBatch(images, labels));
      again();
      found.push(model.trainOnBatch(images, labels));
      expect(found).toEqual(expected);
      expect(weightBits(model)).toEqual(weightBits(whole));
      for (const each of [whole, model]) each.dispose();
    },
  );

  it("is taken up by another optimizer's compile never, by that of its own then still", () => {
    const model = compiled(create(), optimizers.adam());
    model.trainOnBatch(images, labels);
    const bytes = model.toCheckpoint();
    const next = model.trainOnBatch(images, labels);
    const loaded = loadModel(bytes);
    expect(() => compiled(loaded, optimizers.sgd({ learningRate: 0.1 }))).toThrow(
      new OptionError('compile: the checkpoint: optimizer: expected the state of sgd, got "adam"'),
    );
    loaded.compile({ engine });
    expect(compiled(loaded, optimizers.adam()).trainOnBatch(images, labels)).toBe(next);
    // A further compile starts anew, as without a checkpoint.
    compiled(loaded, optimizers.adam());
    expect(JSON.parse(decodeSafetensors(loaded.toCheckpoint()).metadata["training"]!)).toMatchObject({
      steps: 0,
    });
    for (const each of [model, loaded]) each.dispose();
  });

  it("is a model file: for inference, and for what reads weights alone", () => {
    const model = compiled(create(), optimizers.adam());
    model.trainOnBatch(images, labels);
    const bytes = model.toCheckpoint();
    const { tensors, metadata } = decodeSafetensors(bytes);
    expect([...tensors.keys()].filter((name) => name.startsWith("optimizer/mean/"))).toEqual([
      "optimizer/mean/conv2d.kernel",
      "optimizer/mean/conv2d.bias",
      "optimizer/mean/batchNormalization.gamma",
      "optimizer/mean/batchNormalization.beta",
      "optimizer/mean/dense_1.kernel",
      "optimizer/mean/dense_1.bias",
    ]);
    expect(JSON.parse(metadata["training"]!)).toMatchObject({
      version: 1,
      optimizer: "adam",
      seed: 9,
      steps: 1,
      epochs: 0,
    });
    const expected = model.predict(images).data;
    for (const loaded of [loadModel(bytes), loadForInference(bytes)]) {
      loaded.compile({ engine });
      expect(loaded.predict(images).data).toEqual(expected);
      loaded.dispose();
    }
    expect(loadModel(bytes).toSafetensors()).toEqual(model.toSafetensors());
    model.dispose();
  });

  it("is not written in the middle of a step, or without an optimizer", () => {
    const model = create();
    expect(() => model.toCheckpoint()).toThrow("toCheckpoint: expected a compiled model");
    model.compile({ engine });
    expect(() => model.toCheckpoint()).toThrow(
      "toCheckpoint: expected a model compiled with an optimizer and a loss",
    );
    compiled(
      model,
      optimizers.sgd({
        learningRate() {
          model.toCheckpoint();
          return 0.1;
        },
      }),
    );
    expect(() => model.trainOnBatch(images, labels)).toThrow(
      "toCheckpoint: expected a model at rest, got one in training",
    );
    model.dispose();
  });

  it("is refused when its state is damaged, with the place", () => {
    const model = compiled(create(), optimizers.sgd({ learningRate: 0.1, momentum: 0.9 }));
    model.trainOnBatch(images, labels);
    const { tensors, metadata } = decodeSafetensors(model.toCheckpoint());
    const state = JSON.parse(metadata["training"]!) as Record<string, unknown>;
    const file = (training: unknown): Uint8Array =>
      encodeSafetensors(tensors, {
        ...metadata,
        training: typeof training === "string" ? training : JSON.stringify(training),
      });
    const refused: [unknown, string][] = [
      ["{", 'training: expected JSON, got "{"'],
      [[], "training: expected an object, got []"],
      [{ ...state, version: 2 }, "training: expected version 1, got 2"],
      [{ ...state, optimizer: 1 }, "training: expected the name of an optimizer, got 1"],
      [{ ...state, slots: [] }, "training: expected slots by name, got []"],
      [{ ...state, slots: { velocity: "conv2d.kernel" } }, "training: expected names of weights"],
      [
        { ...state, slots: { velocity: ["x.kernel"] } },
        "training: expected the tensor optimizer/velocity/x.kernel",
      ],
      [{ ...state, slots: {} }, "weights: expected"],
    ];
    for (const [training, message] of refused) {
      expect(() => loadModel(file(training)), message).toThrow(FormatError);
      expect(() => loadModel(file(training)), message).toThrow(message);
    }
    const wrong: [object, string][] = [
      [{ steps: -1 }, "compile: the checkpoint: steps: expected an integer from 0"],
      [{ seed: 1 }, "compile: the checkpoint: seed: expected the model's, 9, got 1"],
      [{ more: 1 }, "compile: the checkpoint: "],
    ];
    for (const [change, message] of wrong) {
      const loaded = loadModel(file({ ...state, ...change }));
      const compile = (): Model => compiled(loaded, optimizers.sgd({ learningRate: 0.1, momentum: 0.9 }));
      expect(compile, message).toThrow(OptionError);
      expect(compile, message).toThrow(message);
      loaded.dispose();
    }
    model.dispose();
  });
});
