/** Optimizer recurrences in float64, one weight at a time. */

export interface SgdOptions {
  learningRate: number;
  momentum: number;
  weightDecay: number;
  nesterov: boolean;
}

/** PyTorch's SGD; returns the new weight and velocity. */
export function sgd(w: number, g: number, v: number, o: SgdOptions): { w: number; v: number } {
  const gradient = g + o.weightDecay * w;
  const velocity = o.momentum * v + gradient;
  const step = o.nesterov ? gradient + o.momentum * velocity : velocity;
  return { w: w - o.learningRate * step, v: velocity };
}

export interface AdamOptions {
  learningRate: number;
  beta1: number;
  beta2: number;
  epsilon: number;
  weightDecay: number;
  decoupled: boolean;
}

/** PyTorch's Adam and AdamW in step `t`, counted from 1. */
export function adam(
  w: number,
  g: number,
  m: number,
  v: number,
  t: number,
  o: AdamOptions,
): { w: number; m: number; v: number } {
  const gradient = o.decoupled ? g : g + o.weightDecay * w;
  const decayed = o.decoupled ? w * (1 - o.learningRate * o.weightDecay) : w;
  const first = o.beta1 * m + (1 - o.beta1) * gradient;
  const second = o.beta2 * v + (1 - o.beta2) * gradient ** 2;
  const mean = first / (1 - o.beta1 ** t);
  const scale = Math.sqrt(second / (1 - o.beta2 ** t)) + o.epsilon;
  return { w: decayed - (o.learningRate * mean) / scale, m: first, v: second };
}

export interface LionOptions {
  learningRate: number;
  beta1: number;
  beta2: number;
  weightDecay: number;
}

/** Lion, algorithm 2 of Chen et al. 2023. */
export function lion(w: number, g: number, m: number, o: LionOptions): { w: number; m: number } {
  const direction = Math.sign(o.beta1 * m + (1 - o.beta1) * g);
  return {
    w: w - o.learningRate * (direction + o.weightDecay * w),
    m: o.beta2 * m + (1 - o.beta2) * g,
  };
}

export interface LambOptions extends LionOptions {
  epsilon: number;
}

/** The state of a whole weight under LAMB. */
export interface LambState {
  w: number[];
  m: number[];
  v: number[];
}

const length = (values: readonly number[]): number => Math.sqrt(values.reduce((sum, x) => sum + x * x, 0));

/** LAMB, algorithm 2 of You et al. 2020 with the identity for φ, in step `t`, counted from 1. */
export function lamb({ w, m, v }: LambState, g: ArrayLike<number>, t: number, o: LambOptions): LambState {
  const first = m.map((value, i) => o.beta1 * value + (1 - o.beta1) * g[i]!);
  const second = v.map((value, i) => o.beta2 * value + (1 - o.beta2) * g[i]! ** 2);
  const u = w.map((weight, i) => {
    const mean = first[i]! / (1 - o.beta1 ** t);
    return mean / (Math.sqrt(second[i]! / (1 - o.beta2 ** t)) + o.epsilon) + o.weightDecay * weight;
  });
  const trust = length(w) > 0 && length(u) > 0 ? length(w) / length(u) : 1;
  return { w: w.map((weight, i) => weight - o.learningRate * trust * u[i]!), m: first, v: second };
}
