import type { Pass } from "../layers/contract.ts";

/** The passes of one layer in a plan. */
export interface Passes extends Pass {
  readonly backward?: (n: number) => void;
}

/** The passes of all layers of a plan, each for the first `n` images of the batch. */
export interface AllPasses {
  /**
   * Lays out the weights as the kernels read them. It runs after the weights changed and before the next forward pass; in
   * training only for frozen layers, after the user changed their weights.
   */
  prepare(): void;
  forward(n: number): void;
  backward(n: number): void;
  /**
   * Updates the weights that no gradient changes, in all layers. Returns true when all new values are finite. Nothing is
   * stored unless `commit` is true.
   */
  update(n: number, commit: boolean): boolean;
}

/** Runs the passes one after the other, backward ones from the last to the first. */
export function oneByOne(forwards: readonly Passes[]): AllPasses {
  const updates = forwards.filter((pass) => pass.update !== undefined);
  const backwards = forwards.filter((pass) => pass.backward !== undefined).reverse();
  return {
    prepare() {
      for (const pass of forwards) pass.prepare?.();
    },
    forward(n) {
      for (let i = 0; i < forwards.length; i++) forwards[i]!.forward(n);
    },
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
