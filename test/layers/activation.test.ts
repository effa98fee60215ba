/** The parameters that activations have by default. */
import { describe, expect, it } from "vitest";
import { layers, load, sequential } from "../../src/index.ts";
import { noise } from "../support/model.ts";

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
