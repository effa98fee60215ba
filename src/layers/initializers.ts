import { OptionError } from "../errors.ts";
import { oneOf, show } from "../options.ts";
import type { Random } from "../random.ts";
import { sizeOf, type Shape } from "../tensor.ts";

const NAMES = [
  "zeros",
  "ones",
  "glorotUniform",
  "glorotNormal",
  "heUniform",
  "heNormal",
  "lecunUniform",
  "lecunNormal",
] as const;

/**
 * The distribution of a weight's starting values: uniform in ±√(3·s) or normal with variance s, where s is
 * 2/(fanIn + fanOut) for glorot, 2/fanIn for he and 1/fanIn for lecun; or a constant.
 */
export type Initializer = (typeof NAMES)[number] | { readonly constant: number };

/** Returns a copy of an initializer. @throws OptionError naming `where` unless the value is one */
export function checkInitializer(where: string, value: unknown): Initializer {
  if (typeof value === "object" && value !== null && "constant" in value) {
    const { constant } = value;
    if (typeof constant === "number" && Number.isFinite(Math.fround(constant))) return { constant };
    throw new OptionError(`${where}: constant: expected a finite float32, got ${show(constant)}`);
  }
  return oneOf(where, value, NAMES);
}

/** The numbers of inputs and outputs that one unit of a filter `[kh, kw, c, f]` or matrix `[in, out]` is connected to. */
function fans(shape: Shape): { fanIn: number; fanOut: number } {
  if (shape.length < 2) return { fanIn: shape[0] ?? 1, fanOut: shape[0] ?? 1 };
  const receptive = sizeOf(shape.slice(0, -2));
  return { fanIn: receptive * shape.at(-2)!, fanOut: receptive * shape.at(-1)! };
}

/** The starting values of a weight: those of a function, or random numbers, each rounded to float32 once. */
export function initialize(
  initializer: Initializer | (() => Float32Array),
  shape: Shape,
  random: Random,
): Float32Array {
  if (typeof initializer === "function") return initializer();
  const data = new Float32Array(sizeOf(shape));
  if (typeof initializer === "object") return data.fill(initializer.constant);
  if (initializer === "zeros") return data;
  if (initializer === "ones") return data.fill(1);
  const { fanIn, fanOut } = fans(shape);
  let variance = 1 / fanIn;
  if (initializer.startsWith("glorot")) variance = 2 / (fanIn + fanOut);
  else if (initializer.startsWith("he")) variance = 2 / fanIn;
  if (initializer.endsWith("Normal")) {
    const deviation = Math.sqrt(variance);
    return data.map(() => random.normal() * deviation);
  }
  const limit = Math.sqrt(3 * variance);
  return data.map(() => (2 * random.uniform() - 1) * limit);
}
