/** Passes of layers in plain TypeScript, which read and write linear memory as arrays. */
import { arrayOn, type NumberArray } from "../dtype.ts";
import { OptionError } from "../errors.ts";
import { isInteger, show } from "../options.ts";
import { sizeOf, type Shape } from "../tensor.ts";
import type { Buffer } from "./buffer.ts";
import type { BuildContext, GradientContext, Pass, WeightSpec } from "./contract.ts";

/** Arrays by name. */
type Arrays<Each = Float32Array> = Readonly<Record<string, Each>>;

/** The arguments of a forward pass. The arrays are views of linear memory, which are valid only during the call. */
export interface ForwardViews<Config> {
  readonly config: Config;
  /** The number of images in this batch. */
  readonly n: number;
  /** The shapes of one image's inputs and output. */
  readonly inputs: readonly Shape[];
  readonly output: Shape;
  /** The first input, image after image, and all inputs. */
  readonly x: Float32Array;
  readonly xs: readonly Float32Array[];
  /** The output, which the pass fills in. */
  readonly y: Float32Array;
  /** The weights by name, each as an array of its type. */
  readonly weights: Arrays<NumberArray>;
  /** The arrays that `saved` of the definition asked for. */
  readonly saved: Arrays;
  /** True in training when the layer is not frozen. */
  readonly training: boolean;
  /** The key of the layer's random numbers, in training only: that of the step, and the layer's index in its graph. */
  readonly randomKey: BuildContext["randomKey"];
}

/** The arguments of a backward pass. */
export interface BackwardViews<Config> extends ForwardViews<Config> {
  /** The gradient of the output. */
  readonly dy: Float32Array;
  /** The gradients of the first input and of all inputs, which the pass fills in; null when nothing needs one. */
  readonly dx: Float32Array | null;
  readonly dxs: readonly (Float32Array | null)[];
  /** The gradients of the weights by name, which the pass fills in; undefined for weights that do not learn. */
  readonly gradients: Readonly<Record<string, Float32Array | undefined>>;
}

/** The functions that define such a layer. */
export interface ViewFunctions<Config> {
  /** Arrays that keep their content from the forward to the backward pass: elements of one image, by name. Default: none. */
  saved?(inputs: readonly Shape[], config: Config): Readonly<Record<string, number>>;
  /** Fills in `y` from `xs` and the weights. */
  forward(views: ForwardViews<Config>): void;
  /**
   * Computes, from `dy`, those of `dxs` that are not null and those of the weights' gradients that are defined; each is
   * overwritten, not added to. Without it the layer is not differentiable: a model in which a layer before it learns cannot
   * be trained.
   */
  backward?(views: BackwardViews<Config>): void;
}

/** Calls `make` again only when the number of images or the memory has changed; growth of memory detaches all views. */
export function remembered<T>({ heap }: BuildContext, make: (n: number) => T): (n: number) => T {
  let [last, memory, made]: [number, unknown, T | undefined] = [0, undefined, undefined];
  return (n) => {
    const now = heap.memory.buffer;
    if (made === undefined || n !== last || now !== memory) [last, memory, made] = [n, now, make(n)];
    return made;
  };
}

/** The view of `elements` floats of a buffer. */
export function viewOf({ heap }: BuildContext, { pointer }: Buffer, elements: number): Float32Array {
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
  /** The views of the weights or of their gradients, by the weights' names. */
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
