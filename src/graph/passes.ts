import type { Pass } from "../layers/contract.ts";

/** The passes of one layer in a plan. */
export interface Passes extends Pass {
  readonly backward?: (n: number) => void;
}

/** The passes of a layer with its name, or that of the first of several fused layers. */
export interface NamedPasses {
  readonly name: string;
  /** The index of the node, or of the last of several fused ones. */
  readonly index: number;
  readonly pass: Passes;
}

/** The forward passes of all layers of a plan, each for the first `n` images of the batch. */
export interface ForwardPasses {
  /**
   * Lays out the weights as the kernels read them. It runs after the weights changed and before the next forward pass; in
   * training only for frozen layers, after the user changed their weights.
   */
  prepare(): void;
  forward(n: number): void;
}

/** The other passes of a training step. */
export interface BackwardPasses {
  backward(n: number): void;
  /**
   * Updates the weights that no gradient changes, in all layers. Returns true when all new values are finite. Nothing is
   * stored unless `commit` is true.
   */
  update(n: number, commit: boolean): boolean;
}

/** Runs the forward passes one after the other. */
export function forwardPasses(all: readonly NamedPasses[]): ForwardPasses {
  const passes = all.map(({ pass }) => pass);
  return {
    prepare() {
      for (const pass of passes) pass.prepare?.();
    },
    forward(n) {
      for (let i = 0; i < passes.length; i++) passes[i]!.forward(n);
    },
  };
}

/** Runs the backward passes one after the other, from the last to the first. */
export function backwardPasses(all: readonly NamedPasses[]): BackwardPasses {
  const passes = all.map(({ pass }) => pass);
  const updates = passes.filter((pass) => pass.update !== undefined);
  const backwards = passes.filter((pass) => pass.backward !== undefined).reverse();
  return {
    backward(n) {
      for (let i = 0; i < backwards.length; i++) backwards[i]!.backward!(n);
    },
    update(n, commit) {
      let finite = true;
      for (let i = 0; i < updates.length; i++) finite = updates[i]!.update!(n, commit) && finite;
      return finite;
    },
  };
}
