/** Wrong definitions of layers are refused. */
import { beforeAll, describe, expect, it } from "vitest";
import {
  defineLayer,
  load,
  OptionError,
  sequential,
  ShapeError,
  type Engine,
  type Layer,
} from "../../src/index.ts";
import { around, images, perChannel, residual } from "./support/defined.ts";

let engine: Engine;
beforeAll(async () => {
  engine = await load();
});

describe("a definition", () => {
  it.each([
    [7, "defineLayer: expected a definition of a layer, got 7"],
    [{ type: "", forward() {} }, "defineLayer: type: expected a letter, then letters"],
    [{ type: "a" }, "defineLayer: a: expected one function forward, build or compose, got none"],
    [
      { type: "a", forward() {}, compose() {} },
      "defineLayer: a: expected one function forward, build or compose, got forward, compose",
    ],
    [{ type: "a", build: 3 }, "defineLayer: a: expected one function forward, build or compose, got build 3"],
    [{ type: "a", config: 3, forward() {} }, "defineLayer: a: config: expected options with their defaults"],
  ])("%j is refused", (definition, message) => {
    expect(() => defineLayer(definition as never)).toThrow(OptionError);
    expect(() => defineLayer(definition as never)).toThrow(message);
  });

  it.each([
    [() => perChannel({ stop: 1 } as never), 'perChannel: expected the options start, name; got "stop"'],
    [() => perChannel({ start: Number.NaN }), "perChannel: start: expected what JSON can say, got NaN"],
    [() => perChannel(3 as never), "perChannel: expected an object of options, got 3"],
    [() => residual({ name: "a b" }), 'residual: name: expected letters, digits, "_" and "-", got "a b"'],
  ])("options are refused", (make, message) => {
    expect(make).toThrow(OptionError);
    expect(make).toThrow(message);
  });

  const wrong = (part: object): Layer =>
    defineLayer({ type: "wrong", forward() {}, ...part } as Parameters<typeof defineLayer>[0])();

  it.each([
    [{ outputShape: () => [0] }, ShapeError, "outputShape: expected a shape of positive integers, got [0]"],
    [
      { weights: () => ({ "a b": { shape: [1], initializer: "zeros" } }) },
      OptionError,
      "wrong: weights: name",
    ],
    [{ weights: () => ({ w: { shape: [1], initializer: "none" } }) }, OptionError, "wrong: weights: w"],
    [
      { weights: () => ({ w: { shape: [2], initializer: () => new Float32Array(3) } }) },
      ShapeError,
      "wrong: weights: w: expected a Float32Array of 2 numbers",
    ],
    [
      { weights: () => ({ w: { shape: [1], initializer: "ones", regularizer: { l3: 1 } } }) },
      OptionError,
      'wrong: weights: w: regularizer: expected the options l1, l2; got "l3"',
    ],
    [
      {
        weights: () => ({ w: { shape: [1], initializer: "ones", trainable: false, regularizer: { l2: 1 } } }),
      },
      OptionError,
      "wrong: weights: w: regularizer: expected none for a weight that does not learn",
    ],
    [
      { forward: undefined, compose: () => () => 5 },
      OptionError,
      "compose: expected what layer.apply() returns, got 5",
    ],
  ])("functions that return what is none are refused: %j", (part, type, message) => {
    expect(() => around(wrong(part)).weights).toThrow(type);
    expect(() => around(wrong(part)).weights).toThrow(message);
  });

  it("of saved arrays of no size is refused when the net is planned", () => {
    const net = around(wrong({ saved: () => ({ mask: -1 }) }));
    net.compile({ engine });
    expect(() => net.predict(images)).toThrow("wrong: saved: mask: expected a number of elements, got -1");
  });

  it("takes a function that checks the options", () => {
    const checked = defineLayer({
      type: "checked",
      config: ({ power = 2 }: { power?: number }) => {
        if (power < 1) throw new OptionError(`checked: power: expected at least 1, got ${power}`);
        return { power };
      },
      forward: ({ x: from, y, config }) => from.forEach((value, i) => (y[i] = value ** config.power)),
    });
    expect(checked().config).toEqual({ power: 2 });
    expect(() => checked({ power: 0 })).toThrow("checked: power: expected at least 1, got 0");
  });

  it("that is used in place of a layer says what to do", () => {
    expect(() => sequential({ inputShape: [3], layers: [perChannel as never] })).toThrow(OptionError);
  });
});
