import { OptionError } from "../errors.ts";
import { isPlainObject, positiveInteger, readOptions, show } from "../options.ts";
import type { Kernels } from "../kernels/kernels.ts";
import { sizeOf, type Shape } from "../tensor.ts";
import type { Buffer } from "./buffer.ts";
import { conv1d } from "./conv1d.ts";
import { conv2d, convolutionGradient, depthwiseConv2d } from "./conv2d.ts";
import {
  onlyInput,
  type BuildContext,
  type Gradient,
  type Layer,
  type Pass,
  type TrainingPass,
} from "./contract.ts";
import { dense, denseGradient } from "./dense.ts";
import { layerOf } from "./symbolic.ts";

/** A layer in the options, as JSON: its type and its own options. */
export interface StoredLayer {
  readonly type: string;
  readonly config: object;
}

export interface SpectralNormalizationOptions {
  /** A layer with a kernel: `conv1d`, `conv2d`, `depthwiseConv2d` or `dense`. */
  layer: Layer | StoredLayer;
  /** Steps of the power iteration in each step of training. Default: 1. */
  powerIterations?: number | undefined;
  name?: string | undefined;
}

/** The layers whose kernels have the outputs as their last axis. */
const FACTORIES: Readonly<Record<string, (options: never) => Layer>> = {
  conv1d,
  conv2d,
  depthwiseConv2d,
  dense,
};

function readLayer(where: string, value: unknown): StoredLayer {
  const { type, config } = (isPlainObject(value) ? value : {}) as Partial<StoredLayer>;
  if (typeof type === "string" && Object.hasOwn(FACTORIES, type) && isPlainObject(config)) {
    return { type, config };
  }
  const expected = Object.keys(FACTORIES).join(", ");
  throw new OptionError(`${where}: expected a layer of the types ${expected}; got ${show(type ?? value)}`);
}

/** The layer within. */
export const wrappedLayer = ({ type, config }: StoredLayer): Layer => FACTORIES[type]!(config as never);

/** The kernel as a matrix whose columns are the outputs. */
const matrixOf = (kernel: Shape): readonly [rows: number, columns: number] => [
  sizeOf(kernel.slice(0, -1)),
  kernel.at(-1)!,
];

/** What the gradient needs of a pass. */
interface SpectralState {
  readonly inner: Layer;
  readonly innerState: unknown;
  readonly normalized: Buffer;
  readonly u: Buffer;
  readonly v: Buffer;
  readonly sigma: Buffer;
  readonly rows: number;
  readonly columns: number;
}

/**
 * A layer whose kernel is divided by its largest singular value (Miyato et al. 2018): the kernel as a matrix W whose columns
 * are the outputs is used as W / σ with σ = vᵀ·W·u. Each step of training improves u and v by the power iteration,
 * `u = Wᵀ·v / ‖Wᵀ·v‖`, `v = W·u / ‖W·u‖`, and takes them for constants in the gradient, as PyTorch's `spectral_norm` does;
 * inference uses those of the last step. The weights are those of the layer, and `vectorU` and `vectorV`, which do not
 * learn. `vectorU` starts as zeros, which stand for 15 further iterations.
 * @throws OptionError naming the layer, the expected and the given; what the layer within throws.
 */
export function spectralNormalization(options: SpectralNormalizationOptions): Layer {
  const type = "spectralNormalization";
  const config = readOptions(type, options, {
    layer: readLayer,
    powerIterations: [positiveInteger, 1],
  });
  const inner = wrappedLayer(config.layer);
  return layerOf({
    type,
    name: options.name,
    config,
    backwardReads: inner.backwardReads,
    outputShape: (inputs, where) => inner.outputShape(inputs, where),
    weights(inputs) {
      const own = inner.weights(inputs);
      const [rows, columns] = matrixOf(own[0]!.shape);
      return [
        ...own,
        { name: "vectorU", shape: [columns], initializer: "zeros", trainable: false },
        { name: "vectorV", shape: [rows], initializer: "lecunNormal", trainable: false },
      ];
    },
    ...(inner.checkAlgorithm && {
      checkAlgorithm: (inputs, where, algorithm) => inner.checkAlgorithm!(inputs, where, algorithm),
    }),
    hasTrainingPass: true,
    build: (context) => spectralPass(context, inner),
  });
}

/** The pass of inference, with what those of training take from it. */
interface SpectralPass extends Pass<SpectralState> {
  prepare(): void;
  readonly state: SpectralState;
}

/** Builds the pass; preparing it takes steps of the power iteration, none in inference. */
function spectralPass(context: BuildContext, inner: Layer, iterations = 0): SpectralPass {
  const { kernels, weights } = context;
  const [rows, columns] = matrixOf(inner.weights([onlyInput(context.inputs)])[0]!.shape);
  const [w, ...others] = weights as [Buffer, ...Buffer[]];
  const [u, v] = weights.slice(-2) as [Buffer, Buffer];
  // They last until the update, which runs after the last backward pass; the weights change there alone.
  const [nextU, nextV, sigma] = [context.kept(columns), context.kept(rows), context.kept(1)];
  const normalized = context.kept(rows * columns);
  const pass = inner.build({
    ...context,
    weights: [normalized, ...others.slice(0, -2)],
    // The kernel changes with u and v, so that what follows from it is no other plan's.
    laidOut(_weights, _layout, elements, make) {
      const buffer = context.kept(elements);
      return { buffer, prepare: () => make(buffer) };
    },
  });
  const prepare = (): void => {
    const [a, b] = [nextU.pointer, nextV.pointer];
    copy(kernels, u, nextU, columns);
    copy(kernels, v, nextV, rows);
    kernels.spectralNormalize(iterations, rows, columns, w.pointer, a, b, sigma.pointer, normalized.pointer);
    pass.prepare?.();
  };
  const state = { inner, innerState: pass.state, normalized, u: nextU, v: nextV, sigma, rows, columns };
  return { prepare, forward: pass.forward, state };
}

/** Copies one of the two vectors. */
const copy = (kernels: Kernels, from: Buffer, to: Buffer, size: number): void =>
  kernels.copyRows(1, size, from.pointer, size, to.pointer, size);

/** Each step normalizes the kernel, which has changed; a layer that is not frozen takes over the new u and v. */
export const spectralNormalizationPass: TrainingPass<{
  readonly layer: StoredLayer;
  readonly powerIterations: number;
}> = (context, { layer, powerIterations }) => {
  const { kernels, training, needsGradient } = context;
  if (!needsGradient) return undefined;
  const inner = wrappedLayer(layer);
  const { prepare, forward, state } = spectralPass(context, inner, training ? powerIterations : 0);
  const [u, v] = context.weights.slice(-2) as [Buffer, Buffer];
  const update = (_n: number, commit: boolean): boolean => {
    if (commit) {
      copy(kernels, state.u, u, state.columns);
      copy(kernels, state.v, v, state.rows);
    }
    return true;
  };
  return { prepare, forward, state, ...(training && { update }) };
};

/** The layer's own gradient, of the normalized kernel, and from it that of the kernel. */
export const spectralNormalizationGradient: Gradient<SpectralState> = (context, state) => {
  const { kernels, weights, gradients } = context;
  const { inner, innerState, normalized, u, v, sigma, rows, columns } = state;
  const gradient = (inner.type === "dense" ? denseGradient : convolutionGradient) as Gradient;
  const [dw] = gradients;
  const backward = gradient(
    { ...context, weights: [normalized, ...weights.slice(1, -2)], gradients: gradients.slice(0, -2) },
    innerState,
  );
  if (!dw) return backward;
  return (n) => {
    backward(n);
    const [a, b, s, y] = [u.pointer, v.pointer, sigma.pointer, normalized.pointer];
    kernels.spectralNormalizeBackward(rows, columns, a, b, s, y, dw.pointer, dw.pointer);
  };
};
