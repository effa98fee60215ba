/** Passes of layers in plain TypeScript, which see linear memory as arrays. */
import { arrayOn, type NumberArray } from "../dtype.ts";
import { OptionError } from "../errors.ts";
import { isInteger, show } from "../options.ts";
import { sizeOf, type Shape } from "../tensor.ts";
import type { Buffer } from "./buffer.ts";
import type { BuildContext, GradientContext, Pass, WeightSpec } from "./contract.ts";

/** Arrays by name. */
type Arrays<Each = Float32Array> = Readonly<Record<string, Each>>;

/** What a forward pass sees. The arrays are views of linear memory: they hold for the call and no longer. */
export interface ForwardViews<Config> {
  readonly config: Config;
  /** Images of this batch. */
  readonly n: number;
  /** Shapes of one image's inputs and output. */
  readonly inputs: readonly Shape[];
  readonly output: Shape;
  /** The first input, image after image, and all of them. */
  readonly x: Float32Array;
  readonly xs: readonly Float32Array[];
  /** Where the output goes. */
  readonly y: Float32Array;
  /** The weights by name, each as an array of its type. */
  readonly weights: Arrays<NumberArray>;
  /** What `saved` of the definition asked for. */
  readonly saved: Arrays;
  /** Whether this is training, of a layer that is not frozen. */
  readonly training: boolean;
  /** What random draws follow from, in training only: the batch that runs, and the layer's number in its graph. */
  readonly randomKey: BuildContext["randomKey"];
}

/** What a backward pass sees besides. */
export interface BackwardViews<Config> extends ForwardViews<Config> {
  /** Gradient of the output. */
  readonly dy: Float32Array;
  /** Where the gradient of the first input goes, or null when nobody needs it, and those of all. */
  readonly dx: Float32Array | null;
  readonly dxs: readonly (Float32Array | null)[];
  /** Where the gradients of the weights go, by name; those that do not learn have none. */
  readonly gradients: Readonly<Record<string, Float32Array | undefined>>;
}

/** The functions that such a layer is defined by. */
export interface ViewFunctions<Config> {
  /** Arrays that keep their content from the forward to the backward pass: elements of one image, by name. Default: none. */
  saved?(inputs: readonly Shape[], config: Config): Readonly<Record<string, number>>;
  /** Fills in `y` from `xs` and the weights. */
  forward(views: ForwardViews<Config>): void;
  /**
   * Fills in `dxs` from `dy`, those that are not null, and the gradients of the weights that are there: each is overwritten,
   * not added to. Without it the layer is not differentiable, and training is refused where something before it learns.
   */
  backward?(views: BackwardViews<Config>): void;
}

/** Remembers what `make` makes for `n` images of a memory until either changes: growth detaches all views. */
function remembered<T>({ heap }: BuildContext, make: (n: number) => T): (n: number) => T {
  let [last, memory, made]: [number, unknown, T | undefined] = [0, undefined, undefined];
  return (n) => {
    const now = heap.memory.buffer;
    if (made === undefined || n !== last || now !== memory) [last, memory, made] = [n, now, make(n)];
    return made;
  };
}

/** The view of `elements` floats of a buffer. */
function viewOf({ heap }: BuildContext, { pointer }: Buffer, elements: number): Float32Array {
  return heap.floats.subarray(pointer >>> 2, (pointer >>> 2) + elements);
}

/** The view of `elements` numbers of a buffer of any type. */
function arrayOf({ heap }: BuildContext, { pointer, dtype }: Buffer, elements: number): NumberArray {
  return arrayOn(dtype, heap.memory.buffer, pointer, elements);
}

/** The passes of a layer with these options and weights. */
export function viewPass<Config>(
  context: BuildContext,
  functions: ViewFunctions<Config>,
  config: Config,
  specs: readonly WeightSpec[],
): Pass {
  const { inputs, output, capacity, training, randomKey } = context;
  const saved = Object.entries(functions.saved?.(inputs, config) ?? {}).map(([name, elements]) => {
    if (isInteger(elements) && elements >= 0)
      return { name, elements, buffer: context.saved(capacity * elements) };
    throw new OptionError(
      `${context.name}: saved: ${name}: expected a number of elements, got ${show(elements)}`,
    );
  });
  /** The arrays of buffers that belong to the weights. */
  const byWeight = (buffers: readonly (Buffer | undefined)[]): Record<string, NumberArray | undefined> =>
    Object.fromEntries(
      specs.map(({ name, shape }, i) => [name, buffers[i] && arrayOf(context, buffers[i], sizeOf(shape))]),
    );
  const views = remembered(context, (n): ForwardViews<Config> => {
    const xs = context.xs.map((x, i) => viewOf(context, x, n * sizeOf(inputs[i]!)));
    const kept = saved.map(({ name, elements, buffer }) => [name, viewOf(context, buffer, n * elements)]);
    return {
      config,
      n,
      inputs,
      output,
      x: xs[0]!,
      xs,
      y: viewOf(context, context.y, n * sizeOf(output)),
      weights: byWeight(context.weights) as Arrays<NumberArray>,
      saved: Object.fromEntries(kept) as Arrays,
      training,
      randomKey,
    };
  });
  return {
    forward: (n) => functions.forward(views(n)),
    ...(functions.backward && {
      gradient(own: GradientContext) {
        const backwardViews = remembered(own, (n): BackwardViews<Config> => {
          const dxs = own.dxs.map((dx, i) => dx && viewOf(own, dx, n * sizeOf(inputs[i]!)));
          const dy = viewOf(own, own.dy, n * sizeOf(output));
          return {
            ...views(n),
            dy,
            dx: dxs[0] ?? null,
            dxs,
            gradients: byWeight(own.gradients) as Record<string, Float32Array>,
          };
        });
        return (n) => functions.backward!(backwardViews(n));
      },
    }),
  };
}
