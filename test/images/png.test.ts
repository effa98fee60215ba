/** PNG images of every kind, held against the samples that they were made of. */
import { deflateSync } from "node:zlib";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { PictureError } from "../../src/images/files/picture.ts";
import { readPng } from "../../src/images/files/png.ts";
import { readImage } from "../../src/images/files/read.ts";
import { chunk, encodePng, headerChunk, PNG_TYPES, pngOf, pngPixels, type PngFile } from "../support/png.ts";

const END = chunk("IEND", new Uint8Array(0));

/** The pixels that a reader should return for a file, by the definitions alone. */
function expected(file: PngFile): { channels: number; most: number; samples: number[] } {
  const { depth, colourType, samples, palette, transparency } = file;
  const channels = PNG_TYPES.find(([type]) => type === colourType)![2];
  const most = depth === 16 ? 65535 : 255;
  const pixels = Array.from({ length: samples.length / channels }, (_, pixel) => {
    const stored = Array.from({ length: channels }, (__, i) => samples[pixel * channels + i]!);
    if (palette) {
      const colour = Array.from(palette.subarray(3 * stored[0]!, 3 * stored[0]! + 3));
      return transparency ? [...colour, transparency[stored[0]!] ?? 255] : colour;
    }
    const stretched = stored.map((value) => (value * most) / (2 ** depth - 1));
    if (!transparency) return stretched;
    const clear = stored.every((value, i) => value === transparency[2 * i]! * 256 + transparency[2 * i + 1]!);
    return [...stretched, clear ? 0 : most];
  });
  return { channels: pixels[0]!.length, most, samples: pixels.flat() };
}

function check(file: PngFile): void {
  const { width, height } = file;
  const picture = readPng(encodePng(file));
  expect({ ...picture, samples: Array.from(picture.samples) }).toEqual({ width, height, ...expected(file) });
}

const pairs = PNG_TYPES.flatMap(([colourType, depths, channels]) =>
  depths.map((depth) => ({ colourType, depth, channels })),
);
const numbers = (count: number, most: number, start = 0): number[] =>
  Array.from({ length: count }, (_, i) => (start + i * 7919 + (i >> 3) * 31) % (most + 1));
const paletteOf = (depth: number): Uint8Array => Uint8Array.from(numbers(3 * 2 ** depth, 255, 5));

describe.each(pairs)("colour type $colourType, $depth bits", ({ colourType, depth, channels }) => {
  const most = 2 ** depth - 1;

  it.each([false, true])("any size and filter, interlaced: %s", (interlaced) => {
    const sides = fc.integer({ min: 1, max: 19 });
    const property = fc.property(sides, sides, fc.nat(), fc.nat(4), (width, height, start, filter) => {
      const samples = numbers(width * height * channels, most, start);
      const palette = colourType === 3 ? { palette: paletteOf(depth) } : {};
      const filters = (row: number): number => (row + filter) % 5;
      check({
        width,
        height,
        depth,
        colourType,
        interlaced,
        samples,
        filters,
        chunkSize: 1 + (start % 99),
        ...palette,
      });
    });
    fc.assert(property, { numRuns: 25, seed: 16 });
  });
});

it.each(pairs.filter(({ colourType }) => colourType < 4))(
  "what is transparent: colour type $colourType, $depth bits",
  ({ colourType, depth, channels }) => {
    const most = 2 ** depth - 1;
    const samples = numbers(9 * 5 * channels, most, 3);
    const image = { width: 9, height: 5, depth, colourType, samples };
    if (colourType === 3) {
      check({ ...image, palette: paletteOf(depth), transparency: Uint8Array.of(0) });
      check({ ...image, palette: paletteOf(depth), transparency: Uint8Array.of(7, 200) });
      return;
    }
    const colour = samples.slice(4 * channels, 5 * channels);
    const transparency = Uint8Array.from(colour.flatMap((value) => [value >> 8, value & 255]));
    check({ ...image, transparency });
    check({ ...image, transparency, interlaced: true });
  },
);

it("colours of four bits, against values that pillow gives", () => {
  // One row of 1-bit greys, and one of 4-bit greys.
  const grey = (depth: number, samples: number[]): number[] =>
    Array.from(readPng(encodePng({ width: 8, height: 1, depth, colourType: 0, samples })).samples);
  expect(grey(1, [0, 1, 1, 1, 0, 0, 1, 1])).toEqual([0, 255, 255, 255, 0, 0, 255, 255]);
  expect(grey(4, [0, 15, 1, 14, 2, 13, 3, 12])).toEqual([0, 255, 17, 238, 34, 221, 51, 204]);
});

const grey: PngFile = { width: 3, height: 2, depth: 8, colourType: 0, samples: [1, 2, 3, 4, 5, 6] };
const good = encodePng(grey);
const header = headerChunk(3, 2, 8, 0, 0, 0, 0);
const pixels = (bytes: Uint8Array = pngPixels(grey)): Uint8Array => chunk("IDAT", deflateSync(bytes));
const changed = (change: (stream: Uint8Array) => Uint8Array): Uint8Array =>
  pngOf(header, chunk("IDAT", change(Uint8Array.from(deflateSync(pngPixels(grey))))), END);
/** A header's chunk and pixels that would do for many. */
const headed = (width: number, height: number, ...rest: number[]): Uint8Array =>
  pngOf(headerChunk(width, height, ...rest), pixels(), END);
const palette = (size: number): Uint8Array => chunk("PLTE", new Uint8Array(size));
const transparent = (size: number): Uint8Array => chunk("tRNS", new Uint8Array(size));
const paletteHeader = headerChunk(3, 2, 8, 3, 0, 0, 0);
const wrongCrc = (type: string): Uint8Array => {
  const broken = Uint8Array.from(chunk(type, Uint8Array.of(1, 2, 3)));
  broken[9]! ^= 4;
  return broken;
};

describe("is refused", () => {
  it.each<[string, Uint8Array, string]>([
    ["no pixel", headed(0, 0, 8, 0, 0, 0, 0), "of 0×0 pixels"],
    ["no row", headed(3, 0, 8, 0, 0, 0, 0), "of 3×0 pixels"],
    ["another compression", headed(3, 2, 8, 0, 1, 0, 0), "of compression method 1, where there is only 0"],
    ["another filter method", headed(3, 2, 8, 0, 0, 1, 0), "of filter method 1, where there is only 0"],
    [
      "another interlacing",
      headed(3, 2, 8, 0, 0, 0, 2),
      "of interlace method 2, where there are only 0 and 1",
    ],
    ["a row too few", headed(3, 3, 8, 0, 0, 0, 0), "that has 8 of its 12 bytes of pixels"],
    ["a row too many", headed(3, 1, 8, 0, 0, 0, 0), "that has more than its 4 bytes of pixels"],
    [
      "more than its bytes unpack to",
      headed(2 ** 31 - 1, 1, 8, 0, 0, 0, 0),
      "of 2147483647×1 pixels, for which its 16 bytes of compressed pixels are too few",
    ],
    [
      "more than is allowed",
      pngOf(headerChunk(20_000, 20_000, 8, 2, 0, 0, 0), chunk("IDAT", new Uint8Array(2e6)), END),
      "of 20000×20000 pixels, which has 1200020000 bytes where 134217728 are allowed",
    ],
    [
      "bits that become more bytes than is allowed",
      pngOf(headerChunk(20_000, 20_000, 1, 0, 0, 0, 0), chunk("IDAT", new Uint8Array(2e6)), END),
      "of 20000×20000 pixels, which has 400000000 bytes where 134217728 are allowed",
    ],
    [
      "a header of another length",
      pngOf(chunk("IHDR", new Uint8Array(12))),
      "that does not begin with a header",
    ],
    ["no pixels at all", pngOf(header, END), "without pixels"],
    [
      "pixels in two places",
      pngOf(header, pixels(), chunk("tEXt", Uint8Array.of(97, 0)), pixels(), END),
      "with other chunks among its pixels",
    ],
    [
      "two headers",
      pngOf(header, header, pixels(), END),
      "with a chunk IHDR that it cannot be shown without",
    ],
    [
      "an unknown chunk that matters",
      pngOf(header, chunk("ABCD", END), pixels(), END),
      "with a chunk ABCD that it cannot be shown without",
    ],
    [
      "a chunk without a type",
      pngOf(header, chunk("a\u0007bc", END)),
      "with a chunk at byte 33 that has no type",
    ],
    ["no palette", pngOf(paletteHeader, pixels(), END), "without its palette"],
    ["two palettes", pngOf(paletteHeader, palette(9), palette(9), pixels(), END), "with two chunks PLTE"],
    [
      "a palette behind the pixels",
      pngOf(paletteHeader, pixels(), palette(9), END),
      "with its chunk PLTE after its pixels",
    ],
    [
      "a palette of a third of a colour",
      pngOf(paletteHeader, palette(10), pixels(), END),
      "with a palette of 10 bytes, where 3 to 768 are possible",
    ],
    [
      "an empty palette",
      pngOf(paletteHeader, palette(0), pixels(), END),
      "with a palette of 0 bytes, where 3 to 768 are possible",
    ],
    [
      "a palette of five colours for two bits",
      pngOf(headerChunk(3, 2, 2, 3, 0, 0, 0), palette(15), pixels(), END),
      "with a palette of 15 bytes, where 3 to 12 are possible",
    ],
    ["a palette of greys", pngOf(header, palette(9), pixels(), END), "of greys with a palette"],
    [
      "a colour that is not there",
      pngOf(paletteHeader, palette(9), pixels(), END),
      "with a pixel of colour 3, where its palette has 3",
    ],
    [
      "more opacities than colours",
      pngOf(paletteHeader, palette(9), transparent(4), pixels(), END),
      "with 4 opacities for the 3 colours of its palette",
    ],
    [
      "opacity before its palette",
      pngOf(paletteHeader, transparent(1), palette(9), pixels(), END),
      "with its palette after its transparency",
    ],
    [
      "a transparent grey of 6 bytes",
      pngOf(header, transparent(6), pixels(), END),
      "of colour type 0 with a transparent colour of 6 bytes",
    ],
    [
      "a transparent colour besides opacity",
      pngOf(headerChunk(3, 2, 8, 4, 0, 0, 0), transparent(2), pixels(), END),
      "of colour type 4 with a transparent colour of 2 bytes",
    ],
    [
      "a row of filter 5",
      pngOf(header, pixels(Uint8Array.of(0, 1, 2, 3, 5, 4, 5, 6)), END),
      "with a row of filter type 5, where there are 0 to 4",
    ],
    [
      "a wrong checksum of the pixels' chunk",
      pngOf(header, wrongCrc("IDAT"), END),
      "with a wrong checksum of its chunk IDAT",
    ],
    [
      "a wrong checksum of a text",
      pngOf(header, wrongCrc("tEXt"), pixels(), END),
      "with a wrong checksum of its chunk tEXt",
    ],
    [
      "a wrong checksum of the pixels",
      changed((s) => ((s[s.length - 1]! ^= 1), s)),
      "with a wrong checksum of its pixels",
    ],
    [
      "pixels that are not compressed",
      changed((s) => s.fill(0, 0, 2)),
      "whose pixels are not compressed by deflate",
    ],
    [
      "pixels with a dictionary",
      changed((s) => ((s[1] = 0xbb), s)),
      "whose pixels are not compressed by deflate",
    ],
    ["pixels that break off", changed((s) => s.subarray(0, 6)), "whose pixels break off"],
    [
      "pixels without their checksum",
      changed((s) => s.subarray(0, -4)),
      "whose pixels are broken (unexpected EOF)",
    ],
    ["a block of no type", changed((s) => ((s[2] = 7), s)), "whose pixels are broken (invalid block type)"],
  ])("%s", (_, file, given) => {
    expect(() => readImage(file)).toThrow(new PictureError(`a PNG image ${given}`));
  });

  const legal = new Set(pairs.map(({ colourType, depth }) => `${colourType} ${depth}`));
  it("every other pair of colour type and depth", () => {
    for (let colourType = 0; colourType < 256; colourType++) {
      for (const depth of [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 12, 15, 16, 17, 32, 255]) {
        if (legal.has(`${colourType} ${depth}`)) continue;
        const given = `a PNG image of colour type ${colourType} with a depth of ${depth}`;
        expect(() => readImage(headed(3, 2, depth, colourType, 0, 0, 0))).toThrow(new PictureError(given));
      }
    }
  });

  it("an image cut off anywhere, and one with any byte broken", () => {
    for (let at = 0; at < good.length; at++) {
      expect(() => readImage(good.subarray(0, at)), `${at} bytes`).toThrow(PictureError);
      const broken = Uint8Array.from(good);
      broken[at]! ^= 0x20;
      expect(() => readImage(broken), `byte ${at}`).toThrow(PictureError);
    }
  });
});

describe("does not matter", () => {
  it("what stands behind the end, and chunks that the pixels do not need", () => {
    const samples = Uint8Array.from(grey.samples as number[]);
    const text = chunk("tEXt", Uint8Array.of(97, 0, 98));
    const profile = chunk("iCCP", Buffer.concat([Buffer.from("x\0\0"), deflateSync(new Uint8Array(1e6))]));
    for (const file of [
      Buffer.concat([good, Buffer.from("more")]),
      pngOf(header, text, profile, pixels(), text, END),
      // A palette beside RGB is a suggestion.
    ]) {
      expect(readPng(file).samples).toEqual(samples);
    }
    const rgb = { ...grey, colourType: 2, samples: numbers(18, 255) };
    expect(readPng(encodePng({ ...rgb, palette: Uint8Array.of(1, 2, 3) })).samples).toEqual(
      Uint8Array.from(rgb.samples),
    );
  });

  it("where a file lies in its buffer", () => {
    const inside = new Uint8Array(good.length + 20);
    inside.set(good, 7);
    expect(readPng(inside.subarray(7, 7 + good.length))).toEqual(readPng(good));
  });
});
