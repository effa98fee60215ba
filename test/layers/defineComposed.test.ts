/** Layers of users that are composed of others. */
import { beforeAll, describe, expect, it } from "vitest";
import { defineLayer, input, layers, load, loadModel, model as graph, type Engine } from "../../src/index.ts";
import { around, bitsOf, images, residual, trained } from "./support/defined.ts";

let engine: Engine;
beforeAll(async () => {
  engine = await load();
});

describe("a layer composed of others", () => {
  it("has the bits of the layers that it is made of", () => {
    const apart = around(residual());
    const first = input({ shape: [5, 3] });
    const below = layers.dense({ units: 3 }).apply(first);
    const inner = layers.dense({ units: 3, activation: "tanh" }).apply(below);
    const sum = layers.add().apply([below, layers.dense({ units: 3 }).apply(inner)]);
    const outputs = layers.dense({ units: 2 }).apply(layers.flatten().apply(sum));
    const whole = graph({ inputs: first, outputs, seed: 4 });
    expect(bitsOf(trained(engine, apart))).toBe(bitsOf(trained(engine, whole)));
  });

  it("names its layers, shares their weights, and freezes them", () => {
    const block = residual({ name: "block" });
    const net = around(block, residual(), residual());
    expect([...net.weights.keys()].filter((name) => name.endsWith("kernel"))).toEqual([
      "dense.kernel",
      "block_dense.kernel",
      "block_outer.kernel",
      "residual_dense.kernel",
      "residual_outer.kernel",
      "residual_dense_1.kernel",
      "residual_outer_1.kernel",
      "dense_1.kernel",
    ]);
    const first = input({ shape: [3] });
    const twice = graph({ inputs: first, outputs: block.apply(block.apply(first)) });
    expect([...twice.weights.keys()]).toHaveLength(4);
    block.trainable = false;
    const frozen = around(block);
    const before = frozen.weights.get("block_dense.kernel")!.data.slice();
    expect(trained(engine, frozen).weights.get("block_dense.kernel")!.data).toEqual(before);
    expect(block.trainable).toBe(false);
  });

  it("can be part of another, and is saved as its layers", () => {
    const outer = defineLayer({
      type: "outer",
      compose: () => {
        const [a, b] = [residual(), residual({ units: 3 })];
        return (value) => b.apply(a.apply(value));
      },
    });
    const net = trained(engine, around(outer()));
    const again = loadModel(net.toSafetensors());
    again.compile({ engine });
    expect(again.predict(images).data).toEqual(net.predict(images).data);
    expect(again.weights.has("outer_residual_dense.kernel")).toBe(true);
  });
});
