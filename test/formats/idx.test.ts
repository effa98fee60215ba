import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { FormatError } from "../../src/errors.ts";
import { readIdx } from "../../src/formats/idx.ts";

/** An IDX file of unsigned bytes. */
function idx(shape: readonly number[], data: Uint8Array): Uint8Array {
  const file = new Uint8Array(4 + 4 * shape.length + data.length);
  const view = new DataView(file.buffer);
  view.setUint32(0, 0x0800 + shape.length);
  shape.forEach((size, axis) => view.setUint32(4 + 4 * axis, size));
  file.set(data, 4 + 4 * shape.length);
  return file;
}

const file = idx([2, 3], Uint8Array.of(1, 2, 3, 4, 5, 6));
const changed = (at: number, ...bytes: number[]): Uint8Array => {
  const copy = file.slice();
  copy.set(bytes, at);
  return copy;
};

describe("readIdx", () => {
  it("gives back any shape and data, also from the middle of a buffer", () => {
    const shapes = fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 1, maxLength: 5 });
    fc.assert(
      fc.property(shapes, fc.nat(7), (shape, offset) => {
        const data = Uint8Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => (7 * i) & 255);
        const bytes = idx(shape, data);
        const buffer = new Uint8Array(bytes.length + offset + 3);
        buffer.set(bytes, offset);
        const read = readIdx(buffer.subarray(offset, offset + bytes.length), "a");
        expect(read.shape).toEqual(shape);
        expect(read.data).toEqual(data);
      }),
      { seed: 1 },
    );
  });

  it.each([
    ["nothing", new Uint8Array(0), "f: magic number: expected 4 bytes, got 0"],
    ["three bytes", file.subarray(0, 3), "f: magic number: expected 4 bytes, got 3"],
    ["gzip", changed(0, 0x1f, 0x8b), "f: magic number: expected 00 00 08 and the rank, got 1f 8b 08 02"],
    ["floats", changed(2, 0x0d), "f: type code: expected 0x08 (unsigned byte), got 0x0d (float32)"],
    ["an unknown type", changed(2, 0x07), "f: type code: expected 0x08 (unsigned byte), got 0x07 (unknown)"],
    ["rank 0", changed(3, 0), "f: rank: expected at least 1, got 0"],
    ["a cut header", file.subarray(0, 11), "f: header: expected 12 bytes for rank 2, got 11"],
    ["a size of 0", changed(4, 0, 0, 0, 0), "f: dimension 0: expected at least 1, got 0"],
    ["cut data", file.subarray(0, 17), "f: data: expected 6 bytes for 2×3, got 5"],
    ["no data", file.subarray(0, 12), "f: data: expected 6 bytes for 2×3, got 0"],
    ["a byte too many", Uint8Array.of(...file, 0), "f: data: expected 6 bytes for 2×3, got 7"],
    [
      "an absurd size",
      changed(4, 255, 255, 255, 255, 255, 255, 255, 255),
      "f: sizes: expected a product below 2^53, got 4294967295×4294967295",
    ],
  ])("refuses %s", (_, bytes, message) => {
    expect(() => readIdx(bytes, "f")).toThrow(new FormatError(message));
  });

  it("fails with nothing but FormatError on any bytes", () => {
    const anything = fc.uint8Array({ maxLength: 40 });
    const nearly = fc
      .tuple(fc.nat(file.length - 1), fc.integer({ min: 0, max: 255 }), fc.nat(file.length))
      .map(([at, byte, length]) => changed(at, byte).subarray(0, length));
    fc.assert(
      fc.property(fc.oneof(anything, nearly), (bytes) => {
        try {
          readIdx(bytes, "f");
        } catch (error) {
          expect(error).toBeInstanceOf(FormatError);
        }
      }),
      { seed: 2, numRuns: 2000 },
    );
  });
});
