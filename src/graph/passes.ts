import type { Pass } from "../layers/contract.ts";

/** The passes of one layer in a plan. */
export interface Passes extends Pass {
  readonly backward?: (n: number) => void;
}

/** The passes of all layers of a plan, each for the first `n` images of the batch. */
export interface AllPasses {
  /**
   * Lays out what passes keep of the weights: after these changed and before the next forward pass. In training that is for
   * frozen layers, after changes from outside.
   */
  prepare(): void;
  forward(n: number): void;
  backward(n: number): void;
  /**
   * Brings what no gradient changes up to date, in all layers; returns whether all that is new is finite. Nothing is stored
   * without `commit`.
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

/** Runs a backward pass, then what adds the parts that it wrote to sums. */
export function inTurn(backward: (n: number) => void, finish: (n: number) => void): (n: number) => void {
  return (n) => {
    backward(n);
    finish(n);
  };
}
