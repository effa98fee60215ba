/** Calls that must fail with a message that names the place, the expected and the given, and leave the engine whole. */
import { tensor, type Engine, type OptionError, type ShapeError, type Tensor } from "im2row";
import { describe, expect, it } from "vitest";

export type Refusal = [
  what: string,
  call: () => unknown,
  error: typeof ShapeError | typeof OptionError,
  message: RegExp,
];

export const zeros = (...shape: number[]): Tensor =>
  tensor(new Float32Array(shape.reduce((a, b) => a * b, 1)), shape);

/** Values that TypeScript would not let through, as they come from plain JavaScript. */
export const untyped = (value: unknown): never => value as never;

/** A test for each of the calls on `engine`. */
export function describeRefusals(engine: Engine, name: string, refusals: Refusal[]): void {
  describe(name, () => {
    it.each(refusals)("refuses %s, saying what was expected and given", (_what, call, error, message) => {
      const { used } = engine.memory;
      let thrown: unknown;
      try {
        call();
      } catch (caught) {
        thrown = caught;
      }
      expect(thrown).toBeInstanceOf(error);
      expect((thrown as Error).message).toMatch(message);
      expect(engine.memory.used).toBe(used);
      const product = engine.matMul(tensor([1, 2, 3, 4], [2, 2]), tensor([5, 6, 7, 8], [2, 2]));
      expect([...product.data]).toEqual([19, 22, 43, 50]);
    });
  });
}
