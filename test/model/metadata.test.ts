/** What the files of a model tell besides the net. */
import { describe, expect, it } from "vitest";
import { decodeSafetensors, encodeSafetensors } from "../../src/formats/safetensors.ts";
import {
  FormatError,
  layers,
  load,
  loadModel,
  OptionError,
  sequential,
  type ModelMetadata,
} from "../../src/index.ts";
import { loadModel as loadForInference } from "../../src/inference.ts";
import { loadOnnx } from "../../src/onnx.ts";
import { noise } from "../support/model.ts";
import { node, onnxFile, valueInfo } from "../support/onnxFile.ts";

const METADATA = {
  classNames: ["chat", "犬", 'a "bird"\n'],
  preprocessing: {
    size: [32, 24],
    fit: "letterbox",
    fillValue: [124, 116, 104],
    interpolation: "bicubic",
    antialias: false,
    scale: 1 / 127.5,
    mean: [1, 0.5, 0.25],
    std: [0.5],
  },
} satisfies ModelMetadata;

function makeNet() {
  return sequential({ inputShape: [2, 2, 3], layers: [layers.globalAveragePooling2d()], seed: 1 });
}

/** Field 14 of ModelProto, metadata_props, is a message with the key and the value as the fields 1 and 2. */
function entryOf(key: string, value: string): number[] {
  const [k, v] = [Buffer.from(key), Buffer.from(value)];
  const entry = [0x0a, k.length, ...k, 0x12, v.length, ...v];
  return [14 * 8 + 2, entry.length, ...entry];
}

describe("metadata", () => {
  it("are kept by a model's own file", () => {
    const net = makeNet();
    expect(net.metadata).toEqual({});
    net.metadata = METADATA;
    const file = net.toSafetensors();
    for (const again of [loadModel(file), loadForInference(file)]) expect(again.metadata).toEqual(METADATA);
    expect(loadModel(file).toSafetensors()).toEqual(file);
    net.metadata = {};
    expect(net.toSafetensors()).toEqual(makeNet().toSafetensors());
  });

  it("are kept by an ONNX file, and by what is made of it", async () => {
    const net = makeNet();
    net.metadata = METADATA;
    const file = net.toOnnx();
    const loaded = await loadOnnx(file, { engine: await load() });
    expect(loaded.metadata).toEqual(METADATA);
    expect(loaded.model.metadata).toEqual(METADATA);
    expect(loaded.toOnnx()).toEqual(file);
    const plain = await loadOnnx(makeNet().toOnnx(), { engine: await load() });
    expect(plain.metadata).toEqual({});
  });

  it("are set at a net from an ONNX file, which writes them and leaves the rest byte for byte", async () => {
    const engine = await load();
    const plain = makeNet().toOnnx();
    // An entry of another writer, and one of the package that is to be replaced, before the graph.
    const foreign = entryOf("author", "Ada");
    const file = Uint8Array.from([...foreign, ...entryOf("im2row.classNames", '["old"]'), ...plain]);
    const net = await loadOnnx(file, { engine });
    expect(net.metadata).toEqual({ classNames: ["old"] });
    expect(net.toOnnx()).toEqual(file);
    net.metadata = METADATA;
    expect(net.metadata).toEqual(METADATA);
    expect(net.model.metadata).toEqual(METADATA);
    const written = net.toOnnx();
    expect([...written.subarray(0, foreign.length + plain.length)]).toEqual([...foreign, ...plain]);
    expect((await loadOnnx(written, { engine })).metadata).toEqual(METADATA);
    expect(() => (net.metadata = { classNames: [] })).toThrow(OptionError);
    net.metadata = {};
    expect([...net.toOnnx()]).toEqual([...foreign, ...plain]);
    net.model.metadata = { classNames: ["new"] };
    expect(net.metadata).toEqual({ classNames: ["new"] });
    expect((await loadOnnx(net.toOnnx(), { engine })).metadata).toEqual({ classNames: ["new"] });
    engine.dispose();
  });

  it("stay with a net from an ONNX file when it is planned for other shapes", async () => {
    const engine = await load();
    const net = await loadOnnx(
      onnxFile({
        nodes: [node("GlobalAveragePool", ["x"], "pool"), node("Flatten", ["pool"], "y")],
        inputs: [valueInfo("x", ["n", 3, "h", "w"])],
        outputs: ["y"],
      }),
      { engine },
    );
    // No plan yet: the sizes are open.
    net.metadata = METADATA;
    expect(net.metadata).toEqual(METADATA);
    for (const side of [2, 3, 2]) {
      net.predict({ x: noise(1, 1, 3, side, side) });
      expect(net.model.metadata).toEqual(METADATA);
    }
    net.model.metadata = {};
    net.predict({ x: noise(1, 1, 3, 3, 3) });
    expect(net.metadata).toEqual({});
    engine.dispose();
  });

  it("stand in an ONNX file as onnx.proto says", () => {
    const net = makeNet();
    net.metadata = { classNames: ["a"] };
    const entry = entryOf("im2row.classNames", '["a"]');
    expect([...net.toOnnx().subarray(-entry.length)]).toEqual(entry);
  });

  it("are a copy", () => {
    const net = makeNet();
    const classNames = ["a", "b", "c"];
    net.metadata = { classNames };
    classNames[0] = "z";
    (net.metadata.classNames as string[])[1] = "z";
    expect(net.metadata).toEqual({ classNames: ["a", "b", "c"] });
    net.metadata = { classNames: undefined, preprocessing: { scale: undefined } };
    expect(net.metadata).toEqual({ preprocessing: {} });
  });

  it.each<[unknown, string]>([
    [7, "metadata: expected an object of options"],
    [{ labels: [] }, "metadata: expected the options classNames, preprocessing; got"],
    [{ classNames: [] }, "metadata: classNames: expected a list, got []"],
    [{ classNames: ["a", 1] }, "metadata: classNames[1]: expected a text, got 1"],
    [{ preprocessing: { scale: 0 } }, "metadata: preprocessing: scale: expected a number that is not 0"],
    [{ preprocessing: { std: [1, 0] } }, "metadata: preprocessing: std[1]: expected a number that is not 0"],
    [{ preprocessing: { mean: [NaN] } }, "metadata: preprocessing: mean[0]: expected a finite number"],
    [{ preprocessing: { size: [0, 2] } }, "metadata: preprocessing: size: expected a positive integer"],
    [{ preprocessing: { fit: "cover" } }, `metadata: preprocessing: fit: expected one of "stretch", "crop",`],
    [{ preprocessing: { interpolation: "area" } }, "metadata: preprocessing: interpolation: expected one of"],
    [{ preprocessing: { shortSide: 0 } }, "metadata: preprocessing: shortSide: expected a positive integer"],
    [
      { preprocessing: { fillValue: [256] } },
      "metadata: preprocessing: fillValue[0]: expected a byte, got 256",
    ],
    [
      { preprocessing: { antialias: 1 } },
      "metadata: preprocessing: antialias: expected true or false, got 1",
    ],
    [
      { preprocessing: { shortSide: 256, fit: "crop" } },
      "metadata: preprocessing: expected shortSide or fit, got both",
    ],
  ])("of %j are refused, and leave the others", (value, message) => {
    const net = makeNet();
    net.metadata = METADATA;
    const set = (): void => void (net.metadata = value as ModelMetadata);
    expect(set).toThrow(OptionError);
    expect(set).toThrow(message);
    expect(net.metadata).toEqual(METADATA);
  });

  it.each([
    ["[1]", "loadModel: metadata: classNames[0]: expected a text, got 1"],
    ["{", "loadModel: metadata: expected JSON, got other text"],
  ])("of a damaged file are refused: %s", (classNames, message) => {
    const { tensors, metadata } = decodeSafetensors(makeNet().toSafetensors());
    const file = encodeSafetensors(tensors, { ...metadata, classNames });
    expect(() => loadModel(file)).toThrow(FormatError);
    expect(() => loadModel(file)).toThrow(message);
  });
});
