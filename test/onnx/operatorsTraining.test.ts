/** Nets with operators that move numbers train; those with operators that have no gradient are refused. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { load, losses, optimizers, tensor, type Engine } from "../../src/index.ts";
import { loadOnnx, type OnnxModel } from "../../src/onnx.ts";
import type { NodeProto } from "../../src/onnx/file/proto.ts";
import { constant, node, onnxFile, valueInfo } from "../support/onnxFile.ts";
import { random } from "../support/random.ts";

let engine: Engine;

beforeAll(async () => {
  engine = await load();
});

afterAll(() => engine.dispose());

const draw = random(50);
const KERNEL = draw.uniform(4 * 2);
const IMAGES = draw.uniform(2 * 2 * 4 * 4);

/** A pointwise convolution of 2×4×4 pixels into 4 channels, then `nodes` from "a" to "y". */
function netOf(nodes: readonly NodeProto[], kernel = KERNEL): Promise<OnnxModel> {
  const ints = (name: string, ...values: number[]): ReturnType<typeof constant> =>
    constant(name, [values.length], BigInt64Array.from(values, BigInt));
  const bytes = onnxFile({
    version: 18,
    inputs: [valueInfo("x", ["n", 2, 4, 4])],
    initializers: [
      constant("w", [4, 2, 1, 1], kernel),
      ints("one", 1),
      ints("two", 2),
      ints("three", 3),
      ints("pads", 0, 1, 1, 0, 0, 0, 0, 2),
      ints("sizes", 6, 7),
      ints("last", -1),
      ints("none", -5),
      ints("back", -2),
    ],
    nodes: [node("Conv", ["x", "w"], "a"), ...nodes],
    outputs: ["y"],
  });
  return loadOnnx(bytes, { engine });
}

const LINEAR = { mode: "linear", axes: [2, 3] };
const NETS: [string, NodeProto[]][] = [
  [
    "a slice of the channels beside a slice of the rows",
    [
      node("Slice", ["a", "one", "three", "one"], "b"),
      node("Slice", ["b", "one", "three", "two"], "c"),
      node("Flatten", ["c"], "y"),
    ],
  ],
  ["padding of channels and pixels", [node("Pad", ["a", "pads"], "b"), node("Flatten", ["b"], "y")]],
  [
    "every other row, from the last to the first",
    [node("Slice", ["a", "last", "none", "two", "back"], "b"), node("Flatten", ["b"], "y")],
  ],
  [
    "pixels that are repeated at the edges, and mirrored",
    [
      node("Pad", ["a", "pads"], "b", { mode: "edge" }),
      node("Pad", ["b", "pads"], "c", { mode: "reflect" }),
      node("Flatten", ["c"], "y"),
    ],
  ],
  [
    "cubic kernels",
    [node("Resize", ["a", "", "", "sizes"], "b", { ...LINEAR, mode: "cubic" }), node("Flatten", ["b"], "y")],
  ],
  ["resized pixels", [node("Resize", ["a", "", "", "sizes"], "b", LINEAR), node("Flatten", ["b"], "y")]],
];

describe("the kernel's gradient through", () => {
  it.each(NETS)("%s is the loss's slope", async (_, nodes) => {
    const net = await netOf(nodes);
    const images = tensor(IMAGES, [2, 2, 4, 4]);
    const { y } = net.predict({ x: images });
    const targets = tensor(random(51).uniform(y!.data.length), [...y!.shape]);
    const lossOf = async (kernel: Float32Array): Promise<number> => {
      const other = await netOf(nodes, kernel);
      const made = other.predict({ x: images }).y!.data as Float32Array;
      other.dispose();
      return made.reduce((all, value, i) => all + (value - targets.data[i]!) ** 2, 0) / made.length;
    };
    net.compile({ optimizer: optimizers.sgd({ learningRate: 1 }), loss: losses.meanSquaredError() });
    net.trainOnBatch(images, targets);
    const [trained] = [...net.model.weights.values()];
    for (let i = 0; i < KERNEL.length; i++) {
      const moved = (by: number): Float32Array => KERNEL.map((value, j) => (j === i ? value + by : value));
      // The loss is a parabola, so that the central difference is its slope but for rounding.
      const slope = (await lossOf(moved(0.5))) - (await lossOf(moved(-0.5)));
      // Weights lie as [1, 1, 2, 4].
      const gradient = KERNEL[i]! - trained!.data[(i % 2) * 4 + (i >> 1)]!;
      // Both are means of at most 64 products of numbers below 4, each with an error of a few units.
      expect(Math.abs(gradient - slope)).toBeLessThanOrEqual(64 * 2 ** -24 * 16);
    }
    net.dispose();
  });
});

it("refuses to train through an operator without a gradient, and runs it", async () => {
  const net = await netOf([
    node("LpPool", ["a"], "b", { kernel_shape: [1, 1] }),
    node("Flatten", ["b"], "y"),
  ]);
  const images = tensor(IMAGES, [2, 2, 4, 4]);
  expect(net.predict({ x: images }).y!.shape).toEqual([2, 64]);
  const settings = { optimizer: optimizers.sgd({ learningRate: 1 }), loss: losses.meanSquaredError() };
  expect(() => net.compile(settings)).toThrow(
    /expected layers with a backward pass behind all that learns, got \w+ \(onnx\.LpPool\) without one/,
  );
  net.dispose();
});
