import { describe, expect, it } from "vitest";
import exact from "../../build/wasm.js";
import type { Kernels } from "../../src/kernels/kernels.ts";
import { hardShrink, hardShrinkSlope } from "../oracles/hardShrink.ts";
import { bitsOf } from "../support/float.ts";
import { random } from "../support/random.ts";
import { guarded, openKernels } from "../support/wasm.ts";

const bench = openKernels();
const { kernels } = bench;
const LAMBDA = 0.5;
const SIZES = [0, 1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 33];

function forward(x: Float32Array): Float32Array {
  bench.reset();
  const y = guarded(bench, x.length);
  kernels.hardShrinkForward(LAMBDA, bench.put(x), y.ptr, x.length);
  y.check();
  return y.f32();
}

function backward(x: Float32Array, dy: Float32Array): Float32Array {
  bench.reset();
  const dx = guarded(bench, x.length);
  kernels.hardShrinkBackward(LAMBDA, bench.put(x), bench.put(dy), dx.ptr, x.length);
  dx.check();
  return dx.f32();
}

describe("hard shrinkage", () => {
  it.each(SIZES)("is the definition on %i elements, also in place", (n) => {
    const [x, dy] = [random(n).uniform(n), random(n + 1).uniform(n)];
    const y = Float32Array.from(x, (value) => hardShrink(value, LAMBDA));
    const dx = dy.map((value, i) => (hardShrinkSlope(x[i]!, LAMBDA) === 0 ? 0 : value));
    expect(bitsOf(forward(x))).toEqual(bitsOf(y));
    expect(bitsOf(backward(x, dy))).toEqual(bitsOf(dx));
    bench.reset();
    const [p, q] = [bench.put(x), bench.put(dy)];
    kernels.hardShrinkBackward(LAMBDA, p, q, q, n);
    kernels.hardShrinkForward(LAMBDA, p, p, n);
    expect([bitsOf(bench.f32(p, n)), bitsOf(bench.f32(q, n))]).toEqual([bitsOf(y), bitsOf(dx)]);
  });

  it("keeps NaN and infinities, and nothing at the bounds", () => {
    // torch.nn.functional.hardshrink(torch.tensor([...]), 0.5)
    const x = Float32Array.of(NaN, Infinity, -Infinity, 0.5, -0.5, -0);
    expect([...forward(x)]).toEqual([NaN, Infinity, -Infinity, 0, 0, 0]);
    expect([...backward(x, new Float32Array(6).fill(3))]).toEqual([3, 3, 3, 0, 0, 0]);
  });

  it("is shared by threads", () => {
    const memory = new WebAssembly.Memory({ initial: 2, maximum: 2 });
    const instance = new WebAssembly.Instance(new WebAssembly.Module(exact()), { env: { memory } });
    const own = instance.exports as unknown as Kernels;
    const n = 100;
    const x = random(7).uniform(n);
    const [p, y, dx] = [65536, 65536 + 4 * n, 65536 + 8 * n];
    new Float32Array(memory.buffer, p, n).set(x);
    for (const share of [0, 1, 2]) {
      own.joinThreads(share, 3);
      own.hardShrinkForward(LAMBDA, p, y, n);
      own.hardShrinkBackward(LAMBDA, p, p, dx, n);
      // Lines of 16 elements, 7 of them in three shares.
      const done = new Float32Array(memory.buffer, y, n).findLastIndex((value) => value !== 0) + 1;
      expect(done).toBeLessThanOrEqual([32, 64, 100][share]!);
    }
    const expected = bitsOf(Float32Array.from(x, (value) => hardShrink(value, LAMBDA)));
    expect(bitsOf(new Float32Array(memory.buffer, y, n).slice())).toEqual(expected);
    expect(bitsOf(new Float32Array(memory.buffer, dx, n).slice())).toEqual(expected);
  });
});
