/** The gradients among the eager operators against finite differences of the float64 oracles' forward passes. */
import { tensor, type Engine, type Tensor } from "im2row";
import * as activations from "../oracles/activation.ts";
import * as convolutions from "../oracles/conv2d.ts";
import { crossEntropy, oneHot } from "../oracles/loss.ts";
import { averagePool, maxPool } from "../oracles/pool.ts";
import { geometry } from "../support/convolution.ts";
import { numericalGradient } from "../support/differences.ts";
import { gamma, U } from "../support/float.ts";
import { noise } from "../support/model.ts";
import { random } from "../support/random.ts";
import type { Case } from "./case.ts";
import { close } from "./expect.ts";
import { inputRoundings, pixels, reduction, sized, tensorsOf, type Sized } from "./sized.ts";

/** The step of the quotients. */
const H = 1e-5;

/**
 * What a quotient of differences may err by, of a sum of `terms` terms up to `size` with third derivatives up to 6: h² of
 * truncation, and over h the roundings in float64, `terms` of the sum and as many and 8 of the terms themselves.
 */
const quotient = (terms: number, size: number): number =>
  H ** 2 + ((2 * terms + 8) * terms * size * 2 ** -53) / H;

const CONVOLUTIONS: Record<string, Sized> = {
  "strides 2, the 7×7×3 net": sized([2, 7, 7, 3], [3, 3, 4], { strides: 2 }),
  "same padding": sized([2, 5, 4, 2], [3, 2, 3], { padding: "same" }),
  "explicit padding": sized([1, 4, 4, 2], [3, 3, 3], {
    padding: [
      [0, 3],
      [2, 1],
    ],
  }),
  dilation: sized([1, 6, 7, 2], [2, 3, 3], { dilationRate: [3, 2] }),
  groups: sized([1, 5, 5, 4], [2, 2, 6], { groups: 2, strides: [1, 2] }),
  "a group a channel": sized([1, 5, 5, 3], [3, 3, 3], { groups: 3, padding: "same" }),
};

/**
 * `Σ y·dy` is linear in x and in w, so a step of 1 has no truncation error. What rounding is left: reduction + number of
 * outputs + 2 operations a term in float64, terms of at most 2 (operands below 1, one moved by 1).
 */
function expectConvolution(engine: Engine, { conv, options }: Sized): void {
  const { x, filter, dy } = tensorsOf(conv, 1);
  const total = (atX: ArrayLike<number>, atW: ArrayLike<number>): number =>
    convolutions.forward(conv, atX, atW).sum.reduce((sum, y, i) => sum + y * dy.data[i]!, 0);
  const operations = reduction(conv) + dy.data.length + 2;
  const slack = operations * 2 ** -53 * 2 * dy.data.length * reduction(conv);

  const dx = numericalGradient((at) => total(at, filter.data), x.data, 1);
  const { absolute } = convolutions.inputGradient(conv, dy.data, filter.data);
  const roundings = inputRoundings(conv);
  for (const algorithm of ["col2im", "flipped"] as const) {
    const found = engine.conv2dBackpropInput(dy, filter, x.shape, { ...options, algorithm });
    const bound = (i: number): number => gamma(roundings[algorithm](i)) * absolute[i]! + slack;
    close(`conv2dBackpropInput by ${algorithm}`, found.data, dx, bound);
  }
  const dw = numericalGradient((at) => total(x.data, at), filter.data, 1);
  const sizes = convolutions.filterGradient(conv, x.data, dy.data).absolute;
  const found = engine.conv2dBackpropFilter(x, dy, filter.shape, options);
  close("conv2dBackpropFilter", found.data, dw, (i) => gamma(pixels(conv)) * sizes[i]! + slack);
}

function expectPooling(engine: Engine): void {
  const shape = [1, 5, 6, 5];
  const padding = [
    [1, 0],
    [1, 1],
  ] as const;
  const options = { poolSize: 3, strides: [2, 1], padding } as const;
  const pad = { top: 1, bottom: 0, left: 1, right: 1 };
  const window = { kh: 3, kw: 3, strideH: 2, strideW: 1, dilationH: 1, dilationW: 1, pad };
  const g = geometry({ h: 5, w: 6, c: 5, ...window })!;
  // A permutation keeps the values apart: no difference changes a winner.
  const order = Uint32Array.from({ length: 150 }, (_, i) => (i * 37) % 150);
  const x = tensor(
    Float32Array.from(order, (place) => place / 64 - 1),
    shape,
  );
  const { y, argmax } = engine.maxPool2d(x, options);
  const dy = noise(2, ...y.shape);
  const weighted = (values: number[]): number => values.reduce((sum, v, i) => sum + v * dy.data[i]!, 0);
  // A pixel lies in at most 9 windows with |dy| ≤ 1.
  const bound = (): number => gamma(9) * 9 + quotient(y.data.length, 2);
  const largest = numericalGradient((at) => weighted(maxPool(g, 1, at).y), x.data, H);
  close("maxPool2dBackprop", engine.maxPool2dBackprop(dy, argmax, shape).data, largest, bound);
  const mean = numericalGradient((at) => weighted(averagePool(g, 1, at)), x.data, H);
  close("averagePool2dBackprop", engine.averagePool2dBackprop(dy, shape, options).data, mean, bound);
}

/** Away from the kink at 0, where a quotient of differences has no meaning. */
function awayFromZero(n: number): Float32Array {
  return random(n)
    .uniform(n, 0.01, 3)
    .map((value, i) => (i % 2 ? -value : value));
}

function expectActivations(engine: Engine): void {
  for (const { name, kind, code, alpha, fromInput } of activations.ELEMENTWISE) {
    const [x, dy] = [tensor(awayFromZero(33), [33]), noise(7, 33)];
    const read = fromInput ? x : engine.activation(x, kind);
    const dx = engine.activationBackprop(dy, read, kind);
    const total = (at: Float64Array): number =>
      at.reduce((sum, value, i) => sum + dy.data[i]! * activations.activation(code, alpha, value), 0);
    // f′ is off by 12u (assembly/elementwise/activation.ts), and the product rounds |f′| ≤ 1.76 again.
    const bound = (i: number): number => 14 * U * Math.abs(dy.data[i]!) + quotient(33, 3);
    close(`activationBackprop ${name}`, dx.data, numericalGradient(total, x.data, H), bound);
  }
}

function expectSoftmax(engine: Engine): void {
  for (const columns of [1, 2, 3, 4, 5, 9, 17]) {
    const x = tensor(random(columns).uniform(3 * columns, -2, 2), [3, columns]);
    const dy = noise(columns, 3, columns);
    const y = engine.activation(x, "softmax");
    const dx = engine.activationBackprop(dy, y, "softmax");
    const total = (at: Float64Array): number =>
      activations
        .rowsOf(at, columns)
        .flatMap(activations.softmax)
        .reduce((sum, value, i) => sum + value * dy.data[i]!, 0);
    // |dy| and Σ |dy·y| are at most 1: the backward pass's own (⌈cols/4⌉ + 5)·2u·y, and what the relative error of y,
    // (4 + ⌈cols/4⌉ + 6)·u, makes of the factor and of the sum.
    const steps = Math.ceil(columns / 4);
    const relative = (2 * (steps + 5) + 3 * (steps + 10)) * U;
    const bound = (i: number): number => relative * y.data[i]! + quotient(3 * columns, 1);
    close("activationBackprop softmax", dx.data, numericalGradient(total, x.data, H), bound);
  }
}

/** At 0 the gradient is that of the negative side, as in PyTorch. */
function expectKinks(engine: Engine): void {
  const [y, dy] = [tensor([0, -0, 0, -0, 0], [5]), tensor([2, 2, -2, 2, 2], [5])];
  const bound = (): number => 0;
  close("relu at 0", engine.activationBackprop(dy, y, "relu").data, [0, 0, 0, 0, 0], bound);
  const leaky = engine.activationBackprop(dy, y, { leakyRelu: 0.125 });
  close("leakyRelu at 0", leaky.data, [0.25, 0.25, -0.25, 0.25, 0.25], bound);
}

function expectLoss(engine: Engine): void {
  const rows = 3;
  for (const columns of [1, 2, 3, 5, 10]) {
    const shape = [rows, columns];
    const data = random(columns);
    const logits = tensor(data.uniform(rows * columns, -5, 5), shape);
    const labels = data.integers(rows, 0, columns - 1);
    const weights = engine.activation(tensor(data.uniform(rows * columns, 0, 1), shape), "softmax");
    // Labels, and the same as rows.
    const given: [Int32Array | Tensor, Float32Array][] = [
      [labels, oneHot(labels, columns)],
      [weights, weights.data],
    ];
    for (const [targets, asRows] of given) {
      const { gradient } = engine.softmaxCrossEntropy(logits, targets);
      const expected = numericalGradient((at) => crossEntropy(at, asRows, columns), logits.data, H);
      // Logits within 10 of their maximum: the bound of the docstring, and terms up to 10 + ln 10.
      const own = ((10 + Math.ceil(columns / 4) + 4) * U) / rows;
      const bound = own + quotient(rows * columns, 13);
      close("softmaxCrossEntropy: gradient", gradient.data, expected, () => bound);
    }
  }
}

export const differenceCases: readonly Case[] = [
  ...Object.entries(CONVOLUTIONS).map(([name, given]): Case => ({
    name: `gradients of a convolution with ${name} are finite differences, by every route`,
    run: ({ engine }) => expectConvolution(engine, given),
  })),
  { name: "gradients of pooling are finite differences", run: ({ engine }) => expectPooling(engine) },
  { name: "gradients of activations are finite differences", run: ({ engine }) => expectActivations(engine) },
  { name: "the gradient of softmax is finite differences", run: ({ engine }) => expectSoftmax(engine) },
  { name: "gradients at a kink are those of the negative side", run: ({ engine }) => expectKinks(engine) },
  {
    name: "the gradient of softmaxCrossEntropy is finite differences",
    run: ({ engine }) => expectLoss(engine),
  },
];
