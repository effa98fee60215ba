/** Plans whose buffers lie apart, each between bands, and are empty before each run. */
import { bytesOf } from "../../src/dtype.ts";
import type { assignOffsets, PlannedBuffer, untouched } from "../../src/graph/arena.ts";
import type { createPlan, Plan } from "../../src/graph/plan.ts";
import { BAND, guardsOf, type Guards, type Span } from "./heap.ts";

/** The number of words of four bytes of a buffer that may be written: its size is rounded up. */
const ELEMENTS = new WeakMap<PlannedBuffer, number>();

/** The buffers of the guarded plan that is being made. */
let planning: PlannedBuffer[] | undefined;

const spanOf = (buffer: PlannedBuffer): Span => {
  const first = buffer.pointer >>> 2;
  return { first, end: first + ELEMENTS.get(buffer)! };
};

type Arena = { untouched: typeof untouched; assignOffsets: typeof assignOffsets };

/** The module of the arena that gives each buffer of a guarded plan a place of its own between bands. */
export function guardArena<Module extends Arena>(plain: Module): Module {
  return {
    ...plain,
    untouched(elements, dtype) {
      const buffer = plain.untouched(elements, dtype);
      ELEMENTS.set(buffer, Math.ceil((elements * bytesOf(buffer.dtype)) / 4));
      return buffer;
    },
    assignOffsets(buffers) {
      if (!planning) return plain.assignOffsets(buffers);
      planning = [...buffers];
      let end = 0;
      for (const buffer of planning) {
        buffer.offset = end + 4 * BAND;
        end = buffer.offset + buffer.size;
      }
      return end + 4 * BAND;
    },
  };
}

/** The plan with the content of its buffers taken away before each run, and bands that are looked at after it. */
function emptied(plan: Plan, guards: Guards, buffers: readonly PlannedBuffer[], gradients: Span[]): Plan {
  // Inputs, and buffers that are kept from run to run, are written before the first step and stay.
  const own = buffers.filter(({ first }) => first > 0).map(spanOf);
  const backwards = plan.passes.map(({ pass }) => pass).filter(({ backward }) => backward);
  const [first, last] = [backwards.at(-1), backwards[0]];
  return {
    ...plan,
    forward(n) {
      guards.empty(own);
      plan.forward(n);
      guards.check("a forward pass");
    },
    passes: plan.passes.map((named) => {
      const { pass } = named;
      const { backward } = pass;
      if (!backward) return named;
      const guarded = (n: number): void => {
        if (pass === first) guards.empty(gradients);
        backward(n);
        if (pass === last) guards.check("a backward pass");
      };
      return { ...named, pass: { ...pass, backward: guarded } };
    }),
  };
}

/** The module of plans with those on a guarded heap guarded. */
export function guardPlan<Module extends { createPlan: typeof createPlan }>(plain: Module): Module {
  return {
    ...plain,
    createPlan(runtime, graph, parameters, options) {
      const guards = guardsOf(runtime.heap);
      if (!guards) return plain.createPlan(runtime, graph, parameters, options);
      let buffers: PlannedBuffer[];
      let plan: Plan;
      planning = [];
      try {
        plan = plain.createPlan(runtime, graph, parameters, options);
      } finally {
        buffers = planning;
        planning = undefined;
      }
      const [first] = buffers;
      if (first) guards.divide(first.pointer - first.offset, buffers.map(spanOf));
      const target = options.training?.target;
      const learning = [...(target?.learning ?? [])];
      const gradients = learning.map(({ offset, size }) => {
        const at = (target!.pointer >>> 2) + offset;
        return { first: at, end: at + size };
      });
      return emptied(plan, guards, buffers, gradients);
    },
  };
}
