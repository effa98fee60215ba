/** The kernels on a memory of their own, with a bump allocator: what a kernel's test needs and no more. */
import exact from "../../build/wasm.js";
import type { Kernels } from "../../src/kernels/kernels.ts";

const PAGES = 256;
const ALIGNMENT = 64;

/** Compiled once for all tests of a file. */
const module = new WebAssembly.Module(exact());

export interface KernelBench {
  kernels: Kernels;
  memory: WebAssembly.Memory;
  /** Copies the data into fresh memory and returns its address. */
  put(data: Float32Array | Int32Array): number;
  /** Reserves `elements` 4-byte elements, 64-byte aligned, and returns their address. */
  alloc(elements: number): number;
  /** A copy of `n` float32 at `ptr`. */
  f32(ptr: number, n: number): Float32Array;
  /** A copy of `n` int32 at `ptr`. */
  i32(ptr: number, n: number): Int32Array;
  /** The float64 at `ptr`. */
  f64(ptr: number): number;
  /** Frees everything. The old content stays in memory, so that a kernel cannot rely on zeros. */
  reset(): void;
}

export function openKernels(): KernelBench {
  const memory = new WebAssembly.Memory({ initial: PAGES, maximum: 65536 });
  const instance = new WebAssembly.Instance(module, { env: { memory } });
  const kernels = instance.exports as unknown as Kernels;
  const align = (p: number): number => Math.ceil(p / ALIGNMENT) * ALIGNMENT;
  const start = align(kernels.heapBase());
  let top = start;

  function alloc(elements: number): number {
    const p = top;
    top = align(top + elements * 4);
    if (top > memory.buffer.byteLength) throw new RangeError(`${elements} elements do not fit into memory`);
    return p;
  }
  return {
    kernels,
    memory,
    alloc,
    put(data) {
      const p = alloc(data.length);
      const View = data instanceof Int32Array ? Int32Array : Float32Array;
      new View(memory.buffer, p, data.length).set(data);
      return p;
    },
    f32: (ptr, n) => new Float32Array(memory.buffer, ptr, n).slice(),
    i32: (ptr, n) => new Int32Array(memory.buffer, ptr, n).slice(),
    f64: (ptr) => new DataView(memory.buffer).getFloat64(ptr, true),
    reset() {
      top = start;
    },
  };
}

/** Guard elements on either side of a guarded buffer. */
const GUARD = 8;
const GUARD_BITS = 0x5eadbeef;

export interface Guarded {
  ptr: number;
  f32(): Float32Array;
  i32(): Int32Array;
  /** Throws when anything next to the buffer was written. */
  check(): void;
}

/** An output buffer of `n` elements, filled and surrounded with a bit pattern (a large float32). */
export function guarded(bench: KernelBench, n: number): Guarded {
  const base = bench.put(new Int32Array(n + 2 * GUARD).fill(GUARD_BITS));
  const ptr = base + GUARD * 4;
  return {
    ptr,
    f32: () => bench.f32(ptr, n),
    i32: () => bench.i32(ptr, n),
    check() {
      const before = bench.i32(base, GUARD);
      const after = bench.i32(ptr + n * 4, GUARD);
      if ([...before, ...after].some((bits) => bits !== GUARD_BITS)) {
        throw new Error(`a kernel wrote outside of its buffer of ${n} elements`);
      }
    },
  };
}
