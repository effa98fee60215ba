import { OptionError } from "../errors.ts";
import { checkOptions, isPlainObject, numberIn, show } from "../options.ts";

/** A penalty on a weight, `l1·Σ|w| + l2·Σw²`, which training adds to the loss. */
export interface Regularizer {
  /** Default: 0. */
  readonly l1?: number | undefined;
  /** Default: 0. */
  readonly l2?: number | undefined;
}

/** A regularizer with both of its factors. */
export type Penalty = Readonly<Record<"l1" | "l2", number>>;

/** Returns a copy of a regularizer. @throws OptionError naming `where` unless the value is one */
export function checkRegularizer(where: string, value: unknown): Penalty {
  if (!isPlainObject(value)) {
    throw new OptionError(`${where}: expected one of regularizers.*, got ${show(value)}`);
  }
  checkOptions(where, value, ["l1", "l2"]);
  const { l1, l2 } = value as Regularizer;
  return { l1: numberIn(`${where}: l1`, l1 ?? 0, 0), l2: numberIn(`${where}: l2`, l2 ?? 0, 0) };
}
