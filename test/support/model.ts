/** Models and data for the tests of the public API. */
import { readFileSync } from "node:fs";
import { decodeSafetensors } from "../../src/formats/safetensors.ts";
import { layers, sequential, tensor, type Layer, type Model, type Tensor } from "../../src/index.ts";
import { drawDigits } from "../../src/cli/digits.ts";
import { random } from "./random.ts";
import { bitsOf } from "./float.ts";

/** 64 bits of FNV-1a (Fowler, Noll and Vo) over the little-endian bytes of tensors, in their order. */
export function digest(tensors: ReadonlyMap<string, Tensor>): string {
  let hash = 0xcbf29ce484222325n;
  for (const { data } of tensors.values()) {
    const bytes = new DataView(new ArrayBuffer(4));
    for (const value of data) {
      bytes.setFloat32(0, value, true);
      for (let i = 0; i < 4; i++) {
        hash = BigInt.asUintN(64, (hash ^ BigInt(bytes.getUint8(i))) * 0x100000001b3n);
      }
    }
  }
  return hash.toString(16).padStart(16, "0");
}

/** The bits of all weights by name, for `toEqual`. */
export function weightBits(model: Model): Record<string, Int32Array> {
  return Object.fromEntries([...model.weights].map(([name, { data }]) => [name, bitsOf(data)]));
}

/** `count` drawn digits as a batch. */
export function digits(count: number, seed: number): { images: Tensor; labels: Int32Array } {
  const { images, labels } = drawDigits(count, seed);
  return { images: tensor(images, [count, 28, 28, 1]), labels };
}

/** Images of noise. */
export function noise(seed: number, ...shape: number[]): Tensor {
  return tensor(random(seed).uniform(shape.reduce((a, b) => a * b)), shape);
}

/** LeNet-5 with relu and max pooling. */
export function lenet5(seed: number): Model {
  return sequential({
    inputShape: [28, 28, 1],
    layers: [
      layers.conv2d({ filters: 6, kernelSize: 5, padding: "same", activation: "relu" }),
      layers.maxPooling2d({ poolSize: 2 }),
      layers.conv2d({ filters: 16, kernelSize: 5, activation: "relu" }),
      layers.maxPooling2d({ poolSize: 2 }),
      layers.flatten(),
      layers.dense({ units: 120, activation: "relu" }),
      layers.dense({ units: 84, activation: "relu" }),
      layers.dense({ units: 10 }),
    ],
    seed,
  });
}

/** The layers of the 7×7×3 net: 3×3 filters with stride 2, then a dense layer. */
export function tinyLayers(): Layer[] {
  return [
    layers.conv2d({ filters: 4, kernelSize: 3, strides: 2, activation: "relu" }),
    layers.flatten(),
    layers.dense({ units: 3 }),
  ];
}

export function tinyNet(seed = 1): Model {
  return sequential({ inputShape: [7, 7, 3], layers: tinyLayers(), seed });
}

/** A golden of PyTorch: its tensors, and how far a tensor is from the same net in float64. */
export function readGolden(name: string): {
  get(tensor: string): Tensor;
  family(prefix: string): Map<string, Tensor>;
  error(tensor: string): number;
} {
  const { tensors, metadata } = decodeSafetensors(
    readFileSync(new URL(`../goldens/${name}.safetensors`, import.meta.url)),
  );
  const get = (key: string): Tensor => {
    const found = tensors.get(key);
    if (!found) throw new Error(`${name}: no tensor ${key}`);
    return found;
  };
  return {
    get,
    family: (prefix) =>
      new Map(
        [...tensors.keys()]
          .filter((key) => key.startsWith(`${prefix}/`) && key !== `${prefix}/x`)
          .map((key) => [key.slice(prefix.length + 1), get(key)]),
      ),
    error: (key) => Number(metadata[`error/${key}`]),
  };
}
