/** The goldens of PyTorch, test/goldens/README.md, read without the package's own codec. */
import { tensor, type Tensor } from "im2row";
import { splitFile } from "./safetensors.ts";

/** A golden: its tensors, and how far a tensor is from the same net in float64. */
export interface Golden {
  get(tensor: string): Tensor;
  /** The tensors `prefix/…` by the rest of their names, but for the images. */
  family(prefix: string): Map<string, Tensor>;
  error(tensor: string): number;
}

export function readGolden(name: string, bytes: Uint8Array): Golden {
  const { tensors, metadata, data } = splitFile(bytes);
  const get = (key: string): Tensor => {
    const entry = tensors[key];
    if (!entry) throw new Error(`${name}: no tensor ${key}`);
    const [begin, end] = entry.data_offsets;
    // A copy of their own: the bytes may lie at an address where float32 cannot.
    return tensor(new Float32Array(new Uint8Array(data.subarray(begin, end)).buffer), entry.shape);
  };
  return {
    get,
    family: (prefix) =>
      new Map(
        Object.keys(tensors)
          .filter((key) => key.startsWith(`${prefix}/`) && key !== `${prefix}/x`)
          .map((key) => [key.slice(prefix.length + 1), get(key)]),
      ),
    error: (key) => Number(metadata[`error/${key}`]),
  };
}
