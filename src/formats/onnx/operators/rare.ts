/**
 * All operators, in a module that `loadOnnx` loads when a file needs it: a quarter of the code, which few nets for images
 * use. It has the operators that the entry does not know, the forms of its own that it refuses with `Rare`, and what
 * computes on the host when a net runs.
 */
import { hostLayer } from "../layers/host.ts";
import { Rare } from "../node.ts";
import type { Operator, Operators, OperatorTable } from "../operator.ts";
import { COMMON } from "./index.ts";
import { ACTIVATIONS } from "./rare/activations.ts";
import { ARITHMETIC } from "./rare/arithmetic.ts";
import { CONVOLUTIONS } from "./rare/convolution.ts";
import { fold } from "./rare/fold.ts";
import { GATHERED } from "./rare/gather.ts";
import { GENERATED } from "./rare/generate.ts";
import { PLACES } from "./rare/indexing.ts";
import { LOGIC } from "./rare/logic.ts";
import { MATRICES } from "./rare/matrix.ts";
import { NORMALIZATIONS } from "./rare/normalization.ts";
import { POOLS } from "./rare/pooling.ts";
import { REDUCTIONS } from "./rare/reduce.ts";
import { REPEATED } from "./rare/repeat.ts";
import { RESIZES } from "./rare/resize.ts";

const RARE: OperatorTable = {
  ...ACTIVATIONS,
  ...ARITHMETIC,
  ...CONVOLUTIONS,
  ...GATHERED,
  ...GENERATED,
  ...LOGIC,
  ...MATRICES,
  ...NORMALIZATIONS,
  ...PLACES,
  ...POOLS,
  ...REDUCTIONS,
  ...REPEATED,
  ...RESIZES,
};

/** The entry's operator where that does it, else the rare one. */
function either(common: Operator, rare: Operator): Operator {
  return {
    inputs: common.inputs,
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
