import type { Operator } from "../operator.ts";
import { ACTIVATIONS } from "./activations.ts";
import { ARITHMETIC } from "./arithmetic.ts";
import { CONVOLUTIONS } from "./convolution.ts";
import { CONCAT } from "./concat.ts";
import { TRANSPOSED } from "./convolutionTransposed.ts";
import { GATHERED } from "./gather.ts";
import { GENERATED } from "./generate.ts";
import { PLACES } from "./indexing.ts";
import { NORMALIZATIONS } from "./normalization.ts";
import { PADS } from "./pad.ts";
import { POOLS } from "./pooling.ts";
import { REARRANGED } from "./rearrange.ts";
import { RESIZES } from "./resize.ts";
import { SHAPES } from "./shapes.ts";
import { SLICES } from "./slice.ts";

/** What is computed here, by the names of ONNX. */
export const OPERATORS: Readonly<Record<string, Operator>> = {
  ...ACTIVATIONS,
  ...ARITHMETIC,
  ...CONVOLUTIONS,
  ...CONCAT,
  ...GATHERED,
  ...GENERATED,
  ...NORMALIZATIONS,
  ...PADS,
  ...PLACES,
  ...POOLS,
  ...REARRANGED,
  ...RESIZES,
  ...SHAPES,
  ...SLICES,
  ...TRANSPOSED,
};
