/** `im2row/kernels`: the binary with its table, its memory, and the net of examples/raw-kernels.ts. */
import { readFileSync } from "node:fs";
import { runInNewContext } from "node:vm";
import { describe, expect, it } from "vitest";
import {
  train as trainByHand,
  startNet,
  drawBatch,
  gradients,
  imageGradient,
} from "../../examples/by-hand.ts";
import { layOut, train } from "../../examples/raw-kernels.ts";
import { load, MemoryError, OptionError, Random } from "../../src/index.ts";
import { ACTIVATION, loadKernels, slidingWindow, UNARY } from "../../src/kernels.ts";
import { bitsOf } from "../support/float.ts";

const bytes = (name: string): Uint8Array<ArrayBuffer> =>
  new Uint8Array(readFileSync(new URL(`../../build/${name}`, import.meta.url)));

describe("loadKernels", () => {
  it("gives the exports themselves, of its own binary, of bytes or of a module", async () => {
    const file = bytes("im2row.wasm");
    for (const module of [undefined, file, Promise.resolve(new WebAssembly.Module(file))]) {
      const instance = await loadKernels(module ? { module } : {});
      const x = instance.put(Float32Array.of(-1, 2, -3));
      instance.kernels.activationForward(ACTIVATION.relu, 0, x, x, 3);
      expect([...instance.floats(x, 3)]).toEqual([0, 2, 0]);
      // The loader's own functions take any number of arguments.
      expect(instance.kernels.addForward).toHaveLength(4);
    }
  });

  it("refuses what it cannot use", async () => {
    await expect(loadKernels({ maximumMemory: 1 })).rejects.toThrow(
      new OptionError("loadKernels: maximumMemory: expected bytes from 131072 to 4294967296, got 1"),
    );
    await expect(loadKernels({ threads: 2 } as object)).rejects.toThrow(OptionError);
    await expect(loadKernels({ module: Uint8Array.of(1, 2, 3) })).rejects.toThrow(OptionError);
    const file = bytes("im2row.wasm");
    const foreign = runInNewContext("new WebAssembly.Module(file)", { file }) as WebAssembly.Module;
    await expect(loadKernels({ module: foreign })).rejects.toThrow(
      new OptionError(
        "loadKernels: module: expected a WebAssembly.Module of this realm, as its loader does, got one of another",
      ),
    );
  });
});

describe("the memory of bare kernels", () => {
  it("hands out blocks one behind the other, and takes them back together", async () => {
    const instance = await loadKernels();
    const first = instance.allocate(1);
    const mark = instance.mark();
    expect([first % 64, mark - first]).toEqual([0, 64]);
    const second = instance.put(Int32Array.of(3, 4, 5));
    expect(second).toBe(mark);
    expect([...instance.ints(second, 3)]).toEqual([3, 4, 5]);
    instance.release(mark);
    expect(instance.allocateFloats(17)).toBe(mark);
    expect(instance.mark() - mark).toBe(128);
    instance.write(first, Float32Array.of(1.5));
    expect([...instance.floats(first, 1)]).toEqual([1.5]);
  });

  it("grows as far as it may, with what was in it", async () => {
    const instance = await loadKernels({ maximumMemory: 1 << 20 });
    const data = Float32Array.of(1, 2, 3);
    const x = instance.put(data);
    const large = instance.allocate(1 << 19);
    expect(instance.memory.buffer.byteLength).toBeGreaterThan(large + (1 << 19));
    expect([...instance.floats(x, 3)]).toEqual([...data]);
    const used = instance.mark();
    expect(() => instance.allocate(1 << 19)).toThrow(
      new MemoryError(
        `allocate: expected room for 524288 bytes, got a memory of at most 1048576 bytes with ${used} in use`,
      ),
    );
    for (const size of [NaN, -1, Infinity]) expect(() => instance.allocate(size)).toThrow(MemoryError);
    expect(instance.mark()).toBe(used);
    // What is in use stays, and vectors may be read past its end.
    instance.kernels.unaryForward(UNARY.neg, 0, 0, x, x, 3);
    expect([...instance.floats(x, 3)]).toEqual([-1, -2, -3]);
  });

  it("holds windows as layers resolve them", async () => {
    const instance = await loadKernels();
    const geometry = slidingWindow([7, 8, 3], { kernelSize: [3, 2], strides: 2, padding: "same" });
    const { oh, ow, top, left } = geometry;
    expect({ oh, ow, top, left }).toEqual({ oh: 4, ow: 4, top: 1, left: 0 });
    expect([...instance.ints(instance.window(geometry), 13)]).toEqual([
      7, 8, 3, 3, 2, 4, 4, 2, 2, 1, 1, 1, 0,
    ]);
    expect(() => slidingWindow([7, 8], { kernelSize: 3 })).toThrow("slidingWindow: expected an image");
    expect(() => slidingWindow([7, 8, 3], { size: 3 } as never)).toThrow(OptionError);
  });
});

describe("examples/raw-kernels.ts", () => {
  it("has the weights and losses of the layers, bit for bit", async () => {
    const lines: string[] = [];
    const raw = await train((line) => lines.push(line));
    // Which test/examples.test.ts holds against the layers.
    const byHand = await trainByHand(() => {});
    expect(raw.losses).toEqual(byHand.losses);
    const { w1, b1, w2, b2 } = byHand.net;
    expect(raw.weights.map(bitsOf)).toEqual([w1, b1, w2, b2].map(({ data }) => bitsOf(data)));
    expect(lines.at(-1)).toMatch(/^step 200 {2}loss 0\.\d{4} {2}1[456] of 16 right$/);
  });

  it("has the image's gradient of the operators", async () => {
    const engine = await load();
    const random = new Random(7);
    const net = startNet(random);
    const batch = drawBatch(random);
    const raw = layOut(await loadKernels(), net);
    raw.step(batch);
    const { dZ, gradient } = gradients(engine, net, batch);
    // The step was taken: the gradient is that of the weights behind it.
    net.w1.data.forEach((w, i) => {
      net.w1.data[i] = w - Math.fround(Math.fround(0.2) * gradient.w1.data[i]!);
    });
    expect(bitsOf(raw.imageGradient())).toEqual(bitsOf(imageGradient(engine, net, dZ, batch.x).data));
    engine.dispose();
  });
});
