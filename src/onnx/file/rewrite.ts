import { PbfReader } from "pbf";
import { MessageWriter } from "./message.ts";
import { writeMetadata } from "./encode.ts";
import { METADATA_PREFIX, type TensorProto } from "./proto.ts";

/** The fields that lead from a message to the tensors in it. */
interface Path {
  readonly [field: number]: Path | "tensor";
}

/** The paths of fields from the model to the initializers of its graph, and to the attributes of the nodes. */
const TENSORS: Path = { 7: { 5: "tensor", 1: { 5: { 5: "tensor" } } } };

/** The fields of a tensor that hold elements, and the one that replaces them. */
const ELEMENTS = [4, 5, 6, 7, 9, 10, 11];
const RAW = 9;

const LENGTH_DELIMITED = 2;

/**
 * A file with other elements for some of its tensors, raw. All else stays byte for byte, what nobody here reads too.
 * @param elements their bytes, by the tensors' offsets in `file`
 */
export function rewriteTensors(
  file: Uint8Array,
  elements: ReadonlyMap<NonNullable<TensorProto["at"]>, Uint8Array>,
): Uint8Array<ArrayBuffer> {
  const reader = new PbfReader(file);

  function tensor(writer: MessageWriter, end: number, raw: Uint8Array | undefined): void {
    while (reader.pos < end) {
      const start = reader.pos;
      const tag = reader.readVarint();
      reader.skip(tag);
      if (!raw || !ELEMENTS.includes(tag >>> 3)) writer.fields(file.subarray(start, reader.pos));
    }
    if (raw) writer.bytes(RAW, raw);
  }

  function message(writer: MessageWriter, end: number, path: Path): void {
    while (reader.pos < end) {
      const start = reader.pos;
      const tag = reader.readVarint();
      const inside = (tag & 7) === LENGTH_DELIMITED ? path[tag >>> 3] : undefined;
      if (inside === undefined) {
        reader.skip(tag);
        writer.fields(file.subarray(start, reader.pos));
        continue;
      }
      const at = reader.pos;
      const last = reader.readVarint() + reader.pos;
      writer.message(tag >>> 3, (inner) => {
        if (inside === "tensor") tensor(inner, last, elements.get(at));
        else message(inner, last, inside);
      });
    }
  }

  const writer = new MessageWriter();
  message(writer, file.length, TENSORS);
  return writer.join();
}

/** The tag of an entry of a model's metadata, and that of the key in it. */
const ENTRY = (14 << 3) | LENGTH_DELIMITED;
const KEY = (1 << 3) | LENGTH_DELIMITED;

/** The key of a metadata entry that begins at the reader's place, which moves to its end. */
function readKey(reader: PbfReader): string {
  const end = reader.readVarint() + reader.pos;
  let key = "";
  while (reader.pos < end) {
    const tag = reader.readVarint();
    if (tag === KEY) key = reader.readString();
    else reader.skip(tag);
  }
  return key;
}

/** A file with these metadata in the place of the package's own, at its end. All else stays byte for byte. */
export function rewriteMetadata(
  file: Uint8Array,
  metadata: Readonly<Record<string, string>>,
): Uint8Array<ArrayBuffer> {
  const reader = new PbfReader(file);
  const writer = new MessageWriter();
  while (reader.pos < file.length) {
    const start = reader.pos;
    const tag = reader.readVarint();
    const isOwn = tag === ENTRY && readKey(reader).startsWith(METADATA_PREFIX);
    if (tag !== ENTRY) reader.skip(tag);
    if (!isOwn) writer.fields(file.subarray(start, reader.pos));
  }
  writeMetadata(writer, metadata);
  return writer.join();
}
