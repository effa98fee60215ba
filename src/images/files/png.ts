/** PNG images. Source: Portable Network Graphics (PNG) Specification, third edition, W3C. */
import { canInflate, unzlib } from "./inflate.ts";
import { MOST_BYTES, PictureError, type Picture } from "./picture.ts";
import { passesOf, readSamples, type PngHeader } from "./pngSamples.ts";

const SIGNATURE = [137, 80, 78, 71, 13, 10, 26, 10];

/** The depths that a colour type may have, and its samples a pixel. */
const COLOUR_TYPES = new Map([
  [0, { depths: [1, 2, 4, 8, 16], channels: 1 }],
  [2, { depths: [8, 16], channels: 3 }],
  [3, { depths: [1, 2, 4, 8], channels: 1 }],
  [4, { depths: [8, 16], channels: 2 }],
  [6, { depths: [8, 16], channels: 4 }],
]);

const GREY = 0;
const RGB = 2;
const PALETTE = 3;

/** The bit of a type's first letter that says whether an image can be shown without the chunk. */
const ANCILLARY = 0x20;

interface Chunk {
  readonly type: string;
  readonly data: Uint8Array;
}

function fail(fault: string): never {
  throw new PictureError(`a PNG image ${fault}`);
}

/** The whole file begins so, or as much of it as there is. */
export function isPng(bytes: Uint8Array): boolean {
  return bytes.length > 0 && SIGNATURE.every((byte, i) => i >= bytes.length || bytes[i] === byte);
}

const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
  return crc;
});

function crc32(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (let i = 0; i < bytes.length; i++) crc = (crc >>> 8) ^ CRC_TABLE[(crc ^ bytes[i]!) & 255]!;
  return (crc ^ 0xffffffff) >>> 0;
}

/** The chunks of a file up to its end chunk, each with the right checksum. @throws PictureError */
function* readChunks(file: Uint8Array): Generator<Chunk, void> {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  for (let start = SIGNATURE.length; ;) {
    const left = file.length - start;
    // Length, type and checksum take four bytes each.
    const size = left < 12 ? Infinity : 12 + view.getUint32(start);
    if (size > left) fail(`that breaks off after ${file.length} bytes`);
    const end = start + size - 4;
    const type = String.fromCharCode(...file.subarray(start + 4, start + 8));
    if (!/^[A-Za-z]{4}$/.test(type)) fail(`with a chunk at byte ${start} that has no type`);
    if (crc32(file.subarray(start + 4, end)) !== view.getUint32(end)) {
      fail(`with a wrong checksum of its chunk ${type}`);
    }
    yield { type, data: file.subarray(start + 8, end) };
    if (type === "IEND") return;
    start += size;
  }
}

function headerOf({ type, data }: Chunk): PngHeader {
  if (type !== "IHDR" || data.length !== 13) return fail("that does not begin with a header");
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  const [width, height] = [view.getUint32(0), view.getUint32(4)];
  const [depth, colourType, compression, filter, interlace] = data.subarray(8) as Uint8Array &
    [number, number, number, number, number];
  if (width === 0 || height === 0) return fail(`of ${width}×${height} pixels`);
  const { depths, channels } = COLOUR_TYPES.get(colourType) ?? { depths: [], channels: 0 };
  if (!depths.includes(depth)) return fail(`of colour type ${colourType} with a depth of ${depth}`);
  if (compression !== 0) return fail(`of compression method ${compression}, where there is only 0`);
  if (filter !== 0) return fail(`of filter method ${filter}, where there is only 0`);
  if (interlace > 1) return fail(`of interlace method ${interlace}, where there are only 0 and 1`);
  return { width, height, depth, colourType, channels, interlaced: interlace === 1 };
}

/** The size and form of an image, before anything is made as large as it says. @throws PictureError */
export function readPngHeader(file: Uint8Array): PngHeader {
  if (!isPng(file)) throw new PictureError("another file");
  return headerOf(readChunks(file).next().value as Chunk);
}

/** The contents of the chunks of an image. */
interface Parts {
  readonly header: PngHeader;
  readonly palette: Uint8Array | undefined;
  readonly transparency: Uint8Array | undefined;
  readonly pixels: Uint8Array;
}

/** Sorts the chunks, which have an order. Those that do not matter for the pixels are left out. @throws PictureError */
function partsOf(file: Uint8Array): Parts {
  const chunks = readChunks(file);
  const header = headerOf(chunks.next().value as Chunk);
  const found = new Map<string, Uint8Array>();
  const pixels: Uint8Array[] = [];
  let last = "IHDR";
  for (const { type, data } of chunks) {
    if (type === "IDAT") {
      if (pixels.length > 0 && last !== "IDAT") fail("with other chunks among its pixels");
      pixels.push(data);
    } else if (type === "PLTE" || type === "tRNS") {
      if (found.has(type)) fail(`with two chunks ${type}`);
      if (pixels.length > 0) fail(`with its chunk ${type} after its pixels`);
      if (type === "PLTE" && found.has("tRNS")) fail("with its palette after its transparency");
      found.set(type, data);
    } else if (type !== "IEND" && (type.charCodeAt(0) & ANCILLARY) === 0) {
      fail(`with a chunk ${type} that it cannot be shown without`);
    }
    last = type;
  }
  if (pixels.length === 0) fail("without pixels");
  return { header, palette: found.get("PLTE"), transparency: found.get("tRNS"), pixels: joined(pixels) };
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

/** A palette has whole colours, no more than samples can name; grey has none. @throws PictureError */
function checkPalette({ colourType, depth }: PngHeader, palette: Uint8Array | undefined): void {
  if (!palette) return colourType === PALETTE ? fail("without its palette") : undefined;
  if (colourType === GREY || colourType === 4) return fail("of greys with a palette");
  const colours = palette.length / 3;
  const most = colourType === PALETTE ? 1 << depth : 256;
  if (!Number.isInteger(colours) || colours === 0 || colours > most) {
    return fail(`with a palette of ${palette.length} bytes, where 3 to ${3 * most} are possible`);
  }
}

/** Transparency is that of one colour, or of the first ones of the palette. @throws PictureError */
function checkTransparency({ header, palette, transparency }: Parts): void {
  if (!transparency) return;
  const { colourType } = header;
  const sizes = new Map([
    [GREY, 2],
    [RGB, 6],
  ]);
  const { length } = transparency;
  if (colourType === PALETTE) {
    const colours = palette!.length / 3;
    if (length > colours) fail(`with ${length} opacities for the ${colours} colours of its palette`);
  } else if (sizes.get(colourType) !== length) {
    fail(`of colour type ${colourType} with a transparent colour of ${length} bytes`);
  }
}

/** The samples that become of a pixel: colours of a palette have three, and where something is transparent one more. */
export function channelsOf({ colourType, channels }: PngHeader, transparency: unknown): Picture["channels"] {
  const colours = colourType === PALETTE ? 3 : channels;
  return (colours + (transparency ? 1 : 0)) as Picture["channels"];
}

/** Refuses sizes that the file cannot have the pixels for, and those beyond the limit. @throws PictureError */
function checkSize(parts: Parts, size: number): void {
  const { width, height, depth } = parts.header;
  const sides = `of ${width}×${height} pixels`;
  const samples = width * height * channelsOf(parts.header, parts.transparency);
  const unpacked = Math.max(size, depth === 16 ? 2 * samples : samples);
  if (!canInflate(parts.pixels.length, size)) {
    fail(`${sides}, for which its ${parts.pixels.length} bytes of compressed pixels are too few`);
  }
  if (unpacked > MOST_BYTES) fail(`${sides}, which has ${unpacked} bytes where ${MOST_BYTES} are allowed`);
}

/**
 * Reads a PNG image of any colour type and depth, interlaced or not. Greys of 1, 2 and 4 bits are stretched to 255, a
 * palette is looked up, a transparent colour becomes opacity. All checksums are compared; of animations the first image
 * is read. Bytes after the end chunk are left alone.
 *
 * @throws PictureError for whatever the specification forbids, and for more than 2²⁷ bytes of pixels
 */
export function readPng(file: Uint8Array): Picture {
  if (!isPng(file)) throw new PictureError("another file");
  const parts = partsOf(file);
  const { header, palette, transparency } = parts;
  checkPalette(header, palette);
  checkTransparency(parts);
  const passes = passesOf(header);
  // A filter's number stands before each row.
  const size = passes.reduce((sum, { rows, rowBytes }) => sum + rows * (1 + rowBytes), 0);
  checkSize(parts, size);
  const bytes = unzlib(parts.pixels, size, "a PNG image");
  const channels = channelsOf(header, transparency);
  const most = header.depth === 16 ? 65535 : 255;
  const samples = readSamples(bytes, passes, header, { palette, transparency, channels });
  return { width: header.width, height: header.height, channels, most, samples };
}
