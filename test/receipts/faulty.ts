/** Runs on a machine that computes a bit wrong in one of their steps. */
import type { Engine, FitOptions, Model } from "im2row";
import type { TrainingReceipt } from "../../src/training/receipt.ts";
import { digits } from "../support/model.ts";
import { smallNet } from "./support.ts";

export const { images, labels } = digits(80, 1);

/** Lets the backward passes of the step `wrong`, counted from 1, leave a gradient of which one bit is another. */
export function plantFault(model: Model, wrong: number): void {
  const trainer = model.trainerToWatch("test");
  trainer.watch = ({ plan, runtime, gradients }) => ({
    ...plan,
    backward(n) {
      plan.backward(n);
      if (trainer.steps + 1 === wrong) runtime.heap.ints[(gradients >>> 2) + 7]! ^= 1 << 22;
    },
  });
}

/** The receipt of ten steps. */
export async function receiptWith(
  engine: Engine,
  {
    every = 2,
    wrong = 0,
    seed = 3,
    ...options
  }: FitOptions & { every?: number; wrong?: number; seed?: number } = {},
): Promise<TrainingReceipt> {
  const net = smallNet(engine, {}, seed);
  plantFault(net, wrong);
  try {
    const all = { epochs: 2, batchSize: 16, receipt: { every }, ...options };
    const { receipt } = await net.fit(images, labels, all);
    return receipt!;
  } finally {
    net.dispose();
  }
}
