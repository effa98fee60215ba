/** A runtime that looks after each kernel at the bands around its operands. */
import type { Kernels } from "../../src/kernels/kernels.ts";
import type { Runtime } from "../../src/runtime/runtime.ts";
import { guardsOf, type Guards } from "./heap.ts";

type Live = ConstructorParameters<typeof Runtime>[0];

/** The kernels, each followed by a look at the bands around its operands. */
function watched(kernels: Kernels, guards: Guards): Kernels {
  const table = kernels as unknown as Record<string, (...args: number[]) => unknown>;
  const calls = Object.keys(table).map((name) => {
    if (typeof table[name] !== "function") return [name, table[name]];
    const call = (...args: number[]): unknown => {
      const result = table[name]!(...args);
      for (let i = 0; i < args.length; i++) guards.checkAround(name, args[i]!);
      return result;
    };
    return [name, call];
  });
  return Object.fromEntries(calls) as Kernels;
}

/** The module of the runtime with one whose kernels are watched when its heap is guarded. */
export function guardRuntime<Module extends { Runtime: typeof Runtime }>(plain: Module): Module {
  class GuardedRuntime extends plain.Runtime {
    constructor(live: Live, ...rest: [ConstructorParameters<typeof Runtime>[1]?]) {
      const guards = guardsOf(live.heap);
      super(guards ? { ...live, kernels: watched(live.kernels, guards) } : live, ...rest);
    }
  }
  return { ...plain, Runtime: GuardedRuntime };
}
