import { describe, expect, it } from "vitest";
import {
  losses,
  OptionError,
  optimizers,
  schedules,
  type LearningRate,
  type Schedule,
} from "../../src/index.ts";

const { stepDecay, cosineDecay, polynomialDecay, exponentialDecay, piecewiseConstant, warmUp } = schedules;

describe("stepDecay", () => {
  it("drops by gamma every stepSize steps", () => {
    const rate = stepDecay({ learningRate: 8, stepSize: 3, gamma: 0.5 });
    expect([0, 1, 2, 3, 5, 6, 9, 30].map(rate)).toEqual([8, 8, 8, 4, 4, 2, 1, 8 / 1024]);
    expect(stepDecay({ learningRate: 1, stepSize: 1 })(2)).toBe(0.1 * 0.1);
  });

  it("is the power to rounding, however many steps", () => {
    const rate = stepDecay({ learningRate: 1, stepSize: 1, gamma: 0.999 });
    for (const step of [1, 2, 3, 7, 100, 12345]) {
      expect(Math.abs(rate(step) / 0.999 ** step - 1)).toBeLessThan(1e-12);
    }
  });
});

describe("cosineDecay", () => {
  it("follows half a cosine down to alpha, and stays there", () => {
    const rate = cosineDecay({ learningRate: 2, decaySteps: 4, alpha: 0.25 });
    expect(rate(0)).toBe(2);
    expect(rate(4)).toBe(0.5);
    expect(rate(1000)).toBe(0.5);
    expect(rate(2)).toBeCloseTo(1.25, 15);
  });

  it("has the cosine to 10⁻¹⁵", () => {
    const rate = cosineDecay({ learningRate: 1, decaySteps: 1000 });
    for (let step = 0; step <= 1000; step++) {
      expect(Math.abs(rate(step) - (1 + Math.cos((Math.PI * step) / 1000)) / 2)).toBeLessThan(1e-15);
    }
  });

  it("has the same bits everywhere", () => {
    const rate = cosineDecay({ learningRate: 0.1, decaySteps: 7 });
    expect([1, 2, 3, 6].map(rate)).toEqual([
      0.09504844339512096, 0.08117449009293669, 0.06112604669781572, 0.004951556604879049,
    ]);
  });
});

describe("warmUp", () => {
  it("rises in equal parts to the rate that follows", () => {
    const rate = warmUp({ steps: 4, learningRate: 2 });
    expect([0, 1, 2, 3, 4, 100].map(rate)).toEqual([0.5, 1, 1.5, 2, 2, 2]);
  });

  it("counts the steps of what follows from its end", () => {
    const rate = warmUp({ steps: 2, learningRate: stepDecay({ learningRate: 4, stepSize: 1, gamma: 0.5 }) });
    expect([0, 1, 2, 3, 4].map(rate)).toEqual([2, 4, 4, 2, 1]);
  });
});

// The right values are arithmetic, by the formulas in Keras's documentation of its schedules.
describe("polynomialDecay", () => {
  it("falls in a straight line to 0.0001 by default", () => {
    const rate = polynomialDecay({ learningRate: 0.5001, decaySteps: 4 });
    expect([0, 1, 2, 3, 4, 5, 100].map((step) => Number(rate(step).toFixed(12)))).toEqual([
      0.5001, 0.3751, 0.2501, 0.1251, 0.0001, 0.0001, 0.0001,
    ]);
  });

  it("falls by a power", () => {
    const square = polynomialDecay({ learningRate: 9, decaySteps: 4, endLearningRate: 1, power: 2 });
    expect([0, 1, 2, 3, 4].map(square)).toEqual([9, 5.5, 3, 1.5, 1]);
    const root = polynomialDecay({ learningRate: 9, decaySteps: 4, endLearningRate: 1, power: 0.5 });
    expect(root(3)).toBeCloseTo(5, 14);
    expect(root(1)).toBeCloseTo(1 + 8 * Math.sqrt(0.75), 14);
    expect(root(4)).toBe(1);
  });

  it("rises again with cycle", () => {
    const rate = polynomialDecay({ learningRate: 8, decaySteps: 4, endLearningRate: 0, cycle: true });
    // At step 4 the first cycle ends; from 5 on the line has 8 steps.
    expect([0, 2, 4, 5, 6, 8, 9].map(rate)).toEqual([8, 4, 0, 3, 2, 0, 2]);
  });
});

describe("exponentialDecay", () => {
  it("falls by decayRate in decaySteps", () => {
    const rate = exponentialDecay({ learningRate: 2, decaySteps: 10, decayRate: 0.5 });
    expect([0, 10, 20, 70].map(rate)).toEqual([2, 1, 0.5, 2 / 128]);
    for (const step of [1, 5, 13, 999]) {
      expect(Math.abs(rate(step) / (2 * 0.5 ** (step / 10)) - 1)).toBeLessThan(1e-13);
    }
  });

  it("falls at once with staircase, as stepDecay", () => {
    const rate = exponentialDecay({ learningRate: 0.3, decaySteps: 3, decayRate: 0.9, staircase: true });
    const steps = Array.from({ length: 400 }, (_, step) => step);
    expect(steps.map(rate)).toEqual(steps.map(stepDecay({ learningRate: 0.3, stepSize: 3, gamma: 0.9 })));
  });

  it("has the same bits everywhere", () => {
    const rate = exponentialDecay({ learningRate: 0.1, decaySteps: 7, decayRate: 0.96 });
    expect([1, 2, 3, 50].map(rate)).toEqual([
      0.09941852579314223, 0.09884043270881687, 0.09826570108666847, 0.07470780048448776,
    ]);
  });
});

describe("piecewiseConstant", () => {
  it("keeps a value up to and with its boundary", () => {
    const rate = piecewiseConstant({ boundaries: [3, 5], values: [1, 0.5, 0.25] });
    expect([0, 3, 4, 5, 6, 1000].map(rate)).toEqual([1, 1, 0.5, 0.5, 0.25, 0.25]);
    expect(piecewiseConstant({ boundaries: [], values: [7] })(9)).toBe(7);
  });

  it("keeps its lists to itself", () => {
    const values = [1, 2];
    const rate = piecewiseConstant({ boundaries: [0], values });
    values[0] = 9;
    expect(rate(0)).toBe(1);
  });
});

/** The same again from what JSON keeps of it. */
function again(config: object): Schedule {
  const { type, ...options } = JSON.parse(JSON.stringify(config)) as {
    type: keyof typeof schedules;
    learningRate?: unknown;
  };
  const inner = options.learningRate;
  const learningRate = typeof inner === "object" && inner !== null ? { learningRate: again(inner) } : {};
  return schedules[type]({ ...options, ...learningRate } as never);
}

describe("config", () => {
  it.each<[string, Schedule]>([
    ["stepDecay", stepDecay({ learningRate: 8, stepSize: 3 })],
    ["cosineDecay", cosineDecay({ learningRate: 2, decaySteps: 40, alpha: 0.25 })],
    ["polynomialDecay", polynomialDecay({ learningRate: 2, decaySteps: 7, cycle: true, power: 1.5 })],
    ["exponentialDecay", exponentialDecay({ learningRate: 2, decaySteps: 7, decayRate: 0.7 })],
    ["piecewiseConstant", piecewiseConstant({ boundaries: [3, 9], values: [3, 2, 1] })],
    ["warmUp", warmUp({ steps: 5, learningRate: cosineDecay({ learningRate: 2, decaySteps: 40 }) })],
    ["warmUp of a number", warmUp({ steps: 5, learningRate: 3 })],
  ])("of %s makes it again, with its defaults", (_name, rate) => {
    const steps = Array.from({ length: 60 }, (_, step) => step);
    const made = again(rate.config!);
    expect(steps.map(made)).toEqual(steps.map(rate));
    expect(made.config).toEqual(rate.config);
  });

  it("is absent where a function of a user is part of it", () => {
    const own: Schedule = (step) => 1 / (step + 1);
    expect(own.config).toBeUndefined();
    expect(warmUp({ steps: 2, learningRate: own }).config).toBeUndefined();
  });

  it("of an optimizer makes it again, with its defaults", () => {
    for (const [type, factory] of Object.entries(optimizers)) {
      const make = factory as (options: object) => ReturnType<typeof optimizers.adam>;
      const first = make({ learningRate: 0.5 });
      const own = Object.fromEntries(
        Object.entries(first.config!).map(([name, value]) => [
          name,
          typeof value === "number" ? value / 2 + 0.1 : value,
        ]),
      );
      const second = make({ learningRate: 0.5, ...own });
      expect([first.type, second.type]).toEqual([type, type]);
      expect(second.config).toEqual(own);
    }
    expect(optimizers.sgd({ learningRate: 1 }).config).toEqual({
      momentum: 0,
      nesterov: false,
      weightDecay: 0,
    });
    expect(optimizers.adamw().config).toEqual({ beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0.01 });
  });

  it("of a loss makes it again, with its defaults", () => {
    for (const [type, factory] of Object.entries(losses)) {
      expect([type, factory().type]).toEqual([type, type]);
      expect((factory as (options: object) => { config?: object })(factory().config!).config).toEqual(
        factory().config,
      );
    }
    expect(losses.huber({ delta: 0.5 }).config).toEqual({ delta: 0.5 });
    expect(losses.softmaxCrossEntropy({ labelSmoothing: 0.1 }).config).toEqual({ labelSmoothing: 0.1 });
  });
});

it("schedules are learning rates, with their types", () => {
  const rate: LearningRate = polynomialDecay({ learningRate: 0.1, decaySteps: 10 });
  expect(optimizers.sgd({ learningRate: rate }).learningRate).toBe(rate);
  // @ts-expect-error decayRate has no default.
  expect(() => exponentialDecay({ learningRate: 0.1, decaySteps: 10 })).toThrow(OptionError);
});

describe("a schedule refuses", () => {
  it.each<[string, () => unknown]>([
    [
      "stepDecay: stepSize: expected a positive integer, got 0",
      () => stepDecay({ learningRate: 1, stepSize: 0 }),
    ],
    [
      "stepDecay: gamma: expected a finite number ≥ 0, got -1",
      () => stepDecay({ learningRate: 1, stepSize: 1, gamma: -1 }),
    ],
    [
      "cosineDecay: decaySteps: expected a positive integer, got 1.5",
      () => cosineDecay({ learningRate: 1, decaySteps: 1.5 }),
    ],
    [
      "cosineDecay: learningRate: expected a finite number ≥ 0, got NaN",
      () => cosineDecay({ learningRate: NaN, decaySteps: 1 }),
    ],
    [
      "polynomialDecay: cycle: expected true or false, got 1",
      () => polynomialDecay({ learningRate: 1, decaySteps: 1, cycle: 1 as never }),
    ],
    [
      "exponentialDecay: decayRate: expected a finite number ≥ 0, got -1",
      () => exponentialDecay({ learningRate: 1, decaySteps: 1, decayRate: -1 }),
    ],
    [
      "piecewiseConstant: boundaries: expected ascending integers ≥ 0, got [5,5]",
      () => piecewiseConstant({ boundaries: [5, 5], values: [1, 2, 3] }),
    ],
    [
      "piecewiseConstant: values: expected 2 rates, one more than boundaries, got [1]",
      () => piecewiseConstant({ boundaries: [5], values: [1] }),
    ],
    [
      "piecewiseConstant: values[1]: expected a finite number ≥ 0, got -1",
      () => piecewiseConstant({ boundaries: [5], values: [1, -1] }),
    ],
    [
      "warmUp: learningRate: expected a finite number ≥ 0, got -2",
      () => warmUp({ steps: 1, learningRate: -2 }),
    ],
    [
      "warmUp: learningRate of step 0: expected a finite number ≥ 0, got NaN",
      () => warmUp({ steps: 1, learningRate: () => NaN })(0),
    ],
    [
      'stepDecay: expected the options learningRate, stepSize, gamma; got "rate"',
      () => stepDecay({ rate: 1 } as never),
    ],
  ])("%s", (message, make) => {
    expect(make).toThrow(OptionError);
    expect(make).toThrow(message);
  });
});
