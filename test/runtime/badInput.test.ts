/** `tensor` and the eager operators besides convolution refuse bad input. */
import { load, OptionError, ShapeError, tensor } from "im2row";
import { describeRefusals, untyped, zeros, type Refusal } from "../support/refusals.ts";

const engine = await load();

const x = zeros(1, 5, 5, 4);

const tensors: Refusal[] = [
  ["too few data", () => tensor([1, 2, 3], [2, 2]), ShapeError, /^tensor: expected 4 elements.* 2×2, got 3$/],
  [
    "a size of 0",
    () => tensor([], [0]),
    ShapeError,
    /^tensor: expected a shape of positive integers, got \[0\]$/,
  ],
  ["a broken size", () => tensor([1], [1.5]), ShapeError, /^tensor: .* positive integers, got \[1.5\]$/],
];

const products: Refusal[] = [
  [
    "matMul of other inner sizes",
    () => engine.matMul(zeros(2, 3), zeros(4, 5)),
    ShapeError,
    /^matMul: b: expected 3 rows to match a \(2×3\), got 4 \(4×5\)$/,
  ],
  [
    "matMul of other inner sizes, transposed",
    () => engine.matMul(zeros(2, 3), zeros(3, 5), { transposeA: true }),
    ShapeError,
    /^matMul: b: expected 2 rows to match a \(2×3 transposed\), got 3 \(3×5\)$/,
  ],
  [
    "matMul of a vector",
    () => engine.matMul(zeros(3), zeros(3, 5)),
    ShapeError,
    /^matMul: a: expected 2 dimensions, got 1 \(3\)$/,
  ],
  [
    "matMul with a bias of another length",
    () => engine.matMul(zeros(2, 3), zeros(3, 5), { bias: zeros(3) }),
    ShapeError,
    /^matMul: bias: expected shape 5, got 3$/,
  ],
  [
    "matMul with an unknown option",
    () => engine.matMul(zeros(2, 3), zeros(3, 5), untyped({ transposeC: true })),
    OptionError,
    /^matMul: expected the options transposeA, .*; got "transposeC"$/,
  ],
  [
    "an unknown activation",
    () => engine.activation(x, untyped("swoosh")),
    OptionError,
    /^activation: activation: expected one of .*; got "swoosh"$/,
  ],
  [
    "an activation's gradient of another shape",
    () => engine.activationBackprop(zeros(2, 3), zeros(3, 2), "relu"),
    ShapeError,
    /^activationBackprop: y: expected shape 2×3, got 3×2$/,
  ],
  [
    "labels of another number",
    () => engine.softmaxCrossEntropy(zeros(2, 3), Int32Array.of(1)),
    ShapeError,
    /^softmaxCrossEntropy: labels: expected 2, got 1$/,
  ],
  [
    "a label out of range",
    () => engine.softmaxCrossEntropy(zeros(2, 3), Int32Array.of(1, 3)),
    OptionError,
    /^softmaxCrossEntropy: labels\[1\]: expected a class from 0 to 2, got 3$/,
  ],
];

const PERM = /^transpose: perm: expected the axes 0 to 3 in any order, got /;
const transpositions: Refusal[] = [
  ["too few axes", () => engine.transpose(x, [1, 0]), OptionError, PERM],
  ["an axis twice", () => engine.transpose(x, [0, 1, 1, 2]), OptionError, PERM],
  ["an axis too many", () => engine.transpose(x, [0, 1, 2, 3, 0]), OptionError, PERM],
  ["axes counted from 1", () => engine.transpose(x, [1, 2, 3, 4]), OptionError, PERM],
  ["no axes", () => engine.transpose(x, untyped(undefined)), OptionError, PERM],
];

const pooled = zeros(1, 2, 2, 4);
const argmaxOf = (data: unknown, shape: number[] = [1, 2, 2, 4]): never => untyped({ shape, data });
const winners = (last: number): Int32Array => new Int32Array(16).fill(last, 15);

const pooling: Refusal[] = [
  [
    "padding as large as the pool",
    () =>
      engine.maxPool2d(x, {
        poolSize: 2,
        padding: [
          [0, 2],
          [0, 0],
        ],
      }),
    OptionError,
    /^maxPool2d: padding: expected less than the pool size 2×2, got \[\[0,2\],\[0,0\]\]$/,
  ],
  [
    "padding as large as the pool of an average",
    () =>
      engine.averagePool2d(x, {
        poolSize: [3, 2],
        padding: [
          [2, 2],
          [2, 0],
        ],
      }),
    OptionError,
    /^averagePool2d: padding: expected less than the pool size 3×2, got \[\[2,2\],\[2,0\]\]$/,
  ],
  [
    "a pool larger than the image",
    () => engine.maxPool2d(x, { poolSize: 6 }),
    ShapeError,
    /^maxPool2d: height: expected an image of at least 6 with its padding, got 5 \+ 0 \+ 0$/,
  ],
  [
    "an unknown option",
    () => engine.maxPool2d(x, untyped({ kernelSize: 2 })),
    OptionError,
    /^maxPool2d: expected the options poolSize, strides, padding; got "kernelSize"$/,
  ],
  [
    "no pool size",
    () => engine.maxPool2d(x, untyped({})),
    OptionError,
    /^maxPool2d: \w+: expected a positive integer .*, got undefined$/,
  ],
  [
    "a winner behind the image",
    () => engine.maxPool2dBackprop(pooled, argmaxOf(winners(100)), x.shape),
    ShapeError,
    /^maxPool2dBackprop: argmax: expected 16 int32 indices from 0 to 99, got 100 at 15$/,
  ],
  [
    "a negative winner",
    () => engine.maxPool2dBackprop(pooled, argmaxOf(winners(-1)), x.shape),
    ShapeError,
    /^maxPool2dBackprop: argmax: expected 16 int32 indices from 0 to 99, got -1 at 15$/,
  ],
  [
    "winners as float32",
    () => engine.maxPool2dBackprop(pooled, argmaxOf(new Float32Array(16)), x.shape),
    ShapeError,
    /^maxPool2dBackprop: argmax: expected 16 int32 indices from 0 to 99, got Float32Array of 16$/,
  ],
  [
    "too few winners",
    () => engine.maxPool2dBackprop(pooled, argmaxOf(new Int32Array(15)), x.shape),
    ShapeError,
    /^maxPool2dBackprop: argmax: expected 16 int32 indices .*, got Int32Array of 15$/,
  ],
  [
    "winners of another shape",
    () => engine.maxPool2dBackprop(pooled, argmaxOf(new Int32Array(16), [1, 1, 4, 4]), x.shape),
    ShapeError,
    /^maxPool2dBackprop: argmax: expected shape 1×2×2×4, got 1×1×4×4$/,
  ],
  [
    "winners without data",
    () => engine.maxPool2dBackprop(pooled, argmaxOf(undefined), x.shape),
    ShapeError,
    /^maxPool2dBackprop: argmax.*: expected .*, got undefined$/,
  ],
  [
    "no winners",
    () => engine.maxPool2dBackprop(pooled, untyped(undefined), x.shape),
    ShapeError,
    /^maxPool2dBackprop: argmax.*: expected .*, got undefined$/,
  ],
  [
    "an image of another batch",
    () => engine.maxPool2dBackprop(pooled, argmaxOf(winners(0)), [2, 5, 5, 4]),
    ShapeError,
    /^maxPool2dBackprop: xShape: expected 1×height×width×4, got 2×5×5×4$/,
  ],
  [
    "dy of another size",
    () => engine.averagePool2dBackprop(zeros(1, 3, 3, 4), x.shape, { poolSize: 2 }),
    ShapeError,
    /^averagePool2dBackprop: dy: expected shape 1×2×2×4, got 1×3×3×4$/,
  ],
  [
    "an image shape of rank 3",
    () => engine.averagePool2dBackprop(pooled, [5, 5, 4], { poolSize: 2 }),
    ShapeError,
    /^averagePool2dBackprop: .*expected .*height, width, channels\], got /,
  ],
];

describeRefusals(engine, "tensor", tensors);
describeRefusals(engine, "products, activations and losses", products);
describeRefusals(engine, "transpose", transpositions);
describeRefusals(engine, "pooling", pooling);
