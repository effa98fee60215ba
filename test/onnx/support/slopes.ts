/** The gradients of a net beside the slopes of its loss. */
import { expect } from "vitest";
import { losses, optimizers, tensor, type Tensor } from "../../../src/index.ts";
import type { OnnxModel, OnnxTensor } from "../../../src/onnx.ts";
import { U } from "../../support/float.ts";
import { random } from "../../support/random.ts";

const H = 2 ** -6;

type Feeds = Readonly<Record<string, OnnxTensor>>;

/** The loss in a step that changes nothing; the model then has its gradients. */
export function measure(net: OnnxModel, feeds: Feeds, targets: Tensor): number {
  net.compile({ optimizer: optimizers.sgd({ learningRate: 0 }), loss: losses.meanSquaredError() });
  return net.trainOnBatch(feeds, targets);
}

/**
 * Each weight that learns, or those that are `wanted`, has the slopes of the loss of the only output beside random targets.
 *
 * For a direction d of ±1 over a weight the slope D(h) = (L(w + h·d) − L(w − h·d)) / 2h is extrapolated from h and h / 2;
 * what remains of its truncation is less than |D(h) − D(h/2)|. L is a mean of squares of which each is off by at most 64
 * roundings, relative to 1 + L: extrapolated, that is 3·64u·(1 + L) / h.
 */
export function expectSlopes(net: OnnxModel, feeds: Feeds, wanted?: RegExp): void {
  const y = net.predict(feeds)[net.outputNames[0]!]!;
  const targets = tensor(random(9).uniform(y.data.length), [...y.shape]);
  const here = measure(net, feeds, targets);
  const { weights, gradients } = net.model;
  const names = [...gradients.keys()].filter((name) => !wanted || wanted.test(name));
  expect(names.length).toBeGreaterThan(0);
  for (const name of names) {
    const { data, shape } = weights.get(name)!;
    const gradient = gradients.get(name)!.data;
    const lossAt = (direction: Int32Array, step: number): number => {
      const moved = data.map((w, i) => w + step * direction[i]!);
      net.model.setWeights(new Map([...weights, [name, tensor(moved, shape)]]));
      return measure(net, feeds, targets);
    };
    for (let seed = 0; seed < 3; seed++) {
      const direction = random(seed)
        .integers(data.length, 0, 1)
        .map((bit) => 2 * bit - 1);
      const slope = (h: number): number => (lossAt(direction, h) - lossAt(direction, -h)) / (2 * h);
      const [wide, narrow] = [slope(H), slope(H / 2)];
      const bound = Math.abs(wide - narrow) + (3 * 64 * U * (1 + here)) / H;
      const expected = direction.reduce((sum, d, i) => sum + d * gradient[i]!, 0);
      expect(Math.abs((4 * narrow - wide) / 3 - expected)).toBeLessThan(bound);
      // A bound that says nothing would hold for a gradient of zero as well.
      expect(bound).toBeLessThan(0.1 * Math.hypot(...gradient));
    }
    net.model.setWeights(weights);
  }
}
