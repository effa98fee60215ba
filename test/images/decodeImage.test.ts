/** Files as tensors of bytes, held against what Pillow makes of them (pillow/make.py). */
import { FormatError, OptionError } from "im2row";
import { decodeImage, type Channels } from "im2row/images";
import { describe, expect, it } from "vitest";
import { encodePng } from "../support/png.ts";
import jpegs from "./jpegs/images.json" with { type: "json" };
import goldens from "./pillow/goldens.json" with { type: "json" };
import { bytesOf } from "./support.ts";

describe("PNG in the channels that are wanted", () => {
  const cases = goldens.decoded.flatMap((golden) =>
    ([1, 3, 4] as const).map((channels) => ({ ...golden, channels })),
  );

  it.each(cases)("$name as $channels", ({ file, height, width, bytes, channels }) => {
    expect(decodeImage(bytesOf(file), { channels })).toEqual({
      shape: [height, width, channels],
      data: bytesOf(bytes[channels]),
    });
  });

  it("is RGB by default", () => {
    const [{ file, bytes }] = goldens.decoded as [(typeof goldens.decoded)[0]];
    expect(decodeImage(bytesOf(file)).data).toEqual(bytesOf(bytes[3]));
  });

  it("keeps the upper eight bits of sixteen, of opacity too", () => {
    const samples = [0x1234, 0x56ff, 0x00ff, 0x8000];
    const file = encodePng({ width: 1, height: 1, depth: 16, colourType: 6, samples });
    expect([...decodeImage(file, { channels: 4 }).data]).toEqual([0x12, 0x56, 0x00, 0x80]);
  });
});

describe("JPEG", () => {
  it.each(jpegs.read)("$name has three channels, or one", ({ file, width, height }) => {
    const rgb = decodeImage(bytesOf(file));
    expect(rgb.shape).toEqual([height, width, 3]);
    const grey = decodeImage(bytesOf(file), { channels: 1 });
    expect(grey.shape).toEqual([height, width, 1]);
    const luma = grey.data.map((_, i) => {
      const [r, g, b] = rgb.data.subarray(3 * i) as Uint8Array & [number, number, number];
      return (r * 19595 + g * 38470 + b * 7471 + 32768) >> 16;
    });
    expect(grey.data).toEqual(luma);
  });
});

describe("refuses", () => {
  it.each<[string, Uint8Array, string]>([
    ["an empty file", new Uint8Array(0), "decodeImage: expected a PNG or JPEG image, got an empty file"],
    [
      "another kind",
      new TextEncoder().encode("GIF89a"),
      "decodeImage: expected a PNG or JPEG image, got a GIF image",
    ],
    [
      "a broken one",
      bytesOf(goldens.decoded[0]!.file).subarray(0, 40),
      "decodeImage: expected a PNG or JPEG image, got a PNG image that breaks off after 40 bytes",
    ],
    ["no bytes", "cat.png" as never, 'decodeImage: expected a Uint8Array, got "cat.png"'],
  ])("%s", (_, file, message) => {
    expect(() => decodeImage(file)).toThrow(FormatError);
    expect(() => decodeImage(file)).toThrow(message);
  });

  it("other channels", () => {
    const file = bytesOf(goldens.decoded[0]!.file);
    expect(() => decodeImage(file, { channels: 2 as Channels })).toThrow(
      new OptionError("decodeImage: channels: expected 1, 3 or 4, got 2"),
    );
  });
});
