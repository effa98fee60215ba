/** An engine with threads: its memory, its end, and what becomes of it when a thread is lost; relaxed math. */
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import workerThreads, { type Worker } from "node:worker_threads";
import { describe, expect, it } from "vitest";
import { load, tensor, type Engine } from "../../src/index.ts";
import relaxed from "../../src/relaxed.ts";
import binary from "../../build/wasm.js";
import { onSharedMemory } from "../../src/runtime/threads/sharedMemory.ts";
import { noise } from "../support/model.ts";
import { splitEverything, withThreads } from "../support/threads.ts";

splitEverything();

/** Large enough to be split. */
const large = noise(1, 1_000_000);

/** An engine of so many threads, its workers, and the thread that watches them. */
async function loadWithWorkers(
  threads: number,
): Promise<{ engine: Engine; workers: Worker[]; watcher: Worker }> {
  const { Worker: original } = workerThreads;
  const started: Worker[] = [];
  workerThreads.Worker = class extends original {
    constructor(...args: ConstructorParameters<typeof Worker>) {
      super(...args);
      started.push(this);
    }
  };
  try {
    const engine = await load({ threads });
    expect(started).toHaveLength(threads);
    return { engine, workers: started.slice(0, -1), watcher: started.at(-1)! };
  } finally {
    workerThreads.Worker = original;
  }
}

/** Calls until one of them fails. */
const work = (engine: Engine): void => {
  for (let i = 0; i < 100_000; i++) engine.activation(large, "relu");
};

describe("an engine with threads", () => {
  it("has one memory that grows", async () => {
    await withThreads(2, (engine) => {
      const before = engine.memory.bytes;
      const big = tensor(new Float32Array(4_000_000).fill(-1), [4_000_000]);
      expect(engine.activation(big, "relu").data.every((value) => value === 0)).toBe(true);
      expect(engine.memory.bytes).toBeGreaterThan(before);
    });
  });

  it("refuses clearly after a kernel failed on a thread", async () => {
    const engine = await load({ threads: 2 });
    const { kernels } = engine.runtime;
    // Far outside of the memory: every share traps.
    expect(() => kernels.activationForward(1, 0, 2 ** 31, 2 ** 31, 1000)).toThrow(
      /engine: expected all of its threads alive, got a failure \(activationForward failed.*; load a new engine/,
    );
    expect(() => engine.activation(tensor([1], [1]), "relu")).toThrow("load a new engine");
    engine.dispose();
  });

  it.each([2, 3, 5])("of %i ends a call whose worker was killed, and refuses the next", async (threads) => {
    for (let share = 1; share < threads; share++) {
      const { engine, workers } = await loadWithWorkers(threads);
      engine.activation(large, "relu");
      const began = performance.now();
      void workers[share - 1]!.terminate();
      // Without a pause, so that nobody hears of the end but the watcher.
      expect(() => work(engine)).toThrow(
        `activationForward: thread ${share + 1} of ${threads} ended); load a new engine`,
      );
      // A second on a machine at rest; five were what it took without a watcher.
      expect(performance.now() - began).toBeLessThan(4000);
      expect(() => engine.activation(tensor([1], [1]), "relu")).toThrow("load a new engine");
      expect(() => engine.dispose()).not.toThrow();
    }
  });

  it("lives on without the watcher", async () => {
    const { engine, watcher } = await loadWithWorkers(2);
    await watcher.terminate();
    const { data } = engine.activation(large, "relu");
    expect(data.every((value) => value >= 0)).toBe(true);
    engine.dispose();
  });

  it("refuses when a worker was killed between two calls", async () => {
    const { engine, workers } = await loadWithWorkers(2);
    engine.activation(large, "relu");
    await workers[0]!.terminate();
    expect(() => engine.activation(large, "relu")).toThrow(
      /(worker 1: exit code 1|thread 2 of 2 ended).*; load a new engine/,
    );
    engine.dispose();
  });

  it("lives a hundred times without leaving threads behind", async () => {
    for (let i = 0; i < 100; i++) await withThreads(2, (engine) => engine.activation(noise(1, 9), "relu"));
  }, 240_000);

  it.each([
    [0, "load: threads: expected an integer from 1 to 64"],
    [65, "load: threads: expected an integer from 1 to 64"],
    ["many", "load: threads: expected an integer from 1 to 64"],
  ])("refuses %o threads", async (threads, message) => {
    await expect(load({ threads: threads as number })).rejects.toThrow(message);
  });

  it("takes the bytes of the one binary", async () => {
    const engine = await load({ module: binary(), threads: 2 });
    expect([engine.threads, engine.threadsUnavailable]).toEqual([2, undefined]);
    engine.dispose();
  });

  it("says that a compiled module has none", async () => {
    const engine = await load({ module: await WebAssembly.compile(binary()), threads: 2 });
    expect(engine.threads).toBe(1);
    expect(engine.threadsUnavailable).toBe(
      "the binary is a module that was compiled for memory of one thread; threads take its bytes",
    );
    engine.dispose();
  });

  it("does not keep a process alive", () => {
    const program = `
      import { load, tensor } from ${JSON.stringify(new URL("../../dist/index.js", import.meta.url).href)};
      const engine = await load({ threads: 2 });
      const x = tensor(new Float32Array(1e6).fill(2), [1e6]);
      console.log(engine.threads, engine.threadsUnavailable, engine.activation(x, "relu").data[999999]);`;
    const cwd = fileURLToPath(new URL("../..", import.meta.url));
    const { stdout, stderr, status } = spawnSync(
      process.execPath,
      ["--input-type=module", "--eval", program],
      { cwd, encoding: "utf8", timeout: 20_000 },
    );
    expect({ stdout, stderr, status }).toEqual({ stdout: "2 undefined 2\n", stderr: "", status: 0 });
  });
});

describe("the binary on shared memory", () => {
  const shared = new WebAssembly.Memory({ initial: 2, maximum: 2, shared: true });
  const plain = new WebAssembly.Memory({ initial: 2, maximum: 2 });
  const on = (bytes: Uint8Array, memory: WebAssembly.Memory): WebAssembly.Instance =>
    new WebAssembly.Instance(new WebAssembly.Module(bytes as BufferSource), { env: { memory } });

  it("differs by one bit of the binary on plain memory, and each takes its own", () => {
    const bytes = binary();
    const other = onSharedMemory(bytes);
    expect(bytes).toEqual(binary());
    const places = [...other.keys()].filter((place) => other[place] !== bytes[place]);
    expect(places.map((place) => other[place]! ^ bytes[place]!)).toEqual([2]);
    expect(() => on(bytes, plain)).not.toThrow();
    expect(() => on(other, shared)).not.toThrow();
    expect(() => on(other, plain)).toThrow(WebAssembly.LinkError);
    expect(() => on(bytes, shared)).toThrow(WebAssembly.LinkError);
  });

  it("is not made of other modules", () => {
    const module = (...sections: number[]): Uint8Array =>
      Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0, ...sections);
    // (import "a" "b" (global i32))
    const global = [2, 8, 1, 1, 97, 1, 98, 3, 127, 0];
    for (const bytes of [module(), module(...global), module(1, 1, 0), module(2, 128, 128)]) {
      expect(() => onSharedMemory(bytes)).toThrow("expected a binary whose first import is its memory");
    }
  });
});

describe("relaxed math", () => {
  it.each(["relaxed", "fast", {}, null, 1])("is refused as %o", async (math) => {
    await expect(load({ math: math as "exact" })).rejects.toThrow(
      'load: math: expected "exact" or relaxed math (import relaxed from "im2row/relaxed"), got ',
    );
  });

  it("runs on threads too", async () => {
    const engine = await load({ math: relaxed, threads: 2 });
    expect(engine.threads).toBe(2);
    const { data } = engine.matMul(noise(1, 30, 40), noise(2, 40, 50));
    const one = await load({ math: relaxed });
    expect(data).toEqual(one.matMul(noise(1, 30, 40), noise(2, 40, 50)).data);
    engine.dispose();
    one.dispose();
  });

  it("runs where a probe passes, or says why not", async () => {
    const engine = await load({ math: relaxed });
    if (engine.math === "exact") expect(engine.mathUnavailable).toMatch(/\w/);
    else expect(engine.mathUnavailable).toBeUndefined();
    const { data } = engine.matMul(noise(1, 30, 40), noise(2, 40, 50));
    const exact = await load();
    const expected = exact.matMul(noise(1, 30, 40), noise(2, 40, 50)).data;
    data.forEach((value, i) => expect(Math.abs(value - expected[i]!)).toBeLessThan(1e-5));
    engine.dispose();
    exact.dispose();
  });
});
