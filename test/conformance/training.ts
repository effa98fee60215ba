/** Training and inference with models: learning, stopping, and the same bits whichever way they are run. */
import { losses, optimizers } from "im2row";
import type { Engine, FitOptions, Model, Optimizer, Tensor } from "im2row";
import { agreement, crossEntropy, oneHot } from "../oracles/loss.ts";
import { U } from "../support/float.ts";
import { digits, noise, weightBits } from "../support/model.ts";
import { random } from "../support/random.ts";
import type { Case, Context } from "./case.ts";
import { holds, rejects, same, sameBits } from "./expect.ts";
import { everyLayer, lenet5, tinyNet } from "./nets.ts";

const loss = losses.softmaxCrossEntropy();
const [COUNT, CLASSES] = [10, 3];
const images = noise(1, COUNT, 7, 7, 3);
const labels = Int32Array.from({ length: COUNT }, (_, i) => (i * 7) % CLASSES);

function compiled(model: Model, engine: Engine, optimizer: Optimizer): Model {
  model.compile({ engine, optimizer, loss });
  return model;
}

/** A net of every layer after a few steps, so that its weights are none that it could have by chance. */
function trained(engine: Engine): Model {
  const model = compiled(everyLayer(4), engine, optimizers.adam({ learningRate: 0.01 }));
  for (let step = 0; step < 5; step++) model.trainOnBatch(noise(step, 3, ...model.inputShape), [0, 3, 1]);
  return model;
}

/** LeNet-5 on 1000 drawn digits: the loss falls, and others are told apart (chance is 0.1; the run reaches 0.93). */
async function expectLearning({ engine }: Context): Promise<void> {
  const model = compiled(lenet5(1), engine, optimizers.adam({ learningRate: 0.002 }));
  const [training, heldOut] = [digits(1000, 1), digits(200, 2)];
  const validationData = [heldOut.images, heldOut.labels] as const;
  const told: number[] = [];
  const onEpochEnd = (state: { loss: number }): void => void told.push(state.loss);
  const options: FitOptions = { epochs: 5, validationData, onEpochEnd };
  const history = await model.fit(training.images, training.labels, options);
  same("history.loss", history.loss, told);
  const falls = told.every((value, i) => i === 0 || value < told[i - 1]!);
  holds("loss", falls && told.length === 5, "one that falls with each of 5 epochs", told);
  const { loss: last, accuracy } = model.evaluate(...validationData);
  holds("accuracy", accuracy > 0.8, "more than 0.8", accuracy);
  same("validation", [history.validationLoss.at(-1), history.validationAccuracy.at(-1)], [last, accuracy]);
  model.dispose();
}

/** One step: the loss is that before it, and each weight moves by rate·gradient, rounded once. */
function expectStep({ engine }: Context): void {
  const rate = 0.125;
  const model = compiled(tinyNet(), engine, optimizers.sgd({ learningRate: rate }));
  const batch = noise(2, 8, 7, 7, 3);
  const classes = labels.slice(0, 8);
  const before = model.weights;
  const { loss: expected } = model.evaluate(batch, classes);
  same("loss before the step", model.trainOnBatch(batch, classes), expected);
  const { weights, gradients } = model;
  for (const [name, { data }] of weights) {
    const gradient = gradients.get(name)!.data;
    const moved = before.get(name)!.data.map((w, i) => w - rate * gradient[i]!);
    sameBits(name, data, moved);
  }
  const after = model.evaluate(batch, classes).loss;
  holds("loss after the step", after < expected, `less than ${expected}`, after);
  model.dispose();
}

/** Loss and accuracy are those of the outputs, whatever the batch size. */
function expectEvaluation({ engine }: Context): void {
  const model = compiled(tinyNet(), engine, optimizers.adam());
  const { data } = model.predict(images);
  const rows = oneHot(labels, CLASSES);
  const exact = crossEntropy(data, rows, CLASSES);
  const correct = agreement(data, rows, CLASSES);
  // The bound of the loss (assembly/training/softmaxCrossEntropy.ts) for logits within 16 of their maximum.
  const bound = (16 + 1 + 4) * U;
  holds("logits", Math.max(...data.map(Math.abs)) < 8, "|logit| < 8", [...data]);
  for (const batchSize of [1, 3, COUNT, 64]) {
    const found = model.evaluate(images, labels, { batchSize });
    holds("loss", Math.abs(found.loss - exact) < bound, `${exact} ± ${bound}`, found.loss);
    same("accuracy", found.accuracy, correct / COUNT);
  }
  const first = model.evaluate(images, labels, { batchSize: 3 });
  model.predict(images, { batchSize: 8 });
  same("again, after predict", model.evaluate(images, labels, { batchSize: 3 }), first);
  model.dispose();
}

/** An aborted fit keeps the weights of the last step, and another may follow. */
async function expectAbort({ engine }: Context): Promise<void> {
  const model = compiled(tinyNet(), engine, optimizers.sgd({ learningRate: 0.1 }));
  let reason: Error | undefined;
  let atAbort: unknown;
  const signal = {
    throwIfAborted(): void {
      if (reason) throw reason;
    },
  };
  const onBatchEnd = ({ step }: { step: number }): void => {
    if (step !== 2) return;
    reason = new Error("after 2");
    atAbort = weightBits(model);
  };
  const options: FitOptions = { batchSize: 4, epochs: 5, signal, onBatchEnd };
  await rejects("fit", model.fit(images, labels, options), Error, "after 2");
  same("weights", weightBits(model), atAbort);
  await rejects("fit, aborted before", model.fit(images, labels, options), Error, "after 2");
  same("weights", weightBits(model), atAbort);
  const steps: number[] = [];
  await model.fit(images, labels, { batchSize: 4, onBatchEnd: ({ step }) => void steps.push(step) });
  same("steps of the next fit", steps, [3, 4, 5]);
  model.dispose();
}

/** The bits of the outputs of the first `n` images through a session. */
function expectSession(model: Model, batch: Tensor, whole: Float32Array, n: number): void {
  const session = model.session({ batchSize: batch.shape[0]! });
  session.input.set(batch.data);
  session.run(n);
  const size = n * model.outputShape[0]!;
  sameBits(`session.run(${n})`, session.output.slice(0, size), whole.slice(0, size));
  session.dispose();
}

function expectSamePredictions({ engine }: Context): void {
  const model = trained(engine);
  const batch = noise(9, 11, ...model.inputShape);
  const whole = model.predict(batch).data;
  for (const batchSize of [1, 2, 3, 8, 11, 64]) {
    model.compile({ engine });
    sameBits(`predict by ${batchSize}`, model.predict(batch, { batchSize }).data, whole);
  }
  for (const n of [1, 2, 11]) expectSession(model, batch, whole, n);
  model.dispose();
}

/** What lets others through computes the same, several runs at once too, and ends by its signal. */
async function expectSameAsync({ engine }: Context): Promise<void> {
  const model = compiled(tinyNet(), engine, optimizers.sgd({ learningRate: 0.1 }));
  const options = { batchSize: 3 };
  const [whole, figures] = [model.predict(images), model.evaluate(images, labels, options)];
  const [first, second, found] = await Promise.all([
    model.predictAsync(images, options),
    model.predictAsync(images),
    model.evaluateAsync(images, labels, options),
  ]);
  sameBits("predictAsync", first.data, whole.data);
  sameBits("predictAsync at the same time", second.data, whole.data);
  same("evaluateAsync", found, figures);
  let asked = 0;
  const signal = {
    throwIfAborted(): void {
      if (++asked > 2) throw new Error("after 2");
    },
  };
  await rejects("predictAsync", model.predictAsync(images, { ...options, signal }), Error, "after 2");
  same("batches begun", asked, 3);
  model.dispose();
}

/** Buffers for a larger batch lie elsewhere, and change nothing. */
function expectSameSteps({ engine }: Context): void {
  const [small, large] = [1, 64].map((first) => {
    // The first step alone differs, and its rate is zero.
    const learningRate = (step: number): number => (step === 0 ? 0 : 0.1);
    const model = compiled(everyLayer(2), engine, optimizers.sgd({ learningRate }));
    model.trainOnBatch(noise(first, first, ...model.inputShape), new Int32Array(first));
    for (let step = 0; step < 3; step++)
      model.trainOnBatch(noise(step, 5, ...model.inputShape), [0, 1, 2, 3, 0]);
    const bits = weightBits(model);
    model.dispose();
    return bits;
  });
  same("weights", large, small);
}

/** Fit is the same from run to run, and so is training that moves to another engine on its way. */
async function expectSameTraining({ engine, load }: Context): Promise<void> {
  const second = await load();
  const optimizer = optimizers.sgd({ learningRate: 0.1 });
  const [stays, moves] = [tinyNet(), tinyNet()];
  for (const model of [stays, moves])
    await compiled(model, engine, optimizer).fit(images, labels, { epochs: 2 });
  same("weights after fit", weightBits(moves), weightBits(stays));
  compiled(moves, second, optimizer);
  const classes = random(3).integers(4, 0, CLASSES - 1);
  for (let step = 0; step < 5; step++) {
    for (const model of [stays, moves]) model.trainOnBatch(noise(step, 4, 7, 7, 3), classes);
  }
  same("weights on another engine", weightBits(moves), weightBits(stays));
  stays.dispose();
  moves.dispose();
  same("memory in use", second.memory.used, 0);
  second.dispose();
}

export const trainingCases: readonly Case[] = [
  { name: "LeNet-5 learns drawn digits", run: expectLearning },
  { name: "trainOnBatch takes one step and tells the loss before it", run: expectStep },
  { name: "evaluate tells the mean loss and the accuracy", run: expectEvaluation },
  { name: "an aborted fit keeps the weights of its last step", run: expectAbort },
  { name: "outputs have the same bits at any batch size and in a session", run: expectSamePredictions },
  { name: "predictAsync and evaluateAsync have the bits of predict and evaluate", run: expectSameAsync },
  { name: "training has the same bits with buffers for more images", run: expectSameSteps },
  { name: "training has the same bits from run to run and from engine to engine", run: expectSameTraining },
];
