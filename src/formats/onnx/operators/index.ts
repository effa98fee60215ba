import type { Operator } from "../operator.ts";
import { ACTIVATIONS } from "./activations.ts";
import { ARITHMETIC } from "./arithmetic.ts";
import { CONVOLUTIONS } from "./convolution.ts";
import { SHAPES } from "./shapes.ts";

/** What is computed here, by the names of ONNX. */
export const OPERATORS: Readonly<Record<string, Operator>> = {
  ...ACTIVATIONS,
  ...ARITHMETIC,
  ...CONVOLUTIONS,
  ...SHAPES,
};
