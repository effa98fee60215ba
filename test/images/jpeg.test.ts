/** JPEG images of every kind, held against what libjpeg-turbo and Pillow read from them (jpegs/make.py). */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { PictureError } from "../../src/images/files/picture.ts";
import { readImage } from "../../src/images/files/read.ts";

interface Entry {
  name: string;
  file: string;
  width: number;
  height: number;
  pixels: string;
}

const images = JSON.parse(readFileSync(new URL("jpegs/images.json", import.meta.url), "utf8")) as {
  read: Entry[];
  refused: Pick<Entry, "name" | "file">[];
};
const decode = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, "base64"));
const fileOf = (name: string): Uint8Array => decode(images.read.find((entry) => entry.name === name)!.file);

/** Shades by which inverse transforms in integers differ; conversions of colours multiply them by up to 1.8. */
const TOLERANCE = 4;

describe("reads", () => {
  it.each(images.read)("$name", ({ file, width, height, pixels }) => {
    const picture = readImage(decode(file));
    expect(picture).toMatchObject({ width, height, channels: 3, most: 255 });
    const expected = decode(pixels);
    expect(picture.samples.length).toBe(expected.length);
    const worst = expected.reduce(
      (most, value, i) => Math.max(most, Math.abs(value - picture.samples[i]!)),
      0,
    );
    expect(worst).toBeLessThanOrEqual(TOLERANCE);
  });
});

/** A segment with its marker and length. */
const segment = (marker: number, ...data: number[]): number[] => [0xff, marker, 0, data.length + 2, ...data];
const grey = fileOf("grey");
const at = (file: Uint8Array, marker: number): number =>
  file.findIndex((byte, i) => byte === 0xff && file[i + 1] === marker);
/** A file with bytes instead of those from the marker on: `count` of them, or its whole segment. */
function spliced(file: Uint8Array, marker: number, bytes: readonly number[], count?: number): Uint8Array {
  const start = at(file, marker);
  const end = start + (count ?? 2 + file[start + 2]! * 256 + file[start + 3]!);
  return Uint8Array.of(...file.subarray(0, start), ...bytes, ...file.subarray(end));
}
const frame = (...data: number[]): Uint8Array => spliced(grey, 0xc0, segment(0xc0, ...data));
const size = (width: number, height: number): Uint8Array =>
  frame(8, height >> 8, height & 255, width >> 8, width & 255, 1, 1, 0x11, 0);

it("one component by its blocks, whatever its sampling factors are", () => {
  expect(readImage(frame(8, 0, 13, 0, 21, 1, 1, 0x22, 0))).toEqual(readImage(grey));
});

describe("refuses", () => {
  it.each<[string, Uint8Array, string]>([
    [
      "arithmetic codes",
      decode(images.refused[0]!.file),
      "a JPEG image of arithmetic codes, which cannot be read",
    ],
    ["a lossless one", spliced(grey, 0xc0, [0xff, 0xc3], 2), "a lossless JPEG image, which cannot be read"],
    [
      "12 bits",
      frame(12, 0, 13, 0, 21, 1, 1, 0x11, 0),
      "a JPEG image of 12 bits a sample, where 8 can be read",
    ],
    ["no rows", size(21, 0), "a JPEG image of 21×0 pixels"],
    [
      "two components",
      frame(8, 0, 13, 0, 21, 2, 1, 0x11, 0, 2, 0x11, 0),
      "a JPEG image of 2 components, where 1, 3 or 4 can be read",
    ],
    [
      "a sampling factor of 5",
      frame(8, 0, 13, 0, 21, 1, 1, 0x51, 0),
      "a JPEG image with sampling factors beyond 1 to 4",
    ],
    [
      "sampling of 3 to 2",
      frame(8, 0, 13, 0, 21, 3, 1, 0x31, 0, 2, 0x21, 0, 3, 0x11, 0),
      "a JPEG image with sampling factors that do not divide each other",
    ],
    [
      "two components of one name",
      frame(8, 0, 13, 0, 21, 3, 1, 0x11, 0, 1, 0x11, 0, 3, 0x11, 0),
      "a JPEG image with two components of one name",
    ],
    ["a frame of another length", frame(8, 0, 13, 0, 21, 1, 1, 0x11), "a JPEG image with a broken frame"],
    [
      "two frames",
      spliced(grey, 0xc0, [...grey.subarray(at(grey, 0xc0), at(grey, 0xc0) + 13), 0xff, 0xc0], 2),
      "a JPEG image with two frames",
    ],
    ["no frame", Uint8Array.of(0xff, 0xd8, 0xff, 0xd9), "a JPEG image without a frame"],
    [
      "no pixels",
      Uint8Array.of(...grey.subarray(0, at(grey, 0xda)), 0xff, 0xd9),
      "a JPEG image without the pixels of its component 1 of 1",
    ],
    ["no codes", spliced(grey, 0xc4, []), "a JPEG image without its table dc 0"],
    ["no quantization", spliced(grey, 0xdb, []), "a JPEG image without its table quantization 0"],
    [
      "codes beyond all",
      spliced(grey, 0xc4, segment(0xc4, 0, 3, ...Array.from({ length: 15 }, () => 0), 1, 2, 3)),
      "a JPEG image with more Huffman codes than there can be",
    ],
    [
      "a segment of no length",
      spliced(grey, 0xdb, [0xff, 0xdb, 0, 1], 4),
      "a JPEG image with a segment of 1 bytes",
    ],
    [
      "restarts out of order",
      spliced(fileOf("4:2:0, restarts each block"), 0xd0, [0xff, 0xd1], 2),
      "a JPEG image whose restart markers are not in order",
    ],
    [
      "a restart missing",
      spliced(fileOf("4:2:0, restarts each block"), 0xd0, [], 2),
      "a JPEG image with 0 restart markers in a scan, where 1 are due",
    ],
    [
      "another picture's restarts",
      spliced(fileOf("4:4:4, restarts each row"), 0xdd, segment(0xdd, 0, 2)),
      "a JPEG image with 1 restart markers in a scan, where 2 are due",
    ],
    [
      "four components without Adobe's segment",
      spliced(fileOf("CMYK"), 0xee, []),
      "a JPEG image of four components without Adobe's segment, which cannot be read",
    ],
    [
      "65535×65535 pixels",
      size(65535, 65535),
      "a JPEG image of 65535×65535 pixels, which takes 67108864 blocks where 1048576 are allowed",
    ],
  ])("%s", (_, file, given) => {
    expect(() => readImage(file)).toThrow(new PictureError(given));
  });

  it("more pixels than the codes can tell of", () => {
    expect(() => readImage(size(8000, 8000))).toThrow(
      /of 8000×8000 pixels, for which its \d+ bytes of codes are too few/,
    );
  });

  it("more scans than a hundred", () => {
    const file = fileOf("grey, progressive");
    const scan = at(file, 0xda);
    const repeated = Buffer.concat(Array.from({ length: 101 }, () => file.subarray(scan, -2)));
    const many = Buffer.concat([file.subarray(0, scan), repeated, file.subarray(-2)]);
    expect(() => readImage(many)).toThrow(new PictureError("a JPEG image of more than 100 scans"));
  });

  it.each(images.read)("$name, cut off anywhere", ({ file }) => {
    const whole = decode(file);
    for (let length = 0; length < whole.length; length += 3) {
      expect(() => readImage(whole.subarray(0, length)), `${length} bytes`).toThrow(PictureError);
    }
  });

  it("or reads what has a byte broken, and never stumbles", () => {
    let broken = 0;
    for (const { file } of images.read) {
      const whole = decode(file);
      for (let i = 2; i < whole.length; i += 5) {
        const damaged = Uint8Array.from(whole);
        damaged[i]! ^= 0x11;
        try {
          readImage(damaged);
        } catch (error) {
          expect(error).toBeInstanceOf(PictureError);
          broken++;
        }
      }
    }
    expect(broken).toBeGreaterThan(500);
  });
});
