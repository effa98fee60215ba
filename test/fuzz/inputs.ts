/** Which input comes at which number. */
import { Random } from "../../src/random.ts";
import { pick, type Reader } from "./reader.ts";
import { gzip, idx, npy } from "./readers/arrays.ts";
import { checkpoint } from "./readers/checkpoint.ts";
import { jpeg, png } from "./readers/images.ts";
import { onnx } from "./readers/onnx.ts";
import { planted } from "./readers/planted.ts";
import { config, safetensors } from "./readers/safetensors.ts";

/** Those that are fuzzed unless others are named. */
export const READERS: readonly Reader[] = [onnx, safetensors, config, checkpoint, idx, gzip, npy, png, jpeg];

/** The readers of these names. @throws Error for one that there is none of */
export function readersOf(names: readonly string[]): readonly Reader[] {
  return names.map((name) => {
    const found = [...READERS, planted].find((reader) => reader.name === name);
    if (found) return found;
    const known = READERS.map((reader) => reader.name).join(", ");
    throw new Error(`reader: expected one of ${known}; got ${name}`);
  });
}

/** An input, and the seed of the ways in which it is used. */
export interface Input {
  readonly reader: Reader;
  readonly bytes: Uint8Array;
  readonly useSeed: number;
}

/** The reader whose turn it is, by weight. */
export function readerAt(readers: readonly Reader[], index: number): Reader {
  let turn = index % readers.reduce((sum, { weight }) => sum + weight, 0);
  return readers.find(({ weight }) => (turn -= weight) < 0)!;
}

/** The input of that number: the same for the same seed and readers. */
export function inputAt(readers: readonly Reader[], seed: number, index: number): Input {
  const useSeed = seed * 2 ** 32 + index;
  const random = new Random(useSeed);
  const reader = readerAt(readers, index);
  const seeds = reader.seeds();
  return { reader, bytes: reader.mutate(random, pick(random, seeds), pick(random, seeds)), useSeed };
}
