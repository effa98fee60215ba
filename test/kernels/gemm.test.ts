import { describe, expect, it } from "vitest";
import { ACTIVATION } from "../../src/kernels/kernels.ts";
import { gemm, gemmFloat32, type Product } from "../oracles/gemm.ts";
import { expectSameBits, expectWithin, gamma } from "../support/float.ts";
import { random } from "../support/random.ts";
import { guarded, openKernels } from "../support/wasm.ts";

const bench = openKernels();
const { kernels } = bench;

const { linear: LINEAR, relu: RELU, leakyRelu: LEAKY_RELU, sigmoid: SIGMOID, tanh: TANH } = ACTIVATION;
const SLOPE = 0.125;

const transposes = [
  [false, false],
  [false, true],
  [true, false],
  [true, true],
] as const;

/** `rows` rows of `columns` floats in rows of `stride`; NaN in between, so that reading it shows. */
function matrix(
  data: ReturnType<typeof random>,
  rows: number,
  columns: number,
  stride: number,
): Float32Array {
  const values = new Float32Array((rows - 1) * stride + columns).fill(NaN);
  for (let i = 0; i < rows; i++) values.set(data.uniform(columns), i * stride);
  return values;
}

interface Loose {
  lda?: number;
  ldb?: number;
  bias?: boolean;
  accumulate?: boolean;
}

/** Random operands; `lda` and `ldb` count what is added to the tight row strides. */
function product(
  seed: number,
  [transposeA, transposeB]: readonly [boolean, boolean],
  [m, n, k]: readonly [number, number, number],
  more: Loose = {},
): Product {
  const data = random(seed);
  const [rowsA, columnsA] = transposeA ? [k, m] : [m, k];
  const [rowsB, columnsB] = transposeB ? [n, k] : [k, n];
  const lda = columnsA + (more.lda ?? 0);
  const ldb = columnsB + (more.ldb ?? 0);
  const a = matrix(data, rowsA, columnsA, lda);
  const b = matrix(data, rowsB, columnsB, ldb);
  const bias = more.bias ? data.uniform(n) : undefined;
  const c = more.accumulate ? data.uniform(m * n) : undefined;
  return { transposeA, transposeB, m, n, k, a, lda, b, ldb, bias, c };
}

/** The dense result. Output rows lie `gap` floats apart, and nothing may be written between them. */
function run(p: Product, { gap = 0, activation = LINEAR as number } = {}): Float32Array {
  const { transposeA, transposeB, m, n, k, lda, ldb } = p;
  bench.reset();
  const ldc = n + gap;
  const c = guarded(bench, (m - 1) * ldc + n);
  const workspace = guarded(bench, kernels.gemmWorkspace(n, k));
  const before = c.i32();
  const out = new Float32Array(bench.memory.buffer, c.ptr, before.length);
  if (p.c) for (let i = 0; i < m; i++) out.set((p.c as Float32Array).subarray(i * n, (i + 1) * n), i * ldc);
  const [pa, pb] = [bench.put(p.a as Float32Array), bench.put(p.b as Float32Array)];
  const bias = p.bias ? bench.put(p.bias as Float32Array) : 0;
  const accumulate = p.c !== undefined;
  kernels.gemm(
    transposeA,
    transposeB,
    m,
    n,
    k,
    pa,
    lda,
    pb,
    ldb,
    c.ptr,
    ldc,
    bias,
    activation,
    SLOPE,
    accumulate,
    workspace.ptr,
  );
  c.check();
  workspace.check();
  const after = c.i32();
  if (after.some((bits, i) => i % ldc >= n && bits !== before[i])) throw new Error("gemm wrote between rows");
  return Float32Array.from({ length: m * n }, (_, i) => out[Math.floor(i / n) * ldc + (i % n)] as number);
}

/** Holds a result without activation against the bound and against the documented order of the sum. */
function expectProduct(actual: Float32Array, p: Product): void {
  const { sum, absolute } = gemm(p);
  expectWithin(actual, sum, (i) => gamma(p.k + 1) * (absolute[i] as number));
  expectSameBits(actual, gemmFloat32(p));
}

describe.each(transposes)("gemm with transposeA %s and transposeB %s", (...transpose) => {
  describe.each([1, 255, 256, 257, 513])("at k = %i", (k) => {
    it("is within the bound, with the bits of the plain float32 loop, at all edges of tile and block", () => {
      let seed = k;
      for (const m of [1, 4, 5, 6, 10, 11, 21]) {
        for (const n of [1, 7, 8, 9, 16, 17]) {
          seed++;
          const p = product(seed, transpose, [m, n, k], {
            lda: seed % 3,
            ldb: seed % 4,
            bias: seed % 2 === 1,
          });
          expectProduct(run(p, { gap: seed % 5 }), p);
        }
      }
    });
  });

  it.each([
    [61, 33, 600],
    [121, 9, 257],
    [300, 20, 300],
    [2100, 9, 7],
    [16500, 1, 1],
    [3, 1000, 30],
  ])("does so across the blocks of a large product, %i×%i×%i", (m, n, k) => {
    const p = product(m, transpose, [m, n, k], { lda: 1, ldb: 2, bias: true });
    expectProduct(run(p, { gap: 3 }), p);
  });

  it.each([1, 9, 257, 513])("adds to C, whose values the sums start from, at k = %i", (k) => {
    for (const [m, n] of [
      [1, 1],
      [4, 8],
      [11, 13],
      [70, 9],
    ] as const) {
      for (const bias of [false, true]) {
        const p = product(m + k, transpose, [m, n, k], { accumulate: true, bias, lda: 2, ldb: 1 });
        expectProduct(run(p, { gap: 2 }), p);
      }
    }
  });
});

describe("gemm's activation", () => {
  const shapes = [
    [1, 1, 3],
    [5, 8, 256],
    [6, 9, 257],
    [21, 17, 513],
    [70, 12, 300],
  ] as const;

  it.each(transposes)("relu replaces negative sums by zero, transposeA %s, transposeB %s", (...transpose) => {
    for (const shape of shapes) {
      for (const bias of [false, true]) {
        const p = product(shape[2], transpose, shape, { bias });
        const plain = gemmFloat32(p);
        expect(plain.some((value) => value < 0) || plain.length === 1).toBe(true);
        expectSameBits(
          run(p, { activation: RELU, gap: 1 }),
          plain.map((value) => (value < 0 ? 0 : value)),
        );
      }
    }
  });

  it.each([
    ["leaky relu", LEAKY_RELU],
    ["sigmoid", SIGMOID],
    ["tanh", TANH],
  ])("%s has the bits of the activation's own kernel on the finished sums", (_name, activation) => {
    for (const [i, shape] of shapes.entries()) {
      const p = product(i, transposes[i % 4]!, shape, { bias: true });
      const actual = run(p, { activation, gap: 3 });
      bench.reset();
      const y = guarded(bench, actual.length);
      kernels.activationForward(activation, SLOPE, bench.put(gemmFloat32(p)), y.ptr, actual.length);
      expectSameBits(actual, y.f32());
    }
  });
});

describe("NaN", () => {
  it.each([1, 7, 8, 9])(
    "in a row of A spoils its row of C and no other, through relu too, for n = %i",
    (n) => {
      const p = product(n, transposes[0], [7, n, 300], { bias: true });
      (p.a as Float32Array)[3 * 300 + 299] = NaN;
      for (const activation of [LINEAR, RELU]) {
        const rows = Array.from(run(p, { activation }), Number.isNaN);
        expect(rows).toEqual(Array.from({ length: 7 * n }, (_, i) => Math.floor(i / n) === 3));
      }
    },
  );
});

describe("a row of a product", () => {
  it.each(transposes)("has the same bits alone, transposeA %s, transposeB %s", (...transpose) => {
    for (const [m, n, k] of [
      [23, 17, 40],
      [64, 9, 300],
      [11, 8, 513],
    ] as const) {
      const p = product(m, transpose, [m, n, k], { bias: true });
      const all = run(p);
      for (const i of [0, 4, 5, 9, 10, m - 1]) {
        const a = Float32Array.from(
          { length: k },
          (_, q) => p.a[p.transposeA ? q * m + i : i * k + q] as number,
        );
        const alone = run({ ...p, m: 1, a, lda: p.transposeA ? 1 : k });
        expectSameBits(alone, all.subarray(i * n, (i + 1) * n));
      }
    }
  });
});

describe("the oracle of gemm", () => {
  it("multiplies a worked example in every transposition", () => {
    const operands = { m: 2, n: 2, k: 3, bias: [10, 20] };
    const a = [1, 2, 3, 4, 5, 6];
    const b = [7, 8, 9, 10, 11, 12];
    const [at, bt] = [
      [1, 4, 2, 5, 3, 6],
      [7, 9, 11, 8, 10, 12],
    ];
    for (const [transposeA, transposeB] of transposes) {
      const layout = { lda: transposeA ? 2 : 3, ldb: transposeB ? 3 : 2, transposeA, transposeB };
      const p = { ...operands, ...layout, a: transposeA ? at! : a, b: transposeB ? bt! : b };
      expect([...gemm(p).sum]).toEqual([68, 84, 149, 174]);
      expect([...gemmFloat32(p)]).toEqual([68, 84, 149, 174]);
    }
  });
});
