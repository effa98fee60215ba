/** Files of nets are recognised by what is in them. */
import type { Engine } from "../../index.ts";
import { isNpy } from "../../formats/npy.ts";
import { isImage, kindOf } from "../../images/files/read.ts";
import { modelNet } from "./modelNet.ts";
import type { Net } from "./net.ts";
import { onnxNet } from "./onnxNet.ts";
import { UsageError } from "../usage.ts";

/**
 * Whether a file has the form of safetensors: the length of a header, which lies inside of the file, and a brace. An ONNX
 * file has tags and lengths of fields in the same place, which make a far larger number.
 */
export function isSafetensors(bytes: Uint8Array): boolean {
  if (bytes.length < 10) return false;
  const header = new DataView(bytes.buffer, bytes.byteOffset, 8).getBigUint64(0, true);
  return header <= BigInt(bytes.length - 8) && bytes[8] === "{".charCodeAt(0);
}

/** The net in the bytes of a file, of either kind, by what they are. @throws UsageError, FormatError, MemoryError */
export async function openNet(file: string, bytes: Uint8Array, engine: Engine): Promise<Net> {
  if (isSafetensors(bytes)) return modelNet(bytes, engine);
  const kind = kindOf(bytes);
  if (bytes.length === 0 || isImage(bytes) || isNpy(bytes) || kind === "text") {
    throw new UsageError(`${file}: expected an ONNX or .safetensors file, got ${kind}`);
  }
  return onnxNet(bytes, engine);
}
