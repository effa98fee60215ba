/** Pictures: PNG of every colour type and depth, plain and interlaced, and JPEG, damaged chunk by chunk. */
import { join } from "node:path";
import { deflateSync, inflateSync } from "node:zlib";
import { encode as encodeJpeg } from "jpeg-js";
import { readFiles } from "../../../src/cli/nets/inputs.ts";
import type { Random } from "../../../src/random.ts";
import { random as testData } from "../../support/random.ts";
import type { Bench } from "../bench.ts";
import { damage, joined } from "../bytes.ts";
import { folderWith } from "../files.ts";
import { pick, SIZES, type Reader } from "../reader.ts";

/** A piece of a file with its name: a PNG's chunk, or a JPEG's segment by its marker. */
interface Piece {
  type: string;
  data: Uint8Array;
}

/** Reads the file as an input of a net, as the command line does. */
function readPicture(name: string, bytes: Uint8Array, bench: Bench, random: Random): void {
  const folder = folderWith({ [name]: bytes });
  const dims = [
    1,
    pick(random, [1, 3]),
    ...pick<(string | number)[]>(random, [
      ["h", "w"],
      [5, 4],
    ]),
  ];
  const inputs = [{ name: "x", type: "float32" as const, dims }];
  const [x, again] = [bench.plain, bench.guarded].map(
    (engine) =>
      readFiles(engine, new Map([["x", { file: join(folder, name) }]]), inputs, { options: {} }).feeds["x"]!,
  );
  const { shape, data } = x!;
  const count = shape.reduce((a, b) => a * b, 1);
  if (data.length !== count) throw new Error(`expected ${count} numbers, got ${data.length}`);
  const wrong = data.findIndex((value) => !(value >= 0 && value <= 1));
  if (wrong >= 0) throw new Error(`expected numbers from 0 to 1, got ${data[wrong]} at ${wrong}`);
  if (again!.data.some((value, i) => value !== data[i])) throw new Error("other numbers on a guarded heap");
}

const SIGNATURE = Uint8Array.of(137, 80, 78, 71, 13, 10, 26, 10);

/** By byte: the CRC-32 of PNG and gzip (polynomial 0xedb88320, reflected). */
const CRC = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
  return value;
});

function crc(bytes: Uint8Array): number {
  let value = -1;
  for (const byte of bytes) value = (value >>> 8) ^ CRC[(value ^ byte) & 255]!;
  return ~value >>> 0;
}

function bigEndian(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value);
  return bytes;
}

const latin1 = (text: string): Uint8Array => Uint8Array.from(text, (character) => character.charCodeAt(0));

function writePng(chunks: readonly Piece[]): Uint8Array {
  const parts = chunks.flatMap(({ type, data }) => {
    const body = joined(latin1(type), data);
    return [bigEndian(data.length), body, bigEndian(crc(body))];
  });
  return joined(SIGNATURE, ...parts);
}

/** The chunks of a PNG file, whatever their sums. @throws Error when it is cut short */
function readPng(file: Uint8Array): Piece[] {
  if (SIGNATURE.some((byte, i) => file[i] !== byte)) throw new Error("no PNG");
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const chunks: Piece[] = [];
  for (let at = 8; at < file.length;) {
    const length = view.getUint32(at);
    if (at + 12 + length > file.length) throw new Error("a chunk that is cut short");
    const type = String.fromCharCode(...file.subarray(at + 4, at + 8));
    chunks.push({ type, data: file.slice(at + 8, at + 8 + length) });
    at += 12 + length;
  }
  return chunks;
}

/** The legal depths by colour type, and its samples a pixel. */
const COLOURS: readonly (readonly [type: number, samples: number, depths: readonly number[]])[] = [
  [0, 1, [1, 2, 4, 8, 16]],
  [2, 3, [8, 16]],
  [3, 1, [1, 2, 4, 8]],
  [4, 2, [8, 16]],
  [6, 4, [8, 16]],
];

/** The passes of an interlaced picture: first column and row, and how far apart they are. */
const ADAM7 = [
  [0, 0, 8, 8],
  [4, 0, 8, 8],
  [0, 4, 4, 8],
  [2, 0, 4, 4],
  [0, 2, 2, 4],
  [1, 0, 2, 2],
  [0, 1, 1, 2],
] as const;

/** Bytes of rows with their filters, of noise. */
function rows(width: number, height: number, bits: number, interlaced: boolean, seed: number): Uint8Array {
  const data = testData(seed);
  const passes = interlaced ? ADAM7 : ([[0, 0, 1, 1]] as const);
  const parts = passes.flatMap(([left, top, across, down]) => {
    const columns = Math.ceil((width - left) / across);
    const lines = Math.ceil((height - top) / down);
    if (columns <= 0) return [];
    return Array.from({ length: Math.max(lines, 0) }, () => {
      const row = Uint8Array.from(data.integers(1 + Math.ceil((columns * bits) / 8), 0, 255));
      row[0] = data.integer(0, 4);
      return row;
    });
  });
  return joined(...parts);
}

function pngs(): Uint8Array[] {
  return COLOURS.flatMap(([type, samples, depths]) =>
    depths.flatMap((depth) =>
      [0, 1].map((interlace) => {
        const seed = type * 100 + depth * 2 + interlace;
        const [width, height] = [1 + (seed % 11), 1 + (seed % 7)];
        const header = joined(
          bigEndian(width),
          bigEndian(height),
          Uint8Array.of(depth, type, 0, 0, interlace),
        );
        const palette = {
          type: "PLTE",
          data: Uint8Array.from(testData(seed).integers(3 * 2 ** depth, 0, 255)),
        };
        const pixels = rows(width, height, depth * samples, interlace === 1, seed);
        return writePng([
          { type: "IHDR", data: header },
          { type: "tEXt", data: latin1("Title\0noise") },
          ...(type === 3 ? [palette] : []),
          { type: "IDAT", data: deflateSync(pixels) },
          { type: "IEND", data: new Uint8Array() },
        ]);
      }),
    ),
  );
}

/** Other sizes, depths and colours in the header; or another order of the chunks; or other bytes in one. */
function damagePieces(random: Random, pieces: Piece[], others: readonly Piece[]): void {
  const at = random.integer(pieces.length);
  const piece = pieces[at]!;
  const how = random.integer(5);
  if (how === 0) pieces.splice(at, 1);
  else if (how === 1) pieces.splice(random.integer(pieces.length), 0, pick(random, [piece, ...others]));
  else if (how === 2) piece.data = piece.data.subarray(0, random.integer(piece.data.length + 1));
  else if (how === 3) piece.type = pick(random, [...pieces, ...others]).type;
  else piece.data = damage(random, piece.data, pick(random, [...others]).data);
}

const DEPTHS = [0, 1, 2, 3, 4, 8, 16, 32];

function damageHeader(random: Random, { data }: Piece): void {
  if (data.length < 13) return;
  const view = new DataView(data.buffer, data.byteOffset);
  const how = random.integer(6);
  if (how < 2) view.setUint32(4 * how, random.integer(2) ? 1 + random.integer(20) : pick(random, SIZES));
  else data[6 + how] = how === 2 ? pick(random, DEPTHS) : random.integer(8);
}

/** Unpacks the pixels, changes some and packs them again, with right checksums. */
function damagePixels(random: Random, chunks: readonly Piece[]): void {
  const chunk = chunks.find(({ type }) => type === "IDAT");
  if (!chunk) return;
  try {
    const pixels = inflateSync(chunk.data, { maxOutputLength: 2 ** 20 });
    const more = new Uint8Array(pick(random, [1, 100, 2 ** 16, 2 ** 24]));
    chunk.data = deflateSync(random.integer(4) ? damage(random, pixels, pixels) : joined(pixels, more));
  } catch {
    // Damaged before: it stays as it is.
  }
}

let pngSeeds: readonly Uint8Array[] | undefined;

export const png: Reader = {
  name: "png",
  weight: 1,
  seeds: () => (pngSeeds ??= pngs()),
  mutate(random, file, other) {
    const how = random.integer(8);
    if (how === 0) return damage(random, file, other);
    const chunks = readPng(file);
    if (how < 3) damagePieces(random, chunks, readPng(other));
    else if (how < 6) damageHeader(random, chunks[0]!);
    else damagePixels(random, chunks);
    return writePng(chunks);
  },
  parse(bytes) {
    if (readPng(bytes)[0]?.type !== "IHDR") throw new Error("no header");
  },
  use: (bytes, bench, random) => readPicture("x.png", bytes, bench, random),
};

/** The segments of a JPEG file by their markers; the last has what is behind it, the coded pixels. */
function readJpeg(file: Uint8Array): Piece[] {
  if (file[0] !== 0xff || file[1] !== 0xd8) throw new Error("no JPEG");
  const segments: Piece[] = [];
  for (let at = 2; at + 4 <= file.length;) {
    const marker = file[at + 1]!;
    if (file[at] !== 0xff) throw new Error("no marker");
    const length = file[at + 2]! * 256 + file[at + 3]!;
    const end = marker === 0xda ? file.length : at + 2 + length;
    if (end > file.length) throw new Error("a segment that is cut short");
    segments.push({ type: String.fromCharCode(marker), data: file.slice(at + 4, end) });
    at = end;
  }
  return segments;
}

const START_OF_SCAN = "\u00da";

function writeJpeg(segments: readonly Piece[]): Uint8Array {
  const parts = segments.flatMap(({ type, data }) => {
    // The scan's own header has six bytes and two a component; its first byte tells how many.
    const length = type === START_OF_SCAN ? 6 + 2 * (data[0] ?? 0) : data.length + 2;
    return [Uint8Array.of(0xff, type.charCodeAt(0), length >> 8, length), data];
  });
  return joined(Uint8Array.of(0xff, 0xd8), ...parts);
}

/** A segment with EXIF's orientation, https://www.cipa.jp/std/documents/e/DC-008-2012_E.pdf, section 4.6.4. */
function exif(orientation: number): Piece {
  const tiff = Uint8Array.of(77, 77, 0, 42, 0, 0, 0, 8, 0, 1, 1, 18, 0, 3, 0, 0, 0, 1, 0, orientation, 0, 0);
  return { type: "\u00e1", data: joined(latin1("Exif\0\0"), tiff, new Uint8Array(4)) };
}

function jpegs(): Uint8Array[] {
  return [
    [8, 8, 90],
    [17, 9, 50],
    [1, 1, 100],
    [33, 20, 10],
  ].flatMap(([width, height, quality], seed) => {
    const data = Uint8Array.from(testData(seed).integers(width! * height! * 4, 0, 255));
    const file = new Uint8Array(encodeJpeg({ width: width!, height: height!, data }, quality).data);
    const segments = readJpeg(file);
    return [file, writeJpeg([exif(1 + (seed % 8)), ...segments])];
  });
}

let jpegSeeds: readonly Uint8Array[] | undefined;

export const jpeg: Reader = {
  name: "jpeg",
  weight: 1,
  seeds: () => (jpegSeeds ??= jpegs()),
  mutate(random, file, other) {
    const how = random.integer(8);
    if (how === 0) return damage(random, file, other);
    const segments = readJpeg(file);
    if (how < 4) damagePieces(random, segments, readJpeg(other));
    else if (how < 6) {
      // The frame's header: depth, height, width, components, their samplings and tables.
      const frame = segments.find(({ type }) => type >= "\u00c0" && type <= "\u00c2");
      if (frame && frame.data.length > 0) {
        frame.data[random.integer(frame.data.length)] = pick(random, [0, 1, 2, 4, 8, 17, 34, 68, 255]);
        if (random.integer(3) === 0) frame.type = pick(random, ["\u00c0", "\u00c1", "\u00c2", "\u00c9"]);
      }
    } else if (how === 6) segments.unshift(exif(random.integer(10)));
    else {
      const scan = segments.at(-1)!;
      scan.data = damage(random, scan.data, scan.data);
    }
    return writeJpeg(segments);
  },
  parse(bytes) {
    readJpeg(bytes);
  },
  use: (bytes, bench, random) => readPicture("x.jpg", bytes, bench, random),
};
