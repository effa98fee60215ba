/** Safetensors files taken apart and put together again, for goldens and for files that are to be broken. */

const METADATA = "__metadata__";

/** A tensor as the header describes it. */
export interface Entry {
  dtype: string;
  shape: number[];
  data_offsets: [begin: number, end: number];
}

export interface SafetensorsFile {
  tensors: Record<string, Entry>;
  metadata: Record<string, string>;
  data: Uint8Array;
}

/** Eight bytes with the header's length, the header as JSON, the data. */
export function splitFile(bytes: Uint8Array): SafetensorsFile {
  const length = Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true));
  const text = new TextDecoder().decode(bytes.subarray(8, 8 + length));
  const { [METADATA]: metadata, ...tensors } = JSON.parse(text) as Record<string, unknown>;
  return {
    tensors: tensors as SafetensorsFile["tensors"],
    metadata: metadata as SafetensorsFile["metadata"],
    data: bytes.subarray(8 + length),
  };
}

export function joinFile({ tensors, metadata, data }: SafetensorsFile): Uint8Array {
  const header = new TextEncoder().encode(JSON.stringify({ [METADATA]: metadata, ...tensors }));
  const bytes = new Uint8Array(8 + header.length + data.length);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(header.length), true);
  bytes.set(header, 8);
  bytes.set(data, 8 + header.length);
  return bytes;
}
