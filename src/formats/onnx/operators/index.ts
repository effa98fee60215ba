import type { Operator } from "../operator.ts";
import { ACTIVATIONS } from "./activations.ts";
import { ARITHMETIC } from "./arithmetic.ts";
import { CASTS } from "./cast.ts";
import { CONVOLUTIONS } from "./convolution.ts";
import { CONCAT } from "./concat.ts";
import { GATHERED } from "./gather.ts";
import { GENERATED } from "./generate.ts";
import { LOGIC } from "./logic.ts";
import { MATRICES } from "./matrix.ts";
import { NORMALIZATIONS } from "./normalization.ts";
import { PADS } from "./pad.ts";
import { PLACES } from "./indexing.ts";
import { POOLS } from "./pooling.ts";
import { REARRANGED } from "./rearrange.ts";
import { REDUCTIONS } from "./reduce.ts";
import { RESIZES } from "./resize.ts";
import { SHAPES } from "./shapes.ts";
import { SLICES } from "./slice.ts";
import { SOFTMAX } from "./softmax.ts";
import { TRANSPOSED } from "./convolutionTransposed.ts";

/** What is computed here, by the names of ONNX. */
export const OPERATORS: Readonly<Record<string, Operator>> = {
  ...ACTIVATIONS,
  ...ARITHMETIC,
  ...CASTS,
  ...CONVOLUTIONS,
  ...CONCAT,
  ...GATHERED,
  ...GENERATED,
  ...LOGIC,
  ...MATRICES,
  ...NORMALIZATIONS,
  ...PADS,
  ...PLACES,
  ...POOLS,
  ...REARRANGED,
  ...REDUCTIONS,
  ...RESIZES,
  ...SHAPES,
  ...SLICES,
  ...SOFTMAX,
  ...TRANSPOSED,
};
