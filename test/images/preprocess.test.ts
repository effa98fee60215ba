/** Images as a model's metadata describe them. Resizing and normalizing have their own tests, against Pillow. */
import { load, OptionError, ShapeError } from "im2row";
import {
  centerCrop,
  imageNet,
  normalize,
  preprocess,
  resize,
  type ImageTensor,
  type PreprocessOptions,
} from "im2row/images";
import { afterAll, describe, expect, it } from "vitest";
import { imageNamed } from "./support.ts";

const engine = await load();
afterAll(() => engine.dispose());

/** 3 channels, wider than high. */
const image = imageNamed("rgb");

describe("preprocess", () => {
  it.each<[string, PreprocessOptions, () => ImageTensor]>([
    ["nothing said", {}, () => image],
    ["a size", { size: [5, 7] }, () => resize(engine, image, { size: [5, 7] })],
    [
      "a crop",
      { size: [6, 6], fit: "crop", interpolation: "bicubic" },
      () => resize(engine, image, { size: 6, fit: "crop", interpolation: "bicubic" }),
    ],
    [
      "a letterbox",
      { size: [9, 9], fit: "letterbox", fillValue: [9, 8, 7], antialias: false },
      () => resize(engine, image, { size: 9, fit: "letterbox", fillValue: [9, 8, 7], antialias: false }),
    ],
    [
      "torchvision's Resize and CenterCrop",
      { shortSide: 8, size: [6, 5], interpolation: "nearest" },
      () => centerCrop(resize(engine, image, { shortSide: 8, interpolation: "nearest" }), [6, 5]),
    ],
    ["a shorter side alone", { shortSide: 4 }, () => resize(engine, image, { shortSide: 4 })],
  ])("does as resize and normalize are told: %s", (_, options, expected) => {
    for (const layout of ["NHWC", "NCHW"] as const) {
      expect(preprocess(engine, image, { ...options, ...imageNet, layout })).toEqual(
        normalize(engine, expected(), { ...imageNet, layout }),
      );
    }
    expect(preprocess(engine, image, options)).toEqual(normalize(engine, expected()));
  });

  it("takes images of several sizes where it makes them one", () => {
    const other = imageNamed("rgb");
    const small = resize(engine, other, { size: [11, 3] });
    const options = { size: [4, 4] } as const;
    const both = preprocess(engine, [image, small], options);
    expect(both.shape).toEqual([2, 4, 4, 3]);
    expect([...both.data]).toEqual(
      [image, small].flatMap((each) => [...preprocess(engine, each, options).data]),
    );
    expect(() => preprocess(engine, [image, small])).toThrow(ShapeError);
  });

  it("refuses what a model's metadata cannot be", () => {
    expect(() => preprocess(engine, image, { crop: 3 } as never)).toThrow(
      "preprocess: expected the options size, shortSide, fit, fillValue, interpolation, antialias, scale, mean, std, layout;",
    );
    expect(() => preprocess(engine, image, { shortSide: 3, fit: "crop" })).toThrow(OptionError);
    expect(() => preprocess(engine, image, { shortSide: 3, fit: "crop" })).toThrow(
      "preprocess: expected shortSide or fit, got both",
    );
    expect(() => preprocess(engine, image, { shortSide: 4, size: [9, 9] })).toThrow(
      "centerCrop: expected an image of at least 9×9 pixels",
    );
  });
});
