/** The bytes of ONNX files, there and back. */
import { describe, expect, it } from "vitest";
import { FormatError } from "../../src/errors.ts";
import { decodeModel } from "../../src/onnx/file/decode.ts";
import { encodeModel } from "../../src/onnx/file/encode.ts";
import {
  ATTRIBUTE_TYPE,
  DATA_TYPE,
  type AttributeProto,
  type ModelProto,
  type TensorProto,
} from "../../src/onnx/file/proto.ts";
import { placeless } from "./support/placeless.ts";

const tensor = (fields: Partial<TensorProto>): TensorProto => ({
  name: "",
  dims: [],
  dataType: DATA_TYPE.float32,
  floats: [],
  int32s: [],
  int64s: [],
  doubles: [],
  external: false,
  ...fields,
});

const attribute = (fields: Partial<AttributeProto>): AttributeProto => ({
  name: "",
  type: 0,
  floats: [],
  ints: [],
  strings: [],
  ...fields,
});

/** Integers of one to ten bytes, of both signs, to the largest that a number holds. */
const INTEGERS = [0, 1, -1, 127, 128, 16_383, 16_384, 2 ** 28, 2 ** 31, -(2 ** 31), 2 ** 53 - 1, 1 - 2 ** 53];

/** Every field that the messages have. */
function everything(): ModelProto {
  const floats = [0.5, -1.25, 3.4028234663852886e38];
  return {
    irVersion: 8,
    producer: "im2row – ünïcode 🐳",
    metadata: { "im2row.one": "ünïcode 🐳", "im2row.two": "" },
    opsets: [
      { domain: "", version: 17 },
      { domain: "com.example", version: 1 },
    ],
    functions: 0,
    graph: {
      name: "graph",
      sparse: 0,
      nodes: [
        {
          name: "node",
          opType: "Conv",
          domain: "com.example",
          inputs: ["x", "", "b"],
          outputs: ["y", "z"],
          attributes: [
            attribute({ name: "f", type: ATTRIBUTE_TYPE.float, f: 0.25 }),
            attribute({ name: "zero", type: ATTRIBUTE_TYPE.float, f: 0 }),
            ...INTEGERS.map((i) => attribute({ name: "i", type: ATTRIBUTE_TYPE.int, i })),
            attribute({ name: "s", type: ATTRIBUTE_TYPE.string, s: "constant" }),
            attribute({ name: "t", type: ATTRIBUTE_TYPE.tensor, t: tensor({ floats }) }),
            attribute({ name: "floats", type: ATTRIBUTE_TYPE.floats, floats }),
            attribute({ name: "ints", type: ATTRIBUTE_TYPE.ints, ints: INTEGERS }),
            attribute({ name: "strings", type: ATTRIBUTE_TYPE.strings, strings: ["", "a"] }),
          ],
        },
        { name: "", opType: "", domain: "", inputs: [], outputs: [], attributes: [] },
      ],
      initializers: [
        // Longer than 2¹⁴ bytes: the lengths around it take three bytes each.
        tensor({ name: "raw", dims: [5, 1000], raw: new Uint8Array(20_000).fill(7) }),
        tensor({ name: "floats", dims: [3], floats }),
        tensor({ name: "int32s", dims: [2], dataType: DATA_TYPE.int32, int32s: [-(2 ** 31), 2 ** 31 - 1] }),
        tensor({ name: "int64s", dims: [12], dataType: DATA_TYPE.int64, int64s: INTEGERS }),
        tensor({ name: "doubles", dims: [2], dataType: DATA_TYPE.float64, doubles: [Math.PI, -1e300] }),
        tensor({ name: "scalar" }),
      ],
      inputs: [
        { name: "x", elementType: DATA_TYPE.float32, dims: ["N", 3, "", 224] },
        { name: "of any rank", elementType: DATA_TYPE.int64 },
        { name: "scalar", elementType: DATA_TYPE.bool, dims: [] },
      ],
      outputs: [{ name: "y", elementType: DATA_TYPE.float32, dims: ["N", 10] }],
    },
  };
}

describe("encodeModel", () => {
  it("writes every field, so that decodeModel reads the same messages", () => {
    expect(placeless(encodeModel(everything()))).toEqual(everything());
  });

  it.each([2, 2 ** 7, 2 ** 14, 2 ** 21])("writes elements of %d bytes", (length) => {
    const model = everything();
    const raw = new Uint8Array(length);
    raw.set([1, 2], length - 2);
    model.graph!.initializers = [tensor({ raw })];
    const [read] = decodeModel(encodeModel(model)).graph!.initializers;
    expect(Buffer.compare(read!.raw!, raw)).toBe(0);
  });

  it("takes no more room than it fills", () => {
    const bytes = encodeModel(everything());
    expect(bytes.byteLength).toBe(bytes.buffer.byteLength);
  });

  it("writes the bytes that the format's definition asks for", () => {
    const model: ModelProto = {
      irVersion: 8,
      producer: "a",
      metadata: {},
      opsets: [{ domain: "", version: 300 }],
      graph: undefined,
      functions: 0,
    };
    // (field << 3 | wire type), then a varint, or a length and as many bytes.
    const expected = [0x08, 8, 0x12, 1, 0x61, 0x42, 5, 0x0a, 0, 0x10, 0xac, 0x02];
    expect([...encodeModel(model)]).toEqual(expected);
  });

  it.each<[string, (model: ModelProto) => void, string]>([
    ["functions", (model) => (model.functions = 1), "expected neither functions nor sparse initializers"],
    [
      "sparse initializers",
      ({ graph }) => (graph!.sparse = 2),
      "expected neither functions nor sparse initializers",
    ],
    [
      "elements in another file",
      ({ graph }) => (graph!.initializers[0]!.external = true),
      "encodeModel: raw: expected elements in the file, got others elsewhere",
    ],
  ])("refuses %s, of which the messages hold no more than that they are there", (_, spoil, message) => {
    const model = everything();
    spoil(model);
    expect(() => encodeModel(model)).toThrow(FormatError);
    expect(() => encodeModel(model)).toThrow(message);
  });
});
