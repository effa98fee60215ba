import type { Operators } from "../operator.ts";
import { ACTIVATIONS } from "./activations/common.ts";
import { ARITHMETIC } from "./arithmetic/common.ts";
import { CASTS } from "./cast.ts";
import { CONVOLUTIONS } from "./convolution/common.ts";
import { CONCAT } from "./concat.ts";
import { GATHERED } from "./gather/common.ts";
import { GENERATED } from "./generate/common.ts";
import { MATRICES } from "./matrix/common.ts";
import { NORMALIZATIONS } from "./normalization/common.ts";
import { PADS } from "./pad.ts";
import { POOLS } from "./pooling/common.ts";
import { REARRANGED } from "./rearrange.ts";
import { REDUCTIONS } from "./reduce/common.ts";
import { RESIZES } from "./resize/common.ts";
import { SHAPES } from "./shapes.ts";
import { SLICES } from "./slice.ts";
import { SOFTMAX } from "./softmax.ts";
import { TRANSPOSED } from "./convolution/transposed.ts";

/**
 * The operators in the entry of the package: those of nets for images, in the forms that layers compute. They throw `Rare`
 * for other forms. `all.ts` has these forms and the rest of ONNX.
 */
export const COMMON: Operators = {
  table: {
    ...ACTIVATIONS,
    ...ARITHMETIC,
    ...CASTS,
    ...CONVOLUTIONS,
    ...CONCAT,
    ...GATHERED,
    ...GENERATED,
    ...MATRICES,
    ...NORMALIZATIONS,
    ...PADS,
    ...POOLS,
    ...REARRANGED,
    ...REDUCTIONS,
    ...RESIZES,
    ...SHAPES,
    ...SLICES,
    ...SOFTMAX,
    ...TRANSPOSED,
  },
};
