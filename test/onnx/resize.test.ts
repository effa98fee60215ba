/** Resize and Upsample: which elements, by which weights, as onnxruntime and the specification have it. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { FormatError, load, type Engine } from "../../src/index.ts";
import type { OnnxTensor } from "../../src/onnx.ts";
import type { TensorProto } from "../../src/onnx/file/proto.ts";
import { constant, node, onnxFile, valueInfo } from "../support/onnxFile.ts";
import { blend, fileOf, nearest, run, type Attributes, type By } from "./support/resize.ts";

let engine: Engine;

beforeAll(async () => {
  engine = await load();
});

afterAll(() => engine.dispose());

/** 0, 1, 4, 9 … */
const squares = (n: number): OnnxTensor<Float32Array> => ({
  shape: [1, 1, 1, n],
  data: Float32Array.from({ length: n }, (_, i) => i * i),
});

/** The name, the opset, the node's attributes, the number of squares, how they are resized, and the result. */
type Golden = [string, number, Attributes, number, By, number[]];

/** From onnxruntime 1.30. */
const GOLDENS: Golden[] = [
  ["five by 1.4 are seven", 13, nearest("asymmetric", "floor"), 5, { scale: 1.4 }, [0, 0, 1, 4, 4, 9, 16]],
  [
    "ten by 0.7 are seven",
    13,
    blend("linear", "pytorch_half_pixel"),
    10,
    { scale: 0.7 },
    [0.2142857, 2.928571, 9.5, 20.5, 35.21429, 54.35714, 77.35714],
  ],
  [
    "ten by 3.3 are 33",
    13,
    nearest("asymmetric", "floor"),
    10,
    { scale: 3.3 },
    [
      0, 0, 0, 0, 1, 1, 1, 4, 4, 4, 9, 9, 9, 9, 16, 16, 16, 25, 25, 25, 36, 36, 36, 36, 49, 49, 49, 64, 64,
      64, 81, 81, 81,
    ],
  ],
  [
    "three by 10 / 3 are ten",
    13,
    nearest("half_pixel", "round_prefer_floor"),
    3,
    { scale: 10 / 3 },
    [0, 0, 0, 1, 1, 1, 1, 4, 4, 4],
  ],
  [
    "a place a little below a whole one",
    13,
    nearest("asymmetric", "floor"),
    7,
    { scale: 0.7 },
    [0, 1, 4, 16],
  ],
  [
    "a place a little above a whole one",
    13,
    nearest("asymmetric", "ceil"),
    9,
    { scale: 1.8 },
    [0, 1, 4, 4, 9, 9, 16, 16, 25, 25, 36, 49, 49, 64, 64, 64],
  ],
  [
    "a tie that rounding moved up",
    13,
    nearest("asymmetric", "round_prefer_floor"),
    7,
    { size: 38 },
    [
      0, 0, 0, 1, 1, 1, 1, 1, 1, 4, 4, 4, 4, 4, 9, 9, 9, 9, 9, 9, 16, 16, 16, 16, 16, 25, 25, 25, 25, 25, 36,
      36, 36, 36, 36, 36, 36, 36,
    ],
  ],
  ["a tie that rounding moved down", 13, nearest("asymmetric", "round_prefer_ceil"), 7, { size: 2 }, [0, 16]],
  ["ties up", 13, nearest("half_pixel", "round_prefer_ceil"), 20, { size: 6 }, [1, 25, 64, 121, 225, 324]],
  ["ties down", 13, nearest("half_pixel", "round_prefer_floor"), 6, { size: 3 }, [0, 4, 16]],
  ["half pixels rounded down", 13, nearest("half_pixel", "floor"), 5, { size: 7 }, [0, 0, 1, 4, 4, 9, 16]],
  ["half pixels rounded up", 13, nearest("half_pixel", "ceil"), 5, { size: 7 }, [0, 1, 4, 4, 9, 16, 16]],
  [
    "corners, nearest",
    13,
    nearest("align_corners", "round_prefer_ceil"),
    5,
    { scale: 1.5 },
    [0, 1, 1, 4, 9, 9, 16],
  ],
  [
    "corners of opset 19, nearest",
    19,
    nearest("align_corners", "floor"),
    5,
    { scale: 1.5 },
    [0, 0, 1, 4, 4, 9, 16],
  ],
  [
    "corners, linear",
    13,
    blend("linear", "align_corners"),
    5,
    { scale: 1.5 },
    [0, 0.6666667, 2, 4, 7.333334, 11.33333, 16],
  ],
  ["corners, cubic", 13, blend("cubic", "align_corners"), 4, { scale: 0.8 }, [0, 2.125, 9]],
  ["one corner", 13, blend("linear", "align_corners"), 4, { size: 1 }, [0]],
  ["one pixel of PyTorch's", 13, blend("cubic", "pytorch_half_pixel"), 4, { size: 1 }, [0]],
  ["one pixel of half ones", 13, blend("cubic", "half_pixel"), 4, { size: 1 }, [2.125]],
  [
    "pixels of TensorFlow's",
    11,
    nearest("tf_half_pixel_for_nn", "floor"),
    5,
    { scale: 1.4 },
    [0, 1, 1, 4, 9, 9, 16],
  ],
  [
    "symmetric half pixels, nearest",
    19,
    nearest("half_pixel_symmetric", "round_prefer_floor"),
    5,
    { scale: 1.5 },
    [0, 1, 1, 4, 9, 9, 16],
  ],
  [
    "symmetric half pixels, linear",
    19,
    blend("linear", "half_pixel_symmetric"),
    5,
    { scale: 1.5 },
    [0, 0.6666666, 2, 4, 7.333334, 11.33333, 16],
  ],
  [
    "a part beyond the end",
    13,
    blend("linear", "tf_crop_and_resize", { extrapolation_value: { float: -3 } }),
    5,
    { size: 4, roi: [0, 0, 0, 0.2, 1, 1, 1, 1.2] },
    [0.8, 4.666667, 12.26667, -3],
  ],
  [
    "one pixel of a part",
    13,
    nearest("tf_crop_and_resize", "ceil"),
    5,
    { size: 1, roi: [0, 0, 0, 0.2, 1, 1, 1, 0.9] },
    [9],
  ],
  [
    "cubic",
    13,
    blend("cubic", "half_pixel"),
    5,
    { scale: 1.4 },
    [-0.07871747, 0.2653066, 1.682221, 4, 7.046647, 12.46356, 16.55102],
  ],
  [
    "cubic of another coefficient",
    13,
    blend("cubic", "half_pixel", { cubic_coeff_a: { float: -0.5 } }),
    5,
    { scale: 1.4 },
    [-0.05247808, 0.3790087, 1.653059, 4, 7.367349, 12.2274, 16.36735],
  ],
  [
    "cubic without what is outside",
    13,
    blend("cubic", "half_pixel", { exclude_outside: 1 }),
    5,
    { size: 3 },
    [0.1333349, 4, 14.26667],
  ],
  [
    "linear, antialiased",
    18,
    blend("linear", "half_pixel", { antialias: 1 }),
    7,
    { size: 3 },
    [1.125, 9.941177, 28.125],
  ],
  [
    "cubic, antialiased, without what is outside",
    18,
    blend("cubic", "half_pixel", { antialias: 1, exclude_outside: 1 }),
    7,
    { size: 3 },
    [0.4325762, 9.196385, 28.35781],
  ],
  [
    "antialiased of more pixels",
    18,
    blend("cubic", "half_pixel", { antialias: 1 }),
    3,
    { size: 5 },
    [-0.09600024, 0.1720008, 1, 2.908, 4.288001],
  ],
  ["fewer pixels of opset 10", 10, { mode: "nearest" }, 7, { scale: 0.6 }, [0, 4, 16, 25]],
  ["more pixels of opset 10", 10, { mode: "nearest" }, 5, { scale: 1.7 }, [0, 0, 1, 1, 4, 4, 9, 16]],
  [
    "linear of opset 10",
    10,
    { mode: "linear" },
    5,
    { scale: 1.7 },
    [0, 0.5882353, 1.529412, 3.294117, 5.764706, 8.705882, 12.70588, 16],
  ],
  ["opset 9", 9, { mode: "linear" }, 4, { scale: 1.6 }, [0, 0.625, 1.75, 3.625, 6.5, 9]],
  ["sizes that stay", 13, nearest("half_pixel", "floor"), 5, { scale: 1.1 }, [0, 1, 4, 9, 16]],
];

describe("the squares of 0, 1, 2 … become", () => {
  it.each(GOLDENS)("%s", async (_, version, attributes, n, by, wanted) => {
    const { y0 } = await run(engine, fileOf(n, version, [{ attributes, by }]), squares(n));
    expect(y0!.shape).toEqual([1, 1, 1, wanted.length]);
    // At most seven products of numbers up to 100 with weights up to 2, and seven digits of what is wanted.
    y0!.data.forEach((value, i) => {
      expect(Math.abs(Number(value) - wanted[i]!)).toBeLessThanOrEqual(1e-4);
    });
  });

  it("ONNX's own example of fractional lengths between corners, in opset 19", async () => {
    // (1 · 3 / (0.6 · 4 − 1))², interpolated; onnxruntime and the specification's text say 9.
    const cases = [{ attributes: blend("linear", "align_corners"), by: { scale: 0.6 } }];
    const { y0 } = await run(engine, fileOf(4, 19, cases), squares(4));
    const place = 3 / (Math.fround(0.6) * 4 - 1);
    expect([...y0!.data]).toEqual([0, expect.closeTo(4 + 5 * (place - 2), 5)]);
  });

  it("as many as the part of them has, by the specification's text", async () => {
    const roi = [0, 0, 0, 0.5, 1, 1, 1, 1];
    const attributes = nearest("tf_crop_and_resize", "floor");
    const { y0 } = await run(engine, fileOf(5, 13, [{ attributes, by: { scale: 2, roi } }]), squares(5));
    // ⌊5 · 0.5 · 2⌋ = 5 from 2 to 4 in steps of 0.5.
    expect([...y0!.data]).toEqual([4, 4, 9, 9, 16]);
  });
});

describe("resizing refuses", () => {
  const x = squares(4);
  const scales = constant("scales", [4], [1, 1, 1, 2]);
  const empty = constant("none", [0], []);
  const load13 = (
    inputs: string[],
    initializers: TensorProto[],
    attributes: Attributes = {},
  ): Promise<unknown> =>
    run(
      engine,
      onnxFile({
        version: 18,
        inputs: [valueInfo("x", [1, 1, 1, 4])],
        initializers,
        nodes: [node("Resize", inputs, "y", attributes)],
        outputs: ["y"],
      }),
      x,
    );
  const sizes = constant("sizes", [4], BigInt64Array.of(1n, 1n, 1n, 8n));

  it.each<[string, string[], TensorProto[], Attributes, string]>([
    [
      "scales and sizes",
      ["x", "", "scales", "sizes"],
      [scales, sizes],
      {},
      "expected scales or sizes, got both",
    ],
    [
      "sizes that are no integers",
      ["x", "", "", "sizes"],
      [constant("sizes", [4], [1, 1, 1, 8])],
      {},
      "sizes: expected int64, got float32",
    ],
    [
      "scales that are no floats",
      ["x", "", "scales"],
      [constant("scales", [4], BigInt64Array.of(1n, 1n, 1n, 2n))],
      {},
      "scales: expected float32, got int64",
    ],
    ...[0, -2, Infinity, NaN].map((scale): [string, string[], TensorProto[], Attributes, string] => [
      `a factor of ${scale}`,
      ["x", "", "scales"],
      [constant("scales", [4], [1, 1, 1, scale])],
      {},
      `expected factors > 0, got ${scale}`,
    ]),
    [
      "a part that is not told",
      ["x", "none", "scales"],
      [scales, empty],
      { coordinate_transformation_mode: "tf_crop_and_resize" },
      "roi: expected 8 finite numbers, got none",
    ],
    [
      "nearest elements without those outside",
      ["x", "", "scales"],
      [scales],
      { exclude_outside: 1 },
      "mode: expected linear or cubic for exclude_outside and antialias, got nearest",
    ],
    [
      "nearest elements of wide kernels",
      ["x", "", "scales"],
      [scales],
      { antialias: 1 },
      "mode: expected linear or cubic for exclude_outside and antialias, got nearest",
    ],
    [
      "a flag of 2",
      ["x", "", "scales"],
      [scales],
      { mode: "cubic", exclude_outside: 2 },
      "exclude_outside: expected 0 or 1, got 2",
    ],
    [
      "an infinite coefficient",
      ["x", "", "scales"],
      [scales],
      { mode: "cubic", cubic_coeff_a: { float: Infinity } },
      "cubic_coeff_a: expected a finite number, got Infinity",
    ],
  ])("%s", async (_, inputs, initializers, attributes, reason) => {
    const refused = load13(inputs, initializers, attributes);
    await expect(refused).rejects.toThrow(FormatError);
    await expect(refused).rejects.toThrow(`y (Resize): ${reason}`);
  });

  it("factors below 1 in Upsample", async () => {
    await expect(run(engine, fileOf(4, 9, [{ attributes: {}, by: { scale: 0.5 } }]), x)).rejects.toThrow(
      "y0 (Upsample): expected factors ≥ 1, got 0.5",
    );
  });
});
