/** Penalties on weights: what layers take as `kernelRegularizer` and `biasRegularizer`. */
import { checkRegularizer, type Regularizer } from "../layers/regularizers.ts";

/** The penalty `l1·Σ|w|` (0.01), which draws weights to zero. @throws OptionError */
export const l1 = (factor = 0.01): Regularizer => checkRegularizer("regularizers.l1", { l1: factor });

/** The penalty `l2·Σw²` (0.01), which keeps weights small. @throws OptionError */
export const l2 = (factor = 0.01): Regularizer => checkRegularizer("regularizers.l2", { l2: factor });

/** The penalty `l1·Σ|w| + l2·Σw²` (0 each). @throws OptionError */
export const l1L2 = (factors: Regularizer): Regularizer => checkRegularizer("regularizers.l1L2", factors);
