/** Wrong shapes, options, labels and bytes: the error's class, and its message with place, expected and given. */
import {
  FormatError,
  layers,
  loadModel,
  losses,
  OptionError,
  optimizers,
  sequential,
  ShapeError,
  tensor,
} from "im2row";
import type { Engine, Layer, Model, Tensor } from "im2row";
import { noise, weightBits } from "../support/model.ts";
import type { Case, Context } from "./case.ts";
import { rejects, same, throws, type Message } from "./expect.ts";
import { tinyNet } from "./nets.ts";

/** Values that TypeScript would not let through, as they come from plain JavaScript. */
const untyped = (value: unknown): never => value as never;

const zeros = (...shape: number[]): Tensor =>
  tensor(new Float32Array(shape.reduce((a, b) => a * b, 1)), shape);

const loss = losses.softmaxCrossEntropy();
const [x, y] = [noise(1, 4, 7, 7, 3), Int32Array.of(0, 1, 2, 0)];
const image = zeros(1, 5, 5, 4);
const filter = zeros(3, 3, 4, 6);

/** A call on an engine and a compiled 7×7×3 model, the class of its error, and the message. */
type Refusal = [
  call: (engine: Engine, model: Model) => unknown,
  type: typeof ShapeError | typeof OptionError | typeof FormatError,
  message: Message,
];

const build = (inputShape: number[], ...list: Layer[]): Model => sequential({ inputShape, layers: list });

const SHAPES: readonly Refusal[] = [
  [() => tensor([1, 2, 3], [2, 2]), ShapeError, "tensor: expected 4 elements for shape 2×2, got 3"],
  [() => tensor([], [0]), ShapeError, "tensor: expected a shape of positive integers, got [0]"],
  [
    (engine) => engine.matMul(zeros(2, 3), zeros(4, 5)),
    ShapeError,
    "matMul: b: expected 3 rows to match a (2×3), got 4 (4×5)",
  ],
  [
    (engine) => engine.conv2d(zeros(5, 5, 4), filter),
    ShapeError,
    "conv2d: x: expected 4 dimensions, got 3 (5×5×4)",
  ],
  [
    (engine) => engine.conv2d(image, zeros(3, 3, 3, 6)),
    ShapeError,
    "conv2d: filter: expected [kh, kw, 4, filters] for 4 channels in 1 group, got 3×3×3×6",
  ],
  [
    (engine) => engine.conv2d(image, filter, { bias: zeros(5) }),
    ShapeError,
    "conv2d: bias: expected shape 6, got 5",
  ],
  [
    (engine) => engine.conv2d(image, zeros(6, 3, 4, 6)),
    ShapeError,
    "conv2d: height: expected an image of at least 6 with its padding, got 5 + 0 + 0",
  ],
  [
    (engine) => engine.conv2d(untyped({ shape: [1, 5, 5, 4], data: new Float64Array(100) }), filter),
    ShapeError,
    "conv2d: x.data: expected a Float32Array, got Float64Array of 100",
  ],
  [
    (engine) => engine.conv2dBackpropInput(zeros(1, 5, 5, 6), filter, image.shape),
    ShapeError,
    "conv2dBackpropInput: dy: expected shape 1×3×3×6, got 1×5×5×6",
  ],
  [
    (engine) => engine.conv2dBackpropFilter(image, zeros(1, 3, 3, 5), filter.shape),
    ShapeError,
    "conv2dBackpropFilter: dy: expected shape 1×3×3×6, got 1×3×3×5",
  ],
  [
    (engine) => engine.col2im(zeros(9, 36), image.shape, { kernelSize: 3, strides: 2 }),
    ShapeError,
    "col2im: rows: expected shape 4×36, got 9×36",
  ],
  [
    (engine) => engine.maxPool2d(image, { poolSize: 6 }),
    ShapeError,
    "maxPool2d: height: expected an image of at least 6 with its padding, got 5 + 0 + 0",
  ],
  [
    (engine) => {
      const argmax = { shape: [1, 2, 2, 4], data: new Int32Array(16).fill(100, 15) };
      return engine.maxPool2dBackprop(zeros(1, 2, 2, 4), argmax, image.shape);
    },
    ShapeError,
    "maxPool2dBackprop: argmax: expected 16 int32 indices from 0 to 99, got 100 at 15",
  ],
  [
    (engine) => engine.averagePool2dBackprop(zeros(1, 3, 3, 4), image.shape, { poolSize: 2 }),
    ShapeError,
    "averagePool2dBackprop: dy: expected shape 1×2×2×4, got 1×3×3×4",
  ],
  [
    (engine) => engine.activationBackprop(zeros(2, 3), zeros(3, 2), "relu"),
    ShapeError,
    "activationBackprop: y: expected shape 2×3, got 3×2",
  ],
  [
    () =>
      build(
        [5, 5, 1],
        layers.conv2d({ filters: 1, kernelSize: 3 }),
        layers.conv2d({ filters: 1, kernelSize: 9 }),
      ),
    ShapeError,
    "conv2d_1: height: expected an image of at least 9 with its padding, got 3 + 0 + 0",
  ],
  [
    () => build([7, 7, 3], layers.flatten(), layers.conv2d({ filters: 1, kernelSize: 1 })),
    ShapeError,
    "conv2d: expected an image [height, width, channels], got 147",
  ],
  [
    (_, model) => model.predict(noise(1, 4, 7, 21)),
    ShapeError,
    "predict: images: expected shape n×7×7×3, got 4×7×21",
  ],
  [
    (_, model) => model.trainOnBatch(noise(1, 4, 8, 7, 3), y),
    ShapeError,
    "trainOnBatch: images: expected shape n×7×7×3, got 4×8×7×3",
  ],
];

const OPTIONS: readonly Refusal[] = [
  [
    (engine) => engine.conv2d(image, filter, untyped({ stride: 2 })),
    OptionError,
    'conv2d: expected the options strides, padding, dilationRate, groups, bias, activation, algorithm; got "stride"',
  ],
  [
    (engine) => engine.conv2d(image, filter, { groups: 3 }),
    OptionError,
    "conv2d: groups: expected a divisor of 4 input channels and 6 filters, got 3",
  ],
  [
    (engine) => engine.conv2d(image, filter, { padding: untyped("full") }),
    OptionError,
    'conv2d: padding: expected "same", "valid" or [[top, bottom], [left, right]] of integers ≥ 0, got "full"',
  ],
  [
    (engine) => engine.conv2d(image, filter, { strides: 0 }),
    OptionError,
    "conv2d: strides: expected a positive integer or [height, width] of such, got 0",
  ],
  [
    (engine) => engine.conv2d(image, filter, { algorithm: "depthwise" }),
    OptionError,
    /^conv2d: algorithm: expected as many groups and filters as channels \(4\).*, got 1 group and 6 filters$/,
  ],
  [
    (engine) => engine.activation(image, untyped("swoosh")),
    OptionError,
    /^activation: activation: expected one of "linear", "relu", .*; got "swoosh"$/,
  ],
  [
    (engine) => engine.activation(image, { leakyRelu: -1 }),
    OptionError,
    "activation: activation: leakyRelu: expected a finite number ≥ 0, got -1",
  ],
  [() => layers.dense({ units: 0 }), OptionError, "dense: units: expected a positive integer, got 0"],
  [() => layers.dropout({ rate: 1 }), OptionError, "dropout: rate: expected a number ≥ 0 and < 1, got 1"],
  [
    () => layers.maxPooling2d(untyped({ size: 2 })),
    OptionError,
    'maxPooling2d: expected the options poolSize, strides, padding, name; got "size"',
  ],
  [
    () => optimizers.sgd({ learningRate: NaN }),
    OptionError,
    "sgd: learningRate: expected a finite number ≥ 0, got NaN",
  ],
  [() => optimizers.adam({ beta1: 1 }), OptionError, "adam: beta1: expected a number ≥ 0 and < 1, got 1"],
  [() => build([1]), OptionError, "sequential: layers: expected at least one layer, got []"],
  [
    (engine, model) => model.compile({ engine, optimizer: optimizers.adam() }),
    OptionError,
    "compile: loss: expected one beside the optimizer, got none",
  ],
  [
    (_, model) => model.predict(x, { batchSize: 0 }),
    OptionError,
    "predict: batchSize: expected a positive integer, got 0",
  ],
];

const LABELS: readonly Refusal[] = [
  [
    (_, model) => model.trainOnBatch(x, [0, 1, 3, 0]),
    OptionError,
    "trainOnBatch: labels[2]: expected a class from 0 to 2, got 3",
  ],
  [
    (_, model) => model.trainOnBatch(x, [0, 0.5, 1, 0]),
    OptionError,
    "trainOnBatch: labels[1]: expected a class from 0 to 2, got 0.5",
  ],
  [(_, model) => model.trainOnBatch(x, [0, 1]), ShapeError, "trainOnBatch: labels: expected 4 labels, got 2"],
  [(_, model) => model.evaluate(x, zeros(4, 2)), ShapeError, "evaluate: labels: expected shape 4×3, got 4×2"],
  [
    (engine) => engine.softmaxCrossEntropy(zeros(2, 3), [1, -1]),
    OptionError,
    "softmaxCrossEntropy: labels[1]: expected a class from 0 to 2, got -1",
  ],
  [
    (engine) => engine.softmaxCrossEntropy(zeros(2, 3), [1]),
    ShapeError,
    "softmaxCrossEntropy: labels: expected 2, got 1",
  ],
];

const FILES: readonly Refusal[] = [
  [
    () => loadModel(Uint8Array.of(16, 0, 0, 0, 0, 0, 0, 0, ...new TextEncoder().encode("this is no model"))),
    FormatError,
    /^header: expected a JSON object in UTF-8/,
  ],
  [() => loadModel(untyped("model")), FormatError, "file: expected a Uint8Array, got [object String]"],
];

/** Each call fails as it should, and leaves the engine and the model as they were. */
function expectRefused(engine: Engine, refusals: readonly Refusal[]): void {
  const model = tinyNet();
  model.compile({ engine, optimizer: optimizers.sgd({ learningRate: 0.1 }), loss });
  model.trainOnBatch(x, y);
  const before = weightBits(model);
  const { used } = engine.memory;
  const [a, b] = [tensor([1, 2, 3, 4], [2, 2]), tensor([5, 6, 7, 8], [2, 2])];
  for (const [call, type, message] of refusals) {
    throws(String(message), () => call(engine, model), type, message);
    same(`memory in use after "${message}"`, engine.memory.used, used);
    same(`a product after "${message}"`, [...engine.matMul(a, b).data], [19, 22, 43, 50]);
  }
  same("weights", weightBits(model), before);
  model.dispose();
}

async function expectAsyncRefusals({ engine, load }: Context): Promise<void> {
  const model = tinyNet();
  model.compile({ engine, optimizer: optimizers.adam(), loss });
  const refused: [promise: Promise<unknown>, type: Refusal[1], message: Message][] = [
    [model.fit(x, y, { epochs: 0 }), OptionError, "fit: epochs: expected a positive integer, got 0"],
    [model.fit(x, [0, 1, 2]), ShapeError, "fit: labels: expected 4 labels, got 3"],
    [
      model.fit(x, y, { validationData: [noise(1, 4, 7, 7, 1), y] }),
      ShapeError,
      "fit: validationData: images: expected shape n×7×7×3, got 4×7×7×1",
    ],
    [load({ threads: 0 }), OptionError, 'load: threads: expected an integer from 1 to 64 or "auto", got 0'],
    [
      load({ maximumMemory: 1 }),
      OptionError,
      "load: maximumMemory: expected bytes from 131072 to 4294967296, got 1",
    ],
    [load({ math: untyped("fast") }), OptionError, /^load: math: expected .*"exact".*, got "fast"$/],
    [load(untyped({ wasm: 1 })), OptionError, /^load: expected the options module, .*; got "wasm"$/],
    [load({ module: untyped(7) }), OptionError, /^load: module: expected a WebAssembly\.Module, .* got 7$/],
  ];
  // Each is looked at in its turn; hosts complain of what is rejected before.
  for (const [promise] of refused) promise.catch(() => {});
  for (const [promise, type, message] of refused) await rejects(String(message), promise, type, message);
  model.dispose();
}

const table = (what: string, refusals: readonly Refusal[]): Case => ({
  name: `${what} are refused with the place, the expected and the given`,
  run: ({ engine }) => expectRefused(engine, refusals),
});

export const refusalCases: readonly Case[] = [
  table("wrong shapes", SHAPES),
  table("wrong options", OPTIONS),
  table("wrong labels", LABELS),
  table("bytes that are no model", FILES),
  { name: "what fit and load cannot do is refused by their promises", run: expectAsyncRefusals },
];
