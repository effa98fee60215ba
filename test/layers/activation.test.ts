/** activation: what it is made with, refuses and gives. The nets with it are in `activation.cases.ts`. */
import { describe, expect, it } from "vitest";
import { layers, load, sequential } from "../../src/index.ts";
import { noise } from "../support/model.ts";
import type { Any } from "../support/options.ts";
import { describeLayer } from "./support/describeLayer.ts";

describeLayer("activation", {
  defaults: [layers.activation({ activation: "relu" }), { activation: "relu" }],
  shapes: [
    [layers.activation({ activation: "tanh" }), [5], [5]],
    [layers.activation({ activation: { elu: 0.5 } }), [2, 3, 4], [2, 3, 4]],
  ],
  refuses: {
    "activation: activation: expected one of": () => layers.activation({} as Any),
    [`activation: expected the options activation, name; got "alpha"`]: () =>
      layers.activation({ activation: "relu", alpha: 1 } as Any),
  },
  refusesInputs: {
    "activation: expected one input, got 2": [layers.activation({ activation: "relu" }), [[3], [3]]],
  },
});

describe("activation", () => {
  // The slopes as in TensorFlow's tf.nn.leaky_relu and tf.nn.elu; hard sigmoid's as in PyTorch.
  it.each([
    ["leakyRelu", 0.2],
    ["elu", 1],
    ["hardSigmoid", 1 / 6],
  ] as const)("has a parameter by default: %s", async (name, parameter) => {
    const engine = await load();
    const answers = [name, { [name]: parameter }].map((activation) => {
      const model = sequential({
        inputShape: [64],
        layers: [layers.activation({ activation: activation as never })],
      });
      model.compile({ engine });
      return model.predict(noise(1, 3, 64)).data;
    });
    expect(answers[0]).toEqual(answers[1]);
    engine.dispose();
  });
});
