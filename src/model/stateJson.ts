/**
 * Values of JavaScript as JSON beside tensors, and back: numbers that JSON cannot say are `{ "$number": "NaN" }`, a tensor is
 * `{ "$tensor": name }`, and a Map of tensors `{ "$tensors": name, "names": [...] }`.
 */
import { FormatError, OptionError } from "../errors.ts";
import { isPlainObject, jsonNumber, show } from "../options.ts";
import { readTensor, type Tensor } from "../tensor.ts";

/** Values that lie deeper in each other are refused. */
const MOST_DEPTH = 64;

/** The markers of what is no JSON; objects cannot have such a key. */
const MARKERS = ["$number", "$tensor", "$tensors"];

/** The tensors of a file by name. */
type Tensors = Map<string, Tensor>;

const isTensor = (value: object): value is Tensor =>
  isPlainObject(value) && Object.keys(value).sort().join() === "data,shape";

const isNames = (value: unknown): value is string[] =>
  Array.isArray(value) && value.every((each) => typeof each === "string");

function addTensor(where: string, tensors: Tensors, name: string, tensor: Tensor): void {
  if (tensors.has(name)) {
    throw new OptionError(`${where}: expected weights with other names than the state's, got ${name}`);
  }
  tensors.set(name, readTensor(where, tensor));
}

/**
 * Makes JSON of a value; its tensors are added to `tensors` under names that begin with `name`. Entries that are undefined are
 * left out.
 * @throws OptionError, ShapeError naming the place of what cannot be written
 */
export function packState(where: string, value: unknown, name: string, tensors: Tensors, depth = 0): unknown {
  if (value === null || typeof value === "string" || typeof value === "boolean") return value;
  if (typeof value === "number") {
    const number = jsonNumber(where, value);
    return typeof number === "number" ? number : { $number: number };
  }
  const inner = (key: string | number, each: unknown): unknown =>
    packState(`${where}: ${key}`, each, `${name}/${key}`, tensors, depth + 1);
  if (typeof value !== "object" || depth > MOST_DEPTH || ArrayBuffer.isView(value)) {
    throw new OptionError(`${where}: expected what JSON can say, or tensors, got ${show(value)}`);
  }
  if (Array.isArray(value)) return value.map((each: unknown, i) => inner(i, each));
  if (isTensor(value)) {
    addTensor(where, tensors, name, value);
    return { $tensor: name };
  }
  if (value instanceof Map) {
    const names = Array.from(value as Map<unknown, unknown>, ([key, tensor]) => {
      if (typeof key !== "string")
        throw new OptionError(`${where}: expected tensors by name, got ${show(key)}`);
      addTensor(`${where}: ${key}`, tensors, `${name}/${key}`, tensor as Tensor);
      return key;
    });
    return { $tensors: name, names };
  }
  const entries = Object.entries(value).filter(([, each]) => each !== undefined);
  const marker = entries.find(([key]) => MARKERS.includes(key));
  if (marker)
    throw new OptionError(`${where}: expected other keys than ${MARKERS.join(", ")}, got ${marker[0]}`);
  return Object.fromEntries(entries.map(([key, each]) => [key, inner(key, each)]));
}

/**
 * Makes the value of what `packState` returned; its tensors are taken out of `tensors`.
 * @throws FormatError naming the place of what `packState` could not have returned
 */
export function unpackState(where: string, value: unknown, tensors: Tensors, depth = 0): unknown {
  const fail = (expected: string, got: unknown): never => {
    throw new FormatError(`${where}: expected ${expected}, got ${show(got)}`);
  };
  const take = (name: unknown): Tensor => {
    const tensor = tensors.get(name as string);
    tensors.delete(name as string);
    return tensor ?? fail(`the tensor ${show(name)}`, "none");
  };
  if (value === null || typeof value !== "object") return value;
  if (depth > MOST_DEPTH) fail(`at most ${MOST_DEPTH} values in each other`, value);
  const inner = (key: string | number, each: unknown): unknown =>
    unpackState(`${where}: ${key}`, each, tensors, depth + 1);
  if (Array.isArray(value)) return value.map((each: unknown, i) => inner(i, each));
  const { $number: number, $tensor: tensor, $tensors: prefix, names } = value as Record<string, unknown>;
  if (number !== undefined) {
    if (!["NaN", "Infinity", "-Infinity", "-0"].includes(number as string)) fail("a number", number);
    return Number(number);
  }
  if (tensor !== undefined) return take(tensor);
  if (prefix === undefined) {
    return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, inner(key, each)]));
  }
  if (typeof prefix !== "string") return fail("the beginning of names", prefix);
  if (!isNames(names)) return fail("names of tensors", names);
  return new Map(names.map((name) => [name, take(`${prefix}/${name}`)]));
}
