/** Images in other sizes, held against the bytes of Pillow (pillow/make.py). */
import { load, MemoryError, OptionError, ShapeError, type Tensor } from "im2row";
import { resize, type Fit, type ImageInterpolation, type ResizeOptions } from "im2row/images";
import { afterAll, describe, expect, it } from "vitest";
import goldens from "./pillow/goldens.json" with { type: "json" };
import { bytesOf, imageNamed } from "./support.ts";

const engine = await load();
afterAll(() => engine.dispose());

const FILL: Readonly<Record<string, number | number[]>> = {
  rgb: [114, 7, 200],
  tall: [114, 7, 200],
  grey: 114,
};

describe("has Pillow's bytes", () => {
  it.each(goldens.resized)("$image, $interpolation, $fit, $height×$width", (golden) => {
    const { image, height, width, bytes } = golden;
    const x = imageNamed(image);
    const y = resize(engine, x, {
      size: [height, width],
      fit: golden.fit as Fit,
      interpolation: golden.interpolation as ImageInterpolation,
      fillValue: FILL[image]!,
    });
    expect(y.shape).toEqual([height, width, x.shape[2]]);
    expect(y.data).toEqual(bytesOf(bytes));
    expect(engine.memory.used).toBe(0);
  });

  it.each(goldens.shortSided)(
    "$image, shorter side $shortSide",
    ({ image, shortSide, height, width, bytes }) => {
      const y = resize(engine, imageNamed(image), { shortSide });
      expect(y.shape.slice(0, 2)).toEqual([height, width]);
      expect(y.data).toEqual(bytesOf(bytes));
    },
  );
});

const x = imageNamed("rgb");

it("several images of one tensor are resized each by itself", () => {
  const other = { shape: x.shape, data: x.data.map((byte) => 255 - byte) };
  const both = { shape: [2, ...x.shape], data: Uint8Array.of(...x.data, ...other.data) };
  for (const options of [{ size: 9 }, { size: [8, 30], fit: "letterbox", fillValue: 9 }] as ResizeOptions[]) {
    const y = resize(engine, both, options);
    const each = [x, other].map((image) => resize(engine, image, options));
    expect(y.shape).toEqual([2, ...each[0]!.shape]);
    expect(y.data).toEqual(Uint8Array.of(...each[0]!.data, ...each[1]!.data));
  }
});

it("without antialias a pixel is the mean of its four neighbours at most", () => {
  // Half pixels: output centres at 1.5, 5.5 lie between the columns 1 and 2, 5 and 6.
  const row = { shape: [1, 8, 1], data: Uint8Array.of(0, 10, 20, 90, 0, 40, 60, 255) };
  const y = resize(engine, row, { size: [1, 2], antialias: false });
  expect([...y.data]).toEqual([15, 50]);
});

it("any number of channels", () => {
  for (const c of [1, 2, 3, 4, 5, 8, 9]) {
    const wide = { shape: [6, 7, c], data: Uint8Array.from({ length: 42 * c }, (_, i) => (i * 37) % 256) };
    const y = resize(engine, wide, { size: [4, 5] });
    for (let channel = 0; channel < c; channel++) {
      const alone = { shape: [6, 7, 1], data: wide.data.filter((_, i) => i % c === channel) };
      expect(y.data.filter((_, i) => i % c === channel)).toEqual(
        resize(engine, alone, { size: [4, 5] }).data,
      );
    }
  }
});

describe("refuses", () => {
  it.each<[string, Tensor<Uint8Array>, ResizeOptions, string]>([
    ["no size", x, {}, "resize: expected size or shortSide, got neither"],
    ["two sizes", x, { size: 3, shortSide: 3 }, "resize: expected size or shortSide, got both"],
    [
      "a size of nothing",
      x,
      { size: 0 },
      "resize: size: expected a positive integer or [height, width] of such, got 0",
    ],
    [
      "a side beyond what kernels count",
      x,
      { size: [3, 65536] },
      "resize: expected sides of at most 65535 pixels, got 3×65536",
    ],
    [
      "an unknown fit",
      x,
      { size: 3, fit: "cover" as Fit },
      'resize: fit: expected one of "stretch", "crop", "letterbox"; got "cover"',
    ],
    [
      "no byte",
      x,
      { size: 3, fillValue: 256 },
      "resize: fillValue: expected a byte or one for each channel, got 256",
    ],
    [
      "a margin of other channels",
      x,
      { size: 3, fillValue: [1, 2] },
      "resize: fillValue: expected one byte, or one for each of 3 channels; got 2",
    ],
    [
      "another option",
      x,
      { width: 3 } as ResizeOptions,
      'the options size, shortSide, fit, interpolation, antialias, fillValue; got "width"',
    ],
  ])("%s", (_, image, options, message) => {
    expect(() => resize(engine, image, options)).toThrow(OptionError);
    expect(() => resize(engine, image, options)).toThrow(message);
  });

  it.each<[string, unknown, string]>([
    [
      "two dimensions",
      { shape: [2, 3], data: new Uint8Array(6) },
      "expected [h, w, c] or [n, h, w, c], got 2×3",
    ],
    [
      "floats",
      { shape: [1, 1, 1], data: new Float32Array(1) },
      "image.data: expected a Uint8Array, got Float32Array of 1",
    ],
    [
      "other data",
      { shape: [1, 2, 1], data: new Uint8Array(1) },
      "image.data: expected 2 elements for shape 1×2×1, got 1",
    ],
    ["no image", undefined, "image.shape: expected a shape of positive integers, got undefined"],
  ])("%s", (_, image, message) => {
    expect(() => resize(engine, image as Tensor<Uint8Array>, { size: 2 })).toThrow(ShapeError);
    expect(() => resize(engine, image as Tensor<Uint8Array>, { size: 2 })).toThrow(message);
  });

  it("more bytes than the memory may have, and frees what it took", async () => {
    const small = await load({ maximumMemory: 2 ** 22 });
    expect(() => resize(small, x, { size: 2000 })).toThrow(MemoryError);
    expect(() => resize(small, x, { size: 65535 })).toThrow(
      "resize: expected at most 2147483647 bytes, got 12884508675",
    );
    expect(small.memory.used).toBe(0);
    small.dispose();
    expect(() => resize(small, x, { size: 2 })).toThrow("resize: engine: expected a live engine");
  });
});
