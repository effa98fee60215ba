/** Resize and Upsample beside onnxruntime, on a grid of factors, sizes and attributes. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { load, type Engine } from "../../src/index.ts";
import { onnxruntimeIsAbsent, runOnnx } from "../support/onnxruntime.ts";
import { random } from "../support/random.ts";
import { blend, fileOf, nearest, run, type Attributes, type By, type Case } from "./support/resize.ts";

let engine: Engine;

beforeAll(async () => {
  engine = await load();
});

afterAll(() => engine.dispose());

const COORDINATES = ["half_pixel", "pytorch_half_pixel", "align_corners", "asymmetric"];
const SCALES = [0.3, 0.6, 0.7, 0.9, 1.1, 1.4, 1.8, 2, 3.3, 10 / 3];
/** Nodes of a file. */
const CHUNK = 100;

/** All ways that onnxruntime knows in a version, of one kind. */
function waysOf(version: number): Attributes[] {
  if (version < 11) return [{ mode: "nearest" }, { mode: "linear" }];
  const coordinates = [
    ...COORDINATES,
    ...(version < 13 ? ["tf_half_pixel_for_nn"] : []),
    ...(version < 19 ? [] : ["half_pixel_symmetric"]),
  ];
  const wide = version < 18 ? [0] : [0, 1];
  return coordinates.flatMap((each) => [
    ...["round_prefer_floor", "round_prefer_ceil", "floor", "ceil"].map((rounding) =>
      nearest(each, rounding),
    ),
    ...wide.map((antialias) => blend("linear", each, version < 18 ? {} : { antialias })),
    ...wide.flatMap((antialias) =>
      [0, 1].map((exclude_outside) =>
        blend("cubic", each, version < 18 ? { exclude_outside } : { exclude_outside, antialias }),
      ),
    ),
  ]);
}

/**
 * Numbers below 2 with weights that add up to 1.5 at most in absolute value; places below 16 are rounded to 2⁻²¹, and
 * onnxruntime rounds those of wide kernels once more.
 */
const BOUND = 3e-5;

/** Both run the cases on one row. */
async function expectAgreement(
  n: number,
  version: number,
  cases: readonly Omit<Case, "version">[],
): Promise<void> {
  const file = fileOf(n, version, cases);
  const x = { shape: [1, 1, 1, n], data: random(n).uniform(n, -2, 2) };
  const [own, other] = [await run(engine, file, x), await runOnnx(file, { x })];
  cases.forEach((each, i) => {
    const [a, b] = [own[`y${i}`]!, other[`y${i}`]!];
    const close =
      a.shape.join() === b.shape.join() && a.data.every((v, j) => Math.abs(Number(v) - b.data[j]!) <= BOUND);
    if (!close) expect({ ...each, y: [...a.data] }).toEqual({ ...each, y: [...b.data] });
  });
}

describe.skipIf(onnxruntimeIsAbsent)("onnxruntime takes the same elements and weights", () => {
  it.each([9, 10, 11, 13, 18, 19])("in opset %i", { timeout: 120_000 }, async (version) => {
    // Between corners by fractional lengths ONNX's own tests say something else.
    const differs = ({ mode, ...rest }: Attributes, by: By): boolean =>
      version >= 19 &&
      mode !== "nearest" &&
      rest["coordinate_transformation_mode"] === "align_corners" &&
      by.size === undefined;
    for (const n of [1, 3, 5, 7, 10]) {
      const bys = SCALES.flatMap((scale): By[] => {
        const size = Math.floor(Math.fround(n * Math.fround(scale)));
        const applies = size > 0 && (version >= 10 || scale >= 1);
        return applies ? [{ scale }, ...(version < 11 ? [] : [{ size }])] : [];
      });
      const cases = waysOf(version).flatMap((attributes) =>
        bys.filter((by) => !differs(attributes, by)).map((by) => ({ attributes, by })),
      );
      for (let i = 0; i < cases.length; i += CHUNK)
        await expectAgreement(n, version, cases.slice(i, i + CHUNK));
    }
  });
});
