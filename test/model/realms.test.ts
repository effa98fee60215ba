/** Arrays of another realm (a frame, a context of node:vm) are no `instanceof` this one's, and are as good. */
import { runInNewContext } from "node:vm";
import { load, loadModel, losses, optimizers, tensor, type Tensor } from "im2row";
import { expect, it } from "vitest";
import { bitsOf } from "../support/float.ts";
import { tinyNet } from "../conformance/nets.ts";
import { noise, weightBits } from "../support/model.ts";

const foreign = <T>(name: string, data: ArrayLike<number>): T => {
  const copy = runInNewContext(`${name}.from(data)`, { data: Array.from(data) }) as T;
  expect(copy).not.toBeInstanceOf((globalThis as never)[name]);
  return copy;
};
const abroad = ({ shape, data }: Tensor): Tensor => ({ shape, data: foreign("Float32Array", data) });

it("models take files, images, labels and weights of another realm", async () => {
  const engine = await load();
  const [here, there] = [tinyNet(), loadModel(foreign<Uint8Array>("Uint8Array", tinyNet().toSafetensors()))];
  const images = noise(1, 4, 7, 7, 3);
  for (const model of [here, there]) {
    model.compile({ engine, optimizer: optimizers.adam(), loss: losses.softmaxCrossEntropy() });
  }
  expect(there.trainOnBatch(abroad(images), foreign<Int32Array>("Int32Array", [0, 1, 2, 0]))).toBe(
    here.trainOnBatch(images, [0, 1, 2, 0]),
  );
  expect(weightBits(there)).toEqual(weightBits(here));
  there.setWeights(new Map([...here.weights].map(([name, weight]) => [name, abroad(weight)])));
  expect(bitsOf(there.predict(abroad(images)).data)).toEqual(bitsOf(here.predict(images).data));
  engine.dispose();
});

it("operators take them, indices of winners included", async () => {
  const engine = await load();
  const x = noise(2, 1, 4, 4, 2);
  const { y, argmax } = engine.maxPool2d(x, { poolSize: 2 });
  const winners = { shape: argmax.shape, data: foreign<Int32Array>("Int32Array", argmax.data) };
  expect(bitsOf(engine.maxPool2dBackprop(abroad(y), winners, x.shape).data)).toEqual(
    bitsOf(engine.maxPool2dBackprop(y, argmax, x.shape).data),
  );
  const labels = foreign<Uint8Array>("Uint8Array", [1]);
  const logits = tensor([1, 2], [1, 2]);
  expect(engine.softmaxCrossEntropy(logits, labels).correct).toBe(1);
  // Taken as it is, without a copy.
  const data = foreign<Float32Array>("Float32Array", [1, 2]);
  expect(tensor(data, [2]).data).toBe(data);
  engine.dispose();
});
