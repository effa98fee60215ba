/** As `assembly/elementwise/unary.ts` numbers functions of one element; the formulas stand there. */
export const UNARY = {
  abs: 0,
  neg: 1,
  sqrt: 2,
  reciprocal: 3,
  exp: 4,
  log: 5,
  erf: 6,
  softsign: 7,
  threshold: 8,
  clip: 9,
  exponential: 10,
  floor: 11,
  ceil: 12,
  round: 13,
  sign: 14,
} as const;

/**
 * As `assembly/elementwise/broadcast.ts` numbers what becomes of two elements: of `first` the one of the first operand; of `share` its
 * share of the gradient of their maximum; of `keep` and `drop` that one where the second is true or false; of `join` the bits
 * of both; of the last two the slopes of a power.
 */
export const BROADCAST = {
  add: 0,
  sub: 1,
  mul: 2,
  div: 3,
  min: 4,
  max: 5,
  pow: 6,
  first: 7,
  share: 8,
  keep: 9,
  drop: 10,
  join: 11,
  baseSlope: 12,
  exponentSlope: 13,
} as const;

/** As `assembly/reduce/reduce.ts` numbers what becomes of many. */
export const REDUCE = { sum: 0, prod: 1, min: 2, max: 3 } as const;
