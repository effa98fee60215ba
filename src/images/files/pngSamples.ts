/** Turns the bytes that a PNG image's pixels unpack to into its samples. */
import { PictureError, type Picture } from "./picture.ts";

/** The header is the first chunk of a file. */
export interface PngHeader {
  readonly width: number;
  readonly height: number;
  /** Bits a sample. */
  readonly depth: number;
  readonly colourType: number;
  /** Samples a pixel in the file. */
  readonly channels: number;
  readonly interlaced: boolean;
}

/** The pixels of an image that are stored together: every `stepX`-th of every `stepY`-th row, from a first one. */
interface Pass {
  readonly x: number;
  readonly y: number;
  readonly stepX: number;
  readonly stepY: number;
  readonly columns: number;
  readonly rows: number;
  readonly rowBytes: number;
}

/** Adam7: the first column and row of each pass, and its steps. */
const ADAM7 = [
  [0, 0, 8, 8],
  [4, 0, 8, 8],
  [0, 4, 4, 8],
  [2, 0, 4, 4],
  [0, 2, 2, 4],
  [1, 0, 2, 2],
  [0, 1, 1, 2],
] as const;

/** The passes of an image that have pixels. */
export function passesOf({ width, height, depth, channels, interlaced }: PngHeader): Pass[] {
  const all = interlaced ? ADAM7 : ([[0, 0, 1, 1]] as const);
  return all
    .map(([x, y, stepX, stepY]) => {
      const columns = Math.ceil((width - x) / stepX);
      const rows = Math.ceil((height - y) / stepY);
      return { x, y, stepX, stepY, columns, rows, rowBytes: Math.ceil((columns * channels * depth) / 8) };
    })
    .filter(({ columns, rows }) => columns > 0 && rows > 0);
}

/** Whichever of left, above and above left is nearest to left + above − above left. */
function paeth(left: number, above: number, corner: number): number {
  const toLeft = Math.abs(above - corner);
  const toAbove = Math.abs(left - corner);
  const toCorner = Math.abs(left + above - 2 * corner);
  if (toLeft <= toAbove && toLeft <= toCorner) return left;
  return toAbove <= toCorner ? above : corner;
}

/** Undoes a row's filter in place: each byte was stored as its difference to bytes before it and above it. */
function unfilter(row: Uint8Array, above: Uint8Array, filter: number, pixelBytes: number): void {
  const { length } = row;
  if (filter === 0) return;
  if (filter > 4)
    throw new PictureError(`a PNG image with a row of filter type ${filter}, where there are 0 to 4`);
  if (filter === 1) {
    for (let i = pixelBytes; i < length; i++) row[i]! += row[i - pixelBytes]!;
  } else if (filter === 2) {
    for (let i = 0; i < length; i++) row[i]! += above[i]!;
  } else {
    for (let i = 0; i < length; i++) {
      const left = i < pixelBytes ? 0 : row[i - pixelBytes]!;
      const up = above[i]!;
      if (filter === 3) row[i]! += (left + up) >> 1;
      else row[i]! += paeth(left, up, i < pixelBytes ? 0 : above[i - pixelBytes]!);
    }
  }
}

/** The samples of a row as they are stored, each as a number of its own. */
function unpackRow(row: Uint8Array, depth: number, into: Uint8Array | Uint16Array): void {
  const { length } = into;
  if (depth === 8) into.set(row);
  else if (depth === 16) {
    for (let i = 0; i < length; i++) into[i] = row[2 * i]! * 256 + row[2 * i + 1]!;
  } else {
    const mask = (1 << depth) - 1;
    for (let i = 0; i < length; i++) {
      const bit = i * depth;
      into[i] = (row[bit >> 3]! >> (8 - depth - (bit & 7))) & mask;
    }
  }
}

/** These say how the stored samples of a pixel become samples of the result. */
interface Colours {
  readonly palette: Uint8Array | undefined;
  readonly transparency: Uint8Array | undefined;
  /** Samples of a pixel of the result. */
  readonly channels: number;
}

type Samples = Picture["samples"];

/** Puts the pixel with the stored samples `from[at…]` to `to[place…]`. */
type Place = (from: Samples, at: number, to: Samples, place: number) => void;

function placePalette({ palette, transparency, channels }: Colours): Place {
  const colours = palette!.length / 3;
  return (from, at, to, place) => {
    const index = from[at]!;
    if (index >= colours) {
      throw new PictureError(`a PNG image with a pixel of colour ${index}, where its palette has ${colours}`);
    }
    for (let i = 0; i < 3; i++) to[place + i] = palette![3 * index + i]!;
    if (channels === 4) to[place + 3] = transparency![index] ?? 255;
  };
}

/** Greys and RGB, with or without a colour that is transparent. */
function placeSamples(header: PngHeader, { transparency }: Colours): Place {
  const { depth, channels } = header;
  const stretch = depth < 8 ? 255 / ((1 << depth) - 1) : 1;
  const opaque = depth === 16 ? 65535 : 255;
  // Two bytes a sample; of those below 16 bits the low ones count.
  const transparent = Array.from(
    { length: transparency ? channels : 0 },
    (_, i) => (transparency![2 * i]! * 256 + transparency![2 * i + 1]!) & ((1 << depth) - 1),
  );
  return (from, at, to, place) => {
    for (let i = 0; i < channels; i++) to[place + i] = from[at + i]! * stretch;
    if (transparency) {
      to[place + channels] = transparent.every((sample, i) => sample === from[at + i]!) ? 0 : opaque;
    }
  };
}

/** The samples of an image; `bytes` are changed. @throws PictureError for filters and colours that are not there */
export function readSamples(
  bytes: Uint8Array,
  passes: readonly Pass[],
  header: PngHeader,
  colours: Colours,
): Samples {
  const { width, height, depth, channels } = header;
  const Type = depth === 16 ? Uint16Array : Uint8Array;
  const samples = new Type(width * height * colours.channels);
  const place =
    colours.palette && header.colourType === 3 ? placePalette(colours) : placeSamples(header, colours);
  const pixelBytes = Math.max(1, (channels * depth) >> 3);
  const asStored = depth >= 8 && header.colourType !== 3 && colours.channels === channels;
  let at = 0;
  for (const { x, y, stepX, stepY, columns, rows, rowBytes } of passes) {
    let above: Uint8Array = new Uint8Array(rowBytes);
    const stored = new Type(columns * channels);
    for (let row = 0; row < rows; row++) {
      const current = bytes.subarray(at + 1, at + 1 + rowBytes);
      unfilter(current, above, bytes[at]!, pixelBytes);
      const first = (y + row * stepY) * width + x;
      if (asStored && stepX === 1) {
        unpackRow(current, depth, samples.subarray(first * channels, (first + columns) * channels));
      } else {
        unpackRow(current, depth, stored);
        for (let column = 0; column < columns; column++) {
          place(stored, column * channels, samples, (first + column * stepX) * colours.channels);
        }
      }
      above = current;
      at += 1 + rowBytes;
    }
  }
  return samples;
}
