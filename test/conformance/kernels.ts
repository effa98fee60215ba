/** Products, sums, activations and the loss among the eager operators, against the float64 oracles. */
import { tensor, type Activation, type Engine, type Tensor } from "im2row";
import * as oracle from "../oracles/activation.ts";
import { gemm, gemmFloat32, type Product } from "../oracles/gemm.ts";
import { transpose } from "../oracles/transpose.ts";
import { agreement, crossEntropy, oneHot } from "../oracles/loss.ts";
import { gamma, U } from "../support/float.ts";
import { noise } from "../support/model.ts";
import { random } from "../support/random.ts";
import type { Case } from "./case.ts";
import { close, holds, same, sameBits } from "./expect.ts";

/** 1, t − 1, t, t + 1, 2t + 1 for the 5 rows and 8 columns of the register tile. */
const ROWS = [1, 4, 5, 6, 11];
const COLUMNS = [1, 7, 8, 9, 17];
const LENGTHS = [1, 2, 3, 17];

type Size = [m: number, n: number, k: number];

const TILES: Size[] = ROWS.flatMap((m) => COLUMNS.flatMap((n) => LENGTHS.map((k): Size => [m, n, k])));
/** Around the blocks of 60 rows and of 256 terms. */
const BLOCKS: Size[] = [
  [59, 9, 3],
  [60, 8, 4],
  [61, 7, 5],
  [121, 9, 2],
  [6, 9, 255],
  [6, 9, 256],
  [6, 9, 257],
  [11, 17, 513],
];

/** The product within its bound of the float64 one, and with the bits of the documented order. */
function expectProduct(engine: Engine, [m, n, k]: Size, transposeA: boolean, transposeB: boolean): void {
  const a = transposeA ? noise(m, k, m) : noise(m, m, k);
  const b = transposeB ? noise(n, n, k) : noise(n, k, n);
  const bias = noise(k, n);
  const [lda, ldb] = [a.shape[1]!, b.shape[1]!];
  const product: Product = { transposeA, transposeB, m, n, k, a: a.data, lda, b: b.data, ldb };
  for (const given of [undefined, bias]) {
    const options = { transposeA, transposeB, ...(given && { bias: given }) };
    const c = engine.matMul(a, b, options);
    const where = `matMul ${m}×${k}·${k}×${n}${given ? " + bias" : ""}`;
    const { sum, absolute } = gemm({ ...product, bias: given?.data });
    same(`${where}: shape`, c.shape, [m, n]);
    close(where, c.data, sum, (i) => gamma(given ? k + 1 : k) * absolute[i]!);
    sameBits(where, c.data, gemmFloat32({ ...product, bias: given?.data }));
  }
}

const products = [false, true].flatMap((transposeA) =>
  [false, true].map((transposeB): Case => ({
    name: `matMul with transposeA ${transposeA}, transposeB ${transposeB}, at the edges of tiles and blocks`,
    run({ engine }) {
      for (const size of [...TILES, ...BLOCKS]) expectProduct(engine, size, transposeA, transposeB);
    },
  })),
);

function expectSums(engine: Engine): void {
  for (const columns of [1, 3, 4, 5, 7, 8, 9, 17]) {
    for (const rows of [1, 2, 7, 100]) {
      const { data } = noise(rows, rows, columns);
      const column = (j: number): number[] => [...data].filter((_, i) => i % columns === j);
      const each = Array.from({ length: columns }, (_, j) => column(j));
      const sums = engine.sumRows(tensor(data, [rows, columns]));
      same("sumRows: shape", sums.shape, [columns]);
      const total = (values: number[]): number => values.reduce((a, b) => a + b, 0);
      const sizes = each.map((values) => total(values.map(Math.abs)));
      close("sumRows", sums.data, each.map(total), (j) => gamma(rows) * sizes[j]!);
      const ordered = each.map((values) => values.reduce((a, b) => Math.fround(a + b), 0));
      sameBits("sumRows", sums.data, Float32Array.from(ordered));
    }
  }
  same("sumRows of rank 1", [...engine.sumRows(tensor([1, 2, 3], [3])).data], [1, 2, 3]);
  same("sumRows of rank 4", engine.sumRows(noise(1, 2, 3, 4, 5)).shape, [5]);
}

const KINDS: readonly { name: string; kind: Activation }[] = [
  ...oracle.ELEMENTWISE,
  { name: "softmax", kind: "softmax" },
];

const elementwise = oracle.ELEMENTWISE.map(({ name, kind, code, alpha, bound }): Case => ({
  name: `activation ${name} is within its bound of the oracle`,
  run({ engine }) {
    for (const size of [1, 2, 3, 4, 5, 7, 8, 9, 33]) {
      const x = tensor(random(size).uniform(size, -9, 9), [size]);
      const y = engine.activation(x, kind);
      const exact = Array.from(x.data, (value) => oracle.activation(code, alpha, value));
      same("activation: shape", y.shape, x.shape);
      close("activation", y.data, exact, (i) => bound(x.data[i]!, exact[i]!));
    }
  },
}));

/** Columns around the four lanes in which a row is added up. */
const CLASSES = [1, 2, 3, 4, 5, 7, 8, 9, 10, 17, 64];

/** Relative error of softmax for values within `range` of the largest (assembly/elementwise/activation.ts). */
const softmaxBound = (range: number, columns: number): number => (range + Math.ceil(columns / 4) + 6) * U;
/** Error of the loss of one-hot rows (assembly/training/softmaxCrossEntropy.ts). */
const lossBound = (range: number, columns: number): number => (range + Math.ceil(columns / 4) + 4) * U;

function expectSoftmax(engine: Engine): void {
  for (const columns of CLASSES) {
    const x = tensor(random(columns).uniform(6 * columns, -8, 8), [2, 3, columns]);
    const y = engine.activation(x, "softmax");
    const exact = oracle.rowsOf(x.data, columns).flatMap(oracle.softmax);
    same("softmax: shape", y.shape, x.shape);
    close("softmax", y.data, exact, (i) => softmaxBound(16, columns) * exact[i]!);
  }
  const extreme = engine.activation(tensor([3e38, -3e38, 3e38, -Infinity, 0, 0], [2, 3]), "softmax");
  same("softmax of extremes", [...extreme.data], [0.5, 0, 0.5, 0, 0.5, 0.5]);
}

/** An activation in a convolution or product has the bits of the operator behind the linear one. */
const fused = KINDS.map(({ name, kind }): Case => ({
  name: `activation ${name} in a convolution or product has the bits of the operator`,
  run({ engine }) {
    const [x, filter, bias] = [noise(1, 2, 5, 5, 2), noise(2, 3, 3, 2, 9), noise(3, 9)];
    const [channels, ofChannels] = [noise(4, 3, 3, 1, 2), { groups: 2, bias: noise(5, 2) }];
    const calls: ((activation: Activation) => Tensor)[] = [
      (activation) => engine.conv2d(x, filter, { bias, activation }),
      (activation) => engine.conv2d(x, channels, { ...ofChannels, activation }),
      (activation) => engine.matMul(noise(6, 11, 4), noise(7, 4, 9), { bias, activation }),
    ];
    for (const [i, call] of calls.entries()) {
      sameBits(`call ${i}`, call(kind).data, engine.activation(call("linear"), kind).data);
    }
  },
}));

/** The loss and its gradient by class numbers, one-hot rows and distributions. */
function expectLoss(engine: Engine): void {
  for (const [i, columns] of CLASSES.entries()) {
    const rows = 1 + (i % 4);
    const data = random(columns);
    const logits = tensor(data.uniform(rows * columns, -5, 5), [rows, columns]);
    const labels = data.integers(rows, 0, columns - 1);
    const weights = tensor(data.uniform(rows * columns, 0, 1), logits.shape);
    for (const targets of [oneHot(labels, columns), engine.activation(weights, "softmax").data]) {
      // Σ target of any row is at most 1.001.
      const bound = 1.001 * lossBound(10, columns);
      const found = engine.softmaxCrossEntropy(logits, tensor(targets, [rows, columns]));
      const exact = crossEntropy(logits.data, targets, columns);
      holds("loss", Math.abs(found.loss - exact) <= bound, `${exact} ± ${bound}`, found.loss);
      same("correct", found.correct, agreement(logits.data, targets, columns));
      const gradient = oracle.rowsOf(logits.data, columns).flatMap((row, r) => {
        const own = [...targets].slice(r * columns, (r + 1) * columns);
        const sum = own.reduce((a, b) => a + b, 0);
        return oracle.softmax(row).map((p, j) => (sum * p - own[j]!) / rows);
      });
      close("gradient", found.gradient.data, gradient, () => bound / rows);
    }
    expectSameLoss(engine, logits, labels);
  }
}

/** Class numbers in all their forms have the bits of one-hot rows. */
function expectSameLoss(engine: Engine, logits: Tensor, labels: Int32Array): void {
  const rows = tensor(oneHot(labels, logits.shape[1]!), logits.shape);
  const expected = engine.softmaxCrossEntropy(logits, rows);
  for (const given of [labels, Uint8Array.from(labels), [...labels]]) {
    const { loss, correct, gradient } = engine.softmaxCrossEntropy(logits, given);
    same("loss and correct", [loss, correct], [expected.loss, expected.correct]);
    sameBits("gradient", gradient.data, expected.gradient.data);
  }
}

function expectTransposed(engine: Engine): void {
  for (const shape of [[5], [7, 9], [2, 5, 7, 3], [1, 3, 17, 16], [2, 3, 2, 3, 2]]) {
    const axes = shape.map((_, axis) => axis);
    for (const perm of [
      axes,
      [...axes].reverse(),
      [...axes.slice(1), 0],
      [axes.length - 1, ...axes.slice(0, -1)],
    ]) {
      const x = noise(3, ...shape);
      const y = engine.transpose(x, perm);
      same(
        "transpose: shape",
        y.shape,
        perm.map((axis) => shape[axis]!),
      );
      sameBits("transpose", y.data, Float32Array.from(transpose(shape, perm, x.data)));
    }
  }
}

/** An operator leaves its operands alone, gives a tensor of its own, and frees what it used. */
function expectNoTraces(engine: Engine): void {
  const { used } = engine.memory;
  const [x, filter, bias] = [noise(1, 2, 5, 5, 2), noise(2, 3, 3, 2, 5), noise(3, 5)];
  const before = [x, filter, bias].map(({ data }) => data.slice());
  const first = engine.conv2d(x, filter, { bias });
  const kept = first.data.slice();
  first.data.fill(9);
  sameBits("the second result", engine.conv2d(x, filter, { bias }).data, kept);
  for (const [i, { data }] of [x, filter, bias].entries()) sameBits(`operand ${i}`, data, before[i]!);
  same("memory in use", engine.memory.used, used);
}

export const kernelCases: readonly Case[] = [
  ...products,
  { name: "sumRows adds the rows in ascending order", run: ({ engine }) => expectSums(engine) },
  ...elementwise,
  {
    name: "activation softmax is within its bound of the oracle, and neither overflows nor underflows",
    run: ({ engine }) => expectSoftmax(engine),
  },
  ...fused,
  {
    name: "softmaxCrossEntropy is within its bound of the oracle, for every form of labels",
    run: ({ engine }) => expectLoss(engine),
  },
  { name: "transpose moves every element", run: ({ engine }) => expectTransposed(engine) },
  { name: "an operator leaves no traces", run: ({ engine }) => expectNoTraces(engine) },
];
