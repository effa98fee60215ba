/** Protobuf, written. */

/** Wire types of protobuf. */
const VARINT = 0;
const LENGTH = 2;
const FIXED32 = 5;

/**
 * A protobuf message while it is written: pieces that are joined once, at the end, so that weights are copied once. By hand
 * since it is less than a library's writer would add to programs that never read ONNX.
 */
export class Message {
  readonly #pieces: Uint8Array[] = [];
  #size = 0;

  #add(piece: Uint8Array): void {
    this.#pieces.push(piece);
    this.#size += piece.length;
  }

  #key(tag: number, type: number): void {
    this.#add(varint(tag * 8 + type));
  }

  /** An integer; negative ones as 64 bits of two's complement. */
  int(tag: number, value: number): void {
    this.#key(tag, VARINT);
    this.#add(varint(value));
  }

  float(tag: number, value: number): void {
    this.#key(tag, FIXED32);
    this.#add(bytesOf(Float32Array.of(value)));
  }

  bytes(tag: number, data: Uint8Array): void {
    this.#key(tag, LENGTH);
    this.#add(varint(data.length));
    this.#add(data);
  }

  text(tag: number, value: string): void {
    this.bytes(tag, new TextEncoder().encode(value));
  }

  message(tag: number, message: Message): void {
    this.#key(tag, LENGTH);
    this.#add(varint(message.#size));
    for (const piece of message.#pieces) this.#add(piece);
  }

  /** Integers in one field; nothing for none. */
  ints(tag: number, values: readonly number[]): void {
    if (values.length > 0) this.bytes(tag, join(values.map(varint)));
  }

  /** Numbers of a fixed width in one field; nothing for none. */
  numbers(tag: number, values: Float32Array | Float64Array): void {
    if (values.length > 0) this.bytes(tag, bytesOf(values));
  }

  /** The message as it stands in a file. */
  finish(): Uint8Array {
    return join(this.#pieces);
  }
}

/** The largest integer of 64 bits; as a number it reads 2⁶³. */
const LARGEST = 0x7fff_ffff_ffff_ffffn;

/** Groups of seven bits, the lowest first. */
function varint(value: number): Uint8Array {
  const bytes: number[] = [];
  const whole = BigInt(value);
  let rest = BigInt.asUintN(64, whole > LARGEST ? LARGEST : whole);
  for (; rest > 127n; rest >>= 7n) bytes.push(Number(rest & 127n) | 128);
  bytes.push(Number(rest));
  return Uint8Array.from(bytes);
}

/** Typed arrays are little-endian, as protobuf is. */
function bytesOf({ buffer, byteOffset, byteLength }: Float32Array | Float64Array): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}

function join(pieces: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(pieces.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const piece of pieces) {
    all.set(piece, at);
    at += piece.length;
  }
  return all;
}
