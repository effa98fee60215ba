import { ShapeError } from "../errors.ts";
import { listed, show } from "../options.ts";

/** A record with something for each of a model's inputs or outputs, by their names. */
export type Named<T> = Readonly<Record<string, T>>;

/** Whether `given` is a record by these names rather than the one thing itself. */
export function isNamed<T>(given: T | Named<T>, names: readonly string[]): given is Named<T> {
  if (typeof given !== "object" || given === null || Array.isArray(given) || ArrayBuffer.isView(given)) {
    return false;
  }
  if (Array.isArray((given as { shape?: unknown }).shape)) return false;
  return names.length > 1 || Object.hasOwn(given, names[0]!);
}

/**
 * What `given` holds for each name: `given` itself for the only one, or a record by name. The list is `into`, so that a
 * training step need not make one.
 * @throws ShapeError naming what is missing or unknown.
 */
export function inOrder<T>(
  where: string,
  given: T | Named<T>,
  names: readonly string[],
  into: T[] = [],
): readonly T[] {
  into.length = names.length;
  if (!isNamed(given, names)) {
    if (names.length !== 1) {
      throw new ShapeError(`${where}: expected a record of ${listed(names)}, got ${show(given)}`);
    }
    into[0] = given;
    return into;
  }
  for (let i = 0; i < names.length; i++) {
    const name = names[i]!;
    if (!Object.hasOwn(given, name)) {
      throw new ShapeError(`${where}: expected ${listed(names)}, got none called ${name}`);
    }
    into[i] = given[name]!;
  }
  let i = 0;
  for (const name in given) {
    // Mostly they stand in the same order, and there may be thousands.
    if (name !== names[i++] && !names.includes(name)) {
      throw new ShapeError(`${where}: expected ${listed(names)}, got ${name} besides`);
    }
  }
  return into;
}

/** A record from lists of the same order. */
export function byName<T>(names: readonly string[], values: readonly T[]): Record<string, T> {
  return Object.fromEntries(names.map((name, i) => [name, values[i]!]));
}

/** `where` for one thing of several: the place itself when there is only one. */
export function placeOf(where: string, names: readonly string[], i: number): string {
  return names.length === 1 ? where : `${where}: ${names[i]}`;
}
