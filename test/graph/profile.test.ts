import { expect, it } from "vitest";
import { layers, load, sequential } from "../../src/index.ts";
import { noise } from "../support/model.ts";

it("a session that is profiled computes as in a run, and names each layer, or the first of those that run as one", async () => {
  const model = sequential({
    inputShape: [6, 6, 2],
    layers: [
      layers.conv2d({ filters: 4, kernelSize: 3 }),
      layers.batchNormalization(),
      layers.activation({ activation: "relu" }),
      layers.maxPooling2d({ poolSize: 2 }),
      layers.flatten(),
      layers.dense({ units: 3 }),
    ],
  });
  model.compile({ engine: await load() });
  const session = model.session({ batchSize: 2 });
  const { data } = noise(1, 2, 6, 6, 2);
  session.input.set(data);
  session.run();
  const wanted = session.output.slice();
  session.output.fill(0);
  session.input.set(data);
  const times = session.profile();
  expect(session.output).toEqual(wanted);
  expect(times.map(({ layer }) => layer)).toEqual(["conv2d", "maxPooling2d", "dense"]);
  for (const { milliseconds } of times) expect(milliseconds).toBeGreaterThanOrEqual(0);
  expect(() => session.profile(3)).toThrow("session.profile: expected from 1 to 2 images, got 3");
});
