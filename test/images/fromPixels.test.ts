/** Pixels of canvases and what canvases draw. Node has none: objects of the same form stand for them. */
import { FormatError, OptionError } from "im2row";
import { fromPixels, type ImageTensor, type PixelSource } from "im2row/images";
import { afterEach, describe, expect, it, vi } from "vitest";

const RGBA = Uint8ClampedArray.of(1, 2, 3, 255, 250, 100, 30, 128);
const RGB = [1, 2, 3, 250, 100, 30];
const imageData = { width: 2, height: 1, data: RGBA };
const drawable = { width: 2, height: 1 };

/** A canvas of 2×1 pixels that holds the image, in a context of the kind that is told. */
const canvas = (kind: string) => ({
  ...drawable,
  getContext: (asked: string) => (asked === kind ? { drawImage() {}, getImageData: () => imageData } : null),
});

/** A host that draws; returns what was drawn, and where. */
function withOffscreenCanvas(): unknown[][] {
  const calls: unknown[][] = [];
  vi.stubGlobal(
    "OffscreenCanvas",
    class {
      readonly #size: number[];
      constructor(width: number, height: number) {
        this.#size = [width, height];
      }
      getContext() {
        return {
          drawImage: (...args: unknown[]) => void calls.push([...this.#size, ...args]),
          getImageData: () => imageData,
        };
      }
    },
  );
  return calls;
}
afterEach(() => void vi.unstubAllGlobals());

it("ImageData in the channels that are wanted", () => {
  expect(fromPixels(imageData)).toEqual({ shape: [1, 2, 3], data: Uint8Array.from(RGB) });
  expect(fromPixels(imageData, { channels: 4 })).toEqual({ shape: [1, 2, 4], data: Uint8Array.from(RGBA) });
  // As Pillow's convert("L").
  expect(fromPixels(imageData, { channels: 1 })).toEqual({ shape: [1, 2, 1], data: Uint8Array.of(2, 137) });
});

it("takes what a page has, by its types", () => {
  const types = (
    source: ImageData | HTMLCanvasElement | OffscreenCanvas | ImageBitmap | VideoFrame | HTMLVideoElement,
  ): ImageTensor => fromPixels(source);
  expect(types).toBeTypeOf("function");
});

it("has bytes of its own", () => {
  const image = fromPixels(imageData, { channels: 4 });
  image.data[0] = 77;
  expect(RGBA[0]).toBe(1);
});

it("a canvas by its own context, or drawn where that is of another kind", () => {
  expect([...fromPixels(canvas("2d")).data]).toEqual(RGB);
  const calls = withOffscreenCanvas();
  const webgl = canvas("webgl2");
  expect([...fromPixels(webgl).data]).toEqual(RGB);
  expect(calls).toEqual([[2, 1, webgl, 0, 0]]);
});

it.each<[string, PixelSource]>([
  ["ImageBitmap", drawable],
  ["VideoFrame", { displayWidth: 2, displayHeight: 1 }],
  [
    "an image of a page, which is shown at another size",
    { ...drawable, width: 99, naturalWidth: 2, naturalHeight: 1 } as PixelSource,
  ],
  [
    "a video of a page, which has no size",
    { width: 0, height: 0, videoWidth: 2, videoHeight: 1 } as PixelSource,
  ],
])("%s is drawn at the size of its pixels", (_, source) => {
  const calls = withOffscreenCanvas();
  expect(fromPixels(source)).toEqual({ shape: [1, 2, 3], data: Uint8Array.from(RGB) });
  expect(calls).toEqual([[2, 1, source, 0, 0]]);
});

describe("refuses", () => {
  it.each<[string, unknown, string]>([
    [
      "nothing",
      undefined,
      "fromPixels: expected an image with a width and a height in pixels, got undefined",
    ],
    [
      "a video without a picture",
      { videoWidth: 0, videoHeight: 0 },
      "fromPixels: expected an image with a width and a height in pixels, got one of 0×0",
    ],
    [
      "other bytes than its size has",
      { width: 2, height: 2, data: RGBA },
      "fromPixels: expected 16 bytes of RGBA for 2×2 pixels, got Uint8ClampedArray of 8",
    ],
    [
      "floats",
      { width: 2, height: 1, data: new Float32Array(8) },
      "fromPixels: expected 8 bytes of RGBA for 2×1 pixels, got Float32Array of 8",
    ],
  ])("%s", (_, source, message) => {
    expect(() => fromPixels(source as PixelSource)).toThrow(new FormatError(message));
  });

  it("to draw where the host cannot", () => {
    const given =
      "expected ImageData or a canvas where the host has no OffscreenCanvas that draws, got another image";
    expect(() => fromPixels(drawable)).toThrow(new OptionError(`fromPixels: ${given}`));
  });

  it("other options", () => {
    expect(() => fromPixels(imageData, { alpha: true } as object)).toThrow(
      'the options channels; got "alpha"',
    );
  });
});
