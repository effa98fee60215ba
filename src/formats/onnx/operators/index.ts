import type { Operator } from "../operator.ts";
import { ACTIVATIONS } from "./activations.ts";
import { ARITHMETIC } from "./arithmetic.ts";
import { CONVOLUTIONS } from "./convolution.ts";
import { CONCAT } from "./concat.ts";
import { TRANSPOSED } from "./convolutionTransposed.ts";
import { PADS } from "./pad.ts";
import { POOLS } from "./pooling.ts";
import { REARRANGED } from "./rearrange.ts";
import { SHAPES } from "./shapes.ts";
import { SLICES } from "./slice.ts";

/** What is computed here, by the names of ONNX. */
export const OPERATORS: Readonly<Record<string, Operator>> = {
  ...ACTIVATIONS,
  ...ARITHMETIC,
  ...CONVOLUTIONS,
  ...CONCAT,
  ...PADS,
  ...POOLS,
  ...REARRANGED,
  ...SHAPES,
  ...SLICES,
  ...TRANSPOSED,
};
