import { describe, expect, it } from "vitest";
import { FILL_MODE, RANDOM_MAP } from "../../src/kernels/kernels.ts";
import { draws, sampled, source, type EpochKey, type Fill, type Kind } from "../oracles/augmentation.ts";
import { random } from "../support/random.ts";
import { U } from "../support/float.ts";
import { guarded, openKernels } from "../support/wasm.ts";

const bench = openKernels();
const { kernels } = bench;
const KEY: EpochKey = { seedLow: 42, seedHigh: 3, epoch: 7, layer: 2 };

interface Run {
  readonly kind: Kind;
  readonly ranges: readonly [number, number, number, number];
  readonly bilinear?: boolean;
  readonly fill?: Fill;
  readonly value?: number;
  readonly size?: readonly [h: number, w: number, c: number];
  readonly out?: readonly [oh: number, ow: number];
  readonly key?: EpochKey;
}

const SIZE = [7, 5, 3] as const;

function transformed(x: Float32Array, indices: readonly number[], run: Run): Float32Array {
  const { kind, ranges, bilinear = true, fill = "reflect", value = 0, size = SIZE, key = KEY } = run;
  const [h, w, c] = size;
  const [oh, ow] = run.out ?? [h, w];
  bench.reset();
  const n = indices.length;
  const y = guarded(bench, n * oh * ow * c);
  const [settings, from] = [bench.put(Float32Array.of(...ranges, value)), bench.put(x)];
  const [a, b] = [RANDOM_MAP[kind], FILL_MODE[fill]];
  const words = [
    key.seedLow,
    key.seedHigh,
    key.epoch,
    key.layer,
    bench.put(Int32Array.from(indices)),
  ] as const;
  kernels.randomTransform(a, bilinear, b, settings, from, y.ptr, n, h, w, c, oh, ow, ...words);
  y.check();
  return y.f32();
}

const INDICES = [0, 5, 1, 99_999, 2 ** 31 - 1];

/** Compares with the oracle, but for pixels whose place is so near to the edge of two that rounding decides. */
function expectOracle(run: Run): void {
  const { kind, bilinear = true, fill = "reflect", value = 0, size = SIZE, key = KEY } = run;
  const ranges = run.ranges.map(Math.fround);
  const [h, w, c] = size;
  const out = run.out ?? ([h, w] as const);
  const x = random(1).uniform(INDICES.length * h * w * c, -1, 1);
  const y = transformed(x, INDICES, run);
  let compared = 0;
  INDICES.forEach((index, image) => {
    const picture = { h, w, c, data: x.subarray(image * h * w * c, (image + 1) * h * w * c) };
    const drawn = draws(key, index);
    for (let i = 0; i < out[0] * out[1]; i++) {
      const [sy, sx] = source(kind, ranges, drawn, picture, out, Math.floor(i / out[1]), i % out[1]);
      if (!bilinear && [sy, sx].some((s) => Math.abs(s - Math.floor(s) - 0.5) < 1e-12)) continue;
      for (let channel = 0; channel < c; channel++, compared++) {
        const expected = sampled(picture, sy, sx, channel, { fill, bilinear, value });
        const actual = y[(image * out[0] * out[1] + i) * c + channel]!;
        // Fractions, and seven operations on numbers of up to 1 and on `value`, are rounded.
        const bound = bilinear ? 10 * U * Math.max(1, Math.abs(value)) : 0;
        if (!(Math.abs(actual - expected) <= bound)) {
          throw new Error(`image ${index}, pixel ${i}, channel ${channel}: ${actual}, not ${expected}`);
        }
      }
    }
  });
  expect(compared).toBeGreaterThan(0.8 * y.length);
}

const FILLS = ["constant", "nearest", "reflect", "wrap"] as const;

describe("randomTransform", () => {
  for (const fill of FILLS) {
    for (const bilinear of [true, false]) {
      const how = { fill, bilinear, value: 0.75 };
      it(`moves, turns and zooms as the oracle: ${fill}, ${bilinear ? "bilinear" : "nearest"}`, () => {
        expectOracle({ kind: "translation", ranges: [-1, 1, -0.4, 0.7], ...how });
        expectOracle({ kind: "rotation", ranges: [-0.5, 1, 0, 0], ...how });
        expectOracle({ kind: "zoom", ranges: [-0.5, 1, -0.9, 0.3], ...how });
        expectOracle({ kind: "evenZoom", ranges: [-0.5, 1, 0, 0], ...how });
        expectOracle({ kind: "rotation", ranges: [-0.5, 1, 0, 0], ...how, size: [1, 1, 1] });
        expectOracle({ kind: "translation", ranges: [-1, 1, -1, 1], ...how, size: [1, 9, 4] });
      });
    }
  }

  it("mirrors and cuts exactly", () => {
    for (const bilinear of [true, false]) {
      expectOracle({ kind: "flip", ranges: [0.5, 0, 0.5, 0], fill: "nearest", bilinear });
      expectOracle({ kind: "flip", ranges: [1, 0, 0, 0], size: [6, 4, 1], fill: "nearest", bilinear });
      expectOracle({ kind: "crop", ranges: [0, 0, 0, 0], out: [4, 3], fill: "nearest", bilinear });
      expectOracle({ kind: "crop", ranges: [0, 0, 0, 0], out: [7, 5], fill: "nearest", bilinear });
    }
  });

  it("turns by quarters exactly, counter-clockwise", () => {
    const size = [3, 3, 1] as const;
    const x = Float32Array.of(1, 2, 3, 4, 5, 6, 7, 8, 9);
    const turned = (quarters: number): number[] => [
      ...transformed(x, [0], { kind: "rotation", ranges: [quarters / 4, quarters / 4, 0, 0], size }),
    ];
    expect(turned(0)).toEqual([...x]);
    expect(turned(1)).toEqual([3, 6, 9, 2, 5, 8, 1, 4, 7]);
    expect(turned(2)).toEqual([...x].reverse());
    expect(turned(-1)).toEqual([7, 4, 1, 8, 5, 2, 9, 6, 3]);
    expect(turned(4)).toEqual([...x]);
  });

  it("draws for an image's number, whatever its place among others", () => {
    const pixels = SIZE[0] * SIZE[1] * SIZE[2];
    const x = random(2).uniform(pixels);
    const run = { kind: "rotation", ranges: [-0.5, 0.5, 0, 0] } as const;
    const all = transformed(
      Float32Array.from({ length: 4 * pixels }, (_, i) => x[i % pixels]!),
      [3, 9, 3, 4],
      run,
    );
    const parts = [0, 1, 2, 3].map((i) => [...all.subarray(i * pixels, (i + 1) * pixels)]);
    expect(parts[0]).toEqual(parts[2]);
    expect(parts[0]).not.toEqual(parts[1]);
    expect([...transformed(x, [9], run)]).toEqual(parts[1]);
    for (const other of [{ epoch: 8 }, { layer: 3 }, { seedLow: 43 }, { seedHigh: 4 }]) {
      expect([...transformed(x, [9], { ...run, key: { ...KEY, ...other } })]).not.toEqual(parts[1]);
    }
  });

  it("draws evenly from the range, and rows apart from columns", () => {
    const n = 20_000;
    const sums = [0, 0, 0];
    const counts = Array.from({ length: 10 }, () => 0);
    for (let image = 0; image < n; image++) {
      const [u, v] = draws(KEY, image);
      counts[Math.floor(10 * u)]!++;
      sums[0]! += u - 0.5;
      sums[1]! += v - 0.5;
      sums[2]! += (u - 0.5) * (v - 0.5);
    }
    // Five standard deviations: 1/12 is the variance of one, 1/144 that of the product.
    for (const sum of sums.slice(0, 2)) expect(Math.abs(sum)).toBeLessThan(5 * Math.sqrt(n / 12));
    expect(Math.abs(sums[2]!)).toBeLessThan(5 * Math.sqrt(n / 144));
    for (const count of counts) expect(Math.abs(count - n / 10)).toBeLessThan(5 * Math.sqrt(0.09 * n));
    // A picture of its own places, moved by the draws, shows what was drawn.
    const width = 64;
    const ramp = Float32Array.from({ length: width * 100 }, (_, i) => i % width);
    const run = { kind: "translation", ranges: [0, 0, -0.25, 0.25], size: [1, width, 1] } as const;
    const moved = transformed(
      ramp,
      Array.from({ length: 100 }, (_, i) => i),
      run,
    );
    for (let image = 0; image < 100; image++) {
      const shift = 32 - moved[image * width + 32]!;
      expect(Math.abs(shift - width * (draws(KEY, image)[1] / 2 - 0.25))).toBeLessThan(1e-5);
    }
  });
});

describe("randomColor", () => {
  const [pixels, c] = [35, 3];

  function colored(contrast: boolean, low: number, high: number, range: [number, number]) {
    const x = random(5).uniform(INDICES.length * pixels * c, 0, 255);
    bench.reset();
    const y = guarded(bench, x.length);
    const words = [KEY.seedLow, KEY.seedHigh, KEY.epoch, KEY.layer] as const;
    const at = [bench.put(x), y.ptr, INDICES.length, pixels, c] as const;
    kernels.randomColor(contrast, low, high, ...range, ...at, ...words, bench.put(Int32Array.from(INDICES)));
    y.check();
    return { x, y: y.f32() };
  }

  it.each([
    ["contrast", true, -0.8, 1],
    ["brightness", false, -0.3, 0.6],
  ] as const)(
    "changes the %s of each image as the formula in float64, and clips",
    (_, contrast, low, high) => {
      const range: [number, number] = [0, 255];
      const { x, y } = colored(contrast, low, high, range);
      let clipped = 0;
      INDICES.forEach((index, image) => {
        const p = low + (high - low) * draws(KEY, index)[0];
        for (let channel = 0; channel < c; channel++) {
          const at = (i: number): number => (image * pixels + i) * c + channel;
          let mean = 0;
          for (let i = 0; i < pixels; i++) mean += x[at(i)]! / pixels;
          for (let i = 0; i < pixels; i++) {
            const value = contrast ? (x[at(i)]! - mean) * (1 + p) + mean : x[at(i)]! + 255 * p;
            const expected = Math.min(Math.max(value, 0), 255);
            if (value !== expected) clipped++;
            expect(Math.abs(y[at(i)]! - expected)).toBeLessThanOrEqual(1.01 * U * Math.abs(expected));
          }
        }
      });
      expect(clipped).toBeGreaterThan(0);
    },
  );
});

describe("rescaleForward and cropBytes", () => {
  it.each([1, 3, 4, 5, 17])("scales %i elements, product and sum rounded", (n) => {
    const x = random(n).uniform(n, -2, 2);
    bench.reset();
    const y = guarded(bench, n);
    kernels.rescaleForward(0.3, -0.7, bench.put(x), y.ptr, n);
    y.check();
    const [scale, offset] = [Math.fround(0.3), Math.fround(-0.7)];
    expect([...y.f32()]).toEqual([...x].map((value) => Math.fround(Math.fround(value * scale) + offset)));
  });

  it("copies the rows of a rectangle", () => {
    const x = Float32Array.from({ length: 2 * 4 * 5 }, (_, i) => i);
    bench.reset();
    const from = bench.put(x);
    const y = guarded(bench, 2 * 2 * 3);
    kernels.cropBytes(2, 2, 12, from + 4 * (5 + 1), 80, 20, y.ptr);
    y.check();
    expect([...y.f32()]).toEqual([6, 7, 8, 11, 12, 13, 26, 27, 28, 31, 32, 33]);
  });
});
