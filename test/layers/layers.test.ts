/**
 * The tests of each layer: its options with their defaults, what it refuses, its shapes, its gradients, and that nets with it
 * are saved, loaded and exported. The cases stand in one file a layer, or a family of layers: `<layer>.cases.ts`.
 */
import { afterAll, describe, expect, it } from "vitest";
import { expectSlopesAround, around } from "../conformance/slopes.ts";
import { expectAgreement, expectReadAgain } from "../onnx/support/agreement.ts";
import {
  input,
  layers,
  load,
  loadModel,
  model as graph,
  OptionError,
  ShapeError,
  type Layer,
  type Model,
} from "../../src/index.ts";
import { bitsOf } from "../support/float.ts";
import { feedsOf, scatter, weightBits } from "../support/model.ts";
import { onnxruntimeIsAbsent } from "../support/onnxruntime.ts";
import { LAYER_CASES } from "./all.ts";
import type { Shapes } from "./support/cases.ts";

const engine = await load();
afterAll(() => engine.dispose());

const listOf = (shapes: Shapes): readonly (readonly number[])[] =>
  (Array.isArray(shapes[0]) ? shapes : [shapes]) as readonly (readonly number[])[];

/** A model of the layer alone. */
function alone(layer: Layer, shapes: Shapes): Model {
  const inputs = listOf(shapes).map((shape, i) => input({ shape, name: `x${i}` }));
  return graph({ inputs, outputs: layer.apply(inputs) });
}

type Outputs = Record<string, { shape: readonly number[]; bits: Int32Array }>;

/** The outputs by name, for noise. */
function outputsOf(model: Model, magnitude?: number): Outputs {
  model.compile({ engine });
  return Object.fromEntries(
    Object.entries(model.predict(feedsOf(model, magnitude))).map(([name, { shape, data }]) => [
      name,
      { shape, bits: bitsOf(data) },
    ]),
  );
}

/** The outputs have the shapes that the model tells, with the images in front. */
function expectShapes(model: Model, outputs: Outputs): void {
  const shapes = Object.values(outputs).map(({ shape }) => shape.slice(1));
  expect(shapes).toEqual(model.outputs.map(({ shape }) => shape));
}

/** The file of a model makes the same model again, which computes the same bits, and whose file is the same. */
function expectSaved(model: Model, magnitude?: number): void {
  const file = model.toSafetensors();
  const again = loadModel(file);
  expect(again.summary()).toBe(model.summary());
  expect(again.layers.map(({ config }) => config)).toEqual(model.layers.map(({ config }) => config));
  expect(weightBits(again)).toEqual(weightBits(model));
  expect(Buffer.compare(again.toSafetensors(), file)).toBe(0);
  const outputs = outputsOf(model, magnitude);
  expectShapes(model, outputs);
  expect(outputsOf(again, magnitude)).toEqual(outputs);
  again.dispose();
  model.dispose();
  expect(engine.memory.used).toBe(0);
}

it("each layer has its cases", () => {
  expect(Object.keys(LAYER_CASES).sort()).toEqual(Object.keys(layers).sort());
});

describe.each(Object.entries(LAYER_CASES))("%s", (type, cases) => {
  const { defaults, shapes, refuses, refusesInputs, gradients, models } = cases;

  it("fills in the options that are left out, and is made again from all of them", () => {
    const [layer, config] = defaults;
    expect(layer.type).toBe(type);
    expect(layer.config).toEqual(config);
    expect((layers[type as keyof typeof layers] as (options: object) => Layer)(config).config).toEqual(
      config,
    );
  });

  it.each(shapes)("%#: has the output shape of the documentation", (layer, inputs, output) => {
    const model = alone(layer, inputs);
    expect(model.outputShape).toEqual(output);
    expectShapes(model, outputsOf(model));
    model.dispose();
  });

  it.each(Object.entries(refuses))("refuses options: %s", (message, call) => {
    expect(call).toThrow(OptionError);
    expect(call).toThrow(message);
  });

  it.each(Object.entries(refusesInputs))("refuses inputs: %s", (message, [layer, inputs, error]) => {
    expect(() => alone(layer, inputs)).toThrow(error ?? ShapeError);
    expect(() => alone(layer, inputs)).toThrow(message);
  });

  it.each(Object.entries(gradients))("has the slopes of the loss as gradients: %s", (_, between) => {
    expectSlopesAround(engine, between);
    expect(engine.memory.used).toBe(0);
  });

  it.each(Object.entries(gradients))("is saved and loaded: %s, in a net that learns", (_, between) => {
    const model = around(between);
    expect(model.layers.map((layer) => layer.type)).toContain(type);
    expectSaved(scatter(model, 7));
  });

  it.each(models)("is saved and loaded: %s", (_, build, magnitude) => {
    const model = build();
    expect(model.layers.map((layer) => layer.type)).toContain(type);
    expectSaved(scatter(model, 7), magnitude);
  });

  it.each(models)("comes back from an ONNX file with its outputs: %s", async (_, build, magnitude) => {
    await expectReadAgain(engine, scatter(build(), 7), magnitude);
  });

  describe.skipIf(onnxruntimeIsAbsent).each(["NCHW", "NHWC"] as const)("in onnxruntime, %s:", (layout) => {
    it.each(models)("%s", async (_, build, magnitude) => {
      await expectAgreement(engine, scatter(build(), 7), layout, magnitude);
    });
  });
});
