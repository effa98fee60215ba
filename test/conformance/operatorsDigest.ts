/** The digest over the results of all eager operators. */
import { tensor } from "im2row";
import type { Activation, ConvAlgorithm, Engine, PoolOptions, Tensor } from "im2row";
import { Digest } from "../support/digest.ts";
import { noise } from "../support/model.ts";
import { random } from "../support/random.ts";
import { sized, tensorsOf, type Sized } from "./sized.ts";

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
    const rows = engine.activation(tensor(data.uniform(5 * classes, 0, 1), [5, classes]), "softmax");
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
