/** Assertions without a test runner: each throws an Error with the place, the expected and the given. */
import { expectSameBits, expectWithin } from "../support/float.ts";

/** Values up to this length are shown whole. */
const LONGEST = 200;

function show(value: unknown): string {
  if (Object.is(value, -0)) return "-0";
  if (typeof value === "number" || typeof value === "bigint") return String(value);
  if (value instanceof Error) return String(value);
  if (ArrayBuffer.isView(value)) return `${value.constructor.name} of ${value.byteLength} bytes`;
  const text = JSON.stringify(value) ?? String(value);
  return text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text;
}

/** Throws unless `condition` holds; `expected` and `given` say why it should. */
export function holds(where: string, condition: boolean, expected: string, given: unknown): void {
  if (!condition) throw new Error(`${where}: expected ${expected}, got ${show(given)}`);
}

/** Puts the place in front of what `compare` throws. */
function at(where: string, compare: () => void): void {
  try {
    compare();
  } catch (error) {
    throw new Error(`${where}: ${(error as Error).message}`, { cause: error });
  }
}

/** Throws with the first element whose bits differ. */
export function sameBits(where: string, actual: Float32Array, expected: Float32Array): void {
  at(where, () => expectSameBits(actual, expected));
}

/** Throws with the first element further than `bound(i)` from `expected[i]`. */
export function close(
  where: string,
  actual: ArrayLike<number>,
  expected: ArrayLike<number>,
  bound: (i: number) => number,
): void {
  at(where, () => expectWithin(actual, expected, bound));
}

/** Throws with the first place where plain data (numbers, texts, arrays, typed arrays, objects, maps) differ. */
export function same(where: string, actual: unknown, expected: unknown): void {
  if (Object.is(actual, expected)) return;
  const [found, wanted] = [partsOf(actual), partsOf(expected)];
  if (!found || !wanted || typeName(actual) !== typeName(expected)) {
    throw new Error(`${where}: expected ${show(expected)}, got ${show(actual)}`);
  }
  // Typed arrays are long: an element that is the same is not worth a call.
  for (const [key, value] of wanted) {
    if (!found.has(key) || !Object.is(found.get(key), value)) same(`${where}.${key}`, found.get(key), value);
  }
  const more = [...found.keys()].find((key) => !wanted.has(key));
  if (more !== undefined) throw new Error(`${where}.${more}: expected nothing, got ${show(found.get(more))}`);
}

const typeName = (value: unknown): string => Object.prototype.toString.call(value);

/** The parts that make up an object, by name; undefined for what has none. */
function partsOf(value: unknown): ReadonlyMap<unknown, unknown> | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  if (value instanceof Map) return value;
  if (ArrayBuffer.isView(value) || Array.isArray(value)) return new Map((value as unknown[]).entries());
  return new Map(Object.entries(value));
}

/** Any class of errors. */
type ErrorClass = abstract new (...args: never) => Error;

/** A message: the whole of it, or a pattern. */
export type Message = string | RegExp;

function checkError(where: string, thrown: unknown, type: ErrorClass, message: Message): void {
  const told = thrown instanceof Error ? thrown.message : "";
  const fits = typeof message === "string" ? told === message : message.test(told);
  if (thrown instanceof type && fits) return;
  const expected = `${type.name}: ${String(message)}`;
  throw new Error(`${where}: expected ${expected}, got ${show(thrown)}`, { cause: thrown });
}

/** Throws unless `call` throws an error of this class with this message. */
export function throws(where: string, call: () => unknown, type: ErrorClass, message: Message): void {
  let thrown: unknown;
  try {
    call();
  } catch (error) {
    thrown = error;
  }
  checkError(where, thrown, type, message);
}

/** Does for a promise what `throws` does for a function. */
export async function rejects(
  where: string,
  promise: Promise<unknown>,
  type: ErrorClass,
  message: Message,
): Promise<void> {
  let thrown: unknown;
  try {
    await promise;
  } catch (error) {
    thrown = error;
  }
  checkError(where, thrown, type, message);
}
