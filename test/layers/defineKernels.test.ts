/** Layers of users by the kernels of the package. */
import { beforeAll, describe, expect, it } from "vitest";
import { defineLayer, layers, load, type Engine } from "../../src/index.ts";
import { around, bitsOf, trained } from "./support/defined.ts";

let engine: Engine;
beforeAll(async () => {
  engine = await load();
});

/** prelu as the package has it, of the same kernels. */
const prelu = defineLayer({
  type: "prelu2",
  config: { alpha: 0.25 },
  weights: ([shape], { alpha }) => ({ alpha: { shape: shape!, initializer: { constant: alpha } } }),
  backwardReads: { x: true },
  build({ kernels, inputs, x, y, weights: [alpha] }) {
    const c = inputs[0]!.reduce((a, b) => a * b, 1);
    return {
      forward: (n) => kernels.preluForward(n, c, x.pointer, alpha!.pointer, y.pointer),
      gradient: ({ dx, dy, gradients: [dAlpha] }) => {
        return (n) => {
          if (dAlpha) kernels.preluBackpropAlpha(n, c, x.pointer, dy.pointer, dAlpha.pointer);
          if (dx) kernels.preluBackpropInput(n, c, x.pointer, alpha!.pointer, dy.pointer, dx.pointer);
        };
      },
    };
  },
});

describe("a layer of kernels", () => {
  it("has the bits of the package's own", () => {
    const [own, same] = [prelu(), layers.prelu({ alphaInitializer: { constant: 0.25 } })];
    expect(bitsOf(trained(engine, around(own)))).toBe(bitsOf(trained(engine, around(same))));
  });

  it("may read a weight as it prepared it, also while the weight learns", () => {
    const prepared = defineLayer({
      type: "prepared",
      weights: ([shape]) => ({ alpha: { shape: shape!, initializer: { constant: 0.25 } } }),
      backwardReads: { x: true },
      build({ kernels, inputs, x, y, weights: [alpha], kept }) {
        const c = inputs[0]!.reduce((a, b) => a * b, 1);
        const copy = kept(c);
        return {
          prepare: () => kernels.copyRows(1, c, alpha!.pointer, c, copy.pointer, c),
          forward: (n) => kernels.preluForward(n, c, x.pointer, copy.pointer, y.pointer),
          gradient: ({ dx, dy, gradients: [dAlpha] }) => {
            return (n) => {
              if (dAlpha) kernels.preluBackpropAlpha(n, c, x.pointer, dy.pointer, dAlpha.pointer);
              if (dx) kernels.preluBackpropInput(n, c, x.pointer, copy.pointer, dy.pointer, dx.pointer);
            };
          },
        };
      },
    });
    const same = layers.prelu({ alphaInitializer: { constant: 0.25 } });
    expect(bitsOf(trained(engine, around(prepared())))).toBe(bitsOf(trained(engine, around(same))));
  });
});
