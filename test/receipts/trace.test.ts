/** Traces of a step: they change nothing, and name the first operator that computes otherwise. */
import { createHash } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  defineLayer,
  input,
  layers,
  load,
  losses,
  model as modelOf,
  optimizers,
  sequential,
  type Engine,
  type Model,
} from "../../src/index.ts";
import { compareTraces, stepTracer, traceStep, type StepTrace } from "../../src/receipts/trace.ts";
import { noise, weightBits } from "../support/model.ts";

const COUNT = 10;
const images = noise(1, COUNT, 8, 8, 2);
const labels = Int32Array.from({ length: COUNT }, (_, i) => i % 3);

let engine: Engine;
beforeAll(async () => {
  engine = await load();
});
afterAll(() => {
  expect(engine.memory.used).toBe(0);
  engine.dispose();
});

/** The float32 after 2. */
const WRONG = 2 + 2 ** -22;

/** y = 2·x, with a fault of one unit in the last place where it is asked for. */
const doubled = (fault?: "forward" | "backward") =>
  defineLayer({
    type: "doubled",
    forward({ x, y }) {
      const factor = fault === "forward" ? WRONG : 2;
      for (let i = 0; i < y.length; i++) y[i] = factor * x[i]!;
    },
    backward({ dy, dx }) {
      const factor = fault === "backward" ? WRONG : 2;
      for (let i = 0; i < dy.length; i++) dx![i] = factor * dy[i]!;
    },
  });

/** All kinds of passes: a residual (parts of gradients), a view, activations, moving statistics, dropout. */
function net(fault?: "forward" | "backward"): Model {
  const x = input({ shape: [8, 8, 2] });
  const first = layers.conv2d({ filters: 4, kernelSize: 3, padding: "same", activation: "relu" }).apply(x);
  const normal = layers.batchNormalization().apply(first);
  const sum = layers.add().apply([first, doubled(fault)().apply(normal)]);
  const flat = layers.flatten().apply(layers.maxPooling2d({ poolSize: 2 }).apply(sum));
  const dropped = layers.dropout({ rate: 0.25 }).apply(flat);
  const made = modelOf({ inputs: x, outputs: layers.dense({ units: 3 }).apply(dropped), seed: 4 });
  return made.compile({
    engine,
    optimizer: optimizers.sgd({ learningRate: 0.05, momentum: 0.9 }),
    loss: losses.softmaxCrossEntropy(),
  });
}

const traced = (made: Model, steps = 2): StepTrace => {
  for (let i = 1; i < steps; i++) made.trainOnBatch(images, labels);
  const trace = traceStep(made, images, labels);
  made.dispose();
  return trace;
};

const placeOf = (difference: ReturnType<typeof compareTraces>): string | undefined =>
  difference && `${difference.layer}: ${difference.pass}: ${difference.of}`;

describe("a trace", () => {
  it("leaves the step as it is", () => {
    const [plain, watched] = [net(), net()];
    for (let step = 1; step <= 3; step++) {
      const loss = plain.trainOnBatch(images, labels);
      const { entries, step: number } = traceStep(watched, images, labels);
      expect(number).toBe(step);
      expect(entries.find(({ of }) => of === "loss")!.digest).toBe(
        createHash("sha256").update(Float64Array.of(loss)).digest("hex"),
      );
    }
    expect(weightBits(watched)).toEqual(weightBits(plain));
    const [a, b] = [watched, plain].map((made) => made.trainerToWatch("test").state());
    expect(a).toEqual(b);
    plain.dispose();
    watched.dispose();
  });

  it("lists what each operator computes, in the order of the step", () => {
    const { entries } = traced(net());
    const listed = entries.map(({ layer, pass, of, shape }) => `${layer} ${pass} ${of} ${shape.join("x")}`);
    const state = (pass: string): string[] => [
      `conv2d ${pass} kernel 3x3x2x4`,
      `conv2d ${pass} bias 4`,
      ...["gamma", "beta", "movingMean", "movingVariance"].map(
        (name) => `batchNormalization ${pass} ${name} 4`,
      ),
      `dense ${pass} kernel 64x3`,
      `dense ${pass} bias 3`,
      `conv2d ${pass} velocity of kernel 3x3x2x4`,
      `conv2d ${pass} velocity of bias 4`,
      `batchNormalization ${pass} velocity of gamma 4`,
      `batchNormalization ${pass} velocity of beta 4`,
      `dense ${pass} velocity of kernel 64x3`,
      `dense ${pass} velocity of bias 3`,
    ];
    expect(listed).toEqual([
      ...state("begin"),
      "input begin y 10x8x8x2",
      "dense begin labels 10x1",
      "conv2d forward y 10x8x8x4",
      "batchNormalization forward y 10x8x8x4",
      "doubled forward y 10x8x8x4",
      "add forward y 10x8x8x4",
      "maxPooling2d forward y 10x4x4x4",
      "dropout forward y 10x64",
      "dense forward y 10x3",
      "model loss loss ",
      "dense loss gradient of y 10x3",
      "dense backward gradient of x 10x64",
      "dense backward gradient of kernel 64x3",
      "dense backward gradient of bias 3",
      "dropout backward gradient of x 10x64",
      "maxPooling2d backward gradient of x 10x8x8x4",
      "add backward gradient of x 10x8x8x4",
      "add backward gradient of x1 10x8x8x4",
      "doubled backward gradient of x 10x8x8x4",
      "batchNormalization backward gradient of x 10x8x8x4",
      "batchNormalization backward gradient of gamma 4",
      "batchNormalization backward gradient of beta 4",
      "conv2d backward gradient of kernel 3x3x2x4",
      "conv2d backward gradient of bias 4",
      ...state("update"),
    ]);
  });

  it("has the digests of what is in memory: images, labels, and the output that predict gives", () => {
    const made = sequential({
      inputShape: [8, 8, 2],
      layers: [layers.flatten(), layers.dense({ units: 3 })],
    });
    made.compile({
      engine,
      optimizer: optimizers.sgd({ learningRate: 0.1 }),
      loss: losses.softmaxCrossEntropy(),
    });
    const expected = [images.data, labels, made.predict(images).data].map((data) =>
      createHash("sha256").update(data).digest("hex"),
    );
    const { entries } = traced(made, 1);
    const of = (layer: string, what: string): string =>
      entries.find((e) => e.layer === layer && e.of === what)!.digest;
    expect([of("input", "y"), of("dense", "labels"), of("dense", "y")]).toEqual(expected);
  });

  it("is that of a step of fit, which ends after it", async () => {
    const options = { epochs: 3, batchSize: 4 };
    const [plain, watched] = [net(), net()];
    // Three steps an epoch: the fifth is the second of the second epoch.
    await plain.fit(images, labels, {
      ...options,
      callbacks: [{ onBatchEnd: ({ step }) => step === 5 && "stop" }],
    });
    const tracer = stepTracer(watched, 5);
    const history = await watched.fit(images, labels, { ...options, onBatchEnd: tracer.onBatchEnd });
    expect(history.stoppedEpoch).toBe(2);
    expect(weightBits(watched)).toEqual(weightBits(plain));
    const again = net();
    const second = stepTracer(again, 5);
    await again.fit(images, labels, { ...options, onBatchEnd: second.onBatchEnd });
    expect(tracer.trace!.step).toBe(5);
    expect(JSON.parse(JSON.stringify(second.trace))).toEqual(tracer.trace);
    for (const made of [plain, watched, again]) made.dispose();
  });

  it("covers all batches of a step", async () => {
    const made = net();
    made.compile({
      engine,
      optimizer: optimizers.sgd({ learningRate: 0.1 }),
      loss: losses.softmaxCrossEntropy(),
      gradientAccumulationSteps: 2,
    });
    const tracer = stepTracer(made, 2);
    await made.fit(images, labels, { batchSize: 2, onBatchEnd: tracer.onBatchEnd });
    expect(tracer.trace!.entries.filter(({ of }) => of === "loss")).toHaveLength(2);
    made.dispose();
  });
});

describe("compareTraces", () => {
  it("finds no difference where there is none", () => {
    expect(compareTraces(traced(net()), traced(net()))).toBeUndefined();
  });

  it.each(["forward", "backward"] as const)("names the operator with a fault of one bit: %s", (fault) => {
    expect(placeOf(compareTraces(traced(net(), 1), traced(net(fault), 1)))).toBe(
      `doubled: ${fault}: ${fault === "forward" ? "y" : "gradient of x"}`,
    );
    // The first step had the fault already, so that the second begins with other weights.
    expect(compareTraces(traced(net()), traced(net(fault)))?.pass).toBe("begin");
  });

  it("names a weight, an image and a label of which a bit differs", () => {
    const made = net();
    const weights = made.weights;
    const kernel = weights.get("dense.kernel")!;
    new Int32Array(kernel.data.buffer)[17]! ^= 1 << 16;
    made.setWeights(weights);
    const [a, b] = [traced(net(), 1), traced(made, 1)];
    expect(placeOf(compareTraces(a, b))).toBe("dense: begin: kernel");
    const first = a.entries.findIndex(
      ({ pass, digest }, i) => pass === "forward" && digest !== b.entries[i]!.digest,
    );
    expect(a.entries[first]!.layer).toBe("dense");

    const another = noise(1, COUNT, 8, 8, 2);
    another.data[100]! *= 1 + 2 ** -23;
    const watched = net();
    expect(placeOf(compareTraces(a, traceStep(watched, another, labels)))).toBe("input: begin: y");
    watched.dispose();
    const relabelled = net();
    const wrong = labels.with(3, (labels[3]! + 1) % 3);
    expect(placeOf(compareTraces(a, traceStep(relabelled, images, wrong)))).toBe("dense: begin: labels");
    relabelled.dispose();
  });

  it("refuses what is no trace, and traces of different steps and nets", () => {
    const trace = traced(net());
    expect(() => compareTraces(trace, {} as StepTrace)).toThrow(
      "compareTraces: expected a trace of a step, version 1, got {}",
    );
    expect(() => compareTraces(trace, traced(net(), 3))).toThrow(
      "compareTraces: expected traces of one step, got those of steps 2 and 3",
    );
    expect(() => compareTraces(trace, { ...trace, entries: trace.entries.slice(0, 20) })).toThrow(
      "compareTraces: expected traces of one net, got maxPooling2d: forward: y [10, 4, 4, 4] and its end at entry 20",
    );
  });
});
