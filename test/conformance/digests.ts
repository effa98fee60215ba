/**
 * The two digests that every host must agree on: over the results of all eager operators, and over the weights that
 * training makes of every layer, activation and optimizer. `digests.json` holds them; a change that alters them says
 * why (CONTRIBUTING.md, "Same bits").
 */
import { layers, losses, optimizers, tensor } from "im2row";
import { loadOnnx } from "im2row/onnx";
import type { Activation, ConvAlgorithm, Engine, Loss, Model, Optimizer, PoolOptions, Tensor } from "im2row";
import { Digest } from "../support/digest.ts";
import { noise } from "../support/model.ts";
import { random } from "../support/random.ts";
import type { Case } from "./case.ts";
import golden from "./digests.json" with { type: "json" };
import { same } from "./expect.ts";
import { hourglass } from "./hourglass.ts";
import {
  branched,
  everyLayer,
  everyLayers,
  normalized,
  normalizedLayers,
  residual,
  softmaxLayers,
  softmaxNet,
  winogradNet,
} from "./nets.ts";
import { sized, tensorsOf, type Sized } from "./sized.ts";

const STEPS = 50;
const RESIDUAL_STEPS = 20;

/** A tensor, an integer count, or a loss. */
type Result = Tensor | Tensor<Int32Array> | { count: number } | { loss: number };

const KINDS: readonly Activation[] = [
  "linear",
  "relu",
  "leakyRelu",
  { leakyRelu: 0.1 },
  "sigmoid",
  "tanh",
  "softmax",
  "relu6",
  "elu",
  { elu: 0.5 },
  "selu",
  "hardSigmoid",
  { hardSigmoid: 0.2 },
  "softplus",
  "silu",
  "swish",
  "hardSwish",
  "gelu",
  "geluTanh",
  "mish",
];

function* products(engine: Engine): Generator<Result> {
  for (const [m, n, k] of [
    [1, 1, 1],
    [5, 8, 4],
    [11, 17, 3],
    [61, 9, 300],
  ] as const) {
    for (const transposeA of [false, true]) {
      for (const transposeB of [false, true]) {
        const a = transposeA ? noise(1, k, m) : noise(1, m, k);
        const b = transposeB ? noise(2, n, k) : noise(2, k, n);
        yield engine.matMul(a, b, { transposeA, transposeB });
        yield engine.matMul(a, b, { transposeA, transposeB, bias: noise(3, n) });
      }
    }
  }
  for (const activation of KINDS) {
    yield engine.matMul(noise(4, 7, 6), noise(5, 6, 11), { bias: noise(6, 11), activation });
  }
  for (const columns of [1, 4, 7, 9]) yield engine.sumRows(noise(columns, 3, 11, columns));
}

/** Without groups or with: by axis, padding and dilation, beyond tiles, strips and blocks. */
const CONVOLUTIONS: readonly Sized[] = [
  sized([2, 7, 7, 3], [3, 3, 8], { strides: 2 }),
  sized([1, 9, 8, 5], [3, 2, 9], { padding: "same", dilationRate: [1, 2] }),
  sized([3, 5, 6, 2], [2, 3, 17], {
    strides: [1, 2],
    padding: [
      [2, 0],
      [1, 3],
    ],
  }),
  sized([2, 6, 6, 6], [3, 3, 14], { groups: 2, padding: "same" }),
  sized([2, 6, 7, 9], [3, 3, 9], { groups: 9, padding: "same", strides: [2, 1] }),
  sized([1, 5, 5, 4], [3, 3, 8], { groups: 4 }),
  sized([2, 9, 9, 13], [1, 1, 11]),
  sized([1, 6, 6, 40], [3, 3, 9], { padding: "same" }),
  sized([3, 9, 6, 11], [3, 3, 10], {
    padding: [
      [2, 0],
      [1, 3],
    ],
  }),
];

/** The algorithms that can compute all three passes of a convolution. */
function algorithmsOf({ conv, options }: Sized): ConvAlgorithm[] {
  const { g, f } = conv;
  const { groups = 1, strides = 1, dilationRate = 1 } = options;
  if (groups > 1 && groups === g.c && groups === f) return ["im2row", "depthwise"];
  const plain = groups === 1 && strides === 1 && dilationRate === 1 && g.kh === 3 && g.kw === 3;
  return plain ? ["im2row", "winograd"] : ["im2row"];
}

function* convolutions(engine: Engine): Generator<Result> {
  for (const [seed, { conv, options }] of CONVOLUTIONS.entries()) {
    const { x, filter, bias, dy } = tensorsOf(conv, seed);
    const { groups: _, ...rest } = options;
    const window = { ...rest, kernelSize: [conv.g.kh, conv.g.kw] } as const;
    const rows = engine.im2row(x, window);
    yield rows;
    yield engine.col2im(rows, x.shape, window);
    for (const algorithm of algorithmsOf({ conv, options })) {
      const given = { ...options, algorithm };
      yield engine.conv2d(x, filter, given);
      for (const activation of KINDS) yield engine.conv2d(x, filter, { ...given, bias, activation });
      yield engine.conv2dBackpropFilter(x, dy, filter.shape, given);
      yield engine.conv2dBackpropInput(dy, filter, x.shape, given);
    }
    for (const algorithm of ["auto", "flipped"] as const) {
      yield engine.conv2dBackpropInput(dy, filter, x.shape, { ...options, algorithm });
    }
  }
}

const POOLS: readonly PoolOptions[] = [
  { poolSize: 2 },
  { poolSize: [3, 2], strides: [1, 2] },
  { poolSize: 3, strides: 2, padding: "same" },
  {
    poolSize: 3,
    strides: 1,
    padding: [
      [1, 0],
      [0, 2],
    ],
  },
];

function* pools(engine: Engine): Generator<Result> {
  for (const channels of [1, 4, 7]) {
    const shape = [2, 7, 6, channels];
    const ties = tensor(Float32Array.from(random(channels).integers(84 * channels, -3, 1)), shape);
    for (const x of [noise(channels, ...shape), ties]) {
      for (const options of POOLS) {
        const { y, argmax } = engine.maxPool2d(x, options);
        yield y;
        yield argmax;
        const dy = noise(2, ...y.shape);
        yield engine.maxPool2dBackprop(dy, argmax, shape);
        yield engine.averagePool2d(x, options);
        yield engine.averagePool2dBackprop(dy, shape, options);
      }
    }
  }
}

/** Zeros of both signs, subnormal, tiny and huge numbers: where arithmetic of another kind would show. */
const EXTREMES = [0, -0, 1e-45, -1e-40, 1e-38, -1e-20, 1e-7, 0.624, 0.626, -88, 88.7, -103.9, 1e30, -3e38];

function* activations(engine: Engine): Generator<Result> {
  const wide = tensor(random(1).uniform(99, -20, 20), [9, 11]);
  for (const x of [noise(2, 2, 3, 5), wide, tensor(EXTREMES, [2, 7])]) {
    for (const kind of KINDS) {
      const y = engine.activation(x, kind);
      yield y;
      // From the output or, of the kinds that need it, the input: each has a slope at either.
      for (const read of [x, y]) yield engine.activationBackprop(noise(3, ...x.shape), read, kind);
    }
  }
}

function* transpositions(engine: Engine): Generator<Result> {
  for (const [shape, perm] of [
    [
      [5, 19],
      [1, 0],
    ],
    [
      [2, 3, 7, 6],
      [0, 3, 1, 2],
    ],
    [
      [3, 5, 2, 4],
      [2, 0, 1, 3],
    ],
  ] as const) {
    yield engine.transpose(noise(1, ...shape), perm);
  }
}

function* entropies(engine: Engine): Generator<Result> {
  for (const classes of [2, 3, 10, 17]) {
    const data = random(classes);
    const logits = tensor(data.uniform(5 * classes, -9, 9), [5, classes]);
    const rows = tensor(data.uniform(5 * classes, 0, 1), [5, classes]);
    for (const labels of [data.integers(5, 0, classes - 1), rows]) {
      const { loss, correct, gradient } = engine.softmaxCrossEntropy(logits, labels);
      yield { loss };
      yield { count: correct };
      yield gradient;
    }
  }
}

/** The digest over the bits of the results of every eager operator on fixed operands. */
export function operatorsDigest(engine: Engine): string {
  const hash = new Digest();
  for (const results of [products, convolutions, pools, activations, transpositions, entropies]) {
    for (const result of results(engine)) {
      if ("data" in result && result.data.some(Number.isNaN)) {
        throw new Error(`${results.name}: expected numbers, got a NaN, whose bits are the processor's`);
      }
      if ("data" in result) hash.elements(result.data);
      else if ("count" in result) hash.integer(result.count);
      else hash.double(result.loss);
    }
  }
  return hash.toString();
}

/** `STEPS` steps on noise. */
function train(model: Model, labelsOf: (step: number) => Int32Array | Tensor): void {
  for (let step = 0; step < STEPS; step++) {
    const labels = labelsOf(step);
    const n = labels instanceof Int32Array ? labels.length : labels.shape[0]!;
    model.trainOnBatch(noise(step, n, ...model.inputShape), labels);
  }
}

const OPTIMIZERS: readonly (() => Optimizer)[] = [
  () => optimizers.sgd({ learningRate: 0.1 }),
  () => optimizers.sgd({ learningRate: 0.05, momentum: 0.9, nesterov: true, weightDecay: 0.01 }),
  () => optimizers.adam({ learningRate: (step) => 0.01 / (1 + step) }),
  () => optimizers.adamw({ learningRate: 0.01, weightDecay: 0.1 }),
];

/**
 * The digest over the weights after 50 steps of a net of every layer by each optimizer, of one by Winograd's algorithm,
 * of one with softmax, of one whose images grow again, of one with normalizations whose gradients are clipped, and of a
 * graph.
 */
export function weightsDigest(engine: Engine): string {
  const hash = new Digest();
  const add = (
    model: Model,
    optimizer: Optimizer,
    loss: Loss,
    labelsOf: Parameters<typeof train>[1],
  ): void => {
    model.compile({ engine, optimizer, loss });
    train(model, labelsOf);
    for (const { data } of model.weights.values()) hash.elements(data);
    model.dispose();
  };
  for (const optimizer of OPTIMIZERS) {
    const labels = (step: number): Int32Array => random(1000 + step).integers(5, 0, 3);
    add(everyLayer(3), optimizer(), losses.softmaxCrossEntropy(), labels);
  }
  const labels = (step: number): Int32Array => random(2000 + step).integers(3, 0, 2);
  add(winogradNet(5), optimizers.sgd({ learningRate: 0.05 }), losses.softmaxCrossEntropy(), labels);
  const momentum = optimizers.sgd({ learningRate: 0.5, momentum: 0.5 });
  const rows = tensor([1, 0, 0, 0, 0.5, 0.5], [2, 3]);
  add(softmaxNet(2 ** 53 - 1), momentum, losses.meanSquaredError(), () => rows);
  const kinds = (step: number): Int32Array => random(4000 + step).integers(3, 0, 3);
  add(hourglass(8), optimizers.adam({ learningRate: 0.01 }), losses.softmaxCrossEntropy(), kinds);
  const clipped = optimizers.sgd({ learningRate: 0.05, momentum: 0.9, globalClipNorm: 0.5, clipValue: 0.1 });
  add(normalized(6), clipped, losses.softmaxCrossEntropy(), labels);
  const graph = branched(7);
  const loss = { kind: losses.softmaxCrossEntropy(), place: losses.meanSquaredError() };
  graph.compile({ engine, optimizer: optimizers.sgd({ learningRate: 0.05, momentum: 0.9 }), loss });
  for (let step = 0; step < STEPS; step++) {
    const inputs = { image: noise(step, 3, 8, 7, 4), extra: noise(step + 100, 3, 6) };
    const kind = random(3000 + step).integers(3, 0, 2);
    graph.trainOnBatch(inputs, { kind, place: noise(step + 200, 3, 2) });
  }
  for (const { data } of graph.weights.values()) hash.elements(data);
  graph.dispose();
  return hash.toString();
}

/** The residual net after its training. */
function trainedResidual(engine: Engine): Model {
  const net = residual(9);
  const optimizer = optimizers.sgd({ learningRate: 0.05, momentum: 0.9 });
  net.compile({ engine, optimizer, loss: losses.softmaxCrossEntropy() });
  for (let step = 0; step < RESIDUAL_STEPS; step++) {
    net.trainOnBatch(noise(step, 5, 10, 9, 6), random(5000 + step).integers(5, 0, 3));
  }
  return net;
}

/**
 * The digests over the weights of a residual, grouped, normalized net after its training, and over what the same net
 * computes when it comes back from the ONNX file that it makes.
 */
export async function importedDigests(engine: Engine): Promise<{ residual: string; imported: string }> {
  const net = trainedResidual(engine);
  const [weights, outputs] = [new Digest(), new Digest()];
  for (const { data } of net.weights.values()) weights.elements(data);
  const imported = await loadOnnx(net.toOnnx(), { engine });
  const [name] = imported.outputNames;
  const feed = { image: noise(77, 3, 6, 10, 9) };
  outputs.elements(imported.predict(feed)[name!]!.data as Float32Array);
  imported.dispose();
  net.dispose();
  return { residual: weights.toString(), imported: outputs.toString() };
}

/** Known answers of the hash's authors. */
function expectKnownAnswers(): void {
  for (const [text, expected] of [
    ["", "cbf29ce484222325"],
    ["a", "af63dc4c8601ec8c"],
    ["foobar", "85944171f73967e8"],
  ] as const) {
    const hash = new Digest();
    hash.bytes(new TextEncoder().encode(text));
    same(`"${text}"`, hash.toString(), expected);
  }
  const [words, bytes] = [new Digest(), new Digest()];
  words.elements(Float32Array.of(1, -2));
  bytes.bytes(Uint8Array.of(0, 0, 0x80, 0x3f, 0, 0, 0, 0xc0));
  same("elements", words.toString(), bytes.toString());
  const [double, halves] = [new Digest(), new Digest()];
  double.double(-2);
  halves.integer(0);
  halves.elements(Int32Array.of(-(2 ** 30)));
  same("double", double.toString(), halves.toString());
}

/** Neither an operator nor a layer nor an optimizer is left out. */
function expectComplete(engine: Engine): void {
  const called = new Set<PropertyKey>();
  const watched = new Proxy(engine, {
    get(target, key) {
      called.add(key);
      return Reflect.get(target, key, target) as unknown;
    },
  });
  operatorsDigest(watched);
  const others = ["constructor", "memory", "dispose"];
  const operators = Object.getOwnPropertyNames(Object.getPrototypeOf(engine));
  const missed = operators.filter((name) => !called.has(name) && !others.includes(name));
  same("operators that are in no digest", missed, []);
  // The second column of the graphs' summaries; inputs have none.
  const rows = [branched(1), hourglass(1)].flatMap((net) => net.summary().split("\n").slice(2, -2));
  const drawn = rows.map((row) => row.split(/ {2,}/)[1]!).filter((type) => Object.hasOwn(layers, type));
  const listed = [...everyLayers(), ...softmaxLayers(), ...normalizedLayers()];
  const used = new Set(listed.map(({ type }) => type).concat(drawn));
  same("layers", [...used].sort(), Object.keys(layers).sort());
  const types = new Set<string>(OPTIMIZERS.map((optimizer) => optimizer().type));
  same("optimizers", [...types].sort(), Object.keys(optimizers).sort());
}

export const digestCases: readonly Case[] = [
  { name: "the hash has the known answers of FNV-1a", run: expectKnownAnswers },
  {
    name: "the digests leave out no operator, layer or optimizer",
    run: ({ engine }) => expectComplete(engine),
  },
  {
    name: "the results of all operators have the golden digest",
    run: ({ engine }) => same("operators", operatorsDigest(engine), golden.operators),
  },
  {
    name: `the weights after ${STEPS} steps have the golden digest`,
    run: ({ engine }) => same("weights", weightsDigest(engine), golden.weights),
  },
  {
    name: `a residual net after ${RESIDUAL_STEPS} steps, and from its ONNX file, has the golden digests`,
    async run({ engine }) {
      const { residual: trained, imported } = await importedDigests(engine);
      same("weights", trained, golden.residual);
      same("outputs", imported, golden.imported);
    },
  },
];
