/** PNG files by the specification, from samples: what the readers are held against. */
import { deflateSync } from "node:zlib";
import { crc32 as crcOf } from "./crc32.ts";

export const PNG_SIGNATURE = Uint8Array.of(137, 80, 78, 71, 13, 10, 26, 10);

/** The depths of each colour type, and its samples a pixel. */
export const PNG_TYPES: readonly [colourType: number, depths: number[], channels: number][] = [
  [0, [1, 2, 4, 8, 16], 1],
  [2, [8, 16], 3],
  [3, [1, 2, 4, 8], 1],
  [4, [8, 16], 2],
  [6, [8, 16], 4],
];

export interface PngFile {
  readonly width: number;
  readonly height: number;
  readonly depth: number;
  readonly colourType: number;
  readonly interlaced?: boolean;
  /** The samples as they are stored, `channels` a pixel. */
  readonly samples: ArrayLike<number>;
  /** The filter of each row, of which there are as many passes' rows; 0 without it. */
  readonly filters?: (row: number) => number;
  readonly palette?: Uint8Array;
  readonly transparency?: Uint8Array;
  /** Bytes of pixels in a chunk; all in one without it. */
  readonly chunkSize?: number;
}

export function chunk(type: string, data: Uint8Array): Uint8Array {
  const result = new Uint8Array(12 + data.length);
  const view = new DataView(result.buffer);
  view.setUint32(0, data.length);
  result.set(new TextEncoder().encode(type), 4);
  result.set(data, 8);
  view.setUint32(8 + data.length, crcOf(result.subarray(4, 8 + data.length)));
  return result;
}

export function headerChunk(width: number, height: number, ...rest: number[]): Uint8Array {
  const data = new Uint8Array(13);
  new DataView(data.buffer).setUint32(0, width);
  new DataView(data.buffer).setUint32(4, height);
  data.set(rest, 8);
  return chunk("IHDR", data);
}

/** A file of these chunks, behind the signature. */
export const pngOf = (...chunks: Uint8Array[]): Uint8Array =>
  Uint8Array.from(Buffer.concat([PNG_SIGNATURE, ...chunks]));

/** Samples of a row, packed from the highest bit on. */
function packRow(samples: readonly number[], depth: number): Uint8Array {
  let bits = "";
  for (const sample of samples) bits += sample.toString(2).padStart(depth, "0");
  return Uint8Array.from({ length: Math.ceil(bits.length / 8) }, (_, i) =>
    parseInt(bits.slice(8 * i, 8 * i + 8).padEnd(8, "0"), 2),
  );
}

function filtered(row: Uint8Array, above: Uint8Array, filter: number, pixelBytes: number): Uint8Array {
  return row.map((value, i) => {
    const a = row[i - pixelBytes] ?? 0;
    const b = above[i] ?? 0;
    const c = i < pixelBytes ? 0 : (above[i - pixelBytes] ?? 0);
    const p = a + b - c;
    const nearest = [a, b, c].sort((s, t) => Math.abs(p - s) - Math.abs(p - t))[0]!;
    return value - [0, a, b, (a + b) >> 1, nearest][filter]!;
  });
}

/** The pass of each pixel by the pattern of the specification, row by row. */
const ADAM7 = [
  "16462646",
  "77777777",
  "56565656",
  "77777777",
  "36463646",
  "77777777",
  "56565656",
  "77777777",
];

/** The bytes of the pixels before they are compressed. */
export function pngPixels(file: PngFile): Uint8Array {
  const { width, height, depth, colourType, samples, interlaced = false, filters = () => 0 } = file;
  const channels = PNG_TYPES.find(([type]) => type === colourType)![2];
  const bytes: Uint8Array[] = [];
  let count = 0;
  for (const pass of interlaced ? "1234567" : "1") {
    let above: Uint8Array = new Uint8Array(0);
    for (let y = 0; y < height; y++) {
      const row: number[] = [];
      for (let x = 0; x < width; x++) {
        if (interlaced && ADAM7[y % 8]![x % 8] !== pass) continue;
        for (let i = 0; i < channels; i++) row.push(samples[(y * width + x) * channels + i]!);
      }
      if (row.length === 0) continue;
      const packed = packRow(row, depth);
      const filter = filters(count++);
      bytes.push(
        Uint8Array.of(filter),
        filtered(packed, above, filter, Math.max(1, (channels * depth) >> 3)),
      );
      above = packed;
    }
  }
  return Buffer.concat(bytes);
}

export function encodePng(file: PngFile): Uint8Array {
  const {
    width,
    height,
    depth,
    colourType,
    interlaced = false,
    palette,
    transparency,
    chunkSize = Infinity,
  } = file;
  const compressed = deflateSync(pngPixels(file));
  const pixels: Uint8Array[] = [];
  for (let at = 0; at < compressed.length; at += chunkSize) {
    pixels.push(chunk("IDAT", compressed.subarray(at, at + chunkSize)));
  }
  return pngOf(
    headerChunk(width, height, depth, colourType, 0, 0, Number(interlaced)),
    ...(palette ? [chunk("PLTE", palette)] : []),
    ...(transparency ? [chunk("tRNS", transparency)] : []),
    ...pixels,
    chunk("IEND", new Uint8Array(0)),
  );
}
