/**
 * Input that changes between two reads (getters, overridden lengths, other threads) is used as it was when it was
 * checked.
 */
import { Worker } from "node:worker_threads";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import {
  layers,
  load,
  loadModel,
  losses,
  metrics,
  optimizers,
  sequential,
  ShapeError,
  tensor,
  type Engine,
  type Model,
  type Tensor,
} from "im2row";
import { loadOnnx } from "im2row/onnx";
import { tinyNet } from "../conformance/nets.ts";
import { noise, weightBits } from "../support/model.ts";
import { untyped, zeros } from "../support/refusals.ts";

let engine: Engine;
/** A model beside, whose weights must stay. */
let neighbour: Model;
let before: object;

beforeAll(async () => {
  engine = await load();
});
afterAll(() => engine.dispose());
beforeEach(() => {
  // A hole before the neighbour, into which operands go.
  const hole = tinyNet(4);
  hole.compile({ engine });
  neighbour = tinyNet(5);
  neighbour.compile({ engine });
  hole.dispose();
  before = weightBits(neighbour);
});
afterEach(() => {
  expect(weightBits(neighbour)).toEqual(before);
  neighbour.dispose();
  expect(engine.memory.used).toBe(0);
});

/** An object whose properties are `first` when they are read once, and `then` from the second time on. */
function turning<T extends object>(first: T, then: Partial<T>): T {
  const reads = new Map<PropertyKey, number>();
  return new Proxy(first, {
    get(target, key) {
      const count = reads.get(key) ?? 0;
      reads.set(key, count + 1);
      const from = count > 0 && Object.hasOwn(then, key) ? then : target;
      return (from as Record<PropertyKey, unknown>)[key];
    },
  });
}

describe("labels that are another tensor when they are read again", () => {
  const logits = tensor(Float32Array.of(0, 1, 2, 3, 4, 5), [2, 3]);
  const rows = { shape: [2, 3], data: Float32Array.of(1, 0, 0, 0, 1, 0) };
  const elements: [string, Partial<Tensor>][] = [
    ["elements", { data: new Float32Array(6).fill(1 / 3) }],
    ["elements that are fewer", { data: new Float32Array(1) }],
  ];

  it.each([...elements, ["a shape of class numbers", { shape: [6] }] as const])(
    "%s: operators and metrics count what was read first",
    (_, then) => {
      const { loss, gradient } = engine.softmaxCrossEntropy(logits, rows);
      const again = engine.softmaxCrossEntropy(logits, turning(rows, then));
      expect(again.loss).toBe(loss);
      expect([...again.gradient.data]).toEqual([...gradient.data]);
      expect(metrics.confusionMatrix(logits, turning(rows, then))).toEqual(
        metrics.confusionMatrix(logits, rows),
      );
    },
  );

  it.each(elements)("%s: training counts what was read first", (_, then) => {
    const step = (labels: Tensor): number => {
      const net = sequential({ inputShape: [3], layers: [layers.dense({ units: 3 })], seed: 1 });
      net.compile({
        engine,
        optimizer: optimizers.sgd({ learningRate: 0.1 }),
        loss: losses.softmaxCrossEntropy(),
      });
      const result = net.trainOnBatch(logits, labels);
      net.dispose();
      return result;
    };
    expect(step(turning(rows, then))).toBe(step(rows));
  });
});

class Short extends Float32Array {
  override get length(): number {
    return 4;
  }
}

/** Elements that say to be four. */
function lying(count: number): Float32Array[] {
  const own = Object.defineProperty(new Float32Array(count).fill(9), "length", { value: 4 });
  return [new Short(count).fill(9), own];
}

describe("data with a length that lies", () => {
  it.each([16, 1000, 100_000])("are counted: %i", (count) => {
    for (const data of lying(count)) {
      const message = new RegExp(`x\\.data: expected 4 elements for shape 1×4, got ${count}$`);
      expect(() => engine.sumRows({ shape: [1, 4], data })).toThrow(message);
      expect(() => engine.activation({ shape: [1, 4], data }, "relu")).toThrow(message);
    }
  });

  it("serve when their elements are as many as the shape's", () => {
    for (const data of lying(8)) {
      expect([...engine.sumRows({ shape: [2, 4], data }).data]).toEqual([18, 18, 18, 18]);
      const model = loadModel(neighbour.toSafetensors());
      const bias = Object.defineProperty(new Float32Array(3).fill(9), "length", { value: 1 });
      model.setWeights(new Map([...model.weights, ["dense.bias", { shape: [3], data: bias }]]));
      expect([...model.weights.get("dense.bias")!.data]).toEqual([9, 9, 9]);
      expect(model.weights.get("dense.kernel")).toEqual(neighbour.weights.get("dense.kernel"));
    }
  });

  it.each([
    ["a proxy", new Proxy(new Float32Array(4), {})],
    ["what calls itself one", Object.create(Float32Array.prototype, { length: { value: 4 } })],
    ["a tag alone", { length: 4, [Symbol.toStringTag]: "Float32Array" }],
  ])("are refused when they are no typed array: %s", (_, data) => {
    expect(() => engine.sumRows({ shape: [1, 4], data: untyped(data) })).toThrow(
      "sumRows: x.data: expected a Float32Array",
    );
  });
});

describe("what reads differently a second time", () => {
  const x = noise(1, 2, 6, 6, 3);

  it("is as it was read first: tensors", () => {
    const expected = engine.sumRows(x);
    for (const other of [zeros(2), zeros(50, 50)]) {
      expect(engine.sumRows(turning(x, other))).toEqual(expected);
      expect(neighbour.predict(turning(noise(3, 2, 7, 7, 3), { data: other.data }))).toEqual(
        neighbour.predict(noise(3, 2, 7, 7, 3)),
      );
    }
  });

  const image = [2, 6, 6, 3];
  it.each<[string, number[], (shape: number[]) => Tensor]>([
    ["a tensor", image, (shape) => engine.activation({ shape, data: x.data }, "relu")],
    ["means", image, (shape) => engine.averagePool2dBackprop(zeros(2, 3, 3, 3), shape, { poolSize: 2 })],
    ["winners", image, (shape) => engine.maxPool2dBackprop(zeros(2, 3, 3, 3), winners(), shape)],
    [
      "filters",
      [2, 2, 5, 3],
      (shape) => engine.conv2dBackpropFilter(zeros(1, 3, 7, 5), zeros(1, 2, 6, 3), shape),
    ],
    [
      "the image of a convolution",
      image,
      (shape) => engine.conv2dBackpropInput(zeros(2, 5, 5, 4), zeros(2, 2, 3, 4), shape),
    ],
    ["rows", image, (shape) => engine.col2im(zeros(50, 12), shape, { kernelSize: 2 })],
  ])("is as it was read first: the shape of %s", (_, shape, call) => {
    expect(call(turning([...shape], { 0: 200, 1: 1000 } as never)).shape).toEqual(shape);
  });

  it("is as it was read first: axes, sizes, strides, paddings", () => {
    const perm = turning([3, 0, 1, 2], { 0: 0, 1: 0 } as never);
    expect(engine.transpose(x, perm)).toEqual(engine.transpose(x, [3, 0, 1, 2]));
    const pair = (): [number, number] => turning([2, 2], { 0: 1e6, 1: -5 } as never) as [number, number];
    const options = { kernelSize: pair(), strides: pair(), padding: [pair(), pair()] as const };
    const plain = {
      kernelSize: 2,
      strides: 2,
      padding: [
        [2, 2],
        [2, 2],
      ] as const,
    };
    expect(engine.im2row(x, options)).toEqual(engine.im2row(x, plain));
    const pool = turning({ poolSize: 2, strides: 2 }, { poolSize: 1000, strides: 1 });
    expect(engine.maxPool2d(x, pool)).toEqual(engine.maxPool2d(x, { poolSize: 2 }));
    expect(layers.zeroPadding2d({ padding: pair() }).outputShape([[4, 4, 1]], "pad")).toEqual([8, 8, 1]);
    const permute = layers.permute({ dims: turning([2, 1], { 0: 7 } as never) });
    expect(permute.outputShape([[3, 4]], "permute")).toEqual([4, 3]);
  });

  it("is read before an option takes the data away", () => {
    const { shape, data } = noise(2, 30, 40);
    const options = {
      get transposeB() {
        structuredClone(data, { transfer: [data.buffer] });
        return true;
      },
    };
    expect(() => engine.matMul({ shape, data }, { shape, data }, options)).toThrow(
      "expected data of its own, got a view that was detached since",
    );
  });
});

/** The winners of a pooling of 2×2. */
const winners = (): Tensor<Int32Array> => ({ shape: [2, 3, 3, 3], data: new Int32Array(54) });

/** Runs `body` while another thread writes 0 and 777,777 to all of `shared` in turns. */
async function whileWritten(shared: SharedArrayBuffer, body: () => void): Promise<void> {
  const code = `
    const { parentPort, workerData } = require("node:worker_threads");
    const all = new Int32Array(workerData);
    parentPort.postMessage("writes");
    for (;;) { all.fill(0); all.fill(777777); }`;
  const worker = new Worker(code, { eval: true, workerData: shared });
  await new Promise((resolve) => worker.once("message", resolve));
  try {
    body();
  } finally {
    await worker.terminate();
  }
}

describe("data that another thread writes to", () => {
  it("are indices within the image, or refused", async () => {
    const shared = new SharedArrayBuffer(4 * 256);
    const argmax = { shape: [1, 16, 16, 1], data: new Int32Array(shared) };
    const dy = tensor(new Float32Array(256).fill(3), [1, 16, 16, 1]);
    await whileWritten(shared, () => {
      for (let i = 0; i < 5000; i++) {
        try {
          const { data } = engine.maxPool2dBackprop(dy, argmax, [1, 20, 20, 1]);
          expect(data[0]).toBe(3 * 256);
        } catch (error) {
          expect(error).toBeInstanceOf(ShapeError);
        }
      }
    });
  });

  it("are copied from shared memory: files", async () => {
    const share = (bytes: Uint8Array): Uint8Array => {
      const shared = new Uint8Array(new SharedArrayBuffer(bytes.length));
      shared.set(bytes);
      return shared;
    };
    const [file, onnx] = [share(neighbour.toSafetensors()), share(neighbour.toOnnx())];
    const model = loadModel(file);
    const net = await loadOnnx(onnx, { engine });
    const images = noise(1, 2, 3, 7, 7);
    const expected = net.predict({ input: images });
    for (const bytes of [file, onnx]) bytes.fill(255);
    expect(weightBits(model)).toEqual(before);
    expect(net.predict({ input: images })).toEqual(expected);
    expect(net.toOnnx()).toEqual(neighbour.toOnnx());
    net.dispose();
  });
});
