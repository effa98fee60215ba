/**
 * A convolutional net with nothing but matrix products: 7×7×3 image → 3×3 filters, stride 2 → relu → max pooling →
 * flatten → dense → softmax cross-entropy. Forward and backward are written out, with the eager operators alone.
 *
 *   npm run example examples/by-hand.ts
 *
 * docs/gradients.md explains each line. `sequential` and `fit` do the same for you, with the same bits.
 */
import { fileURLToPath } from "node:url";
import { load, Random, tensor, type Tensor } from "im2row";

type Engine = Awaited<ReturnType<typeof load>>;

export const FILTERS = 16;
export const LEARNING_RATE = 0.2;
const CLASSES = 3;
const BATCH = 16;
const STEPS = 200;
const WINDOW = { kernelSize: 3, strides: 2, padding: "valid" } as const;
const POOL = { poolSize: 2, strides: 1 };

/** Filters `[27, f]`, since 3·3·3 = 27; dense `[2·2·f, classes]`; a bias each. */
export interface Net {
  w1: Tensor;
  b1: Tensor;
  w2: Tensor;
  b2: Tensor;
}

export interface Batch {
  x: Tensor;
  labels: Int32Array;
}

/** The same numbers under another shape: nothing moves. */
const reshape = (t: Tensor, shape: number[]): Tensor => tensor(t.data, shape);

/** Random weights; a sum of k inputs keeps its size if each weight has a variance near 2 / k. */
export function startNet(random: Random): Net {
  const draw = (k: number, n: number): Tensor =>
    tensor(
      Float32Array.from({ length: k * n }, () => random.normal() * Math.sqrt(2 / k)),
      [k, n],
    );
  const zeros = (n: number): Tensor => tensor(new Float32Array(n), [n]);
  return {
    w1: draw(27, FILTERS),
    b1: zeros(FILTERS),
    w2: draw(4 * FILTERS, CLASSES),
    b2: zeros(CLASSES),
  };
}

/** The task: a line of one colour, anywhere in the noise. Does it run across, down or diagonally? */
export function drawBatch(random: Random): Batch {
  const data = Float32Array.from({ length: BATCH * 7 * 7 * 3 }, () => 0.4 * random.uniform());
  const labels = Int32Array.from({ length: BATCH }, () => random.integer(CLASSES));
  labels.forEach((label, image) => {
    const place = random.integer(7);
    const colour = random.integer(3);
    for (let i = 0; i < 7; i++) {
      const row = label === 0 ? place : i;
      const column = label === 1 ? place : label === 0 ? i : (i + place) % 7;
      data[((image * 7 + row) * 7 + column) * 3 + colour]! += 1;
    }
  });
  return { x: tensor(data, [BATCH, 7, 7, 3]), labels };
}

/** Forward and backward: the loss, the gradient of each weight, and what is needed to go on to the image. */
export function gradients(engine: Engine, net: Net, { x, labels }: Batch) {
  const n = x.shape[0]!;

  // Forward. The convolution is a dense layer on every patch: nine patches an image, 27 numbers each.
  const R = engine.im2row(x, WINDOW); // [n·9, 27]
  const Z = engine.matMul(R, net.w1, { bias: net.b1 }); // [n·9, f]
  const A = engine.activation(Z, "relu");
  const { y, argmax } = engine.maxPool2d(reshape(A, [n, 3, 3, FILTERS]), POOL); // [n, 2, 2, f]
  const flat = reshape(y, [n, 4 * FILTERS]);
  const logits = engine.matMul(flat, net.w2, { bias: net.b2 }); // [n, classes]
  const { loss, correct, gradient: dLogits } = engine.softmaxCrossEntropy(logits, labels);

  // Backward, through the dense layer …
  const w2 = engine.matMul(flat, dLogits, { transposeA: true });
  const b2 = engine.sumRows(dLogits);
  const dFlat = engine.matMul(dLogits, net.w2, { transposeB: true });
  // … each pooled number gives its gradient to the pixel that won …
  const dA = engine.maxPool2dBackprop(reshape(dFlat, [...y.shape]), argmax, [n, 3, 3, FILTERS]);
  // … relu lets pass what was positive …
  const dZ = engine.activationBackprop(reshape(dA, [...Z.shape]), A, "relu");
  // … and the convolution is a dense layer once more: the filters' gradient sums over the patches of all images.
  const w1 = engine.matMul(R, dZ, { transposeA: true });
  const b1 = engine.sumRows(dZ);
  return { loss, correct, dZ, gradient: { w1, b1, w2, b2 } satisfies Net };
}

/** The gradient of the image itself. Training does not need it; a layer in front of this one would. */
export function imageGradient(engine: Engine, net: Net, dZ: Tensor, x: Tensor): Tensor {
  const dR = engine.matMul(dZ, net.w1, { transposeB: true }); // [n·9, 27], a gradient for every copy of a pixel …
  return engine.col2im(dR, x.shape, WINDOW); // … and each pixel adds up those of its copies
}

/** `w −= rate·gradient` in place. Products and differences are rounded to float32, as the kernels do it. */
function update(net: Net, gradient: Net): void {
  const rate = Math.fround(LEARNING_RATE);
  for (const key of ["w1", "b1", "w2", "b2"] as const) {
    const w = net[key].data;
    gradient[key].data.forEach((g, i) => (w[i] = w[i]! - Math.fround(rate * g)));
  }
}

/** Trains on batches as they are drawn and returns the weights, and the loss of every step. */
export async function train(
  print: (line: string) => void = console.log,
): Promise<{ net: Net; losses: number[] }> {
  const engine = await load();
  const random = new Random(7);
  const net = startNet(random);
  const losses: number[] = [];
  for (let step = 1; step <= STEPS; step++) {
    const batch = drawBatch(random);
    const { loss, correct, dZ, gradient } = gradients(engine, net, batch);
    if (step === 1) {
      const dx = imageGradient(engine, net, dZ, batch.x);
      const largest = dx.data.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
      print(
        `dx, ${dx.shape.join("×")}: no pixel moves the loss by more than ${largest.toFixed(4)} times its change`,
      );
    }
    update(net, gradient);
    losses.push(loss);
    if (step % 20 === 0)
      print(`step ${String(step).padStart(3)}  loss ${loss.toFixed(4)}  ${correct} of ${BATCH} right`);
  }
  engine.dispose();
  return { net, losses };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await train();
