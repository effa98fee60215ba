/** The net that examples/by-hand.ts writes out has the bits of the layers. */
import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import {
  drawBatch,
  FILTERS,
  gradients,
  imageGradient,
  LEARNING_RATE,
  startNet,
  train,
  type Net,
} from "../examples/by-hand.ts";
import { layers, load, losses, optimizers, Random, sequential, tensor, type Tensor } from "../src/index.ts";
import { bitsOf } from "./support/float.ts";
import { weightBits } from "./support/model.ts";

const root = fileURLToPath(new URL("..", import.meta.url)).replace(/[\\/]$/, "");

describe("examples/by-hand.ts", () => {
  /** The net's weights under the layers' names; a bank of filters is a matrix. */
  const asWeights = ({ w1, b1, w2, b2 }: Net): Map<string, Tensor> =>
    new Map([
      ["conv2d.kernel", tensor(w1.data.slice(), [3, 3, 3, FILTERS])],
      ["conv2d.bias", tensor(b1.data.slice(), b1.shape)],
      ["dense.kernel", tensor(w2.data.slice(), w2.shape)],
      ["dense.bias", tensor(b2.data.slice(), b2.shape)],
    ]);
  const buildLayers = () =>
    sequential({
      inputShape: [7, 7, 3],
      layers: [
        layers.conv2d({ filters: FILTERS, kernelSize: 3, strides: 2, activation: "relu" }),
        layers.maxPooling2d({ poolSize: 2, strides: 1 }),
        layers.flatten(),
        layers.dense({ units: 3 }),
      ],
    });

  it("learns, and has the weights and losses of the layers, bit for bit", async () => {
    const lines: string[] = [];
    const byHand = await train((line) => lines.push(line));
    const last = byHand.losses.slice(-20).reduce((sum, loss) => sum + loss / 20, 0);
    expect(last).toBeLessThan(0.3);
    expect(lines[0]).toMatch(/^dx, 16×7×7×3: /);
    expect(lines.at(-1)).toMatch(/^step 200 {2}loss 0\.\d{4} {2}1[456] of 16 right$/);

    const engine = await load();
    const model = buildLayers();
    const random = new Random(7);
    model.setWeights(asWeights(startNet(random)));
    const optimizer = optimizers.sgd({ learningRate: LEARNING_RATE });
    model.compile({ engine, optimizer, loss: losses.softmaxCrossEntropy() });
    const found = byHand.losses.map(() => {
      const { x, labels } = drawBatch(random);
      return model.trainOnBatch(x, labels);
    });
    expect(found).toEqual(byHand.losses);
    const expected = [...asWeights(byHand.net)].map(([name, { data }]) => [name, bitsOf(data)]);
    expect(weightBits(model)).toEqual(Object.fromEntries(expected));
    engine.dispose();
  });

  it("has the image gradient of the built-in routes", async () => {
    const engine = await load();
    const random = new Random(7);
    const net = startNet(random);
    const batch = drawBatch(random);
    const { dZ } = gradients(engine, net, batch);
    const dx = imageGradient(engine, net, dZ, batch.x);
    const dy = tensor(dZ.data, [16, 3, 3, FILTERS]);
    const filter = tensor(net.w1.data, [3, 3, 3, FILTERS]);
    const builtIn = engine.conv2dBackpropInput(dy, filter, batch.x.shape, {
      strides: 2,
      algorithm: "col2im",
    });
    expect(bitsOf(dx.data)).toEqual(bitsOf(builtIn.data));
    expect(dx.data.some((value) => value !== 0)).toBe(true);
    engine.dispose();
  });

  it("runs from the command line", () => {
    const out = execFileSync(process.execPath, ["--import", "tsx", "examples/by-hand.ts"], {
      cwd: root,
      encoding: "utf8",
    });
    expect(out.trim().split("\n")).toHaveLength(11);
  });
});
