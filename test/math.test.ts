/** The functions of `math`, in units in the last place, against those of this host, which are within one. */
import { expect, it } from "vitest";
import { math, Random } from "../src/index.ts";

const bits = new DataView(new ArrayBuffer(8));
/** The distance to the next larger number. */
function ulp(x: number): number {
  bits.setFloat64(0, Math.abs(x));
  bits.setBigInt64(0, bits.getBigInt64(0) + 1n);
  return bits.getFloat64(0) - Math.abs(x);
}

const random = new Random(1);
const uniform = (low: number, high: number): number =>
  low + (high - low) * (random.uniform() + random.uniform() * 2 ** -24);

it.each<[string, (x: number) => number, (x: number) => number, number, number, number]>([
  ["exp", math.exp, Math.exp, -708, 709, 3],
  ["exp near 0", math.exp, Math.exp, -1, 1, 3],
  ["log", math.log, Math.log, 0, 10, 4],
  ["log of large numbers", math.log, Math.log, 0, 1e300, 4],
  ["tanh", math.tanh, Math.tanh, -22, 22, 5],
  ["tanh near 0", math.tanh, Math.tanh, -1e-3, 1e-3, 5],
  ["sigmoid", math.sigmoid, (x) => 1 / (1 + Math.exp(-x)), -30, 30, 6],
  ["a power", (x) => math.pow(x, 2.5), (x) => Math.pow(x, 2.5), 0.1, 20, 4 * (1 + 8) + 1],
  ["a decay", (x) => math.pow(0.999, x), (x) => Math.pow(0.999, x), 65, 5000, 4 * (1 + 5) + 1],
  ["a whole power", (x) => math.pow(x, 7), (x) => Math.pow(x, 7), -20, 20, 8],
])("%s is within its bound", (_, own, host, low, high, bound) => {
  for (let i = 0; i < 20_000; i++) {
    const x = uniform(low, high);
    const [found, wanted] = [own(x), host(x)];
    if (Math.abs(found - wanted) <= bound * ulp(wanted)) continue;
    expect.fail(`of ${x}: expected ${wanted} within ${bound} units, got ${found}`);
  }
});

it("special values are those of the host's functions", () => {
  const values = [0, -0, 1, -1, 2, -2, 3, 0.5, -0.5, -2.5, 70, -71, Infinity, -Infinity, NaN, 5e-324, 1e308];
  for (const x of values) {
    expect(math.sqrt(x)).toBe(Math.sqrt(x));
    if (x === x) expect(math.tanh(x)).toBeCloseTo(Math.tanh(x), 14);
    else expect(math.tanh(x)).toBe(x);
    if (Math.abs(Math.exp(x)) % 1 === 0) expect(math.exp(x)).toBe(Math.exp(x));
    if (!Number.isFinite(Math.log(x))) expect(math.log(x)).toBe(Math.log(x));
    for (const y of values) {
      const wanted = Math.pow(x, y);
      const found = math.pow(x, y);
      if (Number.isFinite(wanted) && wanted !== 0) expect(found / wanted).toBeCloseTo(1, 10);
      else expect(found, `${x} to the power ${y}`).toBe(wanted);
    }
  }
  expect(Object.is(math.tanh(-0), -0)).toBe(true);
  expect(math.log(5e-324)).toBeCloseTo(Math.log(5e-324), 10);
  expect(math.pow(2, 10)).toBe(1024);
  expect(math.exp(-744)).toBeGreaterThan(0);
});
