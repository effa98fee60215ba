import { OptionError, ShapeError } from "../errors.ts";
import { isInteger, listOf, readOptions, show } from "../options.ts";
import { shapeText, sizeOf, type Shape } from "../tensor.ts";
import { checkInitializer, type Initializer } from "./initializers.ts";
import { onlyInput, type Gradient, type Layer, type Pass } from "./contract.ts";
import { layerOf } from "./symbolic.ts";

export interface PreluLayerOptions {
  /** Default: `"zeros"`; PyTorch's is `{ constant: 0.25 }`. */
  alphaInitializer?: Initializer | undefined;
  /** The leading axes, counted from 1, along which slopes are shared: [1, 2] for one slope per channel. Default: none. */
  sharedAxes?: readonly number[] | undefined;
  name?: string | undefined;
}

function readFirstAxes(where: string, value: unknown): number[] {
  const axes = listOf(value, isInteger);
  if (axes?.every((_, i) => axes.includes(i + 1))) return axes;
  throw new OptionError(`${where}: expected the first axes, 1, 2 …, got ${show(value)}`);
}

/**
 * `y = x > 0 ? x : alpha·x` with learned slopes (He et al. 2015). `alpha` has the shape of an image, with 1 in its shared
 * axes. Its gradient is `Σ dy·min(x, 0)`, in float64, over images, then pixels, ascending.
 * @throws OptionError, ShapeError naming the layer, the expected and the given.
 */
export function prelu(options: PreluLayerOptions = {}): Layer {
  const config = readOptions("prelu", options, {
    alphaInitializer: [checkInitializer, "zeros"],
    sharedAxes: [readFirstAxes, []],
  });
  const initializer = config.alphaInitializer;
  const shared = config.sharedAxes.length;
  const alphaOf = (input: Shape): number[] => input.map((size, axis) => (axis < shared ? 1 : size));
  return layerOf({
    type: "prelu",
    name: options.name,
    config,
    backwardReads: { x: true },
    outputShape(inputs, where) {
      const input = onlyInput(inputs, where);
      if (shared <= input.length) return input;
      throw new ShapeError(`${where}: expected at least ${shared} dimensions, got ${shapeText(input)}`);
    },
    weights: (inputs) => [{ name: "alpha", shape: alphaOf(onlyInput(inputs)), initializer }],
    build({ kernels, inputs, weights, x, y }): Pass<Slopes> {
      const input = onlyInput(inputs);
      const c = sizeOf(alphaOf(input));
      const rows = sizeOf(input) / c;
      const alpha = weights[0]!;
      const forward = (n: number): void =>
        kernels.preluForward(n * rows, c, x.pointer, alpha.pointer, y.pointer);
      return { forward, state: { rows, c } };
    },
  });
}

/** The number of slopes `c`, and the number of rows of `c` elements in one image. */
interface Slopes {
  readonly rows: number;
  readonly c: number;
}

/** `dalpha = Σ dy·min(x, 0)`, `dx = x > 0 ? dy : alpha·dy`. */
export const preluGradient: Gradient<Slopes> = (context, { rows, c }) => {
  const { kernels, weights, gradients, x, dx, dy } = context;
  const [alpha, dAlpha] = [weights[0]!, gradients[0]];
  return (n) => {
    if (dAlpha) kernels.preluBackpropAlpha(n * rows, c, x.pointer, dy.pointer, dAlpha.pointer);
    if (dx) kernels.preluBackpropInput(n * rows, c, x.pointer, alpha.pointer, dy.pointer, dx.pointer);
  };
};
