/** This package's side of each contest. */
import type { Conv2d } from "../src/kernels/conv2d.ts";
import { filterGradientPass, inputGradientPass } from "../src/kernels/conv2dGradients.ts";
import { Region } from "../src/runtime/region.ts";
import { resolveWindow, SLIDING, type WindowOptions } from "../src/kernels/window.ts";
import { readOptions } from "../src/options.ts";
import { layers, sequential, tensor, type Engine, type Layer, type Model } from "../src/index.ts";
import type { Job } from "./contest.ts";
import type { ConvOperands, PoolShape } from "./peers/peer.ts";
import { outputSize, type ConvShape } from "./shapes.ts";

const pads = ({ padding }: ConvShape) =>
  [
    [padding, padding],
    [padding, padding],
  ] as const;

/** A model of one layer, its session, and the operands in place. */
function session(engine: Engine, model: Model, n: number, x: Float32Array): Job {
  model.compile({ engine });
  const run = model.session({ batchSize: n });
  run.input.set(x);
  return {
    run: () => run.run(),
    read: () => run.output.slice(),
    dispose: () => model.dispose(),
  };
}

/** A model of one layer with these weights. */
function oneLayer(
  inputShape: number[],
  layer: Layer,
  weights: Readonly<Record<string, Float32Array>>,
): Model {
  const model = sequential({ inputShape, layers: [layer] });
  const named = [...model.weights].map(([name, { shape }]) => {
    const data = weights[name.replace(/.*\./, "")]!;
    return [name, tensor(data, shape)] as const;
  });
  if (named.length > 0) model.setWeights(new Map(named));
  return model;
}

/** The forward pass with its bias, through `session.run()`. */
export function forwardJob(engine: Engine, { shape, x, w, b }: ConvOperands): Job {
  const { n, h, w: width, c, kernelSize, filters, strides, groups } = shape;
  const options = { kernelSize, strides, padding: pads(shape) };
  const layer = groups > 1 ? layers.depthwiseConv2d(options) : layers.conv2d({ ...options, filters });
  return session(engine, oneLayer([h, width, c], layer, { kernel: w, bias: b }), n, x);
}

/** A pooling layer, through `session.run()`. */
export function poolJob(engine: Engine, shape: PoolShape, x: Float32Array): Job {
  const { kind, n, h, w, c, poolSize, strides } = shape;
  const layer = kind === "max" ? layers.maxPooling2d : layers.averagePooling2d;
  return session(engine, oneLayer([h, w, c], layer({ poolSize, strides }), {}), n, x);
}

/** A model's inference, through `session.run()`. */
export function modelJob(engine: Engine, model: Model, n: number, x: Float32Array): Job {
  return session(engine, model, n, x);
}

/** A kernel on operands in the engine's memory; `size` floats of result come back. */
function kernelJob(
  engine: Engine,
  build: (region: Region) => { run: () => void; y: number; size: number },
): Job {
  const { heap } = engine.runtime;
  const region = new Region(heap, "bench");
  const { run, y, size } = build(region);
  return {
    run,
    read: () => heap.floats.slice(y >>> 2, (y >>> 2) + size),
    dispose: () => region.release(),
  };
}

/** `C = A·B`. */
export function matMulJob(
  engine: Engine,
  [m, n, k]: readonly [number, number, number],
  a: Float32Array,
  b: Float32Array,
): Job {
  const { kernels } = engine.runtime;
  return kernelJob(engine, (region) => {
    const [pa, pb, y] = [region.put(a), region.put(b), region.allocate(m * n)];
    const space = region.allocate(kernels.gemmWorkspace(n, k));
    const run = (): void => kernels.gemm(0, 0, m, n, k, pa, k, pb, n, y, n, 0, 0, 0, 0, space);
    return { run, y, size: m * n };
  });
}

function convOf(shape: ConvShape): Conv2d {
  const { h, w, c, kernelSize, strides, filters, groups } = shape;
  const options: WindowOptions = { kernelSize, strides, padding: pads(shape) };
  const sliding = readOptions("bench", options, SLIDING, []);
  return { window: resolveWindow("bench", [h, w, c], sliding), f: filters, groups };
}

/** The filter gradient as a training step runs it. */
export function filterGradientJob(engine: Engine, { shape, x, w, dy }: ConvOperands): Job {
  const { kernels } = engine.runtime;
  const conv = convOf(shape);
  return kernelJob(engine, (region) => {
    const window = region.window(conv.window);
    const pass = filterGradientPass("bench", conv, "auto");
    const [px, pdy, y] = [region.put(x), region.put(dy), region.allocate(w.length)];
    const space = region.allocate(pass.workspace(kernels, window));
    return { run: () => pass.run(kernels, window, shape.n, px, pdy, y, space), y, size: w.length };
  });
}

/** The input gradient as a training step runs it, packing of the filters included. */
export function inputGradientJob(engine: Engine, { shape, x, w, dy }: ConvOperands): Job {
  const { kernels } = engine.runtime;
  const conv = convOf(shape);
  return kernelJob(engine, (region) => {
    const window = region.window(conv.window);
    const pass = inputGradientPass("bench", conv, "auto");
    const [pw, pdy, y] = [region.put(w), region.put(dy), region.allocate(x.length)];
    const space = region.allocate(pass.workspace(kernels, window));
    const size = pass.packed(kernels, window);
    const filters = size === 0 ? pw : region.allocate(size);
    const run = (): void => {
      pass.pack(kernels, window, pw, filters);
      pass.run(kernels, window, shape.n, pdy, filters, y, space);
    };
    return { run, y, size: x.length };
  });
}

/** Sizes of the operands of a convolution. */
export function operandSizes(shape: ConvShape): { x: number; w: number; b: number; dy: number } {
  const { n, h, w, c, kernelSize, filters, groups } = shape;
  const [oh, ow] = outputSize(shape);
  return {
    x: n * h * w * c,
    w: (kernelSize ** 2 * c * filters) / groups,
    b: filters,
    dy: n * oh * ow * filters,
  };
}
