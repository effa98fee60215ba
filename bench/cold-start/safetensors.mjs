/** Reads what the peers need of a safetensors file. */
import { readFileSync } from "node:fs";

/** The float32 tensors of a file by name: `{ shape, data }`. */
export function readSafetensors(path) {
  const bytes = Uint8Array.from(readFileSync(path));
  const start = 8 + Number(new DataView(bytes.buffer).getBigUint64(0, true));
  const { __metadata__, ...entries } = JSON.parse(new TextDecoder().decode(bytes.subarray(8, start)));
  return new Map(
    Object.entries(entries).map(
      ([
        name,
        {
          shape,
          data_offsets: [from, to],
        },
      ]) => [name, { shape, data: new Float32Array(bytes.slice(start + from, start + to).buffer) }],
    ),
  );
}
