import { activationCode, type Activation } from "../kernels/activation.ts";
import { ownActivation, type OwnActivation } from "../kernels/ownActivation.ts";
import type { Buffer } from "./buffer.ts";
import type { BuildContext, GradientContext } from "./contract.ts";
import type { EpilogueKind } from "./epilogue.ts";
import { ownBackward, ownForward } from "./ownActivation.ts";

/** The activation at the end of a layer: fused into the layer's kernel if the kernel can do it, otherwise run in place. */
export interface FusedActivation {
  /** True when the backward pass reads the layer's output, from which the slope follows. */
  readonly readsOutput: boolean;
  /** The epilogues that the layer's pass can do: all of them when the layer has no activation of its own. */
  readonly fusable: readonly EpilogueKind[];
  /** Builds the activation, or the epilogue's residual and activation, for rows of `columns` numbers. */
  build(context: BuildContext, columns: number, rowsPerImage: number): ActivationPass;
}

/** The activation of one layer in a plan. `n` counts images. */
export interface ActivationPass {
  /** The buffer that the layer's own kernel writes; the kernel applies the activation `code` with `alpha`. */
  readonly preactivation: Buffer;
  readonly code: number;
  readonly alpha: number;
  /** Computes what the kernel could not fuse. */
  finish(n: number): void;
  /** The layer's activation, as `activationGradient` needs it. */
  readonly activation: {
    readonly kind: Kind;
    readonly code: number;
    readonly alpha: number;
    readonly own?: OwnActivation;
  };
  readonly columns: number;
  readonly rowsPerImage: number;
}

/** The source of an activation's slope: none is needed, the output, the input, or a whole row of outputs. */
type Kind = "linear" | "fromOutput" | "fromInput" | "softmax";

const nothing = (): void => {};

/** No activation, as the kernels know it. */
const NONE = { code: 0, alpha: 0 };

/** Prepares a layer's activation. @throws OptionError naming `where` when it is not one */
export function fuseActivation(where: string, activation: Activation): FusedActivation {
  const mine = ownActivation(activation);
  if (mine) return fuseOwn(mine);
  const { name, code, alpha, fromInput } = activationCode(where, activation);
  const slope = fromInput ? "fromInput" : "fromOutput";
  const kind: Kind = name === "linear" || name === "softmax" ? name : slope;
  const own = { kind, code, alpha };
  return {
    readsOutput: kind === "fromOutput" || kind === "softmax",
    fusable: kind === "linear" ? ["affine", "residual", "activation"] : [],
    build(context, columns, rowsPerImage) {
      const { kernels, capacity, needsGradient, y, saved, epilogue } = context;
      const size = rowsPerImage * columns;
      const pass = (
        finish: ActivationPass["finish"],
        fused: { readonly code: number; readonly alpha: number } = NONE,
        preactivation = y,
      ): ActivationPass => {
        return {
          preactivation,
          code: fused.code,
          alpha: fused.alpha,
          finish,
          activation: own,
          columns,
          rowsPerImage,
        };
      };
      const { residual, activation: next } = epilogue;
      if (residual) {
        const after = next ?? NONE;
        const finish = (n: number): void =>
          kernels.addActivated(after.code, after.alpha, y.pointer, residual.pointer, y.pointer, n * size);
        return pass(finish);
      }
      if (next) return pass(nothing, next);
      if (kind === "softmax") {
        const finish = (n: number): void =>
          kernels.softmaxForward(y.pointer, y.pointer, n * rowsPerImage, columns);
        return pass(finish);
      }
      if (!needsGradient || kind !== "fromInput") return pass(nothing, own);
      const preactivation = saved(capacity * size);
      const finish = (n: number): void =>
        kernels.activationForward(code, alpha, preactivation.pointer, y.pointer, n * size);
      return pass(finish, NONE, preactivation);
    },
  };
}

/** An activation of a user: it reads the preactivation from a buffer of its own, and nothing is fused. */
function fuseOwn(own: OwnActivation): FusedActivation {
  return {
    readsOutput: true,
    fusable: [],
    build(context, columns, rowsPerImage) {
      const { capacity, needsGradient, y, saved, workspace } = context;
      const size = rowsPerImage * columns;
      const preactivation = (needsGradient ? saved : workspace)(capacity * size);
      const finish = ownForward(context, own, preactivation, y, size, columns);
      const activation = { kind: "fromInput", ...NONE, own } as const;
      return { preactivation, ...NONE, finish, activation, columns, rowsPerImage };
    },
  };
}

/** Turns the gradient of a layer's output into the gradient of its preactivation, in place. */
export function activationGradient(context: GradientContext, pass: ActivationPass): (n: number) => void {
  const { kernels, y, dy } = context;
  const { activation, columns, rowsPerImage, preactivation } = pass;
  const { kind, code, alpha, own } = activation;
  const size = rowsPerImage * columns;
  if (own) return ownBackward(context, own, preactivation, dy, size, columns);
  if (kind === "linear") return nothing;
  if (kind === "softmax") {
    return (n) => kernels.softmaxBackward(y.pointer, dy.pointer, dy.pointer, n * rowsPerImage, columns);
  }
  const read = kind === "fromInput" ? preactivation : y;
  return (n) => kernels.activationBackward(code, alpha, read.pointer, dy.pointer, dy.pointer, n * size);
}
