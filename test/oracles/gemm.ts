/** Matrix products from the definition: in float64 with the sums of absolute values, and in float32 as documented. */

/** A sum, and the sum of its terms' absolute values, which its error bound is made of. */
export interface Sums {
  sum: Float64Array;
  absolute: Float64Array;
}

/** `op(A)[m, k] · op(B)[k, n] + bias`, row strides as stored. */
export interface Product {
  transposeA: boolean;
  transposeB: boolean;
  m: number;
  n: number;
  k: number;
  a: ArrayLike<number>;
  lda: number;
  b: ArrayLike<number>;
  ldb: number;
  bias?: ArrayLike<number> | undefined;
  /** The sums start from these, dense `[m, n]`; from zero without. */
  c?: ArrayLike<number> | undefined;
}

const at = (values: ArrayLike<number>, i: number): number => values[i] as number;

const elementA = (p: Product, i: number, q: number): number =>
  at(p.a, p.transposeA ? q * p.lda + i : i * p.lda + q);

const elementB = (p: Product, q: number, j: number): number =>
  at(p.b, p.transposeB ? j * p.ldb + q : q * p.ldb + j);

/** Dense `[m, n]` in float64. */
export function gemm(p: Product): Sums {
  const sum = new Float64Array(p.m * p.n);
  const absolute = new Float64Array(p.m * p.n);
  for (let i = 0; i < p.m; i++) {
    for (let j = 0; j < p.n; j++) {
      const start = p.c ? at(p.c, i * p.n + j) : 0;
      const bias = p.bias ? at(p.bias, j) : 0;
      let total = start;
      let size = Math.abs(start);
      for (let q = 0; q < p.k; q++) {
        const product = elementA(p, i, q) * elementB(p, q, j);
        total += product;
        size += Math.abs(product);
      }
      sum[i * p.n + j] = total + bias;
      absolute[i * p.n + j] = size + Math.abs(bias);
    }
  }
  return { sum, absolute };
}

/**
 * Dense `[m, n]` in float32 in the documented order: one running sum, k ascending, each operation rounded; then the
 * bias.
 */
export function gemmFloat32(p: Product): Float32Array {
  const c = new Float32Array(p.m * p.n);
  for (let i = 0; i < p.m; i++) {
    for (let j = 0; j < p.n; j++) {
      let sum = p.c ? at(p.c, i * p.n + j) : 0;
      for (let q = 0; q < p.k; q++) {
        sum = Math.fround(sum + Math.fround(elementA(p, i, q) * elementB(p, q, j)));
      }
      if (p.bias) sum = Math.fround(sum + at(p.bias, j));
      c[i * p.n + j] = sum;
    }
  }
  return c;
}
