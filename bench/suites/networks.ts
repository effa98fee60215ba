/** Whole networks: LeNet-5's inference on one image, and training steps. */
import { layers, losses, optimizers, sequential, type Model } from "../../src/index.ts";
import { contest } from "../contest.ts";
import { lenet5 } from "../lenet5.ts";
import { modelJob } from "../ours.ts";
import type { TorchTimes } from "../peers/torch.ts";
import { OURS } from "../result.ts";
import { runCase, uniform, type Bench } from "./suite.ts";

/** The nets of the PyTorch script. */
export function vggCifar(): Model {
  const same = { kernelSize: 3, padding: "same", activation: "relu" } as const;
  return sequential({
    inputShape: [32, 32, 3],
    layers: [
      layers.conv2d({ filters: 32, ...same }),
      layers.conv2d({ filters: 32, ...same }),
      layers.maxPooling2d({ poolSize: 2 }),
      layers.conv2d({ filters: 64, ...same }),
      layers.conv2d({ filters: 64, ...same }),
      layers.maxPooling2d({ poolSize: 2 }),
      layers.flatten(),
      layers.dense({ units: 256, activation: "relu" }),
      layers.dense({ units: 10 }),
    ],
    seed: 1,
  });
}

function net7x7x3(): Model {
  return sequential({
    inputShape: [7, 7, 3],
    layers: [
      layers.conv2d({ filters: 3, kernelSize: 3, strides: 2, activation: "relu" }),
      layers.flatten(),
      layers.dense({ units: 10 }),
    ],
    seed: 1,
  });
}

const STEPS = [
  { name: "LeNet-5", torch: "lenet5", batch: 64, make: lenet5 },
  { name: "LeNet-5", torch: "lenet5", batch: 1, make: lenet5 },
  { name: "CIFAR VGG", torch: "vgg-cifar", batch: 32, make: vggCifar },
  { name: "7×7×3 net", torch: "seed-7x7x3", batch: 1, make: net7x7x3 },
] as const;

/** Training steps by SGD with momentum, through `trainOnBatch`, beside PyTorch's times of this run. */
export async function training(bench: Bench, torch: TorchTimes | undefined): Promise<void> {
  const peak = bench.peak();
  for (const { name, torch: net, batch, make } of STEPS) {
    const model = make();
    // So small that thousands of steps on one batch change nothing: a net that has learned it computes with subnormal
    // gradients, which processors take their time over.
    const optimizer = optimizers.sgd({ learningRate: 1e-9, momentum: 0.9 });
    model.compile({ engine: bench.engine, optimizer, loss: losses.softmaxCrossEntropy() });
    const shape = [batch, ...model.inputShape];
    const x = { shape, data: uniform(shape.reduce((a, b) => a * b)) };
    const labels = Int32Array.from({ length: batch }, (_, i) => i % 10);
    const first = model.trainOnBatch(x, labels);
    const job = {
      run: () => model.trainOnBatch(x, labels),
      read: () => [model.trainOnBatch(x, labels)],
      dispose: () => model.dispose(),
    };
    const { ms } = await contest(`${name} step`, new Map([[OURS, job]]), 0, bench.rounds);
    if (!(first > 0)) throw new Error(`${name}: expected a positive loss, got ${first}`);
    const theirs = torch?.steps[`${net} b${batch}`];
    const times = theirs ? { ...ms, PyTorch: theirs.step } : ms;
    const title = `${name} step b${batch}`;
    bench.report({
      suite: "training",
      name: title,
      kind: "step",
      networks: [],
      flops: 0,
      ms: times,
      errors: {},
      peak,
    });
  }
}

/** LeNet-5 on one image, through `session.run()`. `file` is the same net as ONNX. */
export async function inference(bench: Bench, file: Uint8Array, image: Float32Array): Promise<void> {
  const given = {
    suite: "inference",
    name: "LeNet-5 inference b1",
    kind: "inference",
    networks: ["lenet-5"],
    flops: 0,
    peak: bench.peak(),
    length: 400,
  };
  await runCase(bench, given, modelJob(bench.engine, lenet5(), 1, image), (peer) =>
    peer.network?.(file, "image", [1, 1, 28, 28], image),
  );
}
