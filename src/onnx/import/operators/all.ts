/**
 * All operators, in a module that `loadOnnx` imports only when a file needs it: it is a quarter of the code, which few nets
 * for images use. It adds to the entry's operators the unknown ones, the forms that the entry refuses with `Rare`, and the
 * layer that computes on the host when a net runs.
 */
import { hostLayer } from "../layers/host.ts";
import { Rare } from "../node.ts";
import type { Operator, Operators, OperatorTable } from "../operator.ts";
import { COMMON } from "./common.ts";
import { ACTIVATIONS } from "./activations/rare.ts";
import { ARITHMETIC } from "./arithmetic/rare.ts";
import { CONVOLUTIONS } from "./convolution/rare.ts";
import { fold } from "./fold.ts";
import { GATHERED } from "./gather/rare.ts";
import { GENERATED } from "./generate/rare.ts";
import { INDEXING } from "./indexing.ts";
import { LOGIC } from "./logic.ts";
import { MATRICES } from "./matrix/rare.ts";
import { NORMALIZATIONS } from "./normalization/rare.ts";
import { POOLS } from "./pooling/rare.ts";
import { REDUCTIONS } from "./reduce/rare.ts";
import { REPEATED } from "./repeat.ts";
import { RESIZES } from "./resize/rare.ts";

const RARE: OperatorTable = {
  ...ACTIVATIONS,
  ...ARITHMETIC,
  ...CONVOLUTIONS,
  ...GATHERED,
  ...GENERATED,
  ...LOGIC,
  ...MATRICES,
  ...NORMALIZATIONS,
  ...INDEXING,
  ...POOLS,
  ...REDUCTIONS,
  ...REPEATED,
  ...RESIZES,
};

/** An operator that is lowered by the entry's code or, when that throws `Rare`, by the rare code. */
function either(common: Operator, rare: Operator): Operator {
  return {
    ...common,
    lower(node) {
      try {
        return common.lower(node);
      } catch (error) {
        if (error instanceof Rare) return rare.lower(node);
        throw error;
      }
    },
  };
}

const both = Object.entries(COMMON.table).map(([name, common]): [string, Operator] => {
  const rare = RARE[name];
  return [name, rare ? either(common, rare) : common];
});

export const ALL: Operators = { table: { ...RARE, ...Object.fromEntries(both) }, hostLayer, fold };
