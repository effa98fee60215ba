import type { Operator } from "../operator.ts";
import { ACTIVATIONS } from "./activations.ts";
import { ARITHMETIC } from "./arithmetic.ts";
import { CASTS } from "./cast.ts";
import { CONVOLUTIONS } from "./convolution.ts";
import { LOGIC } from "./logic.ts";
import { MATRICES } from "./matrix.ts";
import { REDUCTIONS } from "./reduce.ts";
import { SHAPES } from "./shapes.ts";
import { SOFTMAX } from "./softmax.ts";

/** What is computed here, by the names of ONNX. */
export const OPERATORS: Readonly<Record<string, Operator>> = {
  ...ACTIVATIONS,
  ...ARITHMETIC,
  ...CASTS,
  ...CONVOLUTIONS,
  ...LOGIC,
  ...MATRICES,
  ...REDUCTIONS,
  ...SHAPES,
  ...SOFTMAX,
};
