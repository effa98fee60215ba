/** Gradients of the layers and losses against slopes of the loss; `slopes.ts` says how, and with what bounds. */
import { layers, losses, tensor, type SymbolicTensor } from "im2row";
import { LAYER_CASES } from "../layers/all.ts";
import { tanhConv, type Between } from "../layers/support/cases.ts";
import type { Case } from "./case.ts";
import { BATCH, behindFront, CLASSES, expectSlopes, expectSlopesAround } from "./slopes.ts";

/** Graphs between the first layer's output and a dense layer. */
const GRAPHS: Record<string, (x: SymbolicTensor) => SymbolicTensor> = {
  "a layer used twice": (x) => {
    const shared = tanhConv();
    return layers.add().apply([shared.apply(x), shared.apply(shared.apply(x))]);
  },
  "a value with several readers, one of them a view": (x) => {
    const [first, second] = [layers.flatten().apply(x), layers.flatten().apply(tanhConv().apply(x))];
    return layers.concatenate().apply([first, second, layers.flatten().apply(x)]);
  },
};

const named = (cases: Readonly<Record<string, Between>>): Case[] =>
  Object.entries(cases).map(([name, between]) => ({
    name: `the gradients are the slopes of the loss: ${name}`,
    run: ({ engine }) => expectSlopesAround(engine, between),
  }));

/** The cases of each layer, which its own tests run under vitest. */
export const layerGradientCases: readonly Case[] = Object.values(LAYER_CASES).flatMap(({ gradients }) =>
  named(gradients),
);

export const gradientCases: readonly Case[] = [
  ...layerGradientCases,
  ...named(GRAPHS),
  {
    name: "the gradients are the slopes of the mean squared error behind softmax",
    run: ({ engine }) =>
      expectSlopes({
        model: behindFront(6, layers.flatten(), layers.dense({ units: CLASSES, activation: "softmax" })),
        engine,
        loss: losses.meanSquaredError(),
        labels: tensor([1, 0, 0, 0.5, 0.25, 0.25, 0, 0, 1], [BATCH, CLASSES]),
      }),
  },
  {
    name: "the gradients are the slopes of every loss as it is without options",
    run({ engine }) {
      // Rows that sum to one are labels for all of them.
      const labels = tensor([1, 0, 0, 0.5, 0.25, 0.25, 0.2, 0.2, 0.6], [BATCH, CLASSES]);
      for (const make of Object.values(losses)) {
        const behind = [layers.globalAveragePooling2d(), layers.dense({ units: CLASSES })];
        expectSlopes({ model: behindFront(7, ...behind), engine, loss: make(), labels });
      }
    },
  },
  {
    name: "the gradients are the slopes of Huber's loss on both sides of delta, and the sigmoid cross-entropy of yes and no",
    run({ engine }) {
      const labels = tensor([1, 0, 1, 0, 1, 1, 0, 0, 1], [BATCH, CLASSES]);
      for (const loss of [losses.huber({ delta: 2 ** -4 }), losses.sigmoidCrossEntropy()]) {
        const behind = [layers.globalAveragePooling2d(), layers.dense({ units: CLASSES })];
        expectSlopes({ model: behindFront(9, ...behind), engine, loss, labels });
      }
    },
  },
  {
    name: "the gradients are the slopes of cross-entropy with smoothed labels",
    run({ engine }) {
      const loss = losses.softmaxCrossEntropy({ labelSmoothing: 0.25 });
      const rows = tensor([0, 0, 1, 1, 0, 0, 0, 1, 0], [BATCH, CLASSES]);
      for (const labels of [Int32Array.of(2, 0, 1), rows]) {
        const behind = [layers.flatten(), layers.dense({ units: CLASSES })];
        expectSlopes({ model: behindFront(8, ...behind), engine, loss, labels });
      }
    },
  },
  {
    name: "the gradients are the slopes of cross-entropy with rows as labels",
    run: ({ engine }) =>
      expectSlopes({
        model: behindFront(7, layers.globalAveragePooling2d(), layers.dense({ units: CLASSES })),
        engine,
        loss: losses.softmaxCrossEntropy(),
        labels: tensor([1, 0, 0, 0.5, 0.25, 0.25, 0.2, 0.2, 0.6], [BATCH, CLASSES]),
      }),
  },
];
