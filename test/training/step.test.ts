/** The two halves of a training step, and the state from which a run is taken up again. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  defineOptimizer,
  layers,
  load,
  losses,
  optimizers,
  type Engine,
  type Layer,
  type Tensor,
} from "../../src/index.ts";
import { chain, type Graph } from "../../src/graph/graph.ts";
import { startingWeights } from "../../src/graph/initialize.ts";
import { Parameters } from "../../src/graph/parameters.ts";
import { Random } from "../../src/random.ts";
import type { TrainingBatch } from "../../src/training/batch.ts";
import { FitCourse } from "../../src/training/fit.ts";
import { checkFitOptions } from "../../src/training/fitOptions.ts";
import { HeldBatches } from "../../src/training/source.ts";
import { Interruption } from "../../src/runtime/interruption.ts";
import { Objective } from "../../src/training/objective.ts";
import type { Optimizer } from "../../src/training/optimizers/optimizer.ts";
import { Trainer, type TrainerOptions, type TrainingState } from "../../src/training/trainer.ts";
import { bitsOf } from "../support/float.ts";
import { noise } from "../support/model.ts";
import { random } from "../support/random.ts";

const SEED = 2 ** 40 + 5;
const SHAPE = [4, 4, 2];
const COUNT = 10;

let engine: Engine;
beforeAll(async () => {
  engine = await load();
});
afterAll(() => {
  expect(engine.memory.used).toBe(0);
  engine.dispose();
});

/** Weights, moving statistics and random masks: all that a step may change or draw. */
const mixed = (): Layer[] => [
  layers.conv2d({ filters: 3, kernelSize: 3, activation: "relu" }),
  layers.batchNormalization(),
  layers.dropout({ rate: 0.3 }),
  layers.flatten(),
  layers.dense({ units: 3 }),
];

/** An optimizer of a user, whose steps depend on its slots and on the number of the step. */
const own = defineOptimizer({
  type: "own",
  slots: ["first", "second"],
  update({ weights, gradient, slots: { first, second }, rate, step }) {
    for (let i = 0; i < weights.length; i++) {
      first![i] = 0.9 * first![i]! + gradient[i]!;
      second![i] = Math.max(second![i]!, Math.abs(gradient[i]!));
      weights[i]! -= (rate * first![i]!) / ((1 + second![i]!) * (1 + step));
    }
  },
});

const OPTIMIZERS: readonly [string, () => Optimizer][] = [
  ["sgd", () => optimizers.sgd({ learningRate: 0.1 })],
  ["sgd with momentum", () => optimizers.sgd({ learningRate: (step) => 0.1 / (1 + step), momentum: 0.9 })],
  ["adam", () => optimizers.adam({ learningRate: 0.01, globalClipNorm: 0.5 })],
  ["adamw", () => optimizers.adamw({ learningRate: (step) => 0.02 / (1 + step) })],
  ["rmsprop", () => optimizers.rmsprop({ learningRate: 0.01, momentum: 0.5, centered: true })],
  ["adagrad", () => optimizers.adagrad({ learningRate: 0.1 })],
  ["lion", () => optimizers.lion({ learningRate: 0.01, weightDecay: 0.1 })],
  ["one of a user", () => own({ learningRate: 0.05, clipValue: 0.5 })],
  ["lamb", () => optimizers.lamb({ learningRate: 0.01, weightDecay: 0.1 })],
];

interface Run {
  readonly trainer: Trainer;
  readonly parameters: Parameters;
  readonly objective: Objective;
  dispose(): void;
}

/** A net that trains, with weights drawn from the seed. */
function run(optimizer: Optimizer, made: readonly Layer[] = mixed(), options: TrainerOptions = {}): Run {
  const { runtime } = engine;
  const graph: Graph = chain(SHAPE, made);
  const parameters = new Parameters(graph, startingWeights(graph, new Random(SEED)));
  parameters.move(runtime, () => {});
  const objective = new Objective(graph, [losses.softmaxCrossEntropy()], [[]]);
  const trainer = new Trainer(runtime, graph, parameters, optimizer, objective.outputs, SEED, options);
  const dispose = (): void => {
    trainer.dispose();
    parameters.leave();
  };
  return { trainer, parameters, objective, dispose };
}

/** A batch of its own for each number. */
function batchOf({ objective }: Run, key: number, count = 5): TrainingBatch {
  const labels = random(key + 100).integers(count, 0, 2);
  const targets = objective.readLabels("labels", labels, count);
  return { images: [noise(key, count, ...SHAPE)], targets, start: 0, count };
}

function takeStep(each: Run, key: number): number {
  each.trainer.computeGradients("step", batchOf(each, key));
  each.trainer.applyGradients("step");
  return each.trainer.loss;
}

const bits = (tensors: ReadonlyMap<string, Tensor>): unknown[] =>
  Array.from(tensors, ([name, { shape, data }]) => [name, shape, bitsOf(data)]);
const weightsOf = ({ parameters }: Run): unknown[] => bits(parameters.read());
const stateOf = ({ trainer }: Run): unknown => {
  const { slots, ...rest } = trainer.state();
  return { ...rest, slots: Object.entries(slots).map(([name, slot]) => [name, bits(slot)]) };
};

describe("a step in two halves", () => {
  it.each(OPTIMIZERS)("changes nothing before the second, with %s", (_, optimizer) => {
    const one = run(optimizer());
    takeStep(one, 1);
    const [weights, state] = [weightsOf(one), stateOf(one)];
    one.trainer.computeGradients("here", batchOf(one, 2));
    expect(weightsOf(one)).toEqual(weights);
    expect(stateOf(one)).toEqual(state);
    const gradients = bits(one.trainer.readGradients());
    expect(gradients.length).toBeGreaterThan(4);
    // Computed again they are the same: the masks follow from the step, not from what was drawn.
    one.trainer.computeGradients("here", batchOf(one, 3));
    one.trainer.computeGradients("here", batchOf(one, 2));
    expect(bits(one.trainer.readGradients())).toEqual(gradients);
    one.trainer.applyGradients("here");
    expect(weightsOf(one)).not.toEqual(weights);
    expect(one.trainer.steps).toBe(2);
    one.dispose();
  });

  it("applies gradients once, and none that went with their buffers", () => {
    const one = run(optimizers.sgd({ learningRate: 0.1 }));
    const none = "here: expected gradients to apply, got none since the last step";
    const apply = (): void => one.trainer.applyGradients("here");
    expect(apply).toThrow(none);
    takeStep(one, 1);
    expect(apply).toThrow(none);
    one.trainer.computeGradients("here", batchOf(one, 2));
    one.trainer.reserve(50);
    expect(apply).toThrow(none);
    one.trainer.computeGradients("here", batchOf(one, 2));
    one.trainer.restore(one.trainer.state());
    expect(apply).toThrow(none);
    expect(one.trainer.steps).toBe(1);
    one.dispose();
  });

  it("changes nothing when a number is not finite, and goes on from there", () => {
    const [one, twin] = [run(optimizers.adam()), run(optimizers.adam())];
    for (const each of [one, twin]) takeStep(each, 1);
    const [weights, state] = [weightsOf(one), stateOf(one)];
    const batch = batchOf(one, 2);
    batch.images[0]!.data.fill(NaN, 0, 1);
    expect(() => one.trainer.computeGradients("here", batch)).toThrow(
      "here: step 2: expected finite numbers",
    );
    expect(() => one.trainer.applyGradients("here")).toThrow("got none");
    // A loss and gradients that are finite, with weights beyond float32.
    const huge = run(optimizers.sgd({ learningRate: 1e300, momentum: 0.5 }));
    const before = [weightsOf(huge), stateOf(huge)];
    huge.trainer.computeGradients("here", batchOf(huge, 1));
    expect(() => huge.trainer.applyGradients("here")).toThrow("an updated weight is not finite");
    expect([weightsOf(huge), stateOf(huge)]).toEqual(before);
    huge.dispose();
    expect([weightsOf(one), stateOf(one)]).toEqual([weights, state]);
    for (const key of [3, 4]) expect(takeStep(one, key)).toBe(takeStep(twin, key));
    expect(weightsOf(one)).toEqual(weightsOf(twin));
    for (const each of [one, twin]) each.dispose();
  });

  it("prepares frozen layers anew when weights change between the halves", () => {
    const frozen = layers.conv2d({ filters: 3, kernelSize: 3, padding: "same" });
    frozen.trainable = false;
    const net = (): Layer[] => [frozen, layers.flatten(), layers.dense({ units: 3 })];
    const [one, twin] = [
      run(optimizers.sgd({ learningRate: 0 }), net()),
      run(optimizers.sgd({ learningRate: 0 }), net()),
    ];
    const changed = new Map(
      Array.from(one.parameters.read(), ([name, { shape, data }]) => [
        name,
        { shape, data: data.map((x) => 2 * x) },
      ]),
    );
    takeStep(one, 1);
    one.trainer.computeGradients("here", batchOf(one, 2));
    one.parameters.write("here", changed);
    one.trainer.applyGradients("here");
    twin.parameters.write("here", changed);
    expect(takeStep(one, 3)).toBe(takeStep(twin, 3));
    for (const each of [one, twin]) each.dispose();
  });

  it("refuses images whose memory was detached", () => {
    const one = run(optimizers.sgd({ learningRate: 0.1 }));
    const batch = batchOf(one, 1);
    structuredClone(batch.images[0]!.data.buffer, {
      transfer: [batch.images[0]!.data.buffer as ArrayBuffer],
    });
    expect(() => one.trainer.computeGradients("here", batch)).toThrow("got a view that was detached since");
    one.dispose();
  });

  it("gives shards of a batch the masks of dropout of the whole", () => {
    const dropped = (): Layer[] => [
      layers.dropout({ rate: 0.5 }),
      layers.flatten(),
      layers.dense({ units: 3 }),
    ];
    const one = run(optimizers.sgd({ learningRate: 0.1 }), dropped());
    const whole = batchOf(one, 1, 6);
    const gradientOf = (batch: TrainingBatch): Float32Array => {
      one.trainer.computeGradients("here", batch);
      return one.trainer.readGradients().get("dense.kernel")!.data;
    };
    const expected = gradientOf(whole);
    /** The mean of the gradients of shards of two images, each of which is told where it begins, or not. */
    const fromShards = (places: readonly number[]): number[] => {
      const total = Array.from(expected, () => 0);
      for (const [i, firstImage] of places.entries()) {
        const part = gradientOf({ ...whole, start: 2 * i, count: 2, firstImage });
        part.forEach((value, j) => (total[j]! += value / places.length));
      }
      return total;
    };
    const apart = (found: number[]): number =>
      Math.max(...found.map((value, i) => Math.abs(value - expected[i]!)));
    // Gradients below 2, in float32: rounding alone.
    expect(apart(fromShards([0, 2, 4]))).toBeLessThan(1e-6);
    expect(apart(fromShards([0, 0, 0]))).toBeGreaterThan(1e-2);
    one.dispose();
  });
});

describe("the state of a run", () => {
  it.each(OPTIMIZERS)("takes it up in a fresh trainer, bit for bit, with %s", (_, optimizer) => {
    const whole = run(optimizer());
    const lossesOf = Array.from({ length: 9 }, (_loss, key) => takeStep(whole, key));
    for (const stop of [0, 1, 4]) {
      const first = run(optimizer());
      for (let key = 0; key < stop; key++) takeStep(first, key);
      const [state, weights] = [first.trainer.state(), first.parameters.read()];
      // What happens to the first afterwards does not reach what was read of it.
      takeStep(first, 77);
      first.dispose();
      const second = run(optimizer());
      if (stop === 1) takeStep(second, 78);
      second.parameters.write("weights", weights);
      second.trainer.restore(state);
      expect(second.trainer.steps).toBe(stop);
      for (let key = stop; key < lossesOf.length; key++) expect(takeStep(second, key)).toBe(lossesOf[key]);
      expect(weightsOf(second)).toEqual(weightsOf(whole));
      expect(stateOf(second)).toEqual(stateOf(whole));
      second.dispose();
    }
    whole.dispose();
  });

  it("holds gradients that wait, averages in use or not, and a rate that was set", () => {
    const make = (): Run =>
      run(optimizers.adam({ learningRate: 0.01 }), mixed(), { accumulationSteps: 3, emaMomentum: 0.9 });
    const act = (each: Run, key: number): number => {
      if (key === 4) each.trainer.setLearningRate("rate", 0.03);
      const loss = takeStep(each, key);
      if (key % 4 === 3) each.trainer.useAverages(true);
      return loss;
    };
    const whole = make();
    const expected = Array.from({ length: 10 }, (_, key) => act(whole, key));
    for (const stop of [0, 1, 2, 3, 4, 5, 8]) {
      const [first, second] = [make(), make()];
      for (let key = 0; key < stop; key++) act(first, key);
      const [state, weights] = [first.trainer.state(), first.parameters.read()];
      if (stop === 5) act(second, 3);
      second.parameters.write("weights", weights);
      second.trainer.restore(state);
      expect(state.accumulated?.batches, `accumulated at ${stop}`).toBe(stop % 3 || undefined);
      expect(state.averages?.inUse, `averages at ${stop}`).toBe(stop < 3 ? undefined : stop % 4 === 0);
      expect(state.learningRate).toBe(stop > 4 ? 0.03 : undefined);
      for (let key = stop; key < 10; key++) expect(act(second, key)).toBe(expected[key]);
      for (const each of [whole, second]) each.trainer.useAverages(false);
      expect(weightsOf(second)).toEqual(weightsOf(whole));
      expect(second.trainer.state()).toEqual(whole.trainer.state());
      for (const each of [first, second]) each.dispose();
    }
    whole.dispose();
  });

  it("with such parts is refused where they do not fit", () => {
    const [rich, plain] = [
      run(optimizers.adam(), mixed(), { accumulationSteps: 2, emaMomentum: 0.5 }),
      run(optimizers.adam({ learningRate: () => 0.1 })),
    ];
    for (let key = 0; key < 3; key++) takeStep(rich, key);
    const state = rich.trainer.state();
    const { accumulated, averages, ...bare } = state;
    const none = "expected none, as compile asked for none, got some";
    expect(() => plain.trainer.restore({ ...bare, accumulated })).toThrow(`restore: accumulated: ${none}`);
    expect(() => plain.trainer.restore({ ...bare, averages })).toThrow(`restore: averages: ${none}`);
    expect(() => plain.trainer.restore({ ...bare, learningRate: 1 })).toThrow(
      "restore: learningRate: expected an optimizer with a constant rate",
    );
    const before = stateOf(rich);
    const gradients = new Map(accumulated!.gradients).set("dense.bias", {
      shape: [3],
      data: Float32Array.of(0, NaN, 0),
    });
    for (const [message, change] of Object.entries({
      "restore: accumulated: batches: expected an integer from 1 to 1, got 2": {
        accumulated: { ...accumulated!, batches: 2 },
      },
      "restore: accumulated: images: expected a positive integer, got 0": {
        accumulated: { ...accumulated!, images: 0 },
      },
      "restore: accumulated: gradients: dense.bias[1]: expected a finite number, got NaN": {
        accumulated: { ...accumulated!, gradients },
      },
      "restore: averages: inUse: expected true or false, got 1": {
        averages: { ...averages!, inUse: 1 as never },
      },
      "restore: averages: weights: expected a Map of tensors by name, got undefined": {
        averages: { inUse: true } as never,
      },
      "restore: learningRate: expected a finite number ≥ 0, got -1": { learningRate: -1 },
    })) {
      expect(() => rich.trainer.restore({ ...state, ...change })).toThrow(message);
      expect(stateOf(rich)).toEqual(before);
    }
    for (const each of [rich, plain]) each.dispose();
  });

  it("holds the epochs, from whose number fit draws the order", async () => {
    const fit = async (each: Run, epochs: number): Promise<readonly number[]> => {
      const data = { ...batchOf(each, 1, COUNT), count: COUNT };
      const { loss } = await new FitCourse({
        trainer: each.trainer,
        source: new HeldBatches(each.trainer, data, 3, true),
        outputs: [],
        rowsPerImage: 1,
        settings: checkFitOptions({ epochs }, false),
        weights: each.parameters,
        model: undefined as never,
        interruption: new Interruption("fit", undefined, new Set()),
        hold: () => {},
        validate: undefined,
      }).run();
      return loss;
    };
    const optimizer = (): Optimizer => optimizers.adam({ learningRate: 0.01 });
    const [whole, first, second] = [run(optimizer()), run(optimizer()), run(optimizer())];
    const expected = await fit(whole, 3);
    expect(await fit(first, 1)).toEqual(expected.slice(0, 1));
    second.parameters.write("weights", first.parameters.read());
    second.trainer.restore(first.trainer.state());
    expect(await fit(second, 2)).toEqual(expected.slice(1));
    expect(stateOf(second)).toMatchObject({ steps: 12, epochs: 3 });
    expect(weightsOf(second)).toEqual(weightsOf(whole));
    for (const each of [whole, first, second]) each.dispose();
  });

  it("names the optimizer and its slots, of weights that learn alone", () => {
    const layer = layers.dense({ units: 3 });
    layer.trainable = false;
    const one = run(optimizers.adamw(), [layers.flatten(), layers.dense({ units: 4 }), layer]);
    const { slots, ...rest } = one.trainer.state();
    expect(rest).toEqual({ seed: SEED, steps: 0, epochs: 0, optimizer: "adamw" });
    expect(Object.keys(slots)).toEqual(["mean", "variance"]);
    for (const slot of Object.values(slots)) expect([...slot.keys()]).toEqual(["dense.kernel", "dense.bias"]);
    one.dispose();
    const [still, moving] = [
      run(optimizers.sgd({ learningRate: 1 })),
      run(optimizers.sgd({ learningRate: 1, momentum: 0.5 })),
    ];
    expect(still.trainer.state().slots).toEqual({});
    expect(Object.keys(moving.trainer.state().slots)).toEqual(["velocity"]);
    for (const each of [still, moving]) each.dispose();
  });

  it("is refused whole when a part does not fit", () => {
    const one = run(optimizers.adam());
    takeStep(one, 1);
    const state = one.trainer.state();
    const { mean, variance } = state.slots as Record<"mean" | "variance", ReadonlyMap<string, Tensor>>;
    const before = stateOf(one);
    const bias = mean.get("dense.bias")!;
    const withBias = (tensor: unknown): Partial<TrainingState> => ({
      slots: { mean, variance: new Map([...variance, ["dense.bias", tensor as Tensor]]) },
    });
    const cases: Record<string, object> = {
      [`restore: seed: expected the model's, ${SEED}, got 1`]: { seed: 1 },
      'restore: optimizer: expected the state of adam, got "sgd"': { optimizer: "sgd" },
      "restore: steps: expected an integer from 0 to 4294967295, got -1": { steps: -1 },
      "restore: steps: expected an integer from 0 to 4294967295, got 4294967296": { steps: 2 ** 32 },
      "restore: epochs: expected an integer from 0 to 4294967295, got 0.5": { epochs: 0.5 },
      "restore: slots: mean: expected a Map of tensors by name, got undefined": { slots: { variance } },
      "restore: slots: expected the slots mean, variance, got momentum besides": {
        slots: { mean, variance, momentum: mean },
      },
      "restore: slots: variance: dense.bias[2]: expected a finite number, got NaN": withBias({
        shape: [3],
        data: Float32Array.of(0, 0, NaN),
      }),
      "restore: slots: variance: dense.bias: expected shape 3, got shape 2": withBias({
        shape: [2],
        data: new Float32Array(2),
      }),
      "restore: slots: variance: dense.bias.data: expected a Float32Array, got": withBias({
        shape: [3],
        data: [0, 0, 0],
      }),
    };
    for (const [message, change] of Object.entries(cases)) {
      expect(() => one.trainer.restore({ ...state, ...change } as TrainingState)).toThrow(message);
      expect(stateOf(one)).toEqual(before);
    }
    const further = new Map([...variance, ["dense_1.bias", bias]]);
    expect(() => one.trainer.restore({ ...state, slots: { mean, variance: further } })).toThrow(
      "got dense_1.bias besides",
    );
    expect(() => one.trainer.restore(undefined as never)).toThrow("restore: expected");
    expect(stateOf(one)).toEqual(before);
    one.dispose();
  });

  it("may be of any step, and is taken up in the time of one", () => {
    let asked = 0;
    const learningRate = (at: number): number => {
      asked = at;
      return 0.01;
    };
    const one = run(optimizers.adam({ learningRate }));
    one.trainer.restore({ ...one.trainer.state(), steps: 2 ** 32 - 2 });
    // Without a bias to correct after so many steps, the first is m / √v of the gradient: 0.1 / √0.001.
    const before = one.parameters.read().get("dense.bias")!.data;
    takeStep(one, 1);
    expect(asked).toBe(2 ** 32 - 2);
    const after = one.parameters.read().get("dense.bias")!.data;
    for (const [i, value] of after.entries()) {
      expect(Math.abs(value - before[i]!)).toBeCloseTo((0.01 * 0.1) / Math.sqrt(0.001), 4);
    }
    one.dispose();
  });
});
