import { isPlainObject } from "../../options.ts";

/**
 * JSON in one form (RFC 8785): no spaces, properties in the order of their names' UTF-16 units, numbers and texts as JavaScript
 * writes them. Properties that are undefined are left out.
 */
export function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  if (!isPlainObject(value)) return JSON.stringify(value);
  const names = Object.keys(value).sort();
  const present = names.filter((name) => value[name] !== undefined);
  return `{${present.map((name) => `${JSON.stringify(name)}:${canonical(value[name])}`).join(",")}}`;
}
