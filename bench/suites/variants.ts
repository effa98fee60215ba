/** This package beside itself: on two threads beside one, and with relaxed math beside exact. */
import { load, losses, optimizers, type Engine, type Model } from "../../src/index.ts";
import type { Job } from "../contest.ts";
import { forwardJob, matMulJob, operandSizes } from "../ours.ts";
import { openOnnxruntimeNode } from "../peers/onnxruntime.ts";
import type { Peer } from "../peers/peer.ts";
import { flopsOf, shapesOf, shapeText } from "../shapes.ts";
import { vggCifar } from "./networks.ts";
import { runCase, uniform, type Bench } from "./suite.ts";

const ONE = "one thread";
const EXACT = "exact build";
const NATIVE = "onnxruntime-node";

/** A training step that learns next to nothing, so that each does the same work. */
function stepJob(engine: Engine, model: Model, batch: number): Job {
  const optimizer = optimizers.sgd({ learningRate: 1e-9, momentum: 0.9 });
  model.compile({ engine, optimizer, loss: losses.softmaxCrossEntropy() });
  const shape = [batch, ...model.inputShape];
  const x = { shape, data: new Float32Array(shape.reduce((a, b) => a * b)).fill(0.5) };
  const labels = Int32Array.from({ length: batch }, (_, i) => i % 10);
  const step = (): number => model.trainOnBatch(x, labels);
  return { run: step, read: () => [step()], dispose: () => model.dispose() };
}

/** ResNet's 3×3 convolutions and a training step on two threads; onnxruntime-node has two as well. */
export async function threads(bench: Bench): Promise<void> {
  const engine = await load({ threads: 2 });
  if (engine.threads !== 2) {
    console.log(`two threads absent: ${engine.threadsUnavailable}`);
    return;
  }
  const one: Peer = {
    name: ONE,
    version: "",
    conv2d: (operands) => Promise.resolve(forwardJob(bench.engine, operands)),
  };
  const native = bench.peers.some(({ name }) => name === NATIVE) ? [await openOnnxruntimeNode(2)] : [];
  const common = { suite: "threads", kind: "threads", peak: bench.peak() };
  const shapes = shapesOf("resnet-18").filter(({ kernelSize, strides }) => kernelSize === 3 && strides === 1);
  for (const shape of shapes) {
    const { x, w, b } = operandSizes(shape);
    const operands = { shape, x: uniform(x), w: uniform(w), b: uniform(b), dy: new Float32Array() };
    const name = `${shapeText(shape)} threads`;
    const given = { ...common, name, networks: ["resnet-18"], flops: flopsOf(shape), length: 9 * shape.c };
    await runCase({ ...bench, peers: [one, ...native] }, given, forwardJob(engine, operands), (peer) =>
      peer.conv2d?.(operands),
    );
  }
  const given = { ...common, name: "CIFAR VGG step b32 threads", networks: [], flops: 0, length: 256 };
  await runCase({ ...bench, peers: [one] }, given, stepJob(engine, vggCifar(), 32), () =>
    Promise.resolve(stepJob(bench.engine, vggCifar(), 32)),
  );
  engine.dispose();
}

/** Square matrix products with relaxed math. */
export async function relaxed(bench: Bench): Promise<void> {
  const engine = await load({ math: "relaxed" });
  if (engine.math !== "relaxed") {
    console.log(`relaxed math absent: ${engine.mathUnavailable}`);
    return;
  }
  const exact: Peer = {
    name: EXACT,
    version: "",
    matMul: (m, n, k, a, b) => Promise.resolve(matMulJob(bench.engine, [m, n, k], a, b)),
  };
  const peak = bench.peak();
  for (const size of [256, 512, 1024]) {
    const [a, b] = [uniform(size * size), uniform(size * size)];
    const given = {
      suite: "relaxed",
      kind: "relaxed",
      networks: [],
      flops: 2 * size ** 3,
      peak,
      length: size,
    };
    const name = `gemm ${size}×${size}×${size} relaxed`;
    await runCase(
      { ...bench, peers: [exact] },
      { ...given, name },
      matMulJob(engine, [size, size, size], a, b),
      (peer) => peer.matMul?.(size, size, size, a, b),
    );
  }
  engine.dispose();
}
