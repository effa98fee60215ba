/** Layers of users: on arrays, by kernels, composed of others; saved and loaded again; and what is refused about them. */
import { beforeAll, describe, expect, it } from "vitest";
import {
  defineLayer,
  input,
  layers,
  load,
  loadModel,
  losses,
  model as graph,
  optimizers,
  OptionError,
  registerLayer,
  sequential,
  ShapeError,
  tensor,
  type Engine,
  type Layer,
  type Model,
} from "../../src/index.ts";
import { noise, weightBits } from "../support/model.ts";

let engine: Engine;
beforeAll(async () => {
  engine = await load();
});

/** `y = x·w`, with a weight for each channel. */
const perChannel = defineLayer({
  type: "perChannel",
  config: { start: 1 },
  weights: ([shape], { start }) => ({
    w: { shape: [shape!.at(-1)!], initializer: { constant: start } },
  }),
  forward({ x, y, weights }) {
    const w = weights["w"]!;
    for (let i = 0; i < x.length; i++) y[i] = x[i]! * w[i % w.length]!;
  },
  backward({ x, dy, dx, weights, gradients }) {
    const [w, dw] = [weights["w"]!, gradients["w"]];
    dw?.fill(0);
    for (let i = 0; i < dy.length; i++) {
      const channel = i % w.length;
      if (dw) dw[channel]! += dy[i]! * x[i]!;
      if (dx) dx[i] = dy[i]! * w[channel]!;
    }
  },
});

/** The largest of two values, by arrays that are saved for the backward pass. */
const larger = defineLayer({
  type: "larger",
  outputShape: ([first]) => first!,
  saved: ([first]) => ({ second: first!.reduce((a, b) => a * b, 1) }),
  forward({ xs: [a, b], y, saved }) {
    for (let i = 0; i < y.length; i++) {
      saved["second"]![i] = b![i]! > a![i]! ? 1 : 0;
      y[i] = Math.max(a![i]!, b![i]!);
    }
  },
  backward({ dy, dxs, saved }) {
    dxs.forEach((dx, side) => dx?.forEach((_, i) => (dx[i] = saved["second"]![i] === side ? dy[i]! : 0)));
  },
});

/** prelu as the package has it, of the same kernels. */
const prelu = defineLayer({
  type: "prelu2",
  config: { alpha: 0.25 },
  weights: ([shape], { alpha }) => ({ alpha: { shape: shape!, initializer: { constant: alpha } } }),
  backwardReads: { x: true },
  build({ kernels, inputs, x, y, weights: [alpha] }) {
    const c = inputs[0]!.reduce((a, b) => a * b, 1);
    return {
      forward: (n) => kernels.preluForward(n, c, x.pointer, alpha!.pointer, y.pointer),
      gradient: ({ dx, dy, gradients: [dAlpha] }) => {
        return (n) => {
          if (dAlpha) kernels.preluBackpropAlpha(n, c, x.pointer, dy.pointer, dAlpha.pointer);
          if (dx) kernels.preluBackpropInput(n, c, x.pointer, alpha!.pointer, dy.pointer, dx.pointer);
        };
      },
    };
  },
});

/** Two dense layers and the sum with what came in. */
const residual = defineLayer({
  type: "residual",
  config: { units: 3 },
  compose({ units }) {
    const [inner, outer, sum] = [
      layers.dense({ units, activation: "tanh" }),
      layers.dense({ units, name: "outer" }),
      layers.add(),
    ];
    return (x) => sum.apply([x, outer.apply(inner.apply(x))]);
  },
});

const x = noise(1, 6, 5, 3);
const labels = [0, 1, 1, 0, 1, 0];

function trained(net: Model, steps = 3): Model {
  net.compile({
    engine,
    optimizer: optimizers.sgd({ learningRate: 0.1, momentum: 0.9 }),
    loss: losses.softmaxCrossEntropy(),
  });
  for (let i = 0; i < steps; i++) net.trainOnBatch(x, labels);
  return net;
}

/** A net with a layer between layers that learn. */
function around(...middle: Layer[]): Model {
  const ends = [layers.flatten(), layers.dense({ units: 2 })];
  return sequential({
    inputShape: [5, 3],
    layers: [layers.dense({ units: 3 }), ...middle, ...ends],
    seed: 4,
  });
}

/** The bits of all weights, whatever they are called. */
const bitsOf = (net: Model): string => Object.values(weightBits(net)).join(" ");

describe("a layer on arrays", () => {
  it("learns as the same layer of the package", () => {
    const own = trained(around(perChannel({ start: 0.5 })));
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
    trained(net);
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
    expect(bitsOf(trained(build(larger())))).toBe(bitsOf(trained(build(layers.maximum()))));
  });

  it("sees the memory where it is after it has grown", async () => {
    const small = await load();
    const net = around(perChannel());
    net.compile({ engine: small });
    const before = net.predict(x).data.slice();
    const session = net.session({ batchSize: 6 });
    small.matMul(noise(2, 900, 900), noise(3, 900, 900));
    session.input.set(x.data);
    session.run();
    expect(session.output).toEqual(before);
    small.dispose();
  });

  it("without a backward pass is refused where something before it learns", () => {
    const dead = defineLayer({ type: "dead", forward: ({ x: from, y }) => y.set(from) });
    expect(() => trained(around(dead()))).toThrow("dead (dead) without one");
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

describe("a layer of kernels", () => {
  it("has the bits of the package's own", () => {
    const [own, same] = [prelu(), layers.prelu({ alphaInitializer: { constant: 0.25 } })];
    expect(bitsOf(trained(around(own)))).toBe(bitsOf(trained(around(same))));
  });
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
    expect(bitsOf(trained(apart))).toBe(bitsOf(trained(whole)));
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
    expect(trained(frozen).weights.get("block_dense.kernel")!.data).toEqual(before);
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
    const net = trained(around(outer()));
    const again = loadModel(net.toSafetensors());
    again.compile({ engine });
    expect(again.predict(x).data).toEqual(net.predict(x).data);
    expect(again.weights.has("outer_residual_dense.kernel")).toBe(true);
  });
});

describe("a saved layer", () => {
  it("is made again by the factory that is registered for its type", () => {
    const net = trained(around(perChannel({ start: 3, name: "gain" })));
    expect(() => net.toSafetensors()).toThrow(
      "gain: expected one of layers.*, got a layer of the type perChannel",
    );
    registerLayer("perChannel", perChannel);
    registerLayer("perChannel", perChannel);
    const file = net.toSafetensors();
    const again = loadModel(file);
    again.compile({ engine });
    expect(again.predict(x).data).toEqual(net.predict(x).data);
    expect(again.layers[1]!.config).toEqual({ start: 3 });
    expect(again.toSafetensors()).toEqual(file);
  });

  it.each([
    ["dense", perChannel, 'registerLayer: type: expected a name that is none of layers.*, got "dense"'],
    ["", perChannel, 'registerLayer: type: expected the name of a kind of layer, got ""'],
    ["other", undefined, "registerLayer: other: expected a function that makes the layer, got undefined"],
  ])("is not registered as %s", (type, factory, message) => {
    expect(() => registerLayer(type, factory as typeof perChannel)).toThrow(message);
  });

  it("is not registered twice", () => {
    registerLayer("larger", larger);
    expect(() => registerLayer("larger", perChannel)).toThrow(OptionError);
  });
});

describe("a definition", () => {
  it.each([
    [7, "defineLayer: expected a definition of a layer, got 7"],
    [{ type: "", forward() {} }, "defineLayer: type: expected a letter, then letters"],
    [{ type: "a" }, "defineLayer: a: expected one function forward, build or compose, got none"],
    [
      { type: "a", forward() {}, compose() {} },
      "defineLayer: a: expected one function forward, build or compose, got forward, compose",
    ],
    [{ type: "a", build: 3 }, "defineLayer: a: expected one function forward, build or compose, got build 3"],
    [{ type: "a", config: 3, forward() {} }, "defineLayer: a: config: expected options with their defaults"],
  ])("%j is refused", (definition, message) => {
    expect(() => defineLayer(definition as never)).toThrow(OptionError);
    expect(() => defineLayer(definition as never)).toThrow(message);
  });

  it.each([
    [() => perChannel({ stop: 1 } as never), 'perChannel: expected the options start, name; got "stop"'],
    [() => perChannel({ start: Number.NaN }), "perChannel: start: expected what JSON can say, got NaN"],
    [() => perChannel(3 as never), "perChannel: expected an object of options, got 3"],
    [() => residual({ name: "a b" }), 'residual: name: expected letters, digits, "_" and "-", got "a b"'],
  ])("options are refused", (make, message) => {
    expect(make).toThrow(OptionError);
    expect(make).toThrow(message);
  });

  const wrong = (part: object): Layer =>
    defineLayer({ type: "wrong", forward() {}, ...part } as Parameters<typeof defineLayer>[0])();

  it.each([
    [{ outputShape: () => [0] }, ShapeError, "outputShape: expected a shape of positive integers, got [0]"],
    [
      { weights: () => ({ "a b": { shape: [1], initializer: "zeros" } }) },
      OptionError,
      "wrong: weights: name",
    ],
    [{ weights: () => ({ w: { shape: [1], initializer: "none" } }) }, OptionError, "wrong: weights: w"],
    [
      { weights: () => ({ w: { shape: [2], initializer: () => new Float32Array(3) } }) },
      ShapeError,
      "wrong: weights: w: expected a Float32Array of 2 numbers",
    ],
    [
      { forward: undefined, compose: () => () => 5 },
      OptionError,
      "compose: expected what layer.apply() returns, got 5",
    ],
  ])("functions that return what is none are refused: %j", (part, type, message) => {
    expect(() => around(wrong(part)).weights).toThrow(type);
    expect(() => around(wrong(part)).weights).toThrow(message);
  });

  it("of saved arrays of no size is refused when the net is planned", () => {
    const net = around(wrong({ saved: () => ({ mask: -1 }) }));
    net.compile({ engine });
    expect(() => net.predict(x)).toThrow("wrong: saved: mask: expected a number of elements, got -1");
  });

  it("takes a function that checks the options", () => {
    const checked = defineLayer({
      type: "checked",
      config: ({ power = 2 }: { power?: number }) => {
        if (power < 1) throw new OptionError(`checked: power: expected at least 1, got ${power}`);
        return { power };
      },
      forward: ({ x: from, y, config }) => from.forEach((value, i) => (y[i] = value ** config.power)),
    });
    expect(checked().config).toEqual({ power: 2 });
    expect(() => checked({ power: 0 })).toThrow("checked: power: expected at least 1, got 0");
  });

  it("that is used in place of a layer says what to do", () => {
    expect(() => sequential({ inputShape: [3], layers: [perChannel as never] })).toThrow(OptionError);
  });
});
