/** Losses, metrics and optimizers of users, against the same ones of the package. */
import { afterAll, beforeAll, describe, expect, expectTypeOf, it } from "vitest";
import {
  checkGradients,
  defineLoss,
  defineMetric,
  defineOptimizer,
  layers,
  load,
  losses,
  metrics,
  OptionError,
  optimizers,
  sequential,
  tensor,
  TrainingError,
  type Engine,
  type Labels,
  type Loss,
  type Model,
  type Optimizer,
} from "../../src/index.ts";
import { noise, weightBits } from "../support/model.ts";

let engine: Engine;
beforeAll(async () => {
  engine = await load();
});
afterAll(() => engine.dispose());

const net = (units = 3): Model =>
  sequential({
    inputShape: [4],
    layers: [layers.dense({ units: 5, activation: "tanh" }), layers.dense({ units })],
    seed: 2,
  });

const squares = defineLoss({
  type: "squares",
  config: { weight: 1 },
  compute({ y, targets, dy, config: { weight } }) {
    let sum = 0;
    for (let i = 0; i < y.length; i++) {
      const d = y[i]! - targets[i]!;
      sum += weight * d * d;
      if (dy) dy[i] = (2 * weight * d) / y.length;
    }
    return sum / y.length;
  },
});

/** The cross-entropy of the largest margin: max(0, 1 + the largest other − that of the class). */
const hinge = defineLoss({
  type: "hinge",
  takesClasses: true,
  compute({ y, targets, classes, dy, rows, columns }) {
    let sum = 0;
    for (let row = 0; row < rows; row++) {
      const own = y.subarray(row * columns, (row + 1) * columns);
      const wanted = classes
        ? classes[row]!
        : targets.subarray(row * columns, (row + 1) * columns).indexOf(1);
      let other = wanted === 0 ? 1 : 0;
      own.forEach((value, j) => j !== wanted && value > own[other]! && (other = j));
      const margin = 1 + own[other]! - own[wanted]!;
      if (margin <= 0) continue;
      sum += margin;
      if (dy) dy[row * columns + other] = 1 / rows;
      if (dy) dy[row * columns + wanted] = -1 / rows;
    }
    return sum / rows;
  },
});

/** SGD with momentum, rounded to float32 as the kernel does it. */
const momentum = defineOptimizer({
  type: "momentum",
  config: { decay: 0.9 },
  slots: ["velocity"],
  update({ weights, gradient, slots, rate, config }) {
    const v = slots["velocity"]!;
    const [m, r] = [Math.fround(config.decay), Math.fround(rate)];
    for (let i = 0; i < weights.length; i++) {
      v[i] = Math.fround(m * v[i]!) + gradient[i]!;
      weights[i] = weights[i]! - Math.fround(r * v[i]!);
    }
  },
});

const x = noise(1, 8, 4);
const targets = noise(2, 8, 3);
const CLASSES = Int32Array.of(0, 1, 2, 0, 1, 2, 0, 1);

function train(optimizer: Optimizer, loss: Loss, labels: Labels, steps = 6): Model {
  const model = net();
  model.compile({ engine, optimizer, loss });
  for (let step = 0; step < steps; step++) model.trainOnBatch(x, labels);
  return model;
}

describe("a loss of one's own", () => {
  it("has the losses and gradients of the same one of the package", () => {
    const sgd = (): Optimizer => optimizers.sgd({ learningRate: 0.1 });
    const [own, same] = [train(sgd(), squares(), targets), train(sgd(), losses.meanSquaredError(), targets)];
    for (const [name, { data }] of own.weights) {
      data.forEach((value, i) => expect(value).toBeCloseTo(same.weights.get(name)!.data[i]!, 5));
    }
    const [found, wanted] = [own.evaluate(x, targets, { batchSize: 3 }), same.evaluate(x, targets)];
    expect(found.loss).toBeCloseTo(wanted.loss, 6);
    expect(found.accuracy).toBe(wanted.accuracy);
    const twice = net();
    twice.compile({ engine, loss: squares({ weight: 2 }) });
    const once = net();
    once.compile({ engine, loss: squares() });
    expect(twice.evaluate(x, targets).loss).toBeCloseTo(2 * once.evaluate(x, targets).loss, 6);
  });

  it("takes class numbers and rows alike, counts right rows, and learns", () => {
    const sgd = (): Optimizer => optimizers.sgd({ learningRate: 0.1 });
    const rows = tensor(
      Array.from(CLASSES, (label) => [0, 1, 2].map((j) => Number(j === label))).flat(),
      [8, 3],
    );
    const [own, same] = [train(sgd(), hinge(), CLASSES, 40), train(sgd(), hinge(), rows, 40)];
    expect(weightBits(own)).toEqual(weightBits(same));
    const { loss, accuracy } = own.evaluate(x, CLASSES);
    expect(loss).toBeLessThan(1);
    expect(accuracy).toBe(metrics.accuracy(own.predict(x), CLASSES));
    expect(checkGradients(own, x, CLASSES).ok).toBe(true);
  });

  it("counts by a threshold as sigmoidCrossEntropy does", () => {
    const threshold = defineLoss({
      type: "threshold",
      labels: "unit",
      outputEvaluation: "threshold",
      impliedActivation: "sigmoid",
      compute: () => 0,
    });
    const labels = tensor(
      Array.from({ length: 24 }, (_, i) => (i * 7) % 2),
      [8, 3],
    );
    const accuracies = [threshold(), losses.sigmoidCrossEntropy()].map((loss) => {
      const model = net();
      model.compile({ engine, loss });
      return model.evaluate(x, labels).accuracy;
    });
    expect(accuracies[0]).toBe(accuracies[1]);
    const squashed = sequential({
      inputShape: [2],
      layers: [layers.dense({ units: 1, activation: "sigmoid" })],
    });
    expect(() => squashed.compile({ engine, loss: threshold() })).toThrow(
      "since threshold holds the sigmoid",
    );
  });

  it("is refused where it is wrong", () => {
    const wrong = (definition: object) => () => defineLoss(definition as Parameters<typeof defineLoss>[0]);
    expect(wrong({ type: "a" })).toThrow("defineLoss: a: compute: expected a function, got undefined");
    expect(wrong({ type: "1", compute: () => 0 })).toThrow("defineLoss: type: expected a letter");
    expect(wrong({ type: "a", compute: () => 0, lables: "unit" })).toThrow(/defineLoss: a: .*"lables"/);
    expect(wrong({ type: "a", compute: () => 0, labels: "any" })).toThrow("defineLoss: a: labels: expected");
    // @ts-expect-error: an option that the definition has not.
    expect(() => squares({ wieght: 2 })).toThrow(/squares: expected the options weight; got "wieght"/);
    const none = defineLoss({ type: "none", compute: () => undefined as unknown as number });
    expect(() => train(optimizers.sgd({ learningRate: 1 }), none(), targets)).toThrow(
      "none: compute: expected the mean loss, a number, got undefined",
    );
    const nan = defineLoss({ type: "nan", compute: () => NaN });
    expect(() => train(optimizers.sgd({ learningRate: 1 }), nan(), targets)).toThrow(TrainingError);
    expect(() => train(optimizers.sgd({ learningRate: 1 }), squares(), CLASSES)).toThrow(
      /for squares, got 8 numbers/,
    );
  });
});

describe("an optimizer of one's own", () => {
  it("has the bits of the same one of the package, with schedules and bounds", () => {
    const learningRate = (step: number): number => 0.1 / (step + 1);
    for (const bounds of [{}, { globalClipNorm: 0.5 }, { clipValue: 0.05 }]) {
      const own = train(momentum({ learningRate, ...bounds }), losses.meanSquaredError(), targets);
      const sgd = optimizers.sgd({ learningRate, momentum: 0.9, ...bounds });
      const same = train(sgd, losses.meanSquaredError(), targets);
      expect(weightBits(own)).toEqual(weightBits(same));
    }
  });

  it("changes nothing when a weight of any layer is not finite, and is called once a weight and step", () => {
    const calls: number[] = [];
    const breaking = defineOptimizer({
      type: "breaking",
      learningRate: 1,
      slots: ({ names }: { names: string[] }) => names,
      config: { names: ["a"] },
      update({ weights, slots, step }) {
        calls.push(step);
        slots["a"]!.fill(step + 1);
        weights.fill(step < 2 ? step : weights.length === 3 ? Infinity : 7);
      },
    });
    const model = net();
    model.compile({ engine, optimizer: breaking(), loss: losses.meanSquaredError() });
    model.trainOnBatch(x, targets);
    model.trainOnBatch(x, targets);
    const before = weightBits(model);
    expect(() => model.trainOnBatch(x, targets)).toThrow(TrainingError);
    expect(weightBits(model)).toEqual(before);
    expect([...model.weights.values()].every(({ data }) => data.every((value) => value === 1))).toBe(true);
    expect(calls).toEqual([0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2]);
  });

  it("is refused where it is wrong", () => {
    const wrong = (definition: object) => () =>
      defineOptimizer(definition as Parameters<typeof defineOptimizer>[0]);
    expect(wrong({ type: "a" })).toThrow("defineOptimizer: a: update: expected a function, got undefined");
    expect(wrong({ type: "adam", update() {} })).toThrow(
      new OptionError("defineOptimizer: type: expected a name that is none of optimizers.*, got adam"),
    );
    expect(wrong({ type: "a", update() {}, slot: [] })).toThrow(/defineOptimizer: a: .*"slot"/);
    expect(() => momentum()).toThrow(/momentum: learningRate: expected/);
    expect(() => momentum({ learningRate: -1 })).toThrow(/momentum: learningRate: expected/);
    // @ts-expect-error: an option that the definition has not.
    expect(() => momentum({ learningRate: 1, dacey: 1 })).toThrow(/momentum: expected the options decay/);
  });
});

describe("a metric of one's own", () => {
  const worst = defineMetric({
    name: "worst",
    start() {
      let most = 0;
      return {
        add: (row, target) => (most = Math.max(most, Math.abs(row[0]! - (target as Float32Array)[0]!))),
        result: () => most,
      };
    },
  });

  it("is among the figures of evaluate, by its type", () => {
    const model = net(1).compile({ engine, loss: losses.meanSquaredError(), metrics: [worst] });
    const labels = noise(3, 8, 1);
    const figures = model.evaluate(x, labels);
    expectTypeOf(figures.worst).toEqualTypeOf<number>();
    const { data } = model.predict(x);
    expect(figures.worst).toBe(
      Math.max(...Array.from(data, (value, i) => Math.abs(value - labels.data[i]!))),
    );
  });

  it("is refused where it is wrong", () => {
    const wrong = (definition: object) => () => defineMetric(definition as typeof worst);
    expect(wrong({ name: "a b", start() {} })).toThrow(
      'defineMetric: name: expected letters, digits, "_" and "-"',
    );
    expect(wrong({ name: "a" })).toThrow("defineMetric: a: start: expected a function, got undefined");
    expect(wrong({ name: "a", start() {}, minColumns: 0 })).toThrow(
      "defineMetric: a: minColumns: expected a positive integer, got 0",
    );
  });
});
