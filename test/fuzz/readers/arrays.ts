/** Arrays in files: IDX, plain and gzipped, and .npy. */
import { rmSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync, gzipSync } from "node:zlib";
import { readFolder } from "../../../src/cli/data.ts";
import { readIdx } from "../../../src/formats/idx.ts";
import { readNpy, writeNpy } from "../../../src/formats/npy.ts";
import type { Random } from "../../../src/random.ts";
import { random as testData } from "../../support/random.ts";
import { expectSame } from "../bench.ts";
import { damage, joined } from "../bytes.ts";
import { folderWith } from "../files.ts";
import { NAMES, pick, SIZES, type Reader } from "../reader.ts";

function idxFile(shape: readonly number[], seed: number): Uint8Array {
  const header = new Uint8Array(4 + 4 * shape.length);
  header.set([0, 0, 8, shape.length]);
  const view = new DataView(header.buffer);
  shape.forEach((size, axis) => view.setUint32(4 + 4 * axis, size));
  const count = shape.reduce((a, b) => a * b, 1);
  return joined(header, Uint8Array.from(testData(seed).integers(count, 0, shape.length === 1 ? 9 : 255)));
}

const IMAGES = [
  [2, 12, 12],
  [3, 28, 28],
  [1, 14, 17],
];
const IDX = [...IMAGES, [5], [3], [2], [1, 2, 3, 4]].map(idxFile);

/** The numbers of the header, and what is behind it. */
function damageIdx(random: Random, file: Uint8Array, other: Uint8Array): Uint8Array {
  const copy = file.slice();
  const how = random.integer(5);
  if (how === 0 || copy.length < 8) return damage(random, file, other);
  if (how === 1) copy[random.integer(4)] = pick(random, [0, 1, 3, 8, 9, 13, 255]);
  else {
    const view = new DataView(copy.buffer);
    const at = 4 * (1 + random.integer(Math.min(4, Math.floor(copy.length / 4) - 1)));
    view.setUint32(at, how === 2 ? pick(random, SIZES) : view.getUint32(at) + random.integer(3) - 1);
  }
  // Data of the length that the sizes tell, so that what comes next is reached.
  if (how < 4) return copy;
  const shape = Array.from({ length: copy[3]! & 7 }, (_, axis) =>
    4 + 4 * axis < copy.length - 3 ? 1 + (copy[7 + 4 * axis]! & 31) : 1,
  );
  return idxFile(shape, random.integer(1000));
}

const SOUND = {
  "train-images-idx3-ubyte": idxFile([2, 12, 12], 1),
  "train-labels-idx1-ubyte": idxFile([2], 2),
  "t10k-images-idx3-ubyte": idxFile([2, 12, 12], 3),
  "t10k-labels-idx1-ubyte": idxFile([2], 4),
};

/** Reads a folder in which one file is this one, as the command line does. */
function readAmong(name: string, bytes: Uint8Array): void {
  const files = { ...SOUND } as Record<string, Uint8Array>;
  delete files[name.replace(".gz", "")];
  const folder = folderWith({ ...files, [name]: bytes });
  try {
    readFolder(folder);
  } finally {
    rmSync(join(folder, name));
  }
}

const nameOf = (random: Random): string => pick(random, Object.keys(SOUND));

export const idx: Reader = {
  name: "idx",
  weight: 1,
  seeds: () => IDX,
  mutate: damageIdx,
  parse: (bytes) => readIdx(bytes, "file"),
  use(bytes, _, random) {
    if (random.integer(2) === 0) readAmong(nameOf(random), bytes);
    const { shape, data } = readIdx(bytes, "file");
    expectSame("elements", [data.length], [shape.reduce((a, b) => a * b)]);
  },
};

/** Unpacked bytes from which `parse` takes a file for a bomb. */
const MOST_UNPACKED = 2 ** 26;

export const gzip: Reader = {
  name: "gzip",
  weight: 1,
  seeds: () => IDX.map((file) => gzipSync(file)),
  mutate(random, file, other) {
    const how = random.integer(10);
    if (how < 3) return damage(random, file, other);
    if (how === 3) return joined(file, pick(random, [file, other, new Uint8Array(1 + random.integer(40))]));
    if (how === 4) {
      const copy = file.slice();
      // Flags, time, system, and the sum and length at the end.
      const at = pick(random, [2, 3, 4, 8, 9, copy.length - 8, copy.length - 4, copy.length - 1]);
      copy[at] = random.integer(256);
      return copy;
    }
    const plain = damageIdx(random, pick(random, IDX), pick(random, IDX));
    if (how > 5) return gzipSync(plain, { level: pick(random, [0, 1, 9]) });
    return gzipSync(joined(plain, new Uint8Array(pick(random, [2 ** 12, 2 ** 20, 2 ** 25]))), { level: 9 });
  },
  parse: (bytes) => gunzipSync(bytes, { maxOutputLength: MOST_UNPACKED }),
  use(bytes, _, random) {
    readAmong(`${nameOf(random)}.gz`, bytes);
  },
};

const NPY = [[2, 3], [4], [], [1, 2, 3, 4], [0, 3]].map((shape, seed) =>
  writeNpy({ shape, data: testData(seed).uniform(shape.reduce((a, b) => a * b, 1)) }),
);

const HEADER_START = 10;

export const npy: Reader = {
  name: "npy",
  weight: 1,
  seeds: () => NPY,
  mutate(random, file, other) {
    const end = file.indexOf(10, HEADER_START) + 1;
    const how = random.integer(6);
    if (how === 0 || end === 0) return damage(random, file, other);
    if (how === 1) {
      const copy = file.slice();
      copy[6 + random.integer(4)] = random.integer(256);
      return copy;
    }
    const sizes = Array.from({ length: random.integer(5) }, () => pick(random, [...SIZES, 0, 1, 2, 3, 4]));
    const small = sizes.map((size) => Math.abs(size) % 5);
    const shape = how < 4 ? small : sizes;
    const count = small.reduce((a, b) => a * b, 1);
    const type = how === 2 ? pick(random, ["<f4", "<f8", ">f4", "|u1", ...NAMES.slice(5)]) : "<f4";
    const order = how === 2 ? pick(random, ["True", "False", "Maybe"]) : "False";
    const tuple = shape.length === 1 ? `${shape[0]},` : shape.join(pick(random, [", ", ",", " ,  "]));
    const text = `{'descr': '${type}', 'fortran_order': ${order}, 'shape': (${tuple}), }`;
    const header = new TextEncoder().encode(`${text}${" ".repeat(random.integer(64))}\n`);
    const start = new Uint8Array(HEADER_START);
    start.set(file.subarray(0, HEADER_START));
    new DataView(start.buffer).setUint16(8, header.length, true);
    return joined(start, header, new Uint8Array(4 * count).fill(random.integer(256)));
  },
  parse(bytes) {
    if (file(bytes) !== "\u0093NUMPY") throw new Error("no .npy file");
    const length = new DataView(bytes.buffer, bytes.byteOffset).getUint16(8, true);
    if (HEADER_START + length > bytes.length) throw new Error("a header that is cut short");
  },
  use(bytes) {
    const given = readNpy(bytes, "file");
    const again = readNpy(writeNpy(given), "again");
    expectSame("shape", again.shape, given.shape);
    expectSame("data", again.data, given.data);
  },
};

const file = (bytes: Uint8Array): string => String.fromCharCode(...bytes.subarray(0, 6));
