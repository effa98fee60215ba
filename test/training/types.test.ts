/**
 * The types of what training takes: the compiler checks this file, and each refusal that it expects is one at run time too, or
 * would be one of the wrong kind.
 */
import { expect, expectTypeOf, it } from "vitest";
import {
  callbacks,
  defineLayer,
  layers,
  OptionError,
  optimizers,
  regularizers,
  schedules,
  tensor,
  type BatchEnd,
  type BatchRecord,
  type Callback,
  type CallbackLike,
  type EpochEnd,
  type Evaluation,
  type History,
  type InputTensor,
  type Labels,
  type LabelledBatch,
  type LearningRate,
  type Model,
  type Optimizer,
  type Regularizer,
  type Schedule,
  type Stream,
  type SyncStream,
  type Tensor,
  type TrainedModel,
} from "im2row";
import { cutout, fromTensors, mixup, type Batches, type Samples } from "im2row/data";

it("optimizers", () => {
  for (const make of Object.values(optimizers)) {
    expectTypeOf(make({ learningRate: 0.1, globalClipNorm: 1, clipValue: 2 })).toEqualTypeOf<Optimizer>();
    expectTypeOf(make({ learningRate: (step: number) => 1 / (1 + step) })).toEqualTypeOf<Optimizer>();
    // @ts-expect-error: the option has another name
    expect(() => make({ lr: 0.1 })).toThrow(OptionError);
    // @ts-expect-error: a rate is a number, or a function of the step
    expect(() => make({ learningRate: "0.1" })).toThrow(OptionError);
  }
  // @ts-expect-error: Adam has no momentum
  expect(() => optimizers.adam({ momentum: 0.9 })).toThrow(OptionError);
});

it("schedules", () => {
  const schedule = schedules.cosineDecay({ learningRate: 0.1, decaySteps: 10 });
  expectTypeOf(schedule).toExtend<Schedule>();
  expectTypeOf(schedule).toExtend<LearningRate>();
  expectTypeOf(schedule(3)).toEqualTypeOf<number>();
  // @ts-expect-error: the number of steps has no default
  expect(() => schedules.cosineDecay({ learningRate: 0.1 })).toThrow(OptionError);
});

it("regularizers", () => {
  expectTypeOf(regularizers.l2()).toEqualTypeOf<Regularizer>();
  expectTypeOf(regularizers.l1L2({ l1: 1 })).toEqualTypeOf<Regularizer>();
  const penalties = { kernelRegularizer: regularizers.l1(), biasRegularizer: { l2: 1 } };
  expect(layers.dense({ units: 1, ...penalties }).config).toMatchObject({
    biasRegularizer: { l1: 0, l2: 1 },
  });
  // @ts-expect-error: names are Keras's own, not penalties
  expect(() => layers.dense({ units: 1, kernelRegularizer: "l2" })).toThrow(OptionError);
  // @ts-expect-error: there is no third norm
  expect(() => regularizers.l1L2({ l3: 1 })).toThrow(OptionError);
  const own = defineLayer({
    type: "typed",
    config: { penalty: regularizers.l2() },
    weights: (_, { penalty }) => ({ w: { shape: [1], initializer: "ones", regularizer: penalty } }),
    forward() {},
  });
  expectTypeOf(own).parameter(0).toExtend<{ penalty?: Regularizer; name?: string | undefined } | undefined>();
});

it("callbacks", () => {
  const list: CallbackLike[] = [
    callbacks.earlyStopping({ monitor: "topK", mode: "max", patience: 2 }),
    callbacks.reduceLROnPlateau({ factor: 0.5 }),
    callbacks.csvLogger((text) => expectTypeOf(text).toEqualTypeOf<string>()),
    callbacks.learningRateFinder(),
    (state, model) => {
      expectTypeOf(state).toEqualTypeOf<EpochEnd>();
      expectTypeOf(model).toEqualTypeOf<TrainedModel>();
      return state.loss < 1 ? "stop" : undefined;
    },
    {
      onBatchEnd: (state) => expectTypeOf(state).toExtend<BatchEnd<number | undefined>>(),
      onTrainEnd: (history) => expectTypeOf(history).toEqualTypeOf<History>(),
    },
  ];
  expect(list).toHaveLength(6);
  expectTypeOf(callbacks.learningRateFinder().suggestion).toEqualTypeOf<number | undefined>();
  // @ts-expect-error: the event has another name
  const misnamed: Callback = { onEpochEnded() {} };
  expect(misnamed).toBeDefined();
  // @ts-expect-error: of three modes
  expect(() => callbacks.earlyStopping({ mode: "least" })).toThrow(OptionError);
  // @ts-expect-error: a sink takes text
  expect(() => callbacks.csvLogger(5)).toThrow(OptionError);
});

it("streams", () => {
  type Batch = readonly [Tensor, Labels];
  expectTypeOf<Batch>().toExtend<LabelledBatch>();
  expectTypeOf<readonly [Tensor, Labels, Float64Array]>().toExtend<LabelledBatch>();
  expectTypeOf<{ images: Record<string, Tensor>; labels: number[] }>().toExtend<LabelledBatch>();
  expectTypeOf<BatchRecord>().toExtend<LabelledBatch>();
  expectTypeOf<Tensor>().not.toExtend<LabelledBatch>();
  expectTypeOf<AsyncGenerator<Batch>>().toExtend<Stream<LabelledBatch>>();
  expectTypeOf<Promise<Batch>[]>().toExtend<Stream<LabelledBatch>>();
  expectTypeOf<(epoch: number) => AsyncIterable<Batch>>().toExtend<Stream<LabelledBatch>>();
  expectTypeOf<Batches>().toExtend<Stream<LabelledBatch>>();
  expectTypeOf<(epoch: number) => Batch[]>().toExtend<SyncStream<LabelledBatch>>();
  expectTypeOf<AsyncGenerator<Batch>>().not.toExtend<SyncStream<LabelledBatch>>();
  expectTypeOf<Batches>().not.toExtend<SyncStream<LabelledBatch>>();
});

it("data sets", () => {
  const samples = fromTensors(tensor([1, 2], [2, 1]), [0, 1]);
  expectTypeOf(samples).toEqualTypeOf<Samples>();
  expectTypeOf(samples.split(0.5, 1)).toEqualTypeOf<[Samples, Samples]>();
  const changed = samples
    .shuffle(2, 1)
    .map(cutout({ size: 1, seed: 1 }))
    .map(mixup({ seed: 1, classes: 2 }));
  expectTypeOf(changed.batch(2).prefetch(1)).toEqualTypeOf<Batches>();
  const byName = fromTensors({ a: tensor([1, 2], [2, 1]) }, { b: [0, 1] });
  expectTypeOf(byName).toEqualTypeOf<Samples<Readonly<Record<string, InputTensor>>>>();
  // @ts-expect-error: a seed has no default
  expect(() => samples.shuffle(2)).toThrow(OptionError);
  // @ts-expect-error: neither has the one of mixup
  expect(() => mixup({ classes: 2 })).toThrow(OptionError);
});

it("evaluate", () => {
  type Evaluate = (model: Model, x: Tensor, stream: SyncStream<LabelledBatch>) => unknown;
  const typed: Evaluate = (model, x, stream) => [
    expectTypeOf(model.evaluate(x, [0], { sampleWeight: [1], batchSize: 2 })).toExtend<Evaluation>(),
    expectTypeOf(model.evaluateAsync(stream)).resolves.toExtend<Evaluation>(),
    // @ts-expect-error: batches of a stream have weights of their own
    model.evaluate(stream, { sampleWeight: [1] }),
  ];
  expect(typed).toBeInstanceOf(Function);
});
