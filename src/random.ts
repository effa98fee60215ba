/**
 * The package's only source of chance. Everything here is 32-bit integer arithmetic or one of the float64
 * operations that IEEE 754 rounds correctly (+ − × ÷ √), so a seed gives the same numbers on every host.
 */
import { OptionError } from "./errors.ts";
import { show } from "./options.ts";

/** The golden-ratio increment of SplitMix (Steele, Lea and Flood, OOPSLA 2014), cut to 32 bits. */
const GOLDEN_GAMMA = 0x9e3779b9;

/**
 * The output function of splitmix32: a bijection of 32-bit words in which every input bit reaches every
 * output bit. Constants: C. Wellons, hash-prospector, "[16 21f0aaad 15 735a2d97 15]", bias 0.108.
 */
function mix32(word: number): number {
  let z = word;
  z = Math.imul(z ^ (z >>> 16), 0x21f0aaad);
  z = Math.imul(z ^ (z >>> 15), 0x735a2d97);
  return (z ^ (z >>> 15)) >>> 0;
}

/** Rounds for each number that a state is made from. */
const ROUNDS = 5;

/**
 * The four state words of a stream that is named by a seed and further integers below 2^53. The two halves of the seed are
 * spread by five rounds of a Feistel network with splitmix32 as its round function. The next integer's halves are then
 * combined by exclusive or with the last two words, and five more rounds follow. The last four words are the state.
 *
 * Two neighbouring rounds can be undone, so different seeds have different states, and so have streams of one seed that
 * differ in the last integer. The state is never zero: since `mix32` takes zero alone to zero, four zero words in a row
 * would need a round whose constant is zero.
 */
function expandSeed(numbers: readonly number[]): Uint32Array {
  const state = new Uint32Array(4);
  let [left, right] = [0, 0];
  let constant = 0;
  for (const number of numbers) {
    left ^= Math.floor(number / 0x1_0000_0000);
    right ^= number >>> 0;
    for (let round = 0; round < ROUNDS; round++) {
      constant = (constant + GOLDEN_GAMMA) | 0;
      const next = (left ^ mix32((right + constant) | 0)) >>> 0;
      left = right;
      right = next;
      if (round > 0) state[round - 1] = next;
    }
  }
  return state;
}

/**
 * One step of xoshiro128** 1.1: moves `state` (four words, not all zero) on in place and returns 32 bits.
 * Period 2^128 − 1. Source: D. Blackman and S. Vigna, "Scrambled linear pseudorandom number generators",
 * ACM TOMS 47 (2021); https://prng.di.unimi.it/xoshiro128starstar.c.
 */
export function xoshiro128StarStar(state: Uint32Array): number {
  const s0 = state[0]!;
  const s1 = state[1]!;
  const s2 = state[2]! ^ s0;
  const s3 = state[3]! ^ s1;
  const product = Math.imul(s1, 5);
  state[0] = s0 ^ s3;
  state[1] = s1 ^ s2;
  state[2] = s2 ^ (s1 << 9);
  state[3] = (s3 << 11) | (s3 >>> 21);
  return Math.imul((product << 7) | (product >>> 25), 9) >>> 0;
}

/** ln 2 in two parts: the high one has 21 trailing zero bits, so `exponent * LN2_HIGH` is exact. */
const LN2_HIGH = 6.9314718036912381649e-1;
const LN2_LOW = 1.90821492927058770002e-10;

const bits = new DataView(new ArrayBuffer(8));

/**
 * The natural logarithm of a positive normal float64, the same bits on every host (a host's own need not be).
 *
 * With `x = m · 2^e`, `√½ ≤ m < √2` and `f = (m − 1) / (m + 1)`: `ln x = e · ln 2 + 2 · atanh f`, the series
 * `f + f³/3 + f⁵/5 + …` cut after `f²¹/21` (the rest is below 2^-60 of the sum, since `f² < 0.0295`).
 * Error: below 2.5 ULP; the largest of 200,000 trials against 120-bit arithmetic was 1.96.
 */
export function ln(x: number): number {
  bits.setFloat64(0, x);
  const high = bits.getUint32(0);
  let exponent = (high >>> 20) - 1023;
  bits.setUint32(0, (high & 0xfffff) | (1023 << 20));
  let m = bits.getFloat64(0);
  if (m > Math.SQRT2) {
    m *= 0.5;
    exponent += 1;
  }
  const f = (m - 1) / (m + 1);
  const square = f * f;
  let series = 0;
  for (let odd = 21; odd >= 3; odd -= 2) series = square * (1 / odd + series);
  return exponent * LN2_HIGH + (exponent * LN2_LOW + (2 * f * series + 2 * f));
}

/** A seeded stream of random numbers: xoshiro128**, its state spread from the seed by splitmix32. */
export class Random {
  readonly #state: Uint32Array;
  #spare: number | undefined;

  /**
   * @param seed any non-negative integer below 2^53
   * @param stream further such integers, which name a stream of the seed that has nothing to do with its others
   * @throws OptionError if the seed or one of the others is anything else
   */
  constructor(seed: number, ...stream: readonly number[]) {
    const numbers = [seed, ...stream];
    const wrong = numbers.findIndex((number) => !Number.isSafeInteger(number) || number < 0);
    if (wrong >= 0) {
      const name = wrong === 0 ? "seed" : `stream[${wrong - 1}]`;
      throw new OptionError(
        `Random: ${name}: expected an integer from 0 to 2^53 - 1, got ${show(numbers[wrong])}`,
      );
    }
    this.#state = expandSeed(numbers);
  }

  /** An integer in `[0, 2^32)`. */
  nextUint32(): number {
    return xoshiro128StarStar(this.#state);
  }

  /** A multiple of 2^-24 in `[0, 1)`: exact in float32 too. */
  uniform(): number {
    return (this.nextUint32() >>> 8) / 0x100_0000;
  }

  /**
   * An integer in `[0, n)`, every value with the same probability: draws from the incomplete last block of
   * `n` values are thrown away.
   *
   * @throws OptionError unless `n` is an integer from 1 to 2^32
   */
  integer(n: number): number {
    if (!Number.isInteger(n) || n < 1 || n > 0x1_0000_0000) {
      throw new OptionError(`Random: integer: expected a bound from 1 to 2^32, got ${show(n)}`);
    }
    const end = 0x1_0000_0000 - (0x1_0000_0000 % n);
    let draw = this.nextUint32();
    while (draw >= end) draw = this.nextUint32();
    return draw % n;
  }

  /**
   * A number of the standard normal distribution, by the polar method: G. Marsaglia and T. A. Bray,
   * "A convenient method for generating normal variables", SIAM Review 6 (1964). Two come from each accepted
   * pair; the second is kept for the next call.
   */
  normal(): number {
    if (this.#spare !== undefined) {
      const spare = this.#spare;
      this.#spare = undefined;
      return spare;
    }
    let u: number;
    let v: number;
    let square: number;
    do {
      // Odd multiples of 2^-32 in (−1, 1): symmetric about zero, and never zero.
      u = (this.nextUint32() + 0.5) / 0x8000_0000 - 1;
      v = (this.nextUint32() + 0.5) / 0x8000_0000 - 1;
      square = u * u + v * v;
    } while (square >= 1);
    const scale = Math.sqrt((-2 * ln(square)) / square);
    this.#spare = v * scale;
    return u * scale;
  }

  /** Puts the elements in random order in place, every order with the same probability (Fisher–Yates). */
  shuffle(indices: Int32Array | Uint32Array): void {
    for (let last = indices.length - 1; last > 0; last--) {
      const other = this.integer(last + 1);
      const value = indices[last]!;
      indices[last] = indices[other]!;
      indices[other] = value;
    }
  }
}
