/** The file that a model writes computes what the model computes: in onnxruntime, and loaded again. */
import { loadOnnx } from "im2row/onnx";
import { tensor, type Engine, type Model, type OnnxLayout, type Tensor } from "im2row";
import { expect } from "vitest";
import { toNchw } from "../../../bench/layout.ts";
import { expectWithin } from "../../support/float.ts";
import { feedsOf } from "../../support/model.ts";
import { runOnnx } from "../../support/onnxruntime.ts";

/**
 * The largest error as a share of the largest output. onnxruntime adds in other orders and does not round each product. Rounding errors of random signs
 * add in squares (Higham and Mary, SIAM J. Sci. Comput. 41, 2019), so that those of sums of k terms in all layers make
 * √(Σ k)·u with u = 2⁻²⁴: 1.4·10⁻⁵ for the deepest net, with Σ k = 54,931. What mistakes an axis, a weight or an option
 * changes the first digits.
 */
const BOUND = 1e-5;

/** A value as the file has it: images with their axes turned, unless it takes them as they are. */
function inFile({ shape, data }: Tensor, layout: OnnxLayout): Tensor {
  const [n, h, w, c] = shape as [number, number, number, number];
  return layout === "NCHW" && shape.length === 4
    ? tensor(toNchw(data, shape), [n, c, h, w])
    : { shape, data };
}

/**
 * The same for files that the package itself runs. Nearly all nets have the same bits again; where a layer is written as
 * several operators, each of them rounds, by up to 2⁻²⁴ of what it adds up.
 */
const ROUNDINGS = 2 ** -20;

/** Outputs have the names, shapes and values that a net predicts, within a share of the largest value. */
function expectOutputs(
  outputs: Readonly<Record<string, { readonly shape: readonly number[]; readonly data: ArrayLike<number> }>>,
  expected: Readonly<Record<string, Tensor>>,
  layout: OnnxLayout,
  share: number,
): void {
  expect(Object.keys(outputs).sort()).toEqual(Object.keys(expected).sort());
  for (const [name, wanted] of Object.entries(expected)) {
    const { shape, data } = inFile(wanted, layout);
    expect(outputs[name]!.shape).toEqual(shape);
    const largest = wanted.data.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    expectWithin(outputs[name]!.data, data, () => share * largest);
  }
}

/** A net and `loadOnnx` of its file agree about noise. */
export async function expectReadAgain(engine: Engine, net: Model, magnitude = 1): Promise<void> {
  net.compile({ engine });
  const feeds = feedsOf(net, magnitude);
  const again = await loadOnnx(net.toOnnx(), { engine });
  const own = Object.entries(feeds).map(([name, x]) => [name, inFile(x, "NCHW")]);
  const outputs = again.predict(Object.fromEntries(own)) as Record<string, Tensor>;
  expectOutputs(outputs, net.predict(feeds), "NCHW", ROUNDINGS);
  again.dispose();
  net.dispose();
}

/** onnxruntime and the net agree about noise. */
export async function expectAgreement(
  engine: Engine,
  net: Model,
  layout: OnnxLayout,
  magnitude = 1,
): Promise<void> {
  net.compile({ engine });
  const feeds = feedsOf(net, magnitude);
  const given = Object.entries(feeds).map(([name, x]) => [name, inFile(x, layout)]);
  const outputs = await runOnnx(net.toOnnx({ layout }), Object.fromEntries(given));
  expectOutputs(outputs, net.predict(feeds), layout, BOUND);
  net.dispose();
}
