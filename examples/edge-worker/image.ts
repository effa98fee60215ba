/** A PNG image as the net reads it: 28 × 28 grey numbers in 0…1, a light digit on dark ground. */
import { decode, type DecodedPng } from "fast-png";

/** Height and width of an image in pixels. */
export const SIDE = 28;

/** Input that cannot be classified: the HTTP status, and a message with the place, the expected and the given. */
export class InputError extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

function unfit(status: number, given: string): InputError {
  return new InputError(status, `body: expected a PNG image of ${SIDE}×${SIDE} pixels, got ${given}`);
}

const SIGNATURE = [137, 80, 78, 71, 13, 10, 26, 10];

/** The depths that the PNG standard has for each colour type. */
const DEPTHS = new Map([
  [0, [1, 2, 4, 8, 16]],
  [2, [8, 16]],
  [3, [1, 2, 4, 8]],
  [4, [8, 16]],
  [6, [8, 16]],
]);
/** The place of the colour type in a file, and the type whose samples are places in a palette. */
const COLOUR_TYPE = 25;
const PALETTE = 3;

/**
 * Limit of the compressed pixels in bytes. The largest image has 6.3 kB of them before compression; the limit holds
 * what a stream of zeros would unpack to below 10 MB.
 */
const MAX_DATA = 8192;

/** A chunk of a PNG file: its type, all of its bytes, and those of its data. */
interface Chunk {
  readonly type: string;
  readonly whole: Uint8Array;
  readonly data: Uint8Array;
}

/** The chunks of a file, up to its end chunk. @throws InputError where it breaks off */
function* readChunks(file: Uint8Array): Generator<Chunk, void> {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  let start = SIGNATURE.length;
  for (;;) {
    const left = file.length - start;
    // Length, type and checksum take four bytes each.
    const size = left < 12 ? Infinity : 12 + view.getUint32(start);
    if (size > left) {
      throw unfit(400, `one that breaks off after ${file.length} bytes`);
    }
    const whole = file.subarray(start, start + size);
    const type = String.fromCharCode(...whole.subarray(4, 8));
    yield { type, whole, data: whole.subarray(8, -4) };
    if (type === "IEND") return;
    start += size;
  }
}

/** Checks the header's chunk, before anything is made as large as it says. @throws InputError */
function checkHeader(type: string, data: Uint8Array): void {
  if (type !== "IHDR" || data.length !== 13) {
    throw unfit(400, "one that does not begin with a header");
  }
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  const [width, height] = [view.getUint32(0), view.getUint32(4)];
  if (width !== SIDE || height !== SIDE) throw unfit(422, `${width}×${height}`);
  const [depth, colours, , , interlace] = data.subarray(8) as Uint8Array & [number, number, 0, 0, number];
  if (!DEPTHS.get(colours)?.includes(depth)) {
    throw unfit(400, `one of colour type ${colours} with a depth of ${depth}`);
  }
  // The decoder takes each pixel of an interlaced image for a byte or more.
  if (interlace !== 0 && depth < 8) {
    throw unfit(422, `an interlaced one with a depth of ${depth}`);
  }
}

/**
 * The file without the chunks that do not matter here: texts, colour profiles, further headers and frames, all of which
 * a decoder would unpack. @throws InputError
 */
function essence(file: Uint8Array): Uint8Array {
  if (file.length === 0) throw unfit(400, "nothing");
  if (SIGNATURE.some((byte, i) => i < file.length && file[i] !== byte)) {
    const start = Array.from(file.subarray(0, 4), (byte) => byte.toString(16).padStart(2, "0")).join(" ");
    throw unfit(415, `what begins with the bytes ${start}`);
  }
  const needed = file[COLOUR_TYPE] === PALETTE ? ["PLTE", "tRNS", "IDAT", "IEND"] : ["IDAT", "IEND"];
  const kept = Uint8Array.from(file);
  let size = SIGNATURE.length;
  let pixels = 0;
  for (const { type, whole, data } of readChunks(file)) {
    const first = size === SIGNATURE.length;
    if (first) checkHeader(type, data);
    if (type === "IDAT") pixels += data.length;
    if (pixels > MAX_DATA) throw unfit(400, `one with more than ${MAX_DATA} bytes of compressed pixels`);
    if (!first && !needed.includes(type)) continue;
    kept.set(whole, size);
    size += whole.length;
  }
  return kept.subarray(0, size);
}

/** One number a sample: several samples of less than a byte share one, and each row begins with a new byte. */
function unpack({ data, depth }: DecodedPng): ArrayLike<number> {
  if (depth >= 8) return data;
  const rowBytes = Math.ceil((SIDE * depth) / 8);
  return Uint8Array.from({ length: SIDE * SIDE }, (_, i) => {
    const bit = (i % SIDE) * depth;
    const byte = data[Math.floor(i / SIDE) * rowBytes + (bit >> 3)]!;
    return (byte >> (8 - depth - (bit & 7))) & (2 ** depth - 1);
  });
}

/** The brightness and opacity of each pixel in 0…1. */
function brightness(png: DecodedPng): { grey: Float64Array; opacity: Float64Array } {
  const { channels, palette } = png;
  const samples = unpack(png);
  const most = palette ? 255 : 2 ** png.depth - 1;
  const grey = new Float64Array(SIDE * SIDE);
  const opacity = new Float64Array(SIDE * SIDE).fill(1);
  for (let i = 0; i < SIDE * SIDE; i++) {
    const pixel = Array.from({ length: channels }, (_, channel) => samples[i * channels + channel]!);
    const colour = palette ? palette[pixel[0]!] : pixel;
    if (!colour) throw new RangeError(`colour ${pixel[0]} is not in the palette`);
    const [red, green, blue] = (colour.length > 2 ? colour : Array.from({ length: 3 }, () => colour[0])) as [
      number,
      number,
      number,
    ];
    // The weights of ITU-R BT.601, as integers: three equal samples give the same bits as a grey one.
    grey[i] = (299 * red + 587 * green + 114 * blue) / (1000 * most);
    if (colour.length % 2 === 0) opacity[i] = colour.at(-1)! / most;
  }
  return { grey, opacity };
}

/** Puts the ground behind what is not opaque: the shade that its ink stands out from. */
function flatten(grey: Float64Array, opacity: Float64Array): void {
  const weight = opacity.reduce((sum, value) => sum + value, 0);
  const ink = grey.reduce((sum, value, i) => sum + value * opacity[i]!, 0) / weight;
  const ground = ink < 0.5 ? 1 : 0;
  grey.forEach((value, i) => (grey[i] = value * opacity[i]! + ground * (1 - opacity[i]!)));
}

/** The mean of the outermost pixels. */
function borderMean(grey: Float64Array): number {
  const last = SIDE - 1;
  let sum = 0;
  for (let i = 0; i < last; i++) {
    sum += grey[i]! + grey[i * SIDE + last]! + grey[last * SIDE + last - i]! + grey[(last - i) * SIDE]!;
  }
  return sum / (4 * last);
}

/**
 * Reads a PNG image of any colour type: grey by ITU-R BT.601, and inverted when the border is lighter than middle grey,
 * so that dark digits on light ground will do. @throws InputError
 */
export function readImage(file: Uint8Array): Float32Array {
  const essential = essence(file);
  let pixels: ReturnType<typeof brightness>;
  try {
    const png = decode(essential, { checkCrc: true });
    if (file[COLOUR_TYPE] === PALETTE && !png.palette) throw new Error("no palette");
    pixels = brightness(png);
  } catch (error) {
    const reason = (error as Error).cause ?? error;
    throw unfit(400, `a corrupt one (${String(reason)})`);
  }
  const { grey, opacity } = pixels;
  if (opacity.some((value) => value < 1)) flatten(grey, opacity);
  const inverted = borderMean(grey) > 0.5;
  return Float32Array.from(grey, (value) => (inverted ? 1 - value : value));
}
