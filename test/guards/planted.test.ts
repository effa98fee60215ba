/** Faults that are put into kernels: the guards have to find each, and nothing in sound ones. */
import { loadGuarded } from "./engines.ts";
import { afterEach, expect, it } from "vitest";
import { input, layers, losses, model, optimizers, tensor, type Model } from "../../src/index.ts";
import type { Kernels } from "../../src/kernels/kernels.ts";
import { Runtime } from "../../src/runtime/runtime.ts";
import { Engine } from "../../src/ops/engine.ts";
import { noise } from "../support/model.ts";

const opened: Engine[] = [];
afterEach(() => opened.splice(0).forEach((engine) => engine.dispose()));

/** An engine with a kernel made by `fault` of the sound one and of the memory. */
async function faulty<Name extends "activationForward" | "transpose">(
  name: Name,
  fault: (sound: Kernels[Name], floats: () => Float32Array) => Kernels[Name],
): Promise<Engine> {
  const { runtime } = await loadGuarded(true);
  const { heap } = runtime;
  const kernels = { ...runtime.kernels, [name]: fault(runtime.kernels[name], () => heap.floats) };
  const engine = new Engine(new Runtime({ kernels, heap }));
  opened.push(engine);
  return engine;
}

/** An activation whose input another layer reads as well, so that it neither is fused nor lies over it. */
function net(): Model {
  const x = input({ shape: [5, 4, 3] });
  const a = layers.conv2d({ filters: 3, kernelSize: 3, padding: "same" }).apply(x);
  const sum = layers.add().apply([a, layers.activation({ activation: "tanh" }).apply(a)]);
  return model({
    inputs: x,
    outputs: layers.dense({ units: 2 }).apply(layers.flatten().apply(sum)),
    seed: 1,
  });
}

function train(engine: Engine): number {
  const given = net();
  given.compile({
    engine,
    optimizer: optimizers.sgd({ learningRate: 0.1 }),
    loss: losses.meanSquaredError(),
  });
  return given.trainOnBatch(noise(1, 2, 5, 4, 3), tensor([1, 0, 0, 1], [2, 2]));
}

const behind = (pointer: number, elements: number): number => (pointer >>> 2) + elements;

it("nothing in sound kernels", async () => {
  expect(train(await faulty("activationForward", (sound) => sound))).toBeGreaterThan(0);
});

it.each([
  ["behind", (y: number, n: number) => behind(y, n)],
  ["before", (y: number) => behind(y, -1)],
])("a write one element %s a planned buffer", async (where, place) => {
  const engine = await faulty("activationForward", (sound, floats) => (kind, alpha, x, y, n) => {
    sound(kind, alpha, x, y, n);
    floats()[place(y, n)] = 1.5;
  });
  const message = `guards: activationForward: expected no write outside of buffers, got 1.5 (0x3fc00000) 1 elements ${where}`;
  expect(() => train(engine)).toThrow(message);
});

it("a read of a planned buffer that nothing has written", async () => {
  const engine = await faulty("activationForward", (sound, floats) => (kind, alpha, x, y, n) => {
    const before = floats()[y >>> 2]!;
    sound(kind, alpha, x, y, n);
    floats()[y >>> 2]! += before * 1e-3;
  });
  expect(() => train(engine)).toThrow(/step 1: expected finite numbers, but the loss is NaN/);
});

it("a read one element behind a planned buffer", async () => {
  const engine = await faulty("activationForward", (sound, floats) => (kind, alpha, x, y, n) => {
    sound(kind, alpha, x, y, n);
    floats()[y >>> 2]! += floats()[behind(x, n)]!;
  });
  expect(() => train(engine)).toThrow(/step 1: expected finite numbers, but the loss is NaN/);
});

it("a read of what an earlier run has left behind", async () => {
  let runs = 0;
  const engine = await faulty("activationForward", (sound) => (kind, alpha, x, y, n) => {
    // The second run leaves its last element to the first.
    sound(kind, alpha, x, y, runs++ === 0 ? n : n - 1);
  });
  const given = net();
  given.compile({ engine });
  const session = given.session();
  session.input.set(noise(1, 5, 4, 3).data);
  session.run();
  expect([...session.output].every(Number.isFinite)).toBe(true);
  session.run();
  expect([...session.output].every(Number.isNaN)).toBe(true);
});

it("a write behind an operand of an eager operator", async () => {
  const engine = await faulty("transpose", (sound, floats) => (rank, axes, n, image, x, y) => {
    sound(rank, axes, n, image, x, y);
    floats()[behind(y, n * image)] = 0;
  });
  const message = 'got 0 (0x0) 1 elements behind one of "transpose"';
  expect(() => engine.transpose(noise(1, 5, 7), [1, 0])).toThrow(message);
});

it("a result of an eager operator that was not written", async () => {
  const engine = await faulty("transpose", () => () => {});
  expect([...engine.transpose(noise(1, 5, 7), [1, 0]).data].every(Number.isNaN)).toBe(true);
});

it("a read of a block that was given back, and a write into it when it is handed out again", async () => {
  const { heap } = (await loadGuarded(true)).runtime;
  const [first, second] = [heap.allocate(10, "first"), heap.allocate(10, "second")];
  heap.floats.fill(1, first >>> 2, (first >>> 2) + 10);
  heap.free(first);
  expect(heap.floats[first >>> 2]).toBeNaN();
  heap.floats[behind(second, 10)] = 1;
  expect(() => heap.free(second)).toThrow('guards: up to the end of "second": expected no write');
});
