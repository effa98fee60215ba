import { describe, expect, it } from "vitest";
import { OptionError, schedules } from "../../src/index.ts";

const { stepDecay, cosineDecay, warmUp } = schedules;

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
