import type { Operators } from "../operator.ts";
import { ACTIVATIONS } from "./activations.ts";
import { ARITHMETIC } from "./arithmetic.ts";
import { CASTS } from "./cast.ts";
import { CONVOLUTIONS } from "./convolution.ts";
import { CONCAT } from "./concat.ts";
import { GATHERED } from "./gather.ts";
import { GENERATED } from "./generate.ts";
import { MATRICES } from "./matrix.ts";
import { NORMALIZATIONS } from "./normalization.ts";
import { PADS } from "./pad.ts";
import { POOLS } from "./pooling.ts";
import { REARRANGED } from "./rearrange.ts";
import { REDUCTIONS } from "./reduce.ts";
import { RESIZES } from "./resize.ts";
import { SHAPES } from "./shapes.ts";
import { SLICES } from "./slice.ts";
import { SOFTMAX } from "./softmax.ts";
import { TRANSPOSED } from "./convolutionTransposed.ts";

/**
 * What the entry of the package holds: what nets for images are made of, in the forms that layers compute. Of other forms
 * these operators throw `Rare`; `rare.ts` has them, and the rest of ONNX.
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
