/** The cases of unary: its options, refusals, shapes and nets. */
import { layers, type Layer, type SymbolicTensor } from "im2row";
import type { Any } from "../support/options.ts";
import { chain, IMAGE, type Between, type LayerCases } from "./support/cases.ts";

type UnaryKind = Parameters<typeof layers.unary>[0]["kind"];

/** Values from 0 to 1 that stay on their side of a half. */
const sigmoid = (): Layer => layers.activation({ activation: "sigmoid" });

/** A function whose slope is 0, and its input, whose slope is not. */
const besides =
  (kind: UnaryKind): Between =>
  (x: SymbolicTensor) =>
    layers.add().apply([x, layers.unary({ kind }).apply(sigmoid().apply(x))]);

const of =
  (kind: UnaryKind, before: Layer): Between =>
  (x) =>
    layers.unary({ kind }).apply(before.apply(x));

/** All functions, with the parameters of those that have some. */
const KINDS: Readonly<Record<UnaryKind, { alpha?: number; beta?: number }>> = {
  abs: {},
  neg: {},
  sqrt: {},
  reciprocal: {},
  exp: {},
  log: {},
  erf: {},
  softsign: {},
  threshold: { alpha: 0.125 },
  clip: { alpha: -0.125, beta: 2 },
  exponential: { alpha: 0.5, beta: 2 },
  floor: {},
  ceil: {},
  round: {},
  sign: {},
};

export const unary: LayerCases = {
  defaults: [layers.unary({ kind: "abs" }), { kind: "abs", alpha: 0, beta: 0 }],
  shapes: [
    [layers.unary({ kind: "neg" }), [5], [5]],
    [layers.unary({ kind: "clip", beta: "Infinity" }), [4, 5, 3], [4, 5, 3]],
  ],
  refuses: {
    'unary: kind: expected one of "abs", "neg", "sqrt",': () => layers.unary({ kind: "sin" as Any }),
    "unary: alpha: expected a number, got []": () => layers.unary({ kind: "clip", alpha: [] as Any }),
    'unary: beta: expected a number, got "1"': () => layers.unary({ kind: "clip", beta: "1" as Any }),
    'unary: expected the options kind, alpha, beta, name; got "min"': () =>
      layers.unary({ kind: "clip", min: 0 } as Any),
  },
  refusesInputs: {
    "unary: expected one input, got 2": [layers.unary({ kind: "abs" }), [[3], [3]]],
  },
  gradients: {
    ...Object.fromEntries(
      (["abs", "neg", "reciprocal", "exp", "erf", "softsign"] as const).map((kind) => [
        `unary ${kind}`,
        () => layers.unary({ kind }),
      ]),
    ),
    "unary sqrt": (x) => of("sqrt", sigmoid())(x),
    "unary log": (x) => of("log", sigmoid())(x),
    // No input comes near the bends.
    "unary threshold": () => layers.unary({ kind: "threshold", alpha: 0.125 }),
    "unary clip": () => layers.unary({ kind: "clip", alpha: -0.125, beta: 8 }),
    "unary exponential": () => layers.unary({ kind: "exponential", alpha: 0.5, beta: 2 }),
    ...Object.fromEntries(
      (["floor", "ceil", "round", "sign"] as const).map((kind) => [`unary ${kind}`, besides(kind)]),
    ),
  },
  models: [
    ...Object.entries(KINDS).map(([kind, parameters]) =>
      chain(
        `unary ${kind}`,
        IMAGE,
        () => [
          ...(kind === "sqrt" || kind === "log" ? [sigmoid()] : []),
          layers.unary({ kind: kind as UnaryKind, ...parameters }),
        ],
        4,
      ),
    ),
    chain("unary exponential, as elu", IMAGE, () => [
      layers.unary({ kind: "exponential", alpha: 0.5, beta: 1 }),
    ]),
    chain("unary clip, to one side", IMAGE, () => [
      layers.unary({ kind: "clip", alpha: -0.5, beta: "Infinity" }),
    ]),
  ],
  digest: "839dc6e3d80687be",
};
