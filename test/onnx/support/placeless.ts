import { decodeModel } from "../../../src/onnx/file/decode.ts";
import type { ModelProto } from "../../../src/onnx/file/proto.ts";

/** A file's messages without the places of tensors in it, which files that are not written yet do not have. */
export function placeless(file: Uint8Array): ModelProto {
  const decoded = decodeModel(file);
  const { nodes = [], initializers = [] } = decoded.graph ?? {};
  const held = nodes.flatMap(({ attributes }) => attributes.flatMap(({ t }) => t ?? []));
  for (const tensor of [...initializers, ...held]) delete tensor.at;
  return decoded;
}
