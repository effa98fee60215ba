/** Layers of the package written outside of it, by `defineLayer` and what the package exports: their bits are the same. */
import { beforeAll, describe, expect, it } from "vitest";
import {
  defineLayer,
  layers,
  load,
  losses,
  optimizers,
  sequential,
  type Buffer,
  type BuildContext,
  type Engine,
  type Layer,
  type Model,
} from "../../src/index.ts";
import { noise, weightBits } from "../support/model.ts";

let engine: Engine;
beforeAll(async () => {
  engine = await load();
});

/** The window of a convolution without padding over an image. */
const windowOf = ([h, w, c]: readonly number[], k: number): Parameters<BuildContext["window"]>[0] => {
  const one = { strideH: 1, strideW: 1, dilationH: 1, dilationW: 1, top: 0, left: 0 };
  return { ...one, h: h!, w: w!, c: c!, kh: k, kw: k, oh: h! - k + 1, ow: w! - k + 1 };
};

/** A convolution by im2row, with everything that fuses behind it but batch normalization. */
const convolution = defineLayer({
  type: "convolution",
  config: { filters: 1, kernelSize: 3 },
  outputShape: ([image], { filters, kernelSize: k }) => [image![0]! - k + 1, image![1]! - k + 1, filters],
  weights: ([image], { filters, kernelSize: k }) => ({
    kernel: { shape: [k, k, image![2]!, filters], initializer: "glorotUniform" },
    bias: { shape: [filters], initializer: "zeros" },
  }),
  backwardReads: { x: true },
  fusable: ["activation"],
  build(context, { filters: f, kernelSize }) {
    const { kernels, x, y, epilogue } = context;
    const [w, b] = context.weights as [Buffer, Buffer];
    const sizes = windowOf(context.inputs[0]!, kernelSize);
    const window = context.window(sizes);
    const workspace = context.workspace(kernels.conv2dForwardWorkspace(window, 1));
    const size = kernels.conv2dPackedFilters(window, f, 1);
    const packed = context.needsGradient ? context.workspace(size) : context.kept(size);
    const { code, alpha } = epilogue.activation ?? { code: 0, alpha: 0 };
    const prepare = (): void => kernels.conv2dPackFilters(window, f, 1, w.pointer, packed.pointer);
    const forward = (n: number): void => {
      const [filters, ws] = [packed.pointer, workspace.pointer];
      kernels.conv2dForward(window, n, f, 1, x.pointer, filters, b.pointer, y.pointer, code, alpha, ws);
    };
    if (!context.needsGradient) return { prepare, forward };
    return {
      forward(n) {
        prepare();
        forward(n);
      },
      gradient({ dx, dy, gradients: [dw, db], workspace: backward }) {
        const filterSpace = backward(kernels.conv2dBackpropFilterWorkspace(window, f, 1));
        const inputSpace = backward(dx ? kernels.conv2dBackpropInputCol2imWorkspace(window, f, 1) : 0);
        return (n) => {
          const pixels = n * sizes.oh * sizes.ow;
          if (dw)
            kernels.conv2dBackpropFilter(
              window,
              n,
              f,
              1,
              x.pointer,
              dy.pointer,
              dw.pointer,
              filterSpace.pointer,
            );
          if (db) kernels.biasGradient(pixels, f, dy.pointer, db.pointer);
          if (dx)
            kernels.conv2dBackpropInputCol2im(
              window,
              n,
              f,
              1,
              dy.pointer,
              w.pointer,
              dx.pointer,
              inputSpace.pointer,
            );
        };
      },
    };
  },
});

/** Batch normalization of images, with moving statistics that a step brings up to date. */
const normalization = defineLayer({
  type: "normalization",
  config: { momentum: 0.99, epsilon: Math.fround(0.001) },
  weights(inputs) {
    const shape = inputs[0]!.slice(-1);
    return {
      gamma: { shape, initializer: "ones" },
      beta: { shape, initializer: "zeros" },
      movingMean: { shape, initializer: "zeros", trainable: false },
      movingVariance: { shape, initializer: "ones", trainable: false },
    };
  },
  backwardReads: { x: true },
  overwrites: [0],
  asEpilogue: ({ epsilon }) => ({
    kind: "affine",
    of: ([gamma, beta, mean, variance]) => ({ mean: mean!, variance: variance!, epsilon, gamma, beta }),
  }),
  build(context, { momentum, epsilon }) {
    const { kernels, inputs, training, x, y } = context;
    const c = inputs[0]!.at(-1)!;
    const rows = (n: number): number => (n * inputs[0]!.reduce((a, b) => a * b, 1)) / c;
    const [gamma, beta, movingMean, movingVariance] = context.weights as [Buffer, Buffer, Buffer, Buffer];
    const [mean, variance] = training ? [context.kept(c), context.kept(c)] : [movingMean, movingVariance];
    const workspace = context.workspace(kernels.normalizeWorkspace(c));
    return {
      forward(n) {
        const [m, v, ws] = [mean.pointer, variance.pointer, workspace.pointer];
        if (training) kernels.normalizeStatistics(1, rows(n), c, c, x.pointer, m, v, ws);
        const [g, b] = [gamma.pointer, beta.pointer];
        kernels.normalizeForward(1, rows(n), c, c, x.pointer, m, v, epsilon, g, b, y.pointer, ws);
      },
      gradient({ dx, dy, gradients: [dg, db], workspace: backward }) {
        const ws = backward(kernels.normalizeWorkspace(c));
        return (n) =>
          kernels.normalizeBackward(
            1,
            rows(n),
            c,
            c,
            x.pointer,
            dy.pointer,
            mean.pointer,
            variance.pointer,
            epsilon,
            gamma.pointer,
            !training,
            dx?.pointer ?? 0,
            dg?.pointer ?? 0,
            db?.pointer ?? 0,
            ws.pointer,
          );
      },
      ...(training && {
        update(n: number, commit: boolean) {
          const bessel = rows(n) / (rows(n) - 1);
          const first = kernels.movingAverage(movingMean.pointer, mean.pointer, c, momentum, 1, commit);
          return (
            kernels.movingAverage(movingVariance.pointer, variance.pointer, c, momentum, bessel, commit) !==
              0 && first !== 0
          );
        },
      }),
    };
  },
});

const build = (...middle: Layer[]): Model =>
  sequential({
    inputShape: [9, 8, 3],
    layers: [...middle, layers.flatten(), layers.dense({ units: 3 })],
    seed: 6,
  });

/** The bits of the weights after some steps, and of what the net then says. */
function outcome(net: Model): string {
  const algorithm = "im2row";
  const optimizer = optimizers.sgd({ learningRate: 0.05, momentum: 0.9 });
  net.compile({ engine, algorithm, optimizer, loss: losses.softmaxCrossEntropy() });
  for (let step = 0; step < 3; step++) net.trainOnBatch(noise(step, 4, 9, 8, 3), [0, 2, 1, 2]);
  const bits = [...Object.values(weightBits(net)), net.predict(noise(9, 5, 9, 8, 3)).data].join(" ");
  net.dispose();
  return bits;
}

describe("a layer that is written outside of the package has the bits of the one within", () => {
  const relu = (): Layer => layers.activation({ activation: "relu" });

  it("of a convolution, alone and with an activation that it fuses", () => {
    const pair = (one: (filters: number) => Layer): Model => build(one(4), relu(), one(5));
    const own = pair((filters) => convolution({ filters }));
    const within = pair((filters) => layers.conv2d({ filters, kernelSize: 3 }));
    expect(outcome(own)).toBe(outcome(within));
  });

  it("of batch normalization, by itself and folded into a convolution", () => {
    const pair = (one: () => Layer): Model =>
      build(layers.conv2d({ filters: 4, kernelSize: 3 }), one(), relu(), one());
    expect(outcome(pair(() => normalization()))).toBe(outcome(pair(() => layers.batchNormalization())));
  });
});
