/** Layers of users on arrays: `Float32Array` views, or those of whole numbers. */
import { beforeAll, describe, expect, it } from "vitest";
import {
  defineLayer,
  input,
  layers,
  load,
  model as graph,
  sequential,
  tensor,
  type Engine,
  type Layer,
  type Model,
} from "../../src/index.ts";
import { noise } from "../support/model.ts";
import { around, bitsOf, images, larger, perChannel, trained } from "./support/defined.ts";

let engine: Engine;
beforeAll(async () => {
  engine = await load();
});

describe("a layer on arrays", () => {
  it("learns as the same layer of the package", () => {
    const own = trained(engine, around(perChannel({ start: 0.5 })));
    // A depthwise convolution of one tap is the product with a weight a channel.
    const same = layers.depthwiseConv2d({
      kernelSize: 1,
      useBias: false,
      kernelInitializer: { constant: 0.5 },
    });
    const net = sequential({
      inputShape: [5, 3],
      layers: [
        layers.dense({ units: 3 }),
        layers.reshape({ targetShape: [1, 5, 3] }),
        same,
        layers.flatten(),
        layers.dense({ units: 2 }),
      ],
      seed: 4,
    });
    trained(engine, net);
    const [ours, theirs] = [[...own.weights.values()], [...net.weights.values()]];
    expect(ours.length).toBe(theirs.length);
    ours.forEach(({ data }, i) =>
      data.forEach((value, j) => expect(value).toBeCloseTo(theirs[i]!.data[j]!, 5)),
    );
    expect(own.weights.get("perChannel.w")!.data).not.toContain(0.5);
  });

  it("keeps arrays from the forward to the backward pass, for several inputs", () => {
    const build = (merge: Layer): Model => {
      const first = input({ shape: [5, 3] });
      const sides = [layers.dense({ units: 4 }), layers.dense({ units: 4 })].map((side) => side.apply(first));
      const outputs = layers.dense({ units: 2 }).apply(layers.flatten().apply(merge.apply(sides)));
      return graph({ inputs: first, outputs, seed: 2 });
    };
    expect(bitsOf(trained(engine, build(larger())))).toBe(bitsOf(trained(engine, build(layers.maximum()))));
  });

  it("sees the memory where it is after it has grown", async () => {
    const small = await load();
    const net = around(perChannel());
    net.compile({ engine: small });
    const before = net.predict(images).data.slice();
    const session = net.session({ batchSize: 6 });
    small.matMul(noise(2, 900, 900), noise(3, 900, 900));
    session.input.set(images.data);
    session.run();
    expect(session.output).toEqual(before);
    small.dispose();
  });

  it("without a backward pass is refused where something before it learns", () => {
    const dead = defineLayer({ type: "dead", forward: ({ x: from, y }) => y.set(from) });
    expect(() => trained(engine, around(dead()))).toThrow("dead (dead) without one");
  });
});

describe("weights of whole numbers", () => {
  /** `y = table[x]`, the table in bytes or words. */
  const lookup = (dtype: "uint8" | "int32"): Layer =>
    defineLayer({
      type: "lookup",
      weights: () => ({
        table: { shape: [5], dtype, initializer: () => Float32Array.of(7, 250, 3, 128, 64) },
        factor: { shape: [1], initializer: "ones" },
      }),
      stopsGradient: true,
      forward({ x: from, y, weights }) {
        const [table, factor] = [weights["table"]!, weights["factor"]!];
        expect(table).toBeInstanceOf(dtype === "uint8" ? Uint8Array : Int32Array);
        from.forEach((value, i) => (y[i] = table[value]! * factor[0]!));
      },
    })();

  it.each(["uint8", "int32"] as const)("lie in memory as %s, and are kept by files and engines", (dtype) => {
    const build = (): Model =>
      sequential({ inputShape: [4], layers: [lookup(dtype), layers.dense({ units: 2 })], seed: 5 });
    const net = build();
    net.compile({ engine });
    const places = tensor([1, 3, 0, 4], [1, 4]);
    const first = net.predict(places).data.slice();
    expect(net.weights.get("lookup.table")!.data).toEqual(Float32Array.of(7, 250, 3, 128, 64));
    const other = build();
    other.setWeights(net.weights);
    other.compile({ engine });
    expect(other.predict(places).data).toEqual(first);
    net.dispose();
    net.compile({ engine });
    expect(net.predict(places).data).toEqual(first);
    const plain = sequential({ inputShape: [4], layers: [layers.dense({ units: 2 })], seed: 5 });
    plain.setWeights(new Map([...net.weights].filter(([name]) => name.startsWith("dense"))));
    plain.compile({ engine });
    expect(plain.predict(tensor([250, 128, 7, 64], [1, 4])).data).toEqual(first);
  });

  it("do not learn", () => {
    const learned = defineLayer({
      type: "learned",
      weights: () => ({ w: { shape: [1], dtype: "uint8", trainable: true, initializer: "zeros" } }),
      forward() {},
    });
    expect(() => around(learned())).toThrow(
      "learned: w: expected a weight that learns to be of float32, got uint8",
    );
  });
});
