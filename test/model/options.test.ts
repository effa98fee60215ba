/** Every option of every optimizer and loss refuses what it cannot be: the place, the expected, the given. */
import { describe, expect, it } from "vitest";
import { losses, OptionError, optimizers } from "../../src/index.ts";
import { NUMBER, type Any } from "../support/options.ts";

const sgd = (more: object): unknown => optimizers.sgd({ learningRate: 1, ...more } as Any);

describe("an optimizer refuses", () => {
  it.each(
    Object.entries<() => unknown>({
      [`sgd: learningRate: ${NUMBER}, got undefined`]: () => optimizers.sgd({} as Any),
      [`sgd: learningRate: ${NUMBER}, got -1`]: () => optimizers.sgd({ learningRate: -1 }),
      [`sgd: learningRate: ${NUMBER}, got Infinity`]: () => optimizers.sgd({ learningRate: Infinity }),
      [`sgd: learningRate: ${NUMBER}, got "0.1"`]: () => optimizers.sgd({ learningRate: "0.1" as Any }),
      [`sgd: expected the options learningRate, momentum, nesterov, weightDecay, globalClipNorm, clipValue; got "lr"`]:
        () => sgd({ lr: 1 }),
      [`sgd: momentum: ${NUMBER}, got NaN`]: () => sgd({ momentum: NaN }),
      "sgd: globalClipNorm: expected a number above 0, got 0": () => sgd({ globalClipNorm: 0 }),
      [`sgd: clipValue: ${NUMBER}, got NaN`]: () => sgd({ clipValue: NaN }),
      [`adam: globalClipNorm: ${NUMBER}, got Infinity`]: () => optimizers.adam({ globalClipNorm: Infinity }),
      "adamw: clipValue: expected a number above 0, got 0": () => optimizers.adamw({ clipValue: 0 }),
      [`sgd: weightDecay: ${NUMBER}, got -1`]: () => sgd({ weightDecay: -1 }),
      "sgd: nesterov: expected a momentum above 0, got 0": () => sgd({ nesterov: true }),
      "sgd: nesterov: expected true or false, got 1": () => sgd({ nesterov: 1 }),
      [`adam: learningRate: ${NUMBER}, got NaN`]: () => optimizers.adam({ learningRate: NaN }),
      "adam: beta1: expected a number ≥ 0 and < 1, got 1": () => optimizers.adam({ beta1: 1 }),
      "adam: beta2: expected a number ≥ 0 and < 1, got -1": () => optimizers.adam({ beta2: -1 }),
      [`adam: epsilon: ${NUMBER}, got -1`]: () => optimizers.adam({ epsilon: -1 }),
      "adam: epsilon: expected a float32 above 0, got 1e-60": () => optimizers.adam({ epsilon: 1e-60 }),
      [`adamw: weightDecay: ${NUMBER}, got Infinity`]: () => optimizers.adamw({ weightDecay: Infinity }),
      [`adamw: expected the options learningRate, beta1, beta2, epsilon, weightDecay, globalClipNorm, clipValue; got "momentum"`]:
        () => optimizers.adamw({ momentum: 0.9 } as Any),
      [`rmsprop: learningRate: ${NUMBER}, got -1`]: () => optimizers.rmsprop({ learningRate: -1 }),
      "rmsprop: rho: expected a number ≥ 0 and < 1, got 1": () => optimizers.rmsprop({ rho: 1 }),
      [`rmsprop: momentum: ${NUMBER}, got -1`]: () => optimizers.rmsprop({ momentum: -1 }),
      'rmsprop: centered: expected true or false, got "yes"': () =>
        optimizers.rmsprop({ centered: "yes" as Any }),
      "rmsprop: epsilon: expected a float32 above 0, got 0": () => optimizers.rmsprop({ epsilon: 0 }),
      [`rmsprop: weightDecay: ${NUMBER}, got NaN`]: () => optimizers.rmsprop({ weightDecay: NaN }),
      "rmsprop: clipValue: expected a number above 0, got 0": () => optimizers.rmsprop({ clipValue: 0 }),
      [`rmsprop: expected the options learningRate, rho, momentum, centered, epsilon, weightDecay, globalClipNorm, clipValue; got "alpha"`]:
        () => optimizers.rmsprop({ alpha: 0.9 } as Any),
      [`adagrad: learningRate: ${NUMBER}, got NaN`]: () => optimizers.adagrad({ learningRate: NaN }),
      [`adagrad: initialAccumulatorValue: ${NUMBER}, got -1`]: () =>
        optimizers.adagrad({ initialAccumulatorValue: -1 }),
      "adagrad: epsilon: expected a float32 above 0, got 1e-60": () => optimizers.adagrad({ epsilon: 1e-60 }),
      [`adagrad: weightDecay: ${NUMBER}, got -1`]: () => optimizers.adagrad({ weightDecay: -1 }),
      "adagrad: globalClipNorm: expected a number above 0, got 0": () =>
        optimizers.adagrad({ globalClipNorm: 0 }),
      [`adagrad: expected the options learningRate, initialAccumulatorValue, epsilon, weightDecay, globalClipNorm, clipValue; got "rho"`]:
        () => optimizers.adagrad({ rho: 0.9 } as Any),
      [`lion: learningRate: ${NUMBER}, got "1"`]: () => optimizers.lion({ learningRate: "1" as Any }),
      "lion: beta1: expected a number ≥ 0 and < 1, got 1": () => optimizers.lion({ beta1: 1 }),
      "lion: beta2: expected a number ≥ 0 and < 1, got -1": () => optimizers.lion({ beta2: -1 }),
      [`lion: weightDecay: ${NUMBER}, got -1`]: () => optimizers.lion({ weightDecay: -1 }),
      [`lion: expected the options learningRate, beta1, beta2, weightDecay, globalClipNorm, clipValue; got "epsilon"`]:
        () => optimizers.lion({ epsilon: 1 } as Any),
      [`lamb: learningRate: ${NUMBER}, got -1`]: () => optimizers.lamb({ learningRate: -1 }),
      "lamb: beta1: expected a number ≥ 0 and < 1, got 1": () => optimizers.lamb({ beta1: 1 }),
      "lamb: beta2: expected a number ≥ 0 and < 1, got 2": () => optimizers.lamb({ beta2: 2 }),
      "lamb: epsilon: expected a float32 above 0, got 0": () => optimizers.lamb({ epsilon: 0 }),
      [`lamb: weightDecay: ${NUMBER}, got -1`]: () => optimizers.lamb({ weightDecay: -1 }),
      [`lamb: expected the options learningRate, beta1, beta2, epsilon, weightDecay, globalClipNorm, clipValue; got "momentum"`]:
        () => optimizers.lamb({ momentum: 0.9 } as Any),
    }),
  )("%s", (message, call) => {
    expect(call).toThrow(OptionError);
    expect(call).toThrow(message);
  });
});

describe("a loss refuses", () => {
  it.each(
    Object.entries<() => unknown>({
      "softmaxCrossEntropy: labelSmoothing: expected a number ≥ 0 and < 1, got 1": () =>
        losses.softmaxCrossEntropy({ labelSmoothing: 1 }),
      "softmaxCrossEntropy: labelSmoothing: expected a number ≥ 0 and < 1, got -0.1": () =>
        losses.softmaxCrossEntropy({ labelSmoothing: -0.1 }),
      [`huber: delta: ${NUMBER}, got -1`]: () => losses.huber({ delta: -1 }),
      "huber: delta: expected a float32 above 0, got 0": () => losses.huber({ delta: 0 }),
      "huber: delta: expected a float32 above 0, got 1e+39": () => losses.huber({ delta: 1e39 }),
      [`softmaxCrossEntropy: expected the options labelSmoothing; got "smoothing"`]: () =>
        losses.softmaxCrossEntropy({ smoothing: 0.1 } as Any),
    }),
  )("%s", (message, call) => {
    expect(call).toThrow(OptionError);
    expect(call).toThrow(message);
  });
});
