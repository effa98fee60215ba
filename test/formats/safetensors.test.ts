import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { FormatError } from "../../src/errors.ts";
import { decodeSafetensors, encodeSafetensors, type StoredTensor } from "../../src/formats/safetensors.ts";

/** A file with this header text, unpadded, and this many bytes of data. */
function withHeader(header: string | Uint8Array, dataLength: number): Uint8Array {
  const json = typeof header === "string" ? new TextEncoder().encode(header) : header;
  const file = new Uint8Array(8 + json.length + dataLength);
  new DataView(file.buffer).setBigUint64(0, BigInt(json.length), true);
  file.set(json, 8);
  return file;
}

const f32 = (shape: unknown, begin: unknown, end: unknown): object => ({
  dtype: "F32",
  shape,
  data_offsets: [begin, end],
});

const headerOf = (file: Uint8Array): string => {
  const length = Number(new DataView(file.buffer, file.byteOffset).getBigUint64(0, true));
  return new TextDecoder().decode(file.subarray(8, 8 + length));
};

const bitsOf = (data: Float32Array): number[] => [
  ...new Uint32Array(data.buffer, data.byteOffset, data.length),
];

const names = fc.oneof(
  fc.string({ unit: "grapheme" }),
  fc.constantFrom("__proto__", "constructor", "0", "a.b"),
);
const tensors = fc.array(
  fc.tuple(
    names.filter((name) => name !== "__metadata__"),
    fc.array(fc.nat(3), { maxLength: 3 }).chain((shape) => {
      const length = shape.reduce((a, b) => a * b, 1);
      const words = fc.array(fc.nat(0xffffffff), { minLength: length, maxLength: length });
      return words.map((data) => ({ shape, data: new Float32Array(Uint32Array.from(data).buffer) }));
    }),
  ),
  { maxLength: 5 },
);

describe("safetensors", () => {
  it("gives back every tensor bit for bit, NaN payloads included, from any offset", () => {
    fc.assert(
      fc.property(
        tensors,
        fc.dictionary(names, fc.string({ unit: "grapheme" })),
        fc.nat(9),
        (list, notes, offset) => {
          const given = new Map(list);
          const file = encodeSafetensors(given, notes);
          const buffer = new Uint8Array(file.length + offset);
          buffer.set(file, offset);
          const read = decodeSafetensors(buffer.subarray(offset));
          buffer.fill(0);
          expect([...read.tensors.keys()].sort()).toEqual([...given.keys()].sort());
          for (const [name, { shape, data }] of given) {
            expect(read.tensors.get(name)!.shape).toEqual(shape);
            expect(bitsOf(read.tensors.get(name)!.data)).toEqual(bitsOf(data));
          }
          expect(Object.entries(read.metadata).sort()).toEqual(Object.entries(notes).sort());
        },
      ),
      { seed: 1, numRuns: 300 },
    );
  });

  it("writes the bytes the specification asks for, in the map's order", () => {
    const file = encodeSafetensors(
      new Map<string, StoredTensor>([
        ["b", { shape: [1, 2], data: Float32Array.of(1, -2) }],
        ["1", { shape: [], data: Float32Array.of(0.5) }],
        ["none", { shape: [0, 3], data: new Float32Array(0) }],
      ]),
      { format: "pt" },
    );
    const header = headerOf(file);
    expect(header.trimEnd()).toBe(
      `{"__metadata__":{"format":"pt"},"b":{"dtype":"F32","shape":[1,2],"data_offsets":[0,8]},` +
        `"1":{"dtype":"F32","shape":[],"data_offsets":[8,12]},"none":{"dtype":"F32","shape":[0,3],"data_offsets":[12,12]}}`,
    );
    expect(header.length % 8).toBe(0);
    expect([...file.subarray(8 + header.length)]).toEqual([0, 0, 128, 63, 0, 0, 0, 192, 0, 0, 0, 63]);
    expect([...decodeSafetensors(file).tensors.keys()]).toEqual(["b", "1", "none"]);
    expect(headerOf(encodeSafetensors(new Map(), {}))).toBe("{}      ");
  });

  it("reads views of larger arrays and other writers' order, spacing and key order", () => {
    const part = new Float32Array([9, 1, 2, 9]).subarray(1, 3);
    const file = encodeSafetensors(new Map([["x", { shape: [2], data: part }]]), {});
    expect([...decodeSafetensors(file).tensors.get("x")!.data]).toEqual([1, 2]);
    const other = withHeader(
      `{ "z": ${JSON.stringify(f32([1], 4, 8))},\n "a" : ${JSON.stringify(f32([1], 0, 4))} }  `,
      8,
    );
    expect([...decodeSafetensors(other).tensors.keys()]).toEqual(["a", "z"]);
  });

  it("keeps names of inherited properties apart from the prototype", () => {
    const file = withHeader(
      `{"__metadata__":{"__proto__":"p"},"__proto__":${JSON.stringify(f32([1], 0, 4))}}`,
      4,
    );
    const { tensors: read, metadata } = decodeSafetensors(file);
    expect([...read.keys()]).toEqual(["__proto__"]);
    expect(Object.entries(metadata)).toEqual([["__proto__", "p"]]);
    expect(metadata["toString"]).toBeUndefined();
    const fields = withHeader(`{"a":{"__proto__":${JSON.stringify(f32([1], 0, 4))}}}`, 4);
    expect(() => decodeSafetensors(fields)).toThrow(`tensor "a": dtype: expected "F32", got undefined`);
  });
});

const entry = (value: unknown): Uint8Array => withHeader(JSON.stringify({ a: value }), 4);
const lengthOnly = (length: bigint, size: number): Uint8Array => {
  const file = new Uint8Array(size);
  new DataView(file.buffer).setBigUint64(0, length, true);
  return file;
};
const JSON_EXPECTED = "header: expected a JSON object in UTF-8, got something else";

it("as many tensors as one likes are read back: their header grows with them", () => {
  const one = { shape: [1, 1, 1, 1], data: Float32Array.of(1) };
  const many = new Map(Array.from({ length: 150_000 }, (_, i) => [String(i), one]));
  expect(decodeSafetensors(encodeSafetensors(many, {})).tensors.size).toBe(150_000);
});

describe("decodeSafetensors refuses", () => {
  it.each([
    ["a cut length", new Uint8Array(7), "header length: expected 8 bytes, got 7"],
    [
      "a huge header",
      lengthOnly(2n ** 64n - 1n, 16),
      `header length: expected at most 100000000 bytes, got ${2n ** 64n - 1n}`,
    ],
    [
      "a header past 100 MB",
      lengthOnly(100_000_001n, 16),
      "header length: expected at most 100000000 bytes, got 100000001",
    ],
    ["a cut header", lengthOnly(20n, 16), "header: expected 20 bytes, got 8"],
    ["an empty header", lengthOnly(0n, 8), JSON_EXPECTED],
    [
      "a header of a million empty lists, which parsed are twenty times as long",
      withHeader(`{"a":[${"[],".repeat(2 ** 20)}[]]}`, 0),
      "header: expected at most 1835010 values, got 2097156",
    ],
    ["no JSON", withHeader("{oops}", 0), JSON_EXPECTED],
    ["no UTF-8", withHeader(Uint8Array.of(0x7b, 0xff, 0x7d), 0), JSON_EXPECTED],
    ["a byte order mark", withHeader("\u{feff}{}", 0), JSON_EXPECTED],
    ["leading space", withHeader(" {}", 0), "header: expected a JSON object from its first byte on, got {}"],
    ["a list", withHeader("[]", 0), "header: expected a JSON object from its first byte on, got []"],
    ["null", withHeader("null", 0), "header: expected a JSON object from its first byte on, got null"],
    [
      "metadata that is no map",
      withHeader(`{"__metadata__":1}`, 0),
      "__metadata__: expected an object of strings, got 1",
    ],
    [
      "metadata of numbers",
      withHeader(`{"__metadata__":{"k":1}}`, 0),
      `__metadata__: "k": expected a string, got 1`,
    ],
    [
      "an entry that is no map",
      entry(3),
      `tensor "a": expected an object with dtype, shape and data_offsets, got 3`,
    ],
    [
      "another dtype",
      entry({ ...f32([2], 0, 4), dtype: "F16" }),
      `tensor "a": dtype: expected "F32", got "F16"`,
    ],
    [
      "a negative size",
      entry(f32([-1], 0, 4)),
      `tensor "a": shape: expected a list of non-negative integers, got [-1]`,
    ],
    [
      "a fractional size",
      entry(f32([0.5], 0, 4)),
      `tensor "a": shape: expected a list of non-negative integers, got [0.5]`,
    ],
    [
      "sizes that overflow",
      entry(f32([2 ** 40, 2 ** 40, 0], 0, 4)),
      `tensor "a": shape: expected a list of non-negative integers, got [1099511627776,1099511627776,0]`,
    ],
    [
      "no shape",
      entry({ dtype: "F32", data_offsets: [0, 4] }),
      `tensor "a": shape: expected a list of non-negative integers, got undefined`,
    ],
    [
      "one offset",
      entry({ ...f32([1], 0, 4), data_offsets: [0] }),
      `tensor "a": data_offsets: expected two non-negative integers, got [0]`,
    ],
    [
      "an offset as text",
      entry(f32([1], 0, "4")),
      `tensor "a": data_offsets: expected two non-negative integers, got [0,"4"]`,
    ],
    [
      "reversed offsets",
      entry(f32([1], 4, 0)),
      `tensor "a": data_offsets: expected 4 bytes for shape [1], got -4`,
    ],
    [
      "a shape that does not fit",
      entry(f32([2], 0, 4)),
      `tensor "a": data_offsets: expected 8 bytes for shape [2], got 4`,
    ],
    [
      "a hole before",
      entry(f32([1], 4, 8)),
      `tensor "a": data_offsets: expected to begin at 0, got 4 (a hole)`,
    ],
    ["data that is cut", entry(f32([2], 0, 8)), `tensor "a": data: expected 8 bytes after the header, got 4`],
    ["data left over", entry(f32([0], 0, 0)), "data: expected 0 bytes after the header, got 4"],
    [
      "an overlap",
      withHeader(JSON.stringify({ a: f32([2], 0, 8), b: f32([1], 4, 8) }), 8),
      `tensor "b": data_offsets: expected to begin at 8, got 4 (an overlap)`,
    ],
    [
      "the same range twice",
      withHeader(JSON.stringify({ a: f32([1], 0, 4), b: f32([1], 0, 4) }), 4),
      `tensor "b": data_offsets: expected to begin at 4, got 0 (an overlap)`,
    ],
    [
      "the same name twice",
      withHeader(`{"a":${JSON.stringify(f32([1], 0, 4))},"a":${JSON.stringify(f32([1], 4, 8))}}`, 8),
      `tensor "a": data_offsets: expected to begin at 0, got 4 (a hole)`,
    ],
  ])("%s", (_, bytes, message) => {
    expect(() => decodeSafetensors(bytes)).toThrow(new FormatError(message));
  });

  it("anything else with nothing but FormatError", () => {
    const file = encodeSafetensors(
      new Map([
        ["w", { shape: [2, 2], data: Float32Array.of(1, 2, 3, 4) }],
        ["b", { shape: [2], data: Float32Array.of(5, 6) }],
      ]),
      { note: "n" },
    );
    const survive = (bytes: Uint8Array): void => {
      try {
        decodeSafetensors(bytes);
      } catch (error) {
        expect(error).toBeInstanceOf(FormatError);
      }
    };
    for (let length = 0; length < file.length; length++) {
      expect(() => decodeSafetensors(file.subarray(0, length))).toThrow(FormatError);
    }
    for (let at = 0; at < file.length; at++) {
      for (let bit = 0; bit < 8; bit++) {
        const copy = file.slice();
        copy[at]! ^= 1 << bit;
        survive(copy);
      }
    }
    fc.assert(fc.property(fc.uint8Array({ maxLength: 64 }), survive), { seed: 3 });
    const json = fc.json({ maxDepth: 3 }).map((text) => withHeader(`{"a":${text}}`, 4));
    fc.assert(fc.property(json, survive), { seed: 4, numRuns: 500 });
  });
});

describe("encodeSafetensors refuses", () => {
  const one = (name: string, shape: number[]): Map<string, StoredTensor> =>
    new Map([[name, { shape, data: new Float32Array(2) }]]);
  it.each([
    ["a shape that does not fit", one("a", [3]), {}, `tensor "a": data: expected 3 values for [3], got 2`],
    ["a negative size", one("a", [-2]), {}, `tensor "a": shape: expected non-negative integers, got [-2]`],
    [
      "the reserved name",
      one("__metadata__", [2]),
      {},
      `tensor "__metadata__": expected another name, got the reserved one`,
    ],
    [
      "half a character",
      one("\u{d800}", [2]),
      {},
      `tensor "\\ud800": expected well-formed text, got a lone surrogate in "\\ud800"`,
    ],
    ["metadata of numbers", one("a", [2]), { k: 1 } as never, `metadata "k": expected a string, got 1`],
  ])("%s", (_, tensorMap, metadata, message) => {
    expect(() => encodeSafetensors(tensorMap, metadata)).toThrow(new FormatError(message));
  });
});
