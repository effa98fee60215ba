import { FormatError, OptionError } from "../errors.ts";
import { checkOptions, show, typedName } from "../options.ts";
import type { DecodeOptions } from "./decodeImage.ts";
import { imageOf, readChannels, type ImageTensor } from "./image.ts";

/** An `ImageData`: RGBA, a byte each. */
interface PixelData {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8Array | Uint8ClampedArray;
}

interface Context {
  drawImage(image: object, x: number, y: number): void;
  getImageData(x: number, y: number, width: number, height: number): PixelData;
}

/** A canvas of a page, a worker or a package, as far as it is used. */
interface CanvasLike {
  readonly width: number;
  readonly height: number;
  getContext(kind: "2d", options?: object): Context | null;
}

/**
 * What has pixels: an `ImageData`, a canvas, and whatever a canvas can draw: an `ImageBitmap`, a `VideoFrame`, an image or
 * video of a page.
 */
export type PixelSource =
  | { readonly width: number; readonly height: number }
  | { readonly displayWidth: number; readonly displayHeight: number };

/** Where drawable things have the size of their pixels; images and videos of a page have that of their box as well. */
const SIZES = [
  ["videoWidth", "videoHeight"],
  ["naturalWidth", "naturalHeight"],
  ["displayWidth", "displayHeight"],
  ["width", "height"],
] as const;

/** Width and height. @throws FormatError unless both are positive integers */
function sizeOf(source: PixelSource): [number, number] {
  const fields = source as Readonly<Record<string, unknown>>;
  const [width, height] = SIZES.find(([name]) => fields?.[name] !== undefined) ?? SIZES[3];
  const size = [fields?.[width], fields?.[height]];
  if (size.every((side) => Number.isInteger(side) && (side as number) > 0)) return size as [number, number];
  const got =
    typeof source === "object" && source !== null ? `one of ${show(size[0])}×${show(size[1])}` : show(source);
  throw new FormatError(`fromPixels: expected an image with a width and a height in pixels, got ${got}`);
}

/** Draws what is no canvas on one. @throws OptionError where the host has none */
function drawn(source: object, width: number, height: number): PixelData {
  const { OffscreenCanvas } = globalThis as {
    OffscreenCanvas?: new (width: number, height: number) => CanvasLike;
  };
  const context = OffscreenCanvas && new OffscreenCanvas(width, height).getContext("2d");
  if (!context) {
    throw new OptionError(
      "fromPixels: expected ImageData or a canvas where the host has no OffscreenCanvas that draws, got another image",
    );
  }
  context.drawImage(source, 0, 0);
  return context.getImageData(0, 0, width, height);
}

/** The RGBA bytes of an image: its own, those of its canvas, or those of one that it is drawn on. */
function pixelsOf(source: PixelSource): PixelData {
  const [width, height] = sizeOf(source);
  if ("data" in source) return source as PixelData;
  const context = "getContext" in source ? (source as CanvasLike).getContext("2d") : undefined;
  // A canvas with a context of another kind, as WebGL's, has none for reading.
  return context?.getImageData(0, 0, width, height) ?? drawn(source, width, height);
}

/**
 * The pixels of an `ImageData`, canvas, `ImageBitmap`, `VideoFrame`, or image or video of a page: bytes
 * `[h, w, channels]`, as `decodeImage` gives them. How the host decoded and drew it decides about the bytes.
 * @throws FormatError unless it has a size and bytes of RGBA; OptionError; what the host throws, as for a tainted canvas
 */
export function fromPixels(source: PixelSource, options: DecodeOptions = {}): ImageTensor {
  checkOptions("fromPixels", options, ["channels"]);
  const channels = readChannels("fromPixels", options.channels ?? 3);
  const { width, height, data } = pixelsOf(source);
  const type = typedName(data);
  const fits = type === "Uint8ClampedArray" || type === "Uint8Array";
  if (!fits || data.length !== 4 * width * height) {
    throw new FormatError(
      `fromPixels: expected ${4 * width * height} bytes of RGBA for ${width}×${height} pixels, got ${show(data)}`,
    );
  }
  const samples = new Uint8Array(data.buffer, data.byteOffset, data.length).slice();
  return imageOf({ width, height, channels: 4, most: 255, samples }, channels);
}
