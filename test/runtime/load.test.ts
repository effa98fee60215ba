import { runInNewContext } from "node:vm";
import exact from "../../build/wasm.js";
import { load, MemoryError, OptionError, tensor, type LoadOptions, type Tensor } from "im2row";
import { describe, expect, it, vi } from "vitest";
import { expectSameBits } from "../support/float.ts";
import { random } from "../support/random.ts";

const bytes = exact();
const module = new WebAssembly.Module(bytes);
const matrix = (seed: number, rows: number, columns: number): Tensor =>
  tensor(random(seed).uniform(rows * columns), [rows, columns]);
const [a, b] = [matrix(1, 20, 30), matrix(2, 30, 10)];
const product = (await load()).matMul(a, b);
const PAGE = 65536;

/** A module that is no `instanceof` this realm's `WebAssembly.Module`, as hosts with contexts hand out. */
function foreignModule(): WebAssembly.Module {
  const foreign = runInNewContext("new WebAssembly.Module(bytes)", { bytes }) as WebAssembly.Module;
  expect(foreign).not.toBeInstanceOf(WebAssembly.Module);
  return foreign;
}

const response = (): Response => new Response(bytes, { headers: { "content-type": "application/wasm" } });

describe("load", () => {
  it.each<[string, () => LoadOptions]>([
    ["nothing", () => ({})],
    ["a compiled module", () => ({ module })],
    ["bytes", () => ({ module: bytes })],
    ["an ArrayBuffer", () => ({ module: bytes.slice().buffer })],
    ["a view of bytes", () => ({ module: new DataView(bytes.slice().buffer) })],
    ["a response", () => ({ module: response() })],
    ["a blob", () => ({ module: new Blob([bytes]) as unknown as Response })],
    ["a module of another realm", () => ({ module: foreignModule() })],
    ["bytes of another realm", () => ({ module: runInNewContext("Uint8Array.from(bytes)", { bytes }) })],
    ["a promise of a module", () => ({ module: Promise.resolve(module) })],
    ["a promise of a response", () => ({ module: Promise.resolve(response()) })],
    ["a promise of bytes", () => ({ module: Promise.resolve(bytes) })],
    ["the exact arithmetic and one thread", () => ({ math: "exact", threads: 1 })],
    ["the smallest memory", () => ({ maximumMemory: 2 * PAGE })],
    ["a memory of no whole number of pages", () => ({ maximumMemory: 3 * PAGE + 1 })],
  ])("takes %s, and the engine gives the same bits", async (_name, options) => {
    const engine = await load(options());
    expectSameBits(engine.matMul(a, b).data, product.data);
    engine.dispose();
  });

  it.each<[string, unknown, RegExp]>([
    ["an unknown option", { modul: module }, /^load: expected the options module, .*; got "modul"$/],
    [
      "an unknown arithmetic",
      { math: "fast" },
      /^load: math: expected "exact" or relaxed math \(import relaxed from "im2row\/relaxed"\), got "fast"$/,
    ],
    ["no threads", { threads: 0 }, /^load: threads: expected an integer from 1 to 64 or "auto", got 0$/],
    [
      "too many threads",
      { threads: 65 },
      /^load: threads: expected an integer from 1 to 64 or "auto", got 65$/,
    ],
    ["half a thread", { threads: 1.5 }, /^load: threads: expected .*, got 1.5$/],
    ["a name for threads", { threads: "all" }, /^load: threads: expected .*, got "all"$/],
    [
      "a memory too small to start",
      { maximumMemory: 1000 },
      /^load: maximumMemory: expected bytes from \d+ to \d+, got 1000$/,
    ],
    [
      "a memory beyond 32 bits",
      { maximumMemory: 2 ** 33 },
      /^load: maximumMemory: expected bytes .*, got 8589934592$/,
    ],
    [
      "a limit that there is not",
      { limits: { byte: 1 } },
      /^load: limits: expected the options bytes, elements, nodes, milliseconds; got "byte"$/,
    ],
    ["a limit of nothing", { limits: { nodes: 0 } }, /^load: limits: nodes: expected a number > 0, got 0$/],
    ["a limit that is none", { limits: { bytes: "1 GB" } }, /^load: limits: bytes: .*, got "1 GB"$/],
    [
      "a broken memory",
      { maximumMemory: 1e6 + 0.5 },
      /^load: maximumMemory: expected bytes .*, got 1000000.5$/,
    ],
  ])("refuses %s", async (_name, options, message) => {
    const failure = await load(options as LoadOptions).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(OptionError);
    expect((failure as Error).message).toMatch(message);
  });

  it("refuses bytes that are no WebAssembly, and works the next time", async () => {
    await expect(load({ module: Uint8Array.of(1, 2, 3) })).rejects.toThrow(/WebAssembly/);
    expectSameBits((await load()).matMul(a, b).data, product.data);
  });

  it("refuses a response that failed, with its status", async () => {
    const missing = new Response("not here", { status: 404 });
    await expect(load({ module: missing })).rejects.toThrow(
      /^load: module: expected a WebAssembly.Module, .*; got what fails with Error: HTTP status 404$/,
    );
  });

  it("refuses the binary of something else", async () => {
    const empty = Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0);
    await expect(load({ module: empty })).rejects.toThrow(
      "load: module: expected the binary of im2row, got another module",
    );
  });

  it("compiles its own binary once, through either entry, and again after a host has refused", async () => {
    const compile = vi.spyOn(WebAssembly, "compile");
    try {
      // Entries that were imported anew know of no compiled module.
      vi.resetModules();
      const full = await import("../../src/index.ts");
      const inference = await import("../../src/inference.ts");
      const forbidden = new WebAssembly.CompileError("forbidden by the embedder");
      // The binary, and the shortest module.
      compile.mockRejectedValueOnce(forbidden).mockRejectedValueOnce(forbidden);
      await expect(full.load()).rejects.toThrow(
        "load: this host refuses to compile WebAssembly (CompileError: forbidden by the embedder); " +
          "pass an already compiled WebAssembly.Module as load({ module }), " +
          "or allow 'wasm-unsafe-eval' in the page's content security policy",
      );
      await Promise.all([full.load(), full.load(), inference.load()]);
      await full.load();
      expect(compile).toHaveBeenCalledTimes(3);
    } finally {
      compile.mockRestore();
    }
  });

  it.each([
    [new WebAssembly.CompileError("Refused to create a WebAssembly object"), Error, "'wasm-unsafe-eval'"],
    [
      new RangeError("could not allocate memory"),
      MemoryError,
      "load: maximumMemory: expected room for 1048576 bytes, got RangeError: could not allocate memory",
    ],
  ])("says what helps when the host makes no memory: %s", async (error, type, message) => {
    const memory = vi.spyOn(WebAssembly, "Memory").mockImplementation(function refuse() {
      throw error;
    });
    try {
      const failure = await load({ maximumMemory: 2 ** 20 }).catch((thrown: unknown) => thrown);
      expect(failure).toBeInstanceOf(type);
      expect((failure as Error).message).toContain(message);
    } finally {
      memory.mockRestore();
    }
  });

  it("passes on why a promised module did not come, which is heard at once", async () => {
    const unheard = vi.fn();
    process.on("unhandledRejection", unheard);
    try {
      const fails = (): Promise<never> => Promise.reject(new Error("404 for im2row.wasm"));
      await expect(load({ module: fails() })).rejects.toThrow(/^404 for im2row.wasm$/);
      await expect(load({ module: fails(), threads: 0 })).rejects.toThrow("load: threads");
      await expect(load({ module: fails(), modul: 1 } as never)).rejects.toThrow('got "modul"');
      await new Promise((resolve) => setTimeout(resolve, 10));
      expect(unheard).not.toHaveBeenCalled();
    } finally {
      process.off("unhandledRejection", unheard);
    }
  });

  it("says that the host has no WebAssembly", async () => {
    vi.stubGlobal("WebAssembly", undefined);
    try {
      for (const options of [{}, { module: bytes }, { threads: 2 }]) {
        await expect(load(options)).rejects.toThrow(
          "load: expected a host with WebAssembly, got one without",
        );
      }
    } finally {
      vi.unstubAllGlobals();
    }
  });

  it("says that the host has no vector instructions", async () => {
    const { compile } = WebAssembly;
    vi.resetModules();
    const { load: loadAnew } = await import("../../src/index.ts");
    const scalar = vi.spyOn(WebAssembly, "compile").mockImplementation(async (source) => {
      if ((source as Uint8Array).length > 8) throw new WebAssembly.CompileError("invalid opcode 0xfd");
      return compile(source);
    });
    try {
      await expect(loadAnew()).rejects.toThrow(
        "load: expected a host whose WebAssembly has vector instructions (SIMD), got one that fails with " +
          "CompileError: invalid opcode 0xfd",
      );
    } finally {
      scalar.mockRestore();
    }
  });

  it("refuses bytes that were transferred, and takes shared ones", async () => {
    const gone = bytes.slice();
    structuredClone(gone, { transfer: [gone.buffer] });
    await expect(load({ module: gone })).rejects.toThrow(/^load: module: expected .*detached/);
    await expect(load({ module: gone.buffer })).rejects.toThrow(/^load: module: expected .*detached/);
    const shared = new Uint8Array(new SharedArrayBuffer(bytes.length));
    shared.set(bytes);
    const engine = await load({ module: shared as never });
    expectSameBits(engine.matMul(a, b).data, product.data);
    engine.dispose();
  });

  it("gives an engine that says what it runs with", async () => {
    const { threads, threadsUnavailable, math, mathUnavailable } = await load();
    expect({ threads, threadsUnavailable, math, mathUnavailable }).toEqual({ threads: 1, math: "exact" });
  });
});

describe("an engine's memory", () => {
  it("stays below maximumMemory: what does not fit is refused by name, with bytes needed and allowed", async () => {
    const maximumMemory = 40 * PAGE;
    const engine = await load({ maximumMemory });
    const { used } = engine.memory;
    const large = matrix(3, 1000, 1000);
    for (let attempt = 0; attempt < 3; attempt++) {
      let thrown: unknown;
      try {
        engine.matMul(large, large);
      } catch (error) {
        thrown = error;
      }
      expect(thrown).toBeInstanceOf(MemoryError);
      const { message } = thrown as Error;
      expect(message).toMatch(
        /^matMul: expected room for 4000000 bytes, got a memory of at most 2621440 bytes/,
      );
      expect(engine.memory.used).toBe(used);
      expect(engine.memory.bytes).toBeLessThanOrEqual(maximumMemory);
      expectSameBits(engine.matMul(a, b).data, product.data);
    }
  });

  it("is refused by name as well when only part of an operator's buffers fit", async () => {
    const engine = await load({ maximumMemory: 40 * PAGE });
    const { used } = engine.memory;
    const image = tensor(new Float32Array(400_000), [1, 100, 100, 40]);
    const filter = tensor(new Float32Array(3 * 3 * 40 * 40), [3, 3, 40, 40]);
    expect(() => engine.conv2d(image, filter)).toThrow(
      /^conv2d: expected room for \d+ bytes, got .* with \d+ in use/,
    );
    expect(engine.memory.used).toBe(used);
    expectSameBits(engine.matMul(a, b).data, product.data);
  });

  it("is its own: two engines share nothing", async () => {
    const [first, second] = await Promise.all([load({ module }), load({ module })]);
    const before = second.memory;
    expect(first.runtime.heap.memory).not.toBe(second.runtime.heap.memory);
    first.matMul(matrix(4, 400, 400), matrix(5, 400, 400));
    expect(first.memory.bytes).toBeGreaterThan(before.bytes);
    expect(second.memory).toEqual(before);
    first.dispose();
    expectSameBits(second.matMul(a, b).data, product.data);
  });
});

describe("an engine that was disposed", () => {
  it("says so at every use, and may be disposed again", async () => {
    const engine = await load();
    engine.dispose();
    expect(() => engine.matMul(a, b)).toThrow(/disposed/);
    expect(() => engine.im2row(tensor([1], [1, 1, 1, 1]), { kernelSize: 1 })).toThrow(/disposed/);
    expect(() => engine.memory).toThrow(/disposed/);
    expect(() => engine.dispose()).not.toThrow();
  });
});
