import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import {
  layers,
  load,
  losses,
  MemoryError,
  optimizers,
  sequential,
  type Engine,
  tensor,
  type Model,
  type Session,
  type Tensor,
} from "../../src/index.ts";
import { loadOnnx } from "../../src/onnx.ts";
import { tinyNet } from "../conformance/nets.ts";
import { noise, weightBits } from "../support/model.ts";

setFlagsFromString("--expose-gc");
// Code is optimized when it is hot, not when a core is free: until then each number is an object.
setFlagsFromString("--no-concurrent-recompilation");
const collect = runInNewContext("gc") as () => void;

/** Ones. */
const filled = (...shape: number[]): Tensor => tensor(noise(0, ...shape).data.fill(1), shape);

const loss = losses.softmaxCrossEntropy();
let engine: Engine;
beforeAll(async () => {
  engine = await load();
});
afterAll(() => engine.dispose());

/** Bytes a call that the JavaScript heap grows by, garbage included, in the calmest of five runs. */
function growth(calls: number, run: () => void): number {
  const each = Array.from({ length: 5 }, () => {
    collect();
    const before = process.memoryUsage().heapUsed;
    for (let call = 0; call < calls; call++) run();
    return (process.memoryUsage().heapUsed - before) / calls;
  });
  return Math.min(...each);
}

describe("a training step", () => {
  const images = noise(1, 2, 7, 7, 3);
  const labels = Int32Array.of(0, 2);
  let model: Model;
  const step = (): number => model.trainOnBatch(images, labels);

  it.each([
    ["sgd", optimizers.sgd({ learningRate: 0.01, momentum: 0.9, nesterov: true })],
    ["adam", optimizers.adam()],
  ])("allocates nothing with %s, in 10,000 steps", (_, optimizer) => {
    model = tinyNet();
    model.compile({ engine, optimizer, loss });
    for (let i = 0; i < 20_000; i++) step();
    const before = engine.memory;
    // 1,000 calls are less than the young generation holds: nothing is collected while they are counted. What they
    // leave are numbers that are no small integers, boxed by the engine: the returned loss, the key of the step, Adam's
    // powers of β. About 25 bytes with sgd, 40 with adam; a single small object or view would take more.
    expect(growth(1000, step)).toBeLessThan(60);
    for (let i = 0; i < 10_000; i++) step();
    expect(engine.memory).toEqual(before);
    model.dispose();
  });

  it("keeps no garbage, in 10,000 steps", () => {
    model = tinyNet();
    model.compile({ engine, optimizer: optimizers.adam(), loss });
    const kept = (): number => {
      collect();
      return process.memoryUsage().heapUsed;
    };
    const each = Array.from({ length: 8 }, () => {
      const before = kept();
      for (let i = 0; i < 10_000; i++) step();
      return kept() - before;
    });
    // Not a byte a step. The host compiles and forgets code meanwhile, but not in each of eight rounds.
    expect(Math.min(...each)).toBeLessThan(5000);
    model.dispose();
  });

  it("takes from the engine what its largest batch needs, once", () => {
    model = tinyNet();
    model.compile({ engine, optimizer: optimizers.adam(), loss });
    const used = [1, 8, 3, 8, 1].map((n) => {
      model.trainOnBatch(noise(n, n, 7, 7, 3), new Int32Array(n));
      return engine.memory.used;
    });
    expect(used[1]).toBeGreaterThan(used[0]!);
    expect(used.slice(2)).toEqual([used[1], used[1], used[1]]);
    model.dispose();
  });
});

describe("the engine's memory is given back", () => {
  it("by engines that were loaded, trained on and disposed of 100 times, to the process", async () => {
    const memories: WeakRef<object>[] = [];
    for (let round = 0; round < 100; round++) {
      const own = await load();
      memories.push(new WeakRef(own.runtime.heap.memory));
      const model = tinyNet(round);
      model.compile({ engine: own, optimizer: optimizers.adam(), loss });
      model.trainOnBatch(noise(round, 2, 7, 7, 3), [0, 1]);
      model.dispose();
      expect(own.memory.used).toBe(0);
      own.dispose();
    }
    // A weak reference keeps its target until the turn ends.
    await new Promise((resolve) => setTimeout(resolve, 0));
    collect();
    const alive = memories.filter((memory) => memory.deref() !== undefined);
    // The last one may still lie in a register or on the stack.
    expect(alive.length).toBeLessThanOrEqual(1);
  });

  it("by eager operators, also by those that throw", () => {
    const x = noise(3, 1, 7, 7, 3);
    const rows = engine.im2row(x, { kernelSize: 3 });
    engine.col2im(rows, x.shape, { kernelSize: 3 });
    expect(() => engine.matMul(rows, rows)).toThrow("matMul: b");
    expect(engine.memory.used).toBe(0);
  });

  it("by dispose, which keeps the weights, and compile may follow", () => {
    const model = tinyNet();
    model.compile({ engine, optimizer: optimizers.adam(), loss });
    model.trainOnBatch(noise(2, 2, 7, 7, 3), [0, 1]);
    const before = weightBits(model);
    const outputs = model.predict(noise(4, 3, 7, 7, 3));
    const session = model.session();
    model.dispose();
    model.dispose();
    expect(engine.memory.used).toBe(0);
    expect(weightBits(model)).toEqual(before);
    expect(() => session.run()).toThrow("session: expected a live session, got one that was disposed");
    model.compile({ engine });
    expect(model.predict(noise(4, 3, 7, 7, 3))).toEqual(outputs);
    model.dispose();
  });

  it("by a session, and its model lives on", () => {
    const model = tinyNet();
    model.compile({ engine });
    const before = engine.memory.used;
    const session = model.session({ batchSize: 4 });
    expect(engine.memory.used).toBeGreaterThan(before);
    session.dispose();
    session.dispose();
    expect(engine.memory.used).toBe(before);
    expect(() => session.input).toThrow("session: expected a live session, got one that was disposed");
    expect(model.predict(noise(4, 3, 7, 7, 3)).shape).toEqual([3, 3]);
    model.dispose();
  });
});

/**
 * Waits until the host has collected what nobody holds, and has told so; a weak reference keeps its target until then.
 */
async function settle(): Promise<void> {
  for (let i = 0; i < 3; i++) {
    await new Promise((resolve) => setTimeout(resolve, 0));
    collect();
  }
  await new Promise((resolve) => setTimeout(resolve, 0));
}

describe("what nobody disposes of is given back when nobody holds it", () => {
  const images = noise(4, 3, 7, 7, 3);

  /** A model that trained and predicted, and a session of it. */
  function used(own: Engine, seed: number): { model: Model; session: Session } {
    const model = tinyNet(seed);
    model.compile({ engine: own, optimizer: optimizers.adam(), loss });
    model.trainOnBatch(images, [0, 1, 2]);
    model.predict(images);
    return { model, session: model.session({ batchSize: 2 }) };
  }

  it("1,000 models, in the memory of few", async () => {
    const own = await load();
    used(own, 0);
    const one = own.memory.used;
    for (let i = 1; i <= 1000; i++) {
      used(own, i);
      if (i % 50 === 0) await settle();
    }
    await settle();
    // The last one may still lie in a register or on the stack.
    expect(own.memory.used).toBeLessThanOrEqual(one);
    expect(own.memory.bytes).toBeLessThanOrEqual(Math.max(2 * 65536, 100 * one));
    own.dispose();
  });

  it("ONNX nets", async () => {
    const own = await load();
    const file = tinyNet().toOnnx();
    const make = async (): Promise<void> => {
      const net = await loadOnnx(file, { engine: own });
      net.predict({ input: tensor(images.data, [3, 3, 7, 7]) });
      net.session({ batchSize: 2 }).run();
    };
    await make();
    const one = own.memory.used;
    expect(one).toBeGreaterThan(0);
    for (let i = 0; i < 20; i++) await make();
    await settle();
    expect(own.memory.used).toBeLessThanOrEqual(one);
    own.dispose();
  });

  it("not a model of which there is a session, nor a session of which there is a view", async () => {
    const own = await load();
    // The memory has to be large enough: its growth detaches views.
    for (let i = 10; i < 30; i++) used(own, i);
    await settle();
    const { session, view, expected } = (() => {
      const held = used(own, 1);
      const other = used(own, 2).session;
      for (const each of [held.session, other]) {
        each.input.set(images.data.subarray(0, 2 * 147));
        each.run();
      }
      return { session: held.session, view: other.output, expected: [...other.output] };
    })();
    const before = [...session.output];
    await settle();
    // New sessions would be allocated where those were.
    for (let i = 3; i < 10; i++) used(own, i);
    session.run();
    expect([...session.output]).toEqual(before);
    expect([...view]).toEqual(expected);
    own.dispose();
  });

  it("in hosts that tell of no collection, by dispose alone", async () => {
    vi.stubGlobal("FinalizationRegistry", undefined);
    try {
      vi.resetModules();
      const other = await import("../../src/index.ts");
      const own = await other.load();
      const model = other.sequential({ inputShape: [4], layers: [other.layers.dense({ units: 2 })] });
      model.compile({ engine: own });
      expect(model.predict(tensor([1, 2, 3, 4], [1, 4])).shape).toEqual([1, 2]);
      model.dispose();
      expect(own.memory.used).toBe(0);
      own.dispose();
    } finally {
      vi.unstubAllGlobals();
    }
  });
});

describe("a memory that cannot grow", () => {
  const LIMIT = 2 ** 18;
  let small: Engine;
  let model: Model;
  const x = noise(1, 4, 7, 7, 3);
  const y = Int32Array.of(0, 1, 2, 0);
  beforeEach(async () => {
    small = await load({ maximumMemory: LIMIT });
    model = tinyNet();
    model.compile({ engine: small, optimizer: optimizers.adam(), loss });
  });
  afterEach(() => {
    expect(model.trainOnBatch(x, y)).toBeGreaterThan(0);
    model.dispose();
    expect(small.memory.used).toBe(0);
    expect(small.memory.bytes).toBeLessThanOrEqual(LIMIT);
    small.dispose();
  });

  it("refuses a batch that is too large, with the bytes and the option to set", async () => {
    model.trainOnBatch(x, y);
    const before = weightBits(model);
    const many = noise(1, 2000, 7, 7, 3);
    const labels = new Int32Array(2000);
    const message =
      /^model: (labels|buffers for batches of 2000): expected room for \d+ bytes, got a memory of at most 262144 bytes with \d+ in use \(load\(\{ maximumMemory \}\) sets the limit\)$/;
    const used = small.memory.used;
    expect(() => model.trainOnBatch(many, labels)).toThrow(MemoryError);
    expect(() => model.trainOnBatch(many, labels)).toThrow(message);
    await expect(model.fit(many, labels, { batchSize: 2000 })).rejects.toThrow(message);
    expect(() => model.predict(many, { batchSize: 2000 })).toThrow(message);
    expect(() => model.evaluate(many, labels, { batchSize: 2000 })).toThrow(message);
    expect(() => model.session({ batchSize: 2000 })).toThrow(message);
    expect(small.memory.used).toBeLessThanOrEqual(used);
    expect(weightBits(model)).toEqual(before);
    // In batches that fit, all of it works.
    await model.fit(many, labels, { batchSize: 16, validationData: [many, labels] });
    expect(model.predict(many).shape).toEqual([2000, 3]);
  });

  it.each([
    ["weights", 800, undefined],
    ["gradients and optimizer state", 250, optimizers.adam()],
  ])("refuses a model whose %s are too large, and takes nothing", (what, units, optimizer) => {
    const used = small.memory.used;
    const large = sequential({ inputShape: [100], layers: [layers.dense({ units })] });
    const before = weightBits(large);
    const compileLarge = () =>
      large.compile(optimizer ? { engine: small, optimizer, loss } : { engine: small });
    expect(compileLarge).toThrow(MemoryError);
    expect(compileLarge).toThrow(`model: ${what}: expected room for`);
    expect(small.memory.used).toBe(used);
    expect(weightBits(large)).toEqual(before);
    expect(() => large.predict(filled(1, 100))).toThrow("predict: expected a compiled model");
    large.compile({ engine });
    expect(large.predict(filled(1, 100)).shape).toEqual([1, units]);
    large.dispose();
    expect(engine.memory.used).toBe(0);
  });

  it("refuses an operator's operands, and takes nothing", () => {
    const used = small.memory.used;
    const big = filled(600, 600);
    expect(() => small.matMul(big, big)).toThrow(MemoryError);
    expect(() => small.matMul(big, big)).toThrow(
      /^matMul: expected room for 1440000 bytes, got a memory of at most/,
    );
    expect(small.memory.used).toBe(used);
    expect([...small.matMul(filled(2, 2), filled(2, 2)).data]).toEqual([2, 2, 2, 2]);
  });
});
