/** The norm of gradients does not depend on where the weights lie. */
import { expect, it } from "vitest";
import { layers, load, optimizers } from "../../src/index.ts";
import { chain } from "../../src/graph/graph.ts";
import { Parameters } from "../../src/graph/parameters.ts";
import { WeightBlock, type Slot } from "../../src/graph/weightBlock.ts";
import { Region } from "../../src/runtime/region.ts";
import { OptimizerUpdate } from "../../src/training/update.ts";
import { bitsOf } from "../support/float.ts";
import { random } from "../support/random.ts";

it("squares are added up in one sequence for weights in one block and in several", async () => {
  const engine = await load();
  const { runtime } = engine;
  const graph = chain(
    [37],
    [31, 29, 23].map((units) => layers.dense({ units })),
  );
  const start = (): Float32Array => new Float32Array(0);
  const clipped = (shared?: (name: string, add: () => Slot) => Slot): Int32Array => {
    const parameters = new Parameters(graph, start, shared);
    parameters.move(runtime, () => {});
    const region = new Region(runtime.heap, "test");
    const gradients = region.zeros(parameters.size);
    const place = gradients >>> 2;
    for (const { offset, size } of parameters.list)
      runtime.heap.floats.set(random(offset + 1).uniform(size), place + offset);
    const optimizer = optimizers.sgd({ learningRate: 1, globalClipNorm: 1 });
    const { heap, kernels } = runtime;
    const sums: number[] = [];
    const sumOfSquares = (at: number, n: number): number => {
      sums.push(n);
      return kernels.sumOfSquares(at, n);
    };
    const watched = { heap, kernels: { ...kernels, sumOfSquares } } as unknown as typeof runtime;
    const update = new OptimizerUpdate(
      watched,
      parameters,
      new Set(parameters.list),
      optimizer,
      gradients,
      region,
    );
    expect(update.prepare(0)).toBe(true);
    expect(sums).toEqual([parameters.list.at(-1)!.offset + parameters.list.at(-1)!.size]);
    const bits = bitsOf(runtime.heap.floats.slice(place, place + parameters.size));
    region.release();
    parameters.leave();
    return bits;
  };
  const [first, second] = [new WeightBlock(start), new WeightBlock(start)];
  const sizes = new Map(new Parameters(graph).list.map(({ name, size }) => [name, size]));
  let count = 0;
  const apart = clipped((name) => (count++ % 2 ? first : second).add(name, sizes.get(name)!, "float32"));
  expect(apart).toEqual(clipped());
  engine.dispose();
});
