/**
 * The net of by-hand.ts with raw kernels: 7×7×3 image → 3×3 filters, stride 2 → relu → max pooling → dense → softmax
 * cross-entropy, forward, backward and update, as calls of the functions of the binary on addresses of its memory.
 *
 *   npm run example examples/raw-kernels.ts
 *
 * docs/kernels.md explains how to call them. Layers make the same calls, and have the same bits.
 */
import { fileURLToPath } from "node:url";
import { Random } from "im2row";
import { ACTIVATION, loadKernels, slidingWindow, type KernelInstance } from "im2row/kernels";
import { drawBatch, FILTERS, LEARNING_RATE, startNet, type Batch, type Net } from "./by-hand.ts";

const CLASSES = 3;
const BATCH = 16;
const STEPS = 200;
/** Pixels of the convolution's output, elements of an image of it, and elements of a pooled image. */
const PIXELS = BATCH * 3 * 3;
const UNPOOLED = 3 * 3 * FILTERS;
const POOLED = 2 * 2 * FILTERS;

/** The blocks of a training step, allocated once: addresses, and `step`, which goes through them. */
export function layOut(instance: KernelInstance, net: Net) {
  const { kernels } = instance;
  const floats = (count: number): number => instance.allocateFloats(count);
  const weights = [net.w1, net.b1, net.w2, net.b2].map(({ data }) => ({
    w: instance.put(data),
    dw: floats(data.length),
    count: data.length,
  })) as [Weight, Weight, Weight, Weight];
  const [w1, b1, w2, b2] = weights;

  const window = instance.window(slidingWindow([7, 7, 3], { kernelSize: 3, strides: 2 }));
  const pool = instance.window(slidingWindow([3, 3, FILTERS], { kernelSize: 2 }));
  const [x, labels] = [floats(BATCH * 7 * 7 * 3), instance.allocate(4 * BATCH)];
  const packed = floats(kernels.conv2dPackedFilters(window, FILTERS, 1));
  const [a, da] = [floats(PIXELS * FILTERS), floats(PIXELS * FILTERS)];
  const [pooled, dPooled, argmax] = [floats(BATCH * POOLED), floats(BATCH * POOLED), floats(BATCH * POOLED)];
  const [logits, dLogits] = [floats(BATCH * CLASSES), floats(BATCH * CLASSES)];
  const dx = floats(BATCH * 7 * 7 * 3);
  // A float64 loss and an int32 count.
  const result = instance.allocate(12);
  // One workspace serves all calls, one after the other: the largest that any asks for.
  const workspace = floats(
    Math.max(
      kernels.conv2dForwardWorkspace(window, 1),
      kernels.conv2dBackpropFilterWorkspace(window, FILTERS, 1),
      kernels.conv2dBackpropInputCol2imWorkspace(window, FILTERS, 1),
      kernels.gemmWorkspace(CLASSES, POOLED),
      kernels.gemmWorkspace(CLASSES, BATCH),
      kernels.gemmWorkspace(POOLED, CLASSES),
    ),
  );
  const { linear, relu } = ACTIVATION;

  function forward(): void {
    kernels.conv2dPackFilters(window, FILTERS, 1, w1.w, packed);
    kernels.conv2dForward(window, BATCH, FILTERS, 1, x, packed, b1.w, a, relu, 0, workspace);
    kernels.maxPool2dForward(pool, BATCH, a, pooled, argmax);
    // logits[n, classes] = pooled[n, 4f] · w2[4f, classes] + b2, row strides behind each matrix.
    // prettier-ignore
    kernels.gemm(
      false, false, BATCH, CLASSES, POOLED, pooled, POOLED, w2.w, CLASSES, logits, CLASSES,
      b2.w, linear, 0, false, workspace,
    );
  }

  function backward(): void {
    kernels.softmaxCrossEntropySparse(logits, labels, 0, dLogits, BATCH, CLASSES, result);
    // dw2 = pooledᵀ · dLogits, of which nothing is a weight: taken as it is. db2 = Σ rows.
    // prettier-ignore
    kernels.gemm(
      true, false, POOLED, CLASSES, BATCH, pooled, POOLED, dLogits, CLASSES, w2.dw, CLASSES,
      0, linear, 0, false, workspace, true,
    );
    kernels.biasGradient(BATCH, CLASSES, dLogits, b2.dw);
    // dPooled = dLogits · w2ᵀ.
    // prettier-ignore
    kernels.gemm(
      false, true, BATCH, POOLED, CLASSES, dLogits, CLASSES, w2.w, CLASSES, dPooled, POOLED,
      0, linear, 0, false, workspace,
    );
    kernels.maxPool2dBackward(BATCH, dPooled, argmax, da, POOLED, UNPOOLED);
    kernels.activationBackward(relu, 0, a, da, da, PIXELS * FILTERS);
    kernels.conv2dBackpropFilter(window, BATCH, FILTERS, 1, x, da, w1.dw, workspace);
    kernels.biasGradient(PIXELS, FILTERS, da, b1.dw);
  }

  return {
    weights,
    /** Trains on a batch, by a step of plain SGD; returns the loss and the count of right rows. */
    step(batch: Batch): { loss: number; correct: number } {
      instance.write(x, batch.x.data);
      instance.write(labels, batch.labels);
      forward();
      backward();
      for (const { w, dw, count } of weights)
        kernels.sgdStep(w, dw, 0, count, LEARNING_RATE, 0, 0, false, true);
      return { loss: instance.double(result), correct: instance.ints(result + 8, 1)[0]! };
    },
    /** The gradient of the images of the last step, with the weights as they are now. */
    imageGradient(): Float32Array {
      kernels.conv2dBackpropInputCol2im(window, BATCH, FILTERS, 1, da, w1.w, dx, workspace);
      return instance.floats(dx, BATCH * 7 * 7 * 3);
    },
  };
}

interface Weight {
  readonly w: number;
  readonly dw: number;
  readonly count: number;
}

/** Trains on batches as they are drawn and returns the weights in the order of the net, and the loss of every step. */
export async function train(
  print: (line: string) => void = console.log,
): Promise<{ weights: Float32Array[]; losses: number[] }> {
  const instance = await loadKernels();
  const random = new Random(7);
  const net = layOut(instance, startNet(random));
  const losses: number[] = [];
  for (let step = 1; step <= STEPS; step++) {
    const { loss, correct } = net.step(drawBatch(random));
    losses.push(loss);
    if (step % 20 === 0)
      print(`step ${String(step).padStart(3)}  loss ${loss.toFixed(4)}  ${correct} of ${BATCH} right`);
  }
  return { weights: net.weights.map(({ w, count }) => instance.floats(w, count)), losses };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await train();
