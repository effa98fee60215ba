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

const METADATA = {
  classNames: ["chat", "犬", 'a "bird"\n'],
  preprocessing: { size: [32, 24], scale: 1 / 127.5, mean: [1, 0.5, 0.25], std: [0.5] },
} satisfies ModelMetadata;

function makeNet() {
  return sequential({ inputShape: [2, 2, 3], layers: [layers.globalAveragePooling2d()], seed: 1 });
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

  it("stand in an ONNX file as onnx.proto says", () => {
    const net = makeNet();
    net.metadata = { classNames: ["a"] };
    // Field 14 of ModelProto, metadata_props, is a message with the key and the value as the fields 1 and 2.
    const [key, value] = [Buffer.from("im2row.classNames"), Buffer.from('["a"]')];
    const entry = [0x0a, key.length, ...key, 0x12, value.length, ...value];
    const end = net.toOnnx().subarray(-entry.length - 2);
    expect([...end]).toEqual([14 * 8 + 2, entry.length, ...entry]);
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
