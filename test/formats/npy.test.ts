import { spawnSync } from "node:child_process";
import { describe, expect, it } from "vitest";
import { FormatError } from "../../src/errors.ts";
import { readNpy, writeNpy } from "../../src/formats/npy.ts";
import { tensor } from "../../src/tensor.ts";

/** A file with this header, of a version, and these bytes behind it. */
function npy(header: string, data: Uint8Array = new Uint8Array(), version = 1): Uint8Array {
  const text = new TextEncoder().encode(header);
  const size =
    version === 1 ? [text.length & 255, text.length >> 8] : [text.length & 255, text.length >> 8, 0, 0];
  return Uint8Array.of(0x93, 78, 85, 77, 80, 89, version, 0, ...size, ...text, ...data);
}

const header = (descr: string, order: string, shape: string): string =>
  `{'descr': '${descr}', 'fortran_order': ${order}, 'shape': ${shape}, }\n`;
const two = new Uint8Array(Float32Array.of(1.5, -2).buffer);

describe(".npy", () => {
  it.each([[[2, 3]], [[6]], [[1, 2, 3, 1]]])("is read as it was written: %j", (shape) => {
    const given = tensor([0, -0, NaN, Infinity, 1e-45, 3], shape);
    const file = writeNpy(given);
    expect(readNpy(file, "x")).toEqual(given);
    expect((file.length - 24) % 64).toBe(0);
  });

  it("holds a single number, or none", () => {
    expect(readNpy(npy(header("<f4", "False", "()"), two.subarray(0, 4)), "x")).toEqual({
      shape: [],
      data: Float32Array.of(1.5),
    });
    expect(readNpy(npy(header("<f4", "False", "(0, 3)")), "x").shape).toEqual([0, 3]);
  });

  it.each([1, 2, 3])("of version %i is read", (version) => {
    expect(readNpy(npy(header("<f4", "False", "(2,)"), two, version), "x").data).toEqual(
      Float32Array.of(1.5, -2),
    );
  });

  it.each<[string, Uint8Array, RegExp]>([
    ["nothing", new Uint8Array(), /^x: expected a \.npy file, got other bytes$/],
    [
      "a later version",
      npy(header("<f4", "False", "(2,)"), two, 4),
      /^x: expected version 1 to 3 of \.npy, got 4$/,
    ],
    [
      "doubles",
      npy(header("<f8", "False", "(1,)"), two),
      /^x: expected float32, little-endian \(<f4\), got <f8$/,
    ],
    ["the other end first", npy(header(">f4", "False", "(2,)"), two), /got >f4$/],
    ["Fortran order", npy(header("<f4", "True", "(2,)"), two), /^x: expected C order, got Fortran order$/],
    ["no header", npy("{}"), /^x: expected a header with descr, fortran_order and shape, got \{\}$/],
    [
      "a cut header",
      npy(header("<f4", "False", "(2,)")).slice(0, 40),
      /^x: expected a header up to byte 68, got 40 bytes$/,
    ],
    [
      "missing data",
      npy(header("<f4", "False", "(3,)"), two),
      /^x: expected 12 bytes for the shape \(3\), got 8$/,
    ],
    [
      "more data",
      npy(header("<f4", "False", "(1,)"), two),
      /^x: expected 4 bytes for the shape \(1\), got 8$/,
    ],
  ])("with %s is refused", (_, bytes, message) => {
    expect(() => readNpy(bytes, "x")).toThrow(FormatError);
    expect(() => readNpy(bytes, "x")).toThrow(message);
  });

  const python = spawnSync("python3", ["-c", "import numpy"]).status === 0;
  it.skipIf(!python)("is what numpy reads and writes", () => {
    const code =
      "import sys, io, numpy; a = numpy.load(io.BytesIO(sys.stdin.buffer.read())); numpy.save(sys.stdout.buffer, a * 2)";
    const { stdout } = spawnSync("python3", ["-c", code], {
      input: writeNpy(tensor([1, 2, 3, 4, 5, 6], [2, 3])),
    });
    expect(readNpy(stdout, "numpy")).toEqual(tensor([2, 4, 6, 8, 10, 12], [2, 3]));
  });
});
