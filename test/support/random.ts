/** Seeded test data. */

export interface Random {
  /** Uniform in [0, 1). */
  next(): number;
  /** An integer in [low, high]. */
  integer(low: number, high: number): number;
  /** `n` float32 uniform in [low, high). */
  uniform(n: number, low?: number, high?: number): Float32Array;
  /** `n` int32 in [low, high]. */
  integers(n: number, low: number, high: number): Int32Array;
}

/** mulberry32 (Tommy Ettinger, public domain): 32 bits of state, enough for test data. */
export function random(seed: number): Random {
  let state = seed | 0;
  function next(): number {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  }
  const integer = (low: number, high: number): number => low + Math.floor(next() * (high - low + 1));
  return {
    next,
    integer,
    uniform: (n, low = -1, high = 1) => Float32Array.from({ length: n }, () => low + (high - low) * next()),
    integers: (n, low, high) => Int32Array.from({ length: n }, () => integer(low, high)),
  };
}
