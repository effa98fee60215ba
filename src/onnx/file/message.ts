/** The wire types: the low three bits of a field's tag say how its value is stored. */
const VARINT = 0;
const FIXED64 = 1;
const BYTES = 2;
const FIXED32 = 5;

/**
 * The fields of a protocol-buffers message (https://protobuf.dev/programming-guides/encoding), in pieces that are joined once:
 * weights are copied a single time, and a message's length is known before it is written. By hand, since the package's core
 * has no dependency even in its sources, and four kinds of field are all that ONNX's messages need.
 */
export class MessageWriter {
  readonly #pieces: Uint8Array[] = [];
  #length = 0;

  /**
   * Seven bits a byte, the lowest first; all but the last have the eighth. Negative numbers are taken as 64-bit ones.
   */
  #varint(value: number): void {
    const bytes: number[] = [];
    let rest = BigInt.asUintN(64, BigInt(value));
    for (; rest > 0x7fn; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80);
    bytes.push(Number(rest));
    this.#piece(Uint8Array.from(bytes));
  }

  #piece(bytes: Uint8Array): void {
    this.#pieces.push(bytes);
    this.#length += bytes.length;
  }

  #tag(field: number, kind: number): void {
    this.#varint((field << 3) | kind);
  }

  integer(field: number, value: number): void {
    this.#tag(field, VARINT);
    this.#varint(value);
  }

  /** Fields as they stand in another message, tags included. */
  fields(bytes: Uint8Array): void {
    this.#piece(bytes);
  }

  float(field: number, value: number): void {
    this.#tag(field, FIXED32);
    this.#piece(new Uint8Array(Float32Array.of(value).buffer));
  }

  double(field: number, value: number): void {
    this.#tag(field, FIXED64);
    this.#piece(new Uint8Array(Float64Array.of(value).buffer));
  }

  /** The bytes are read when the message is joined. */
  bytes(field: number, bytes: Uint8Array): void {
    this.#tag(field, BYTES);
    this.#varint(bytes.length);
    this.#piece(bytes);
  }

  text(field: number, text: string): void {
    this.bytes(field, new TextEncoder().encode(text));
  }

  /** A message inside of this one, with the fields that `write` adds to it. */
  message(field: number, write: (writer: MessageWriter) => void): void {
    const inner = new MessageWriter();
    write(inner);
    this.#tag(field, BYTES);
    this.#varint(inner.#length);
    for (const piece of inner.#pieces) this.#piece(piece);
  }

  join(): Uint8Array<ArrayBuffer> {
    const bytes = new Uint8Array(this.#length);
    let start = 0;
    for (const piece of this.#pieces) {
      bytes.set(piece, start);
      start += piece.length;
    }
    return bytes;
  }
}
