/** This package beside itself: on two threads beside one, and with relaxed math beside exact. */
import { load, losses, optimizers, type Engine, type Model } from "../../src/index.ts";
import relaxedMath from "../../src/relaxed.ts";
import { contest, toleranceOf, type Job } from "../contest.ts";
import { forwardJob, matMulJob, operandSizes } from "../ours.ts";
import { openOnnxruntimeNode } from "../peers/onnxruntime.ts";
import type { Peer } from "../peers/peer.ts";
import { OURS } from "../result.ts";
import { flopsOf, shapesOf, shapeText, type ConvShape } from "../shapes.ts";
import { vggCifar } from "./networks.ts";
import { runCase, uniform, type Bench } from "./suite.ts";

const ONE = "one thread";
const EXACT = "exact build";
const NATIVE = "onnxruntime-node";
const THREADS = { suite: "threads", kind: "threads" } as const;
const NOTHING = new Float32Array();

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

/**
 * A convolution on two threads beside one; then onnxruntime-node's two in a contest of their own, for they spin on when
 * they are done, on a processor that ours would need.
 */
async function convolveOnTwo(
  bench: Bench,
  two: Engine,
  native: Peer | undefined,
  shape: ConvShape,
): Promise<void> {
  const sizes = operandSizes(shape);
  const operands = { shape, x: uniform(sizes.x), w: uniform(sizes.w), b: uniform(sizes.b), dy: NOTHING };
  const name = `${shapeText(shape)} on two threads`;
  const tolerance = toleranceOf(9 * shape.c);
  const job = (engine: Engine): Job => forwardJob(engine, operands);
  const own = new Map([
    [OURS, job(two)],
    [ONE, job(bench.engine)],
  ]);
  let { ms, errors } = await contest(name, own, tolerance, bench.rounds);
  const theirs = await native?.conv2d?.(operands);
  if (theirs) {
    const jobs = new Map([
      [OURS, job(bench.engine)],
      [NATIVE, theirs],
    ]);
    const figures = await contest(name, jobs, tolerance, bench.rounds);
    ms = { ...ms, [NATIVE]: figures.ms[NATIVE]! };
    errors = { ...errors, ...figures.errors };
  }
  const { suite, kind } = THREADS;
  const networks = ["resnet-18"];
  bench.report({ suite, kind, name, networks, flops: flopsOf(shape), ms, errors, peak: bench.peak() });
}

/** ResNet's 3×3 convolutions and a training step on two threads. */
export async function threads(bench: Bench): Promise<void> {
  const two = await load({ threads: 2 });
  if (two.threads !== 2) {
    console.log(`two threads absent: ${two.threadsUnavailable}`);
    return;
  }
  const step = { ...THREADS, name: "CIFAR VGG step b32 on two threads", networks: [], flops: 0, length: 256 };
  const one: Peer = { name: ONE, version: "" };
  await runCase(
    { ...bench, peers: [one] },
    { ...step, peak: bench.peak() },
    stepJob(two, vggCifar(), 32),
    () => Promise.resolve(stepJob(bench.engine, vggCifar(), 32)),
  );
  const native = bench.peers.some(({ name }) => name === NATIVE) ? await openOnnxruntimeNode(2) : undefined;
  const shapes = shapesOf("resnet-18").filter(({ kernelSize, strides }) => kernelSize === 3 && strides === 1);
  for (const shape of shapes) await convolveOnTwo(bench, two, native, shape);
  two.dispose();
}

/** Square matrix products with relaxed math. */
export async function relaxed(bench: Bench): Promise<void> {
  const engine = await load({ math: relaxedMath });
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
