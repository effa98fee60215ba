import { OptionError } from "./errors.ts";

/** A message shows at most so many characters of a value, and entries of a list. */
const MOST_SHOWN = 80;
const MOST_LISTED = 16;

/** Options with a value for each: those that were left out have their defaults. */
export type Settled<T> = { readonly [K in keyof T]-?: Exclude<T[K], undefined> };

/** Shows a value in an error message, on one line and not too long. */
export function show(value: unknown): string {
  if (typeof value === "number" || typeof value === "bigint") return String(value);
  const type = typedName(value);
  if (type !== undefined) return `${type} of ${lengthOf(value as ArrayLike<unknown>)}`;
  const text = asText(value);
  return text.length > MOST_SHOWN ? `${text.slice(0, MOST_SHOWN - 3)}...` : text;
}

/** A list in a message: its first entries, and how many there are besides. */
export function listed(entries: readonly unknown[], separator = ", "): string {
  const shown = entries.slice(0, MOST_LISTED);
  const rest = entries.length - shown.length;
  return shown.join(separator) + (rest > 0 ? ` and ${rest.toLocaleString("en")} more` : "");
}

function asText(value: unknown): string {
  try {
    return JSON.stringify(value, beginning) ?? String(value);
  } catch {
    // A value that refers to itself, holds a bigint or is too deep has no JSON.
    return Object.prototype.toString.call(value);
  }
}

/** Cuts long text and lists to a length that can be shown. */
function beginning(_: string, value: unknown): unknown {
  const isLong = typeof value === "string" || Array.isArray(value);
  return isLong && value.length > MOST_SHOWN ? value.slice(0, MOST_SHOWN) : value;
}

type TypedArray = Float32Array | Int32Array | Uint8Array;

const getterOf = (key: string | symbol): ((this: unknown) => unknown) =>
  Object.getOwnPropertyDescriptor(Object.getPrototypeOf(Uint8Array.prototype), key)!.get!;
const typedTag = getterOf(Symbol.toStringTag);
const typedLength = getterOf("length");
const typedStart = getterOf("byteOffset");
const typedBuffer = getterOf("buffer");

/**
 * The name of a typed array's class, undefined for anything else. It is read from the array itself, of whatever realm:
 * contexts and frames have classes of their own, and properties and prototypes may say anything.
 */
export function typedName(value: unknown): string | undefined {
  return typedTag.call(value) as string | undefined;
}

/** Elements of an array; of a typed one those that it has, whatever its `length` was overridden with. */
export function lengthOf(array: ArrayLike<unknown>): number {
  return typedName(array) === undefined ? array.length : (typedLength.call(array) as number);
}

/** Whether a value is such a typed array. */
export function isTyped<T extends TypedArray>(
  value: unknown,
  type: { readonly name: string; new (): T },
): value is T {
  return typedName(value) === type.name;
}

/**
 * A typed array of the same elements without properties or methods of the caller's; it stays as long, or is detached.
 */
export function plainView<T extends ArrayLike<unknown>>(
  data: T,
  type: new (buffer: ArrayBuffer, start: number, length: number) => T,
): T {
  const length = lengthOf(data);
  // No view can be made of what is detached.
  if (length === 0) return new type(new ArrayBuffer(0), 0, 0);
  return new type(typedBuffer.call(data) as ArrayBuffer, typedStart.call(data) as number, length);
}

/** Refuses options that do not exist: a misspelt one would otherwise be silently ignored. */
export function checkOptions(where: string, options: object, known: readonly string[]): void {
  if (!isPlainObject(options)) {
    // Other packages take the first option by its position.
    const value = typeof options === "number" ? options : "…";
    const form = known.length > 0 ? ` { ${known[0]}: ${value} }` : "";
    throw new OptionError(`${where}: expected an object of options${form}, got ${show(options)}`);
  }
  for (const key of Object.keys(options)) {
    if (!known.includes(key)) {
      const expected = known.length > 0 ? `the options ${known.join(", ")}` : "no options";
      // Keras has it in the first layer.
      const hint = key === "inputShape" ? ", an option of sequential" : "";
      throw new OptionError(`${where}: expected ${expected}; got ${JSON.stringify(key)}${hint}`);
    }
  }
}

/** Returns the checked value of an option, or a copy that the caller cannot change. @throws OptionError naming `where` */
type Reader = (where: string, value: never) => unknown;

/**
 * By option, the function that reads it: alone for one that must be there, in a list of its own for one that may be left
 * out, and there with a default.
 */
export type Readers<Options> = {
  readonly [Key in Exclude<keyof Options, "name">]-?: Reader | readonly [Reader, Options[Key]?];
};

/** The result of a reader; one in a list without a default may have none. */
type Result<Each> = Each extends Reader
  ? ReturnType<Each>
  : Each extends readonly [infer Own extends Reader, unknown?]
    ? ReturnType<Own>
    : never;
type Optional = readonly [Reader];

export type Read<All> = {
  readonly [Key in keyof All as All[Key] extends Optional ? never : Key]: Result<All[Key]>;
} & {
  readonly [Key in keyof All as All[Key] extends Optional ? Key : never]?: Result<All[Key]>;
};

/**
 * Reads options in the order of `readers`; what is left out and has no default is left out of the result. The options
 * `besides`, of a layer its name, are left to others.
 * @throws OptionError naming the option, or for one that does not exist
 */
export function readOptions<Options extends object, const All extends Readers<Options>>(
  where: string,
  options: Options,
  readers: All,
  besides: readonly string[] = ["name"],
): Read<All> {
  checkOptions(where, options, [...Object.keys(readers), ...besides]);
  const own: Record<string, unknown> = {};
  for (const [key, reader] of Object.entries<Reader | readonly [Reader, unknown?]>(readers)) {
    const [read, fallback] = typeof reader === "function" ? [reader, undefined] : reader;
    const { [key as keyof Options]: value = fallback } = options;
    if (read === reader || value !== undefined) own[key] = read(`${where}: ${key}`, value as never);
  }
  return own as Read<All>;
}

/** @throws OptionError unless `value` is a positive integer. */
export function positiveInteger(where: string, value: unknown): number {
  if (isCount(value) && value > 0) return value;
  throw new OptionError(`${where}: expected a positive integer, got ${show(value)}`);
}

/** @throws OptionError unless `value` is a finite number of at least `low` and below `below`. */
export function numberIn(where: string, value: unknown, low: number, below = Infinity): number {
  if (typeof value === "number" && value >= low && value < below) return value;
  const range = below === Infinity ? `a finite number ≥ ${low}` : `a number ≥ ${low} and < ${below}`;
  throw new OptionError(`${where}: expected ${range}, got ${show(value)}`);
}

/** @throws OptionError unless `value` is a finite number of at least 0. */
export const notNegative = (where: string, value: unknown): number => numberIn(where, value, 0);

/** @throws OptionError unless `value` is a finite number. */
export function finiteNumber(where: string, value: unknown): number {
  if (typeof value === "number" && Number.isFinite(value)) return value;
  throw new OptionError(`${where}: expected a finite number, got ${show(value)}`);
}

/** @throws OptionError unless `value` is true or false. */
export function flag(where: string, value: unknown): boolean {
  if (typeof value === "boolean") return value;
  throw new OptionError(`${where}: expected true or false, got ${show(value)}`);
}

/** @throws OptionError unless `value` is one of `choices`. */
export function oneOf<T extends string>(where: string, value: unknown, choices: readonly T[]): T {
  if (choices.includes(value as T)) return value as T;
  const expected = choices.map((choice) => JSON.stringify(choice)).join(", ");
  throw new OptionError(`${where}: expected one of ${expected}; got ${show(value)}`);
}

/** Reads an option that is one of `choices`. */
export function choiceOf<T extends string>(choices: readonly T[]): (where: string, value: unknown) => T {
  return (where, value) => oneOf(where, value, choices);
}

/** A size, as a number or as `[height, width]`. */
export type Size = number | readonly [height: number, width: number];

/** The two elements of an array of two, in one of its own: what is checked is not read again. */
export function pairOf(value: unknown): [unknown, unknown] | undefined {
  return Array.isArray(value) && value.length === 2 ? [value[0], value[1]] : undefined;
}

/** The elements of an array in one of its own, `into`, unless there is one that does not fit. */
export function listOf<T>(
  value: unknown,
  fits: (each: unknown) => each is T,
  into: T[] = [],
): T[] | undefined {
  if (!Array.isArray(value)) return undefined;
  const { length } = value;
  let i = 0;
  for (; i < length; i++) {
    const each: unknown = value[i];
    if (!fits(each)) return undefined;
    into[i] = each;
  }
  // The list is not cut to nothing before, which would allocate it anew.
  into.length = i;
  return into;
}

export const isInteger = Number.isInteger as (value: unknown) => value is number;

/** True for an integer ≥ 0. */
export const isCount = (value: unknown): value is number => isInteger(value) && value >= 0;

/** Sizes are 32-bit numbers in kernels, and sums of two must not wrap around. */
const LARGEST_SIZE = 2 ** 30;

const isSize = (value: unknown): value is number => isCount(value) && value > 0 && value <= LARGEST_SIZE;

/** Reads a size along one axis. @throws OptionError unless it is a positive integer up to 2³⁰ */
export function sizeAlong(where: string, value: unknown): number {
  if (isSize(value)) return value;
  throw new OptionError(`${where}: expected a positive integer, got ${show(value)}`);
}

/** `[height, width]` of a size, as an array of its own. @throws OptionError unless positive integers up to 2³⁰. */
export function sizePair(where: string, value: unknown): [number, number] {
  const pair = Array.isArray(value) ? pairOf(value) : [value, value];
  if (pair?.every(isSize)) return pair as [number, number];
  throw new OptionError(
    `${where}: expected a positive integer or [height, width] of such, got ${show(value)}`,
  );
}

/** @throws OptionError unless `name` can be one: it stands in files, maps and messages. */
export function checkName(where: string, name: unknown): void {
  if (typeof name !== "string" || !/^[\w-]+$/.test(name)) {
    throw new OptionError(`${where}: name: expected letters, digits, "_" and "-", got ${show(name)}`);
  }
}

/** A number as JSON can say it: the text of those that are none in JSON, or others there, as -0 is 0. */
export type JsonNumber = number | "NaN" | "Infinity" | "-Infinity" | "-0";

/** Reads a number, or what JSON can say instead of it. @throws OptionError */
export function jsonNumber(where: string, value: unknown): JsonNumber {
  if (typeof value !== "number" && !["NaN", "Infinity", "-Infinity", "-0"].includes(value as string))
    throw new OptionError(`${where}: expected a number, got ${show(value)}`);
  const number = Number(value);
  if (Object.is(number, -0)) return "-0";
  return Number.isFinite(number) ? number : (`${number}` as JsonNumber);
}

/** Whether a value is an object as literals and JSON make it. */
export function isPlainObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !ArrayBuffer.isView(value);
}

/** A deep copy of what JSON can say. @throws OptionError naming the place of what it cannot */
export function copyJson<T>(where: string, value: T): T {
  if (value === null || ["string", "boolean"].includes(typeof value)) return value;
  if (typeof value === "number" && Number.isFinite(value)) return value;
  if (Array.isArray(value)) return value.map((each, i) => copyJson(`${where}[${i}]`, each as unknown)) as T;
  if (isPlainObject(value)) {
    const entries = Object.entries(value).map(([key, each]) => [key, copyJson(`${where}: ${key}`, each)]);
    return Object.fromEntries(entries) as T;
  }
  throw new OptionError(`${where}: expected what JSON can say, got ${show(value)}`);
}
