/** ONNX files: loaded, run, written again, run from what was written, trained, and run on the guarded heap. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { decodeModel } from "../../../src/onnx/file/decode.ts";
import { fromNumbers } from "../../../src/onnx/import/feeds.ts";
import { losses, optimizers, tensor, type Engine } from "../../../src/index.ts";
import { loadOnnx, type OnnxModel, type OnnxTensor } from "../../../src/onnx.ts";
import type { Random } from "../../../src/random.ts";
import { sizeOf } from "../../../src/tensor.ts";
import { CASES, GROUPS } from "../../onnx/cases.ts";
import { EXPORTED } from "../../onnx/exported.ts";
import { constant, node, onnxFile, valueInfo } from "../../support/onnxFile.ts";
import { expectSame, type Bench } from "../bench.ts";
import { damage } from "../bytes.ts";
import { damageModel } from "../messages.ts";
import { damageMessage } from "../protobuf.ts";
import type { Reader } from "../reader.ts";

const LARGEST_SEED = 50_000;
/** Elements of an input that is given. */
const MOST_ELEMENTS = 2 ** 14;

const SMALL = [
  onnxFile({
    nodes: [
      node("Conv", ["x", "w", "b"], "c", {
        kernel_shape: [3, 3],
        pads: [1, 1, 1, 1],
        strides: [2, 2],
        group: 2,
      }),
      node("Relu", ["c"], "r"),
      node("MaxPool", ["r"], "p", { kernel_shape: [2, 2] }),
      node("Flatten", ["p"], "y"),
    ],
    inputs: [valueInfo("x", ["n", 4, 8, 8])],
    outputs: ["y"],
    initializers: [
      constant("w", [4, 2, 3, 3], new Float32Array(72).fill(0.1)),
      constant("b", [4], [1, 2, 3, 4]),
    ],
  }),
  onnxFile({
    nodes: [
      node("Shape", ["x"], "s"),
      node("Gather", ["s", "zero"], "n", { axis: 0 }),
      node("Unsqueeze", ["n", "zero1"], "n1"),
      node("Concat", ["n1", "rest"], "shape", { axis: 0 }),
      node("Reshape", ["x", "shape"], "r"),
      node("Transpose", ["r"], "t", { perm: [0, 2, 1] }),
      node("Softmax", ["t"], "y", { axis: -1 }),
    ],
    inputs: [valueInfo("x", ["n", 2, 3, 4])],
    outputs: ["y"],
    initializers: [
      constant("zero", [], BigInt64Array.of(0n)),
      constant("zero1", [1], BigInt64Array.of(0n)),
      constant("rest", [2], BigInt64Array.of(-1n, 4n)),
    ],
  }),
];

/** The cases of the conformance suites, where they are there. */
const suites = (): Uint8Array[] =>
  GROUPS.filter((group) => existsSync(`${CASES}/${group}`)).flatMap((group) =>
    readdirSync(`${CASES}/${group}`).map((name) => readFileSync(`${CASES}/${group}/${name}/model.onnx`)),
  );

/** Inputs of the declared shapes, unless they are large; what is open gets a small size. */
function feedsFor(random: Random, { inputs }: OnnxModel): Record<string, OnnxTensor> | undefined {
  const feeds: [string, OnnxTensor][] = [];
  for (const { name, type, dims } of inputs) {
    const shape = dims.map((size) => (typeof size === "number" ? size : 1 + random.integer(3)));
    if (!(sizeOf(shape) <= MOST_ELEMENTS)) return undefined;
    const numbers = new Float64Array(sizeOf(shape)).map(() => random.integer(4) - (type === "bool" ? 0 : 1));
    const data = fromNumbers(type, type === "bool" ? numbers.map((value) => value & 1) : numbers);
    feeds.push([name, { shape, data }]);
  }
  return Object.fromEntries(feeds);
}

type Outputs = Readonly<Record<string, OnnxTensor>>;

function expectSameOutputs(what: string, given: Outputs, wanted: Outputs): void {
  expectSame(what, Object.keys(given), Object.keys(wanted));
  for (const [name, { shape, data }] of Object.entries(wanted)) {
    expectSame(`${what}: shape`, given[name]!.shape, shape);
    expectSame(what, given[name]!.data, data);
  }
}

/** Loads the file, and has `body` use the net. */
async function withNet<T>(
  bytes: Uint8Array,
  engine: Engine,
  body: (net: OnnxModel) => T | Promise<T>,
): Promise<T> {
  const net = await loadOnnx(bytes, { engine });
  try {
    return await body(net);
  } finally {
    net.dispose();
  }
}

/** A step of training, where the net says that it trains. */
function train(net: OnnxModel, feeds: Record<string, OnnxTensor>): void {
  if (net.notTrainable !== undefined || Object.keys(feeds).length !== 1) return;
  const outputs = Object.entries(net.predict(feeds));
  if (outputs.length !== 1 || !(outputs[0]![1].data instanceof Float32Array)) return;
  const [[, { shape }]] = outputs as [(typeof outputs)[0]];
  net.compile({ optimizer: optimizers.sgd({ learningRate: 1e-3 }), loss: losses.meanSquaredError() });
  net.trainOnBatch(feeds as never, tensor(new Float32Array(sizeOf(shape)), shape) as never);
  net.predict(feeds);
}

async function use(bytes: Uint8Array, { plain, guarded }: Bench, random: Random): Promise<void> {
  const way = random.integer(4);
  await withNet(bytes, plain, async (net) => {
    const feeds = feedsFor(random, net);
    if (!feeds) return;
    const outputs = net.predict(feeds);
    if (way === 0) {
      const again = net.toOnnx();
      await withNet(again, plain, (other) => expectSameOutputs("toOnnx", other.predict(feeds), outputs));
    }
    if (way === 1) {
      await withNet(bytes, guarded, (other) => expectSameOutputs("guarded", other.predict(feeds), outputs));
    }
    if (way === 2) train(net, feeds);
    if (way === 3) {
      const shapes = Object.fromEntries(Object.entries(feeds).map(([name, { shape }]) => [name, shape]));
      const session = net.session({ batchSize: 1, shapes });
      session.run();
      session.dispose();
    }
  });
}

let seeds: readonly Uint8Array[] | undefined;

export const onnx: Reader = {
  name: "onnx",
  weight: 6,
  seeds: () =>
    (seeds ??= [...SMALL, ...EXPORTED.map(([, build]) => build().toOnnx()), ...suites()].filter(
      ({ length }) => length < LARGEST_SEED,
    )),
  mutate(random, file, other) {
    let bytes = file;
    for (let count = 1 + random.integer(3); count > 0; count--) {
      const how = random.integer(20);
      if (how === 0) bytes = damage(random, bytes, other);
      else bytes = (how < 10 ? damageMessage : damageModel)(random, bytes, other);
    }
    return bytes;
  },
  parse: decodeModel,
  use,
};
