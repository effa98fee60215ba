/** `tensor` takes numbers of many kinds, and refuses everything else. */
import { describe, expect, it } from "vitest";
import { ShapeError, tensor } from "../src/index.ts";

describe("tensor", () => {
  it.each([
    ["numbers", [1, -2.5, NaN]],
    ["float64", Float64Array.of(1, -2.5, NaN)],
    ["float32", Float32Array.of(1, -2.5, NaN)],
    ["an object like an array", { length: 3, 0: 1, 1: -2.5, 2: NaN }],
  ])("takes %s", (_, data) => {
    expect([...tensor(data, [3]).data]).toEqual([1, -2.5, NaN]);
  });

  it("takes integers of any size, rounded to float32", () => {
    expect([...tensor(Uint8Array.of(0, 255), [2]).data]).toEqual([0, 255]);
    expect([...tensor([0.1, 2 ** 24 + 1, 1e300], [3]).data]).toEqual([Math.fround(0.1), 2 ** 24, Infinity]);
  });

  it.each<[what: string, data: unknown, shape: number[], message: string]>([
    ["strings", [1, "3"], [2], 'tensor: data[1]: expected a number, got "3"'],
    [
      "a hole",
      Object.assign(Array(3), { 0: 1, 2: 3 }),
      [3],
      "tensor: data[1]: expected a number, got undefined",
    ],
    ["undefined", [undefined], [1], "tensor: data[0]: expected a number, got undefined"],
    ["null", [1, null], [2], "tensor: data[1]: expected a number, got null"],
    ["an object", [{}], [1], "tensor: data[0]: expected a number, got {}"],
    ["an array in an array", [[1], [2]], [2], "tensor: data[0]: expected a number, got [1]"],
    ["true", [true], [1], "tensor: data[0]: expected a number, got true"],
    ["a bigint", [1n], [1], "tensor: data[0]: expected a number, got 1"],
    ["an array of bigints", new BigInt64Array(1), [1], "tensor: data[0]: expected a number, got 0"],
    ["a symbol", [Symbol("x")], [1], "tensor: data[0]: expected a number, got Symbol(x)"],
    ["a length alone", { length: 2 }, [2], "tensor: data[0]: expected a number, got undefined"],
    ["a string", "12", [2], 'tensor: expected an array of numbers, got "12"'],
    ["a function", (a: number, b: number) => a + b, [2], "tensor: expected an array of numbers, got (a, b)"],
    ["nothing", undefined, [1], "tensor: expected an array of numbers, got undefined"],
    ["null for an array", null, [1], "tensor: expected an array of numbers, got null"],
  ])("refuses %s, naming the element", (_, data, shape, message) => {
    const call = (): unknown => tensor(data as number[], shape);
    expect(call).toThrow(ShapeError);
    expect(call).toThrow(message);
  });

  it("counts what a typed array has, whatever its length says", () => {
    class Liar extends Float32Array {
      override get length(): number {
        return 4;
      }
    }
    expect(() => tensor(new Liar(16), [4])).toThrow("tensor: expected 4 elements for shape 4, got 16");
    const own = Object.defineProperty(new Float32Array(16), "length", { value: 4 });
    expect(() => tensor(own, [4])).toThrow("tensor: expected 4 elements for shape 4, got 16");
  });
});
