/**
 * Protocol-buffers messages as trees of fields (https://protobuf.dev/programming-guides/encoding), with what onnx.proto says
 * about which fields are messages, and damage to them that keeps them well-formed, mostly.
 */
import type { Random } from "../../src/random.ts";
import { joined } from "./bytes.ts";
import { maybe, NAMES, pick, SIZES } from "./reader.ts";

/** By message of onnx.proto: the fields that are messages. */
const MESSAGES: Readonly<Record<string, Readonly<Record<number, string>>>> = {
  model: { 7: "graph", 8: "operatorSet", 14: "entry", 25: "function" },
  graph: { 1: "node", 5: "tensor", 11: "valueInfo", 12: "valueInfo", 13: "valueInfo", 15: "sparse" },
  node: { 5: "attribute" },
  attribute: { 5: "tensor", 6: "graph", 10: "tensor", 11: "graph", 14: "type", 22: "sparse" },
  tensor: { 13: "entry" },
  valueInfo: { 2: "type" },
  type: { 1: "tensorType", 4: "sequence" },
  tensorType: { 2: "shape" },
  shape: { 1: "dimension" },
  function: { 7: "node", 9: "operatorSet" },
};

interface Field {
  readonly number: number;
  readonly wire: number;
  value: bigint | Uint8Array | Message;
}

interface Message {
  readonly kind: string;
  fields: Field[];
}

const isMessage = (value: Field["value"]): value is Message =>
  typeof value === "object" && !ArrayBuffer.isView(value);

/** @throws Error when the bytes are no such message. */
export function parseMessage(bytes: Uint8Array, kind = "model"): Message {
  const fields: Field[] = [];
  let at = 0;
  const varint = (): bigint => {
    let value = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = bytes[at++];
      if (byte === undefined) break;
      value |= BigInt(byte & 127) << shift;
      if (byte < 128) return BigInt.asUintN(64, value);
    }
    throw new Error("protobuf: expected the end of a number");
  };
  const take = (length: number): Uint8Array => {
    if (at + length > bytes.length) throw new Error("protobuf: expected more bytes");
    return bytes.slice(at, (at += length));
  };
  while (at < bytes.length) {
    const tag = Number(varint());
    const [number, wire] = [tag >>> 3, tag & 7];
    if (wire === 0) fields.push({ number, wire, value: varint() });
    else if (wire === 1 || wire === 5) fields.push({ number, wire, value: take(wire === 1 ? 8 : 4) });
    else if (wire === 2) {
      const inner = MESSAGES[kind]?.[number];
      const content = take(Number(varint()));
      fields.push({ number, wire, value: inner ? parseMessage(content, inner) : content });
    } else throw new Error(`protobuf: expected another kind of field, got ${wire}`);
  }
  return { kind, fields };
}

function writeVarint(value: bigint): Uint8Array {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, value);
  for (; rest > 127n; rest >>= 7n) bytes.push(Number(rest & 127n) | 128);
  bytes.push(Number(rest));
  return Uint8Array.from(bytes);
}

export function writeMessage({ fields }: Message): Uint8Array {
  const parts = fields.flatMap(({ number, wire, value }) => {
    const tag = writeVarint(BigInt(number * 8 + wire));
    if (typeof value === "bigint") return [tag, writeVarint(value)];
    const content = isMessage(value) ? writeMessage(value) : value;
    return wire === 2 ? [tag, writeVarint(BigInt(content.length)), content] : [tag, content];
  });
  return joined(...parts);
}

/** A field and the message that it stands in. */
interface Place {
  readonly field: Field;
  readonly parent: Message;
}

function placesOf(message: Message): Place[] {
  return message.fields.flatMap((field) => [
    { field, parent: message },
    ...(isMessage(field.value) ? placesOf(field.value) : []),
  ]);
}

const clone = (message: Message): Message => parseMessage(writeMessage(message), message.kind);

const FLOATS = [NaN, Infinity, -Infinity, 0, -0, -1, 0.5, 1e-45, 3e38];

function otherBytes(random: Random, bytes: Uint8Array, wire: number): Uint8Array {
  const copy = bytes.slice();
  const view = new DataView(copy.buffer);
  if (wire === 5) view.setFloat32(0, pick(random, FLOATS), true);
  else if (wire === 1) view.setFloat64(0, pick(random, FLOATS), true);
  else {
    const how = random.integer(8);
    if (how < 2) return new TextEncoder().encode(pick(random, NAMES));
    if (how < 4) return bytes.slice(0, random.integer(bytes.length + 1));
    if (copy.length >= 8 && how < 6) {
      view.setBigInt64(8 * random.integer(Math.floor(copy.length / 8)), BigInt(pick(random, SIZES)), true);
    } else if (copy.length > 0) copy[random.integer(copy.length)]! ^= 1 << random.integer(8);
  }
  return copy;
}

type Change = (random: Random, place: Place, places: readonly Place[], others: readonly Place[]) => void;

const CHANGES: readonly Change[] = [
  // A change of the value is twice as likely as the rest.
  ...[0, 1].map((): Change => (random, { field }) => {
    const { value, wire } = field;
    if (typeof value === "bigint") {
      const near = random.integer(3) > 0;
      field.value = near ? value + BigInt(random.integer(5) - 2) : BigInt(pick(random, SIZES));
    } else if (!isMessage(value)) field.value = otherBytes(random, value, wire);
  }),
  (_, { field, parent }) => void parent.fields.splice(parent.fields.indexOf(field), 1),
  (random, { field, parent }) => {
    for (let count = pick(random, [1, 1, 2, 300]); count > 0; count--) {
      parent.fields.push(isMessage(field.value) ? { ...field, value: clone(field.value) } : { ...field });
    }
  },
  (random, { parent }) => {
    const [a, b] = [random.integer(parent.fields.length), random.integer(parent.fields.length)];
    [parent.fields[a], parent.fields[b]] = [parent.fields[b]!, parent.fields[a]!];
  },
  // The same field of another place, or of another file.
  ...[0, 1].map((fromOther): Change => (random, { field, parent }, places, others) => {
    const alike = (fromOther ? others : places).filter(
      ({ field: each, parent: { kind } }) => kind === parent.kind && each.number === field.number,
    );
    const from = maybe(random, alike)?.field.value;
    if (from !== undefined) field.value = isMessage(from) ? clone(from) : from;
  }),
  // A message in another of its kind's place, whatever holds it: graphs in graphs.
  (random, { field }, places, others) => {
    if (!isMessage(field.value)) return;
    const { kind } = field.value;
    const alike = [...places, ...others].flatMap(({ field: { value } }) =>
      isMessage(value) && value.kind === kind ? [value] : [],
    );
    field.value = clone(pick(random, alike));
  },
  (random, { field, parent }) => {
    const number = pick(random, [1, 2, 3, 5, 6, 7, 8, 9, 20, 2000]);
    parent.fields.push({ ...field, number });
  },
];

/** Fields beyond which a message does not grow. */
const MOST_FIELDS = 20_000;

/** The message with one such change; as it was when the bytes are none. */
export function damageMessage(random: Random, file: Uint8Array, other: Uint8Array): Uint8Array {
  let message: Message;
  try {
    message = parseMessage(file);
  } catch {
    return file;
  }
  const places = placesOf(message);
  const place = maybe(random, places);
  if (!place || places.length > MOST_FIELDS) return file;
  pick(random, CHANGES)(random, place, places, placesOf(parseMessage(other)));
  return writeMessage(message);
}
