/** Bytes as numbers for a net, and the middle of an image. */
import { load, OptionError, ShapeError } from "im2row";
import { centerCrop, imageNet, normalize, type ImageTensor, type NormalizeOptions } from "im2row/images";
import { afterAll, describe, expect, it } from "vitest";
import { ulpError } from "../support/float.ts";

const engine = await load();
afterAll(() => engine.dispose());

const image = (h: number, w: number, c: number, seed = 0): ImageTensor => ({
  shape: [h, w, c],
  data: Uint8Array.from({ length: h * w * c }, (_, i) => (i * 89 + seed) % 256),
});

describe("normalize", () => {
  it.each<[string, NormalizeOptions, (byte: number, channel: number) => number]>([
    ["to 0…1 by default", {}, (byte) => byte / 255],
    ["to -1…1", { scale: 1 / 127.5, mean: 1 }, (byte) => byte / 127.5 - 1],
    [
      "as torchvision's classifiers want it",
      imageNet,
      (byte, channel) => (byte / 255 - [0.485, 0.456, 0.406][channel]!) / [0.229, 0.224, 0.225][channel]!,
    ],
    ["not at all", { scale: 1 }, (byte) => byte],
  ])("%s", (_, options, expected) => {
    const x = image(16, 16, 3);
    const y = normalize(engine, x, options);
    expect(y.shape).toEqual([1, 16, 16, 3]);
    // float64 rounds the scaled byte and the difference, which may be small beside them: so much of the byte's ulp.
    y.data.forEach((value, i) => {
      const exact = expected(x.data[i]!, i % 3);
      expect(Math.abs(value - exact)).toBeLessThanOrEqual(Math.abs(exact) * 2 ** -24 + 2 ** -48);
    });
    expect(ulpError(y.data[1]!, expected(x.data[1]!, 1))).toBeLessThanOrEqual(0.51);
    expect(engine.memory.used).toBe(0);
  });

  it("in the layout of the net", () => {
    const x = { shape: [2, 2, 3, 2], data: image(1, 12, 2).data };
    const [nhwc, nchw] = (["NHWC", "NCHW"] as const).map((layout) =>
      normalize(engine, x, { layout, mean: [3, 4] }),
    );
    expect(nchw!.shape).toEqual([2, 2, 2, 3]);
    expect(nchw!.data).toEqual(engine.transpose(nhwc!, [0, 3, 1, 2]).data);
  });

  it("a list, with several images in one tensor", () => {
    const [a, b] = [image(3, 2, 3), image(3, 2, 3, 50)];
    const two = { shape: [2, 3, 2, 3], data: Uint8Array.of(...b.data, ...a.data) };
    const y = normalize(engine, [a, two], { scale: 1 });
    expect(y.shape).toEqual([3, 3, 2, 3]);
    expect([...y.data]).toEqual([...a.data, ...b.data, ...a.data]);
  });

  it.each<[string, unknown, NormalizeOptions, string]>([
    ["no image", [], {}, "normalize: images: expected at least one, got an empty list"],
    [
      "images of several sizes",
      [image(2, 2, 3), image(2, 3, 3)],
      {},
      "normalize: images[1]: expected 2×2×3, as the first is, got 2×3×3: resize them before",
    ],
    ["no tensor", 3, {}, "normalize: images.shape: expected a shape of positive integers, got undefined"],
    [
      "a mean of other channels",
      image(2, 2, 1),
      imageNet,
      "normalize: mean: expected one number, or one for each of 1 channels; got 3",
    ],
    ["a std of 0", image(2, 2, 1), { std: 0 }, "normalize: std: expected numbers > 0, got 0"],
    [
      "a mean of NaN",
      image(2, 2, 1),
      { mean: NaN },
      "normalize: mean: expected a finite number or one for each channel, got NaN",
    ],
  ])("refuses %s", (_, images, options, message) => {
    const call = (): unknown => normalize(engine, images as ImageTensor, options);
    expect(call).toThrow(message);
    expect(call).toThrow(Object.keys(options).length > 0 ? OptionError : ShapeError);
  });
});

describe("centerCrop", () => {
  it.each([
    // torchvision's CenterCrop: from int(round((h − oh) / 2)), of two the even one.
    [5, 2, 2],
    [7, 2, 2],
    [6, 3, 2],
    [4, 4, 0],
    [4, 1, 2],
  ])("of %i pixels the middle %i from %i on", (size, middle, start) => {
    const x = image(size, size, 2);
    const rows = Array.from({ length: middle }, (_, row) => {
      const from = ((start + row) * size + start) * 2;
      return [...x.data.subarray(from, from + 2 * middle)];
    });
    expect(centerCrop(x, middle)).toEqual({ shape: [middle, middle, 2], data: Uint8Array.from(rows.flat()) });
    const two = { shape: [2, size, size, 2], data: Uint8Array.of(...x.data, ...x.data) };
    expect([...centerCrop(two, [middle, middle]).data]).toEqual([...rows.flat(), ...rows.flat()]);
  });

  it("refuses what is smaller", () => {
    expect(() => centerCrop(image(4, 9, 3), [5, 5])).toThrow(
      new ShapeError("centerCrop: expected an image of at least 5×5 pixels, got 4×9"),
    );
  });
});
