/**
 * The operators by families, which `im2row/onnx/core` takes one by one. They are functions, so that a bundle goes without
 * those that nobody names.
 */
import { OtherForm } from "./node.ts";
import type { Operator, OperatorTable } from "./operator.ts";
import { commonActivations } from "./operators/activations/common.ts";
import { rareActivations } from "./operators/activations/rare.ts";
import { commonArithmetic } from "./operators/arithmetic/common.ts";
import { rareArithmetic } from "./operators/arithmetic/rare.ts";
import { casts } from "./operators/cast.ts";
import { concatenation } from "./operators/concat.ts";
import { commonConvolutions } from "./operators/convolution/common.ts";
import { rareConvolutions } from "./operators/convolution/rare.ts";
import { transposedConvolutions } from "./operators/convolution/transposed.ts";
import { commonGathers } from "./operators/gather/common.ts";
import { rareGathers } from "./operators/gather/rare.ts";
import { commonGenerators } from "./operators/generate/common.ts";
import { rareGenerators } from "./operators/generate/rare.ts";
import { indexing } from "./operators/indexing.ts";
import { logic } from "./operators/logic.ts";
import { commonProducts } from "./operators/matrix/common.ts";
import { rareProducts } from "./operators/matrix/rare.ts";
import { commonNormalizations } from "./operators/normalization/common.ts";
import { rareNormalizations } from "./operators/normalization/rare.ts";
import { padding } from "./operators/pad.ts";
import { commonPools } from "./operators/pooling/common.ts";
import { rarePools } from "./operators/pooling/rare.ts";
import { rearranging } from "./operators/rearrange.ts";
import { commonReductions } from "./operators/reduce/common.ts";
import { rareReductions } from "./operators/reduce/rare.ts";
import { repeating } from "./operators/repeat.ts";
import { commonResizes } from "./operators/resize/common.ts";
import { rareResizes } from "./operators/resize/rare.ts";
import { shapes } from "./operators/shapes.ts";
import { slicing } from "./operators/slice.ts";
import { softmaxes } from "./operators/softmax.ts";

/** Operators of one topic. */
export type OperatorFamily = () => OperatorTable;

/** An operator of two forms: the second lowers the nodes that the first leaves to it. */
function either(first: Operator, second: Operator): Operator {
  return {
    ...first,
    lower(node) {
      try {
        return first.lower(node);
      } catch (error) {
        if (error instanceof OtherForm) return second.lower(node);
        throw error;
      }
    },
  };
}

/** Operators in the forms that layers compute, and those or others in the forms that nets seldom take. */
function withRareForms(common: OperatorTable, rare: OperatorTable): OperatorTable {
  const both = Object.entries(common).map(([name, operator]): [string, Operator] => {
    const other = rare[name];
    return [name, other ? either(operator, other) : operator];
  });
  return { ...rare, ...Object.fromEntries(both) };
}

/** Activations and other functions of one element, softmax. */
export function activations(): OperatorTable {
  return { ...withRareForms(commonActivations(), rareActivations()), ...softmaxes() };
}

/** Sums, products, powers, comparisons and logic of two operands or more, casts. */
export function arithmetic(): OperatorTable {
  return { ...withRareForms(commonArithmetic(), rareArithmetic()), ...logic(), ...casts() };
}

/** Convolutions, transposed ones, and the adjoints of im2col and max pooling. */
export function convolutions(): OperatorTable {
  return withRareForms({ ...commonConvolutions(), ...transposedConvolutions() }, rareConvolutions());
}

/** Max, average and Lp pooling, global ones too. */
export function pooling(): OperatorTable {
  return withRareForms(commonPools(), rarePools());
}

/** Batch, group, instance, layer and local response normalization. */
export function normalizations(): OperatorTable {
  return withRareForms(commonNormalizations(), rareNormalizations());
}

/** Products of matrices. */
export function products(): OperatorTable {
  return withRareForms(commonProducts(), rareProducts());
}

/** Sums, means and extremes along axes. */
export function reductions(): OperatorTable {
  return withRareForms(commonReductions(), rareReductions());
}

/** What makes, reads or changes shapes, and moves elements by them: Reshape, Transpose, Concat, Slice, Pad, Tile and so on. */
export function reshaping(): OperatorTable {
  return {
    ...shapes(),
    ...rearranging(),
    ...concatenation(),
    ...slicing(),
    ...padding(),
    ...repeating(),
    ...withRareForms(commonGenerators(), rareGenerators()),
  };
}

/** Elements by indices, and the indices of elements. */
export function gathering(): OperatorTable {
  return { ...withRareForms(commonGathers(), rareGathers()), ...indexing() };
}

/** Resize and Upsample. */
export function resizing(): OperatorTable {
  return withRareForms(commonResizes(), rareResizes());
}

/** Every operator that the package has. */
export function allOperators(): OperatorTable {
  return {
    ...activations(),
    ...arithmetic(),
    ...convolutions(),
    ...pooling(),
    ...normalizations(),
    ...products(),
    ...reductions(),
    ...reshaping(),
    ...gathering(),
    ...resizing(),
  };
}
