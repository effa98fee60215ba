/** The optimizers through models: each step has the bits of its formula, one float32 operation after the other. */
import { losses, optimizers, type Optimizer } from "im2row";
import { noise } from "../support/model.ts";
import type { Case, Context } from "./case.ts";
import { sameBits } from "./expect.ts";
import { tinyNet } from "./nets.ts";

const STEPS = 4;

const f32 = Math.fround;
const add = (a: number, b: number): number => f32(a + b);
const sub = (a: number, b: number): number => f32(a - b);
const mul = (a: number, b: number): number => f32(a * b);
const div = (a: number, b: number): number => f32(a / b);
/** `a·b + c`, each rounded. */
const mulAdd = (a: number, b: number, c: number): number => add(mul(a, b), c);

/** A weight and its state in the optimizer, numbers that start at zero. */
interface State {
  w: number;
  m: number;
  v: number;
  a?: number;
}

/** A step of one weight with gradient `g` in step `t`, counted from 1. */
type Formula = (state: State, g: number, t: number) => State;

interface SgdSettings {
  learningRate: number;
  momentum: number;
  weightDecay: number;
  nesterov: boolean;
}

function sgd({ learningRate, momentum, weightDecay, nesterov }: SgdSettings): Formula {
  const [rate, mu, decay] = [f32(learningRate), f32(momentum), f32(weightDecay)];
  return ({ w, v }, g) => {
    const gradient = mulAdd(decay, w, g);
    const velocity = mulAdd(mu, v, gradient);
    const step = nesterov ? mulAdd(mu, velocity, gradient) : velocity;
    return { w: sub(w, mul(rate, step)), m: 0, v: velocity };
  };
}

interface AdamSettings {
  learningRate: number;
  beta1: number;
  beta2: number;
  epsilon: number;
  weightDecay: number;
}

function adam(settings: AdamSettings, decoupled: boolean): Formula {
  const { beta1, beta2 } = settings;
  const rate = f32(settings.learningRate);
  const epsilon = f32(settings.epsilon);
  const decay = f32(settings.weightDecay);
  // A running product in float64: the host's power need not be exact.
  const power = (beta: number, t: number): number => (t === 0 ? 1 : power(beta, t - 1) * beta);
  return ({ w, m, v }, g, t) => {
    const gradient = decoupled ? g : mulAdd(decay, w, g);
    const first = mulAdd(f32(1 - beta1), gradient, mul(f32(beta1), m));
    const second = mulAdd(f32(1 - beta2), mul(gradient, gradient), mul(f32(beta2), v));
    const scale = add(f32(Math.sqrt(div(second, f32(1 - power(beta2, t))))), epsilon);
    const step = div(mul(rate, div(first, f32(1 - power(beta1, t)))), scale);
    const kept = decoupled ? sub(w, mul(mul(rate, decay), w)) : w;
    return { w: sub(kept, step), m: first, v: second };
  };
}

const RMSPROP = { learningRate: 0.01, rho: 0.8, epsilon: 1e-6, weightDecay: 0.1 };

function rmsprop(momentum: number, centered: boolean): Formula {
  const [keep, rest] = [f32(RMSPROP.rho), f32(1 - RMSPROP.rho)];
  return ({ w, m, v, a = 0 }, g) => {
    const gradient = mulAdd(f32(RMSPROP.weightDecay), w, g);
    const square = mulAdd(rest, mul(gradient, gradient), mul(keep, v));
    const mean = mulAdd(rest, gradient, mul(keep, a));
    const spread = centered ? Math.max(sub(square, mul(mean, mean)), 0) : square;
    const step = div(gradient, add(f32(Math.sqrt(spread)), f32(RMSPROP.epsilon)));
    const velocity = momentum > 0 ? mulAdd(f32(momentum), m, step) : step;
    return { w: sub(w, mul(f32(RMSPROP.learningRate), velocity)), m: velocity, v: square, a: mean };
  };
}

const ADAGRAD = { learningRate: 0.1, initialAccumulatorValue: 0.2, epsilon: 1e-6, weightDecay: 0.1 };

const adagrad: Formula = ({ w, v }, g) => {
  const gradient = mulAdd(f32(ADAGRAD.weightDecay), w, g);
  const sum = mulAdd(gradient, gradient, v);
  const root = f32(Math.sqrt(add(f32(ADAGRAD.initialAccumulatorValue), sum)));
  const step = mul(f32(ADAGRAD.learningRate), div(gradient, add(root, f32(ADAGRAD.epsilon))));
  return { w: sub(w, step), m: 0, v: sum };
};

const LION = { learningRate: 0.01, beta1: 0.8, beta2: 0.95, weightDecay: 0.1 };

const lion: Formula = ({ w, m }, g) => {
  const { beta1, beta2 } = LION;
  const direction = Math.sign(mulAdd(f32(1 - beta1), g, mul(f32(beta1), m)));
  const step = mul(f32(LION.learningRate), mulAdd(f32(LION.weightDecay), w, direction));
  return { w: sub(w, step), m: mulAdd(f32(1 - beta2), g, mul(f32(beta2), m)), v: 0 };
};

/** Steps on a model, and beside it the formula on the model's own gradients. */
function expectSteps({ engine }: Context, optimizer: Optimizer, formula: Formula): void {
  const model = tinyNet();
  model.compile({ engine, optimizer, loss: losses.softmaxCrossEntropy() });
  const states = new Map(
    [...model.weights].map(([name, { data }]) => [name, [...data].map((w): State => ({ w, m: 0, v: 0 }))]),
  );
  for (let t = 1; t <= STEPS; t++) {
    model.trainOnBatch(noise(t, 4, 7, 7, 3), [0, 1, 2, 1]);
    const { weights, gradients } = model;
    for (const [name, { data }] of weights) {
      const gradient = gradients.get(name)!.data;
      const next = states.get(name)!.map((state, i) => formula(state, gradient[i]!, t));
      states.set(name, next);
      sameBits(
        `step ${t}: ${name}`,
        data,
        Float32Array.from(next, ({ w }) => w),
      );
    }
  }
  model.dispose();
}

const SGD: readonly SgdSettings[] = [
  { learningRate: 0.1, momentum: 0, weightDecay: 0, nesterov: false },
  { learningRate: 0.1, momentum: 0, weightDecay: 0.01, nesterov: false },
  { learningRate: 0.05, momentum: 0.9, weightDecay: 0.01, nesterov: false },
  { learningRate: 0.05, momentum: 0.9, weightDecay: 0.01, nesterov: true },
];

const ADAM: readonly AdamSettings[] = [
  { learningRate: 0.01, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0 },
  { learningRate: 0.01, beta1: 0.8, beta2: 0.99, epsilon: 1e-6, weightDecay: 0.1 },
];

export const optimizerCases: readonly Case[] = [
  ...SGD.map((settings): Case => ({
    name: `sgd with ${JSON.stringify(settings)} has the bits of its formula`,
    run: (context) => expectSteps(context, optimizers.sgd(settings), sgd(settings)),
  })),
  ...[0, 0.9].flatMap((momentum) =>
    [false, true].map((centered): Case => ({
      name: `rmsprop with momentum ${momentum}${centered ? ", centered," : ""} has the bits of its formula`,
      run: (context) =>
        expectSteps(
          context,
          optimizers.rmsprop({ ...RMSPROP, momentum, centered }),
          rmsprop(momentum, centered),
        ),
    })),
  ),
  {
    name: "adagrad has the bits of its formula",
    run: (context) => expectSteps(context, optimizers.adagrad(ADAGRAD), adagrad),
  },
  {
    name: "lion has the bits of its formula",
    run: (context) => expectSteps(context, optimizers.lion(LION), lion),
  },
  ...(["adam", "adamw"] as const).flatMap((type) =>
    ADAM.map((settings): Case => ({
      name: `${type} with ${JSON.stringify(settings)} has the bits of its formula`,
      run: (context) => expectSteps(context, optimizers[type](settings), adam(settings, type === "adamw")),
    })),
  ),
];
