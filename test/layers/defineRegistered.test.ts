/** Layers of users are saved and loaded once they are registered. */
import { beforeAll, describe, expect, it } from "vitest";
import { load, loadModel, OptionError, registerLayer, type Engine } from "../../src/index.ts";
import { around, images, larger, perChannel, trained } from "./support/defined.ts";

let engine: Engine;
beforeAll(async () => {
  engine = await load();
});

describe("a saved layer", () => {
  it("is made again by the factory that is registered for its type", () => {
    const net = trained(engine, around(perChannel({ start: 3, name: "gain" })));
    expect(() => net.toSafetensors()).toThrow(
      "gain: expected one of layers.*, got a layer of the type perChannel",
    );
    registerLayer("perChannel", perChannel);
    registerLayer("perChannel", perChannel);
    const file = net.toSafetensors();
    const again = loadModel(file);
    again.compile({ engine });
    expect(again.predict(images).data).toEqual(net.predict(images).data);
    expect(again.layers[1]!.config).toEqual({ start: 3 });
    expect(again.toSafetensors()).toEqual(file);
  });

  it.each([
    ["dense", perChannel, 'registerLayer: type: expected a name that is none of layers.*, got "dense"'],
    ["", perChannel, 'registerLayer: type: expected the name of a kind of layer, got ""'],
    ["other", undefined, "registerLayer: other: expected a function that makes the layer, got undefined"],
  ])("is not registered as %s", (type, factory, message) => {
    expect(() => registerLayer(type, factory as typeof perChannel)).toThrow(message);
  });

  it("is not registered twice", () => {
    registerLayer("larger", larger);
    expect(() => registerLayer("larger", perChannel)).toThrow(OptionError);
  });
});
