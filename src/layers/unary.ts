import { UNARY } from "../kernels/kernels.ts";
import { choiceOf, jsonNumber, readOptions, type JsonNumber } from "../options.ts";
import { sizeOf } from "../tensor.ts";
import type { Gradient, Layer, Pass } from "./contract.ts";
import { layerOf } from "./symbolic.ts";

export type UnaryKind = keyof typeof UNARY;

export interface UnaryLayerOptions {
  kind: UnaryKind;
  /** The lower bound of `clip`, the threshold of `threshold`, the factor of `exponential`. Default: 0. */
  alpha?: JsonNumber | undefined;
  /** The upper bound of `clip`. Default: 0. */
  beta?: JsonNumber | undefined;
  name?: string | undefined;
}

/** A function of one element, by the arguments of the kernel. */
interface UnaryFunction {
  readonly code: number;
  readonly alpha: number;
  readonly beta: number;
}

/**
 * A function of each element: `abs`, `neg`, `sqrt`, `reciprocal`, `exp`, `log`, `erf`, `softsign`, `threshold`, `clip`,
 * `exponential`, `floor`, `ceil`, `round` (ties to even) or `sign`. Formulas, error bounds and slopes are stated in
 * `assembly/elementwise/unary.ts`.
 * @throws OptionError naming the option, the expected and the given.
 */
export function unary(options: UnaryLayerOptions): Layer {
  const config = readOptions("unary", options, {
    kind: choiceOf(Object.keys(UNARY) as UnaryKind[]),
    alpha: [jsonNumber, 0],
    beta: [jsonNumber, 0],
  });
  const code = UNARY[config.kind];
  const [alpha, beta] = [Number(config.alpha), Number(config.beta)];
  return layerOf({
    type: "unary",
    name: options.name,
    config,
    backwardReads: { x: true },
    build({ kernels, output, x, y }): Pass<UnaryFunction> {
      const size = sizeOf(output);
      const forward = (n: number): void =>
        kernels.unaryForward(code, alpha, beta, x.pointer, y.pointer, n * size);
      return { forward, state: { code, alpha, beta } };
    },
  });
}

/** `dx = dy·f′(x)`; the slopes are stated in `assembly/elementwise/unary.ts`. */
export const unaryGradient: Gradient<UnaryFunction> = (context, { code, alpha, beta }) => {
  const { kernels, output, x, dx, dy } = context;
  const size = sizeOf(output);
  return (n) => kernels.unaryBackward(code, alpha, beta, x.pointer, dy.pointer, dx!.pointer, n * size);
};
