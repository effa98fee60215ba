import { ShapeError } from "../errors.ts";
import { listed, show } from "../options.ts";

/** Tensors or other values for a model's inputs or outputs, by their names. */
export type Named<T> = Readonly<Record<string, T>>;

/** True when `value` is a record by these names, false when it is a single value. */
export function isNamed<T>(value: T | Named<T>, names: readonly string[]): value is Named<T> {
  if (typeof value !== "object" || value === null || Array.isArray(value) || ArrayBuffer.isView(value)) {
    return false;
  }
  if (Array.isArray((value as { shape?: unknown }).shape)) return false;
  return names.length > 1 || Object.hasOwn(value, names[0]!);
}

/**
 * Lists the values of a record in the order of the names; a single value stands for the only name. The list is `into`, so
 * that a training step need not make one.
 * @throws ShapeError naming what is missing or unknown.
 */
export function inOrder<T>(
  where: string,
  values: T | Named<T>,
  names: readonly string[],
  into: T[] = [],
): readonly T[] {
  into.length = names.length;
  if (!isNamed(values, names)) {
    if (names.length !== 1) {
      throw new ShapeError(`${where}: expected a record of ${listed(names)}, got ${show(values)}`);
    }
    into[0] = values;
    return into;
  }
  for (let i = 0; i < names.length; i++) {
    const name = names[i]!;
    if (!Object.hasOwn(values, name)) {
      throw new ShapeError(`${where}: expected ${listed(names)}, got none called ${name}`);
    }
    into[i] = values[name]!;
  }
  let i = 0;
  for (const name in values) {
    // The search is rarely needed, because records usually have the order of the names; there may be thousands.
    if (name !== names[i++] && !names.includes(name)) {
      throw new ShapeError(`${where}: expected ${listed(names)}, got ${name} besides`);
    }
  }
  return into;
}

/** Makes a record from names and values in the same order. */
export function byName<T, Names extends string>(
  names: readonly Names[],
  values: readonly T[],
): Record<Names, T> {
  return Object.fromEntries(names.map((name, i) => [name, values[i]!])) as Record<Names, T>;
}

/** The name of one of several values in error messages: `where` alone when there is only one. */
export function placeOf(where: string, names: readonly string[], i: number): string {
  return names.length === 1 ? where : `${where}: ${names[i]}`;
}
