/** Damage to JSON: of its values, keys and nesting. */
import type { Random } from "../../src/random.ts";
import { maybe, NAMES, pick, SIZES } from "./reader.ts";

type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

/** Stands for brackets in brackets, which `JSON.stringify` could not write. */
const NEST = "\u0001nest";
const DEPTHS = [10, 100, 1000, 20_000];

interface Place {
  readonly value: Json;
  put(value: Json): void;
  remove(): void;
}

/** An own field, whatever it is called. */
function define(record: object, key: string, value: Json): void {
  Object.defineProperty(record, key, { value, enumerable: true, configurable: true, writable: true });
}

/** Every place below `root`. */
function placesOf(root: Json): Place[] {
  if (typeof root !== "object" || root === null) return [];
  const own = Array.isArray(root)
    ? root.map((value, i) => ({
        value,
        put: (other: Json) => void (root[i] = other),
        remove: () => void root.splice(i, 1),
      }))
    : Object.entries(root).map(([key, value]) => ({
        value,
        put: (other: Json) => define(root, key, other),
        remove: () => void delete root[key],
      }));
  return own.flatMap((place) => [place, ...placesOf(place.value)]);
}

const NUMBERS: readonly number[] = [...SIZES, 0.5, -0.5, 1e308, 5e-324, -0];

/** A value that may stand where `value` stood: one of its kind mostly. */
function instead(random: Random, value: Json, places: readonly Place[]): Json {
  const kind = random.integer(8);
  if (kind === 0) return pick<Json>(random, [null, true, false, [], {}, "", 0, NEST]);
  if (kind === 1) return structuredClone(pick(random, places).value);
  if (typeof value === "number") return kind < 5 ? value + random.integer(5) - 2 : pick(random, NUMBERS);
  if (typeof value === "boolean") return !value;
  if (typeof value === "string") {
    const texts = places.flatMap(({ value: other }) => (typeof other === "string" ? [other] : []));
    return kind < 6 ? pick(random, texts) : pick(random, NAMES);
  }
  return value;
}

type Change = (random: Random, place: Place, places: readonly Place[]) => void;

const CHANGES: readonly Change[] = [
  (random, { value, put }, places) => put(instead(random, value, places)),
  (random, { value, put }, places) => put(instead(random, value, places)),
  (_, { remove }) => remove(),
  (random, { value }) => {
    if (!Array.isArray(value)) return;
    const one = maybe(random, value);
    for (let count = pick(random, [1, 2, 50, 3000]); count > 0; count--)
      value.push(structuredClone(one ?? 1));
  },
  (random, { value }) => {
    if (typeof value !== "object" || value === null || Array.isArray(value)) return;
    const key = maybe(random, Object.keys(value));
    if (key !== undefined) define(value, pick(random, NAMES), value[key]!);
  },
  (random, place, places) => {
    const other = pick(random, places);
    const mine = structuredClone(place.value);
    place.put(structuredClone(other.value));
    other.put(mine);
  },
];

/** The JSON with one to three such changes; as it was when it is none. */
export function damageJson(random: Random, text: string): string {
  let root: { whole: Json };
  try {
    root = { whole: JSON.parse(text) as Json };
  } catch {
    return text;
  }
  for (let count = 1 + random.integer(3); count > 0; count--) {
    const places = placesOf(root);
    const place = maybe(random, places);
    if (place) pick(random, CHANGES)(random, place, places);
  }
  const written = JSON.stringify(root.whole) ?? "";
  return written.replaceAll(JSON.stringify(NEST), () => {
    const depth = pick(random, DEPTHS);
    return "[".repeat(depth) + "]".repeat(depth);
  });
}
