import { PbfReader } from "pbf";
import type { TensorProto } from "./proto.ts";

/** The fields that lead from a message to the tensors in it. */
interface Path {
  readonly [field: number]: Path | "tensor";
}

/** From the model to the initializers of its graph, and to the attributes of the nodes. */
const TENSORS: Path = { 7: { 5: "tensor", 1: { 5: { 5: "tensor" } } } };

/** The fields of a tensor that hold elements, and the one that takes their place. */
const ELEMENTS = [4, 5, 6, 7, 9, 10, 11];
const RAW = 9;

const LENGTH_DELIMITED = 2;

function varint(value: number): Uint8Array {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 127; rest = Math.floor(rest / 128)) bytes.push((rest % 128) + 128);
  return Uint8Array.of(...bytes, rest);
}

function field(number: number, parts: readonly Uint8Array[]): Uint8Array[] {
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  return [varint(number * 8 + LENGTH_DELIMITED), varint(length), ...parts];
}

/**
 * A file with other elements for some of its tensors, raw. All else stays byte for byte, what nobody here reads too.
 * @param elements their bytes, by the tensors' places in `file`
 */
export function rewriteTensors(
  file: Uint8Array,
  elements: ReadonlyMap<NonNullable<TensorProto["at"]>, Uint8Array>,
): Uint8Array {
  const reader = new PbfReader(file);

  function tensor(at: number, end: number): Uint8Array[] {
    const raw = elements.get(at);
    if (!raw) return [file.subarray(reader.pos, (reader.pos = end))];
    const parts: Uint8Array[] = [];
    while (reader.pos < end) {
      const start = reader.pos;
      const tag = reader.readVarint();
      reader.skip(tag);
      if (!ELEMENTS.includes(tag >>> 3)) parts.push(file.subarray(start, reader.pos));
    }
    return [...parts, ...field(RAW, [raw])];
  }

  function message(end: number, path: Path): Uint8Array[] {
    const parts: Uint8Array[][] = [];
    while (reader.pos < end) {
      const start = reader.pos;
      const tag = reader.readVarint();
      const inside = (tag & 7) === LENGTH_DELIMITED ? path[tag >>> 3] : undefined;
      if (inside === undefined) {
        reader.skip(tag);
        parts.push([file.subarray(start, reader.pos)]);
        continue;
      }
      const at = reader.pos;
      const last = reader.readVarint() + reader.pos;
      parts.push(field(tag >>> 3, inside === "tensor" ? tensor(at, last) : message(last, inside)));
    }
    return parts.flat();
  }

  const parts = message(file.length, TENSORS);
  const result = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let to = 0;
  for (const part of parts) {
    result.set(part, to);
    to += part.length;
  }
  return result;
}
