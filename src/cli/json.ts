/** JSON text of results, in pieces: strings have a longest length, tensors do not. */
import type { OnnxData } from "../onnx.ts";

/** What becomes JSON: its own values, and the elements of tensors. Members that are undefined are left out. */
export type Json =
  | null
  | boolean
  | number
  | string
  | undefined
  | OnnxData
  | readonly Json[]
  | { readonly [key: string]: Json };

/** Numbers that become text at once. */
const CHUNK = 65536;

/** A number as JSON has it; what JSON has no number for is a string. */
function numberText(value: number | bigint): string {
  if (Object.is(value, -0)) return "-0.0";
  return typeof value === "bigint" || Number.isFinite(value) ? String(value) : `"${value}"`;
}

/** A string of which every character is seen, as in what is printed. */
function stringText(text: string): string {
  return JSON.stringify(text).replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, (character) =>
    Array.from({ length: character.length }, (_, i) => {
      const unit = character.charCodeAt(i).toString(16).padStart(4, "0");
      return `\\u${unit}`;
    }).join(""),
  );
}

/** The elements between brackets; each is text of its own. */
function* listPieces<T>(entries: Iterable<T>, pieces: (entry: T) => Iterable<string>): Generator<string> {
  let comma = "";
  for (const entry of entries) {
    yield comma;
    yield* pieces(entry);
    comma = ",";
  }
}

/** The text of a value, in pieces. Numbers are in row-major order; NaN and infinities are strings by their names. */
export function* jsonPieces(value: Exclude<Json, undefined>): Generator<string> {
  if (typeof value === "number") yield numberText(value);
  else if (typeof value === "string") yield stringText(value);
  else if (typeof value === "boolean" || value === null) yield String(value);
  else if (ArrayBuffer.isView(value)) {
    yield "[";
    for (let at = 0; at < value.length; at += CHUNK) {
      const part = Array.from(value.subarray(at, at + CHUNK) as ArrayLike<number | bigint>, numberText);
      yield `${at === 0 ? "" : ","}${part.join(",")}`;
    }
    yield "]";
  } else if (Array.isArray(value)) {
    yield "[";
    yield* listPieces(value as readonly Json[], (entry) => jsonPieces(entry ?? null));
    yield "]";
  } else {
    yield "{";
    const members = Object.entries(value as Readonly<Record<string, Json>>);
    yield* listPieces(
      members.filter(([, member]) => member !== undefined),
      function* ([key, member]) {
        yield `${stringText(key)}:`;
        yield* jsonPieces(member!);
      },
    );
    yield "}";
  }
}
