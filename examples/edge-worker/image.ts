/** A PNG image as the net reads it: 28 × 28 grey numbers in 0…1, a light digit on dark ground. */
import { PictureError, type Picture } from "../../src/images/files/picture.ts";
import { isPng, readPng, readPngHeader } from "../../src/images/files/png.ts";

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

/** The image of a file, whose size is looked at before its pixels are unpacked. @throws InputError */
function readPicture(file: Uint8Array): Picture {
  if (file.length === 0) throw unfit(400, "nothing");
  if (!isPng(file)) {
    const start = Array.from(file.subarray(0, 4), (byte) => byte.toString(16).padStart(2, "0")).join(" ");
    throw unfit(415, `what begins with the bytes ${start}`);
  }
  try {
    const { width, height } = readPngHeader(file);
    if (width !== SIDE || height !== SIDE) throw unfit(422, `${width}×${height}`);
    return readPng(file);
  } catch (error) {
    throw error instanceof PictureError ? unfit(400, error.given) : error;
  }
}

/** The brightness and opacity of each pixel in 0…1. */
function brightness({ channels, most, samples }: Picture): { grey: Float64Array; opacity: Float64Array } {
  const grey = new Float64Array(SIDE * SIDE);
  const opacity = new Float64Array(SIDE * SIDE).fill(1);
  // A grey sample stands for all three colours.
  const [green, blue] = channels > 2 ? [1, 2] : [0, 0];
  for (let i = 0; i < SIDE * SIDE; i++) {
    const at = i * channels;
    // The weights of ITU-R BT.601, as integers: three equal samples give the same bits as a grey one.
    grey[i] = (299 * samples[at]! + 587 * samples[at + green]! + 114 * samples[at + blue]!) / (1000 * most);
    if (channels % 2 === 0) opacity[i] = samples[at + channels - 1]! / most;
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
  const { grey, opacity } = brightness(readPicture(file));
  if (opacity.some((value) => value < 1)) flatten(grey, opacity);
  const inverted = borderMean(grey) > 0.5;
  return Float32Array.from(grey, (value) => (inverted ? 1 - value : value));
}
