/** Rows of a resized image and pixels of a normalized one are shared by threads, and have the bytes of one thread. */
import { load } from "im2row";
import { imageNet, normalize, resize } from "im2row/images";
import { afterAll, expect, it } from "vitest";
import { splitEverything, withThreads } from "../support/threads.ts";

splitEverything();

const engine = await load();
afterAll(() => engine.dispose());

const images = {
  shape: [2, 31, 23, 3],
  data: Uint8Array.from({ length: 2 * 31 * 23 * 3 }, (_, i) => (i * 7919) >> 4),
};

it.each([2, 3, 5])("%i threads", async (threads) => {
  await withThreads(threads, (threaded) => {
    for (const interpolation of ["bilinear", "bicubic", "nearest"] as const) {
      const options = { size: [17, 40], interpolation } as const;
      expect(resize(threaded, images, options)).toEqual(resize(engine, images, options));
    }
    for (const layout of ["NHWC", "NCHW"] as const) {
      const options = { ...imageNet, layout };
      expect(normalize(threaded, images, options)).toEqual(normalize(engine, images, options));
    }
  });
});

it("more threads than rows", async () => {
  await withThreads(4, (threaded) => {
    const pixel = { shape: [1, 1, 3], data: Uint8Array.of(1, 2, 3) };
    expect(resize(threaded, pixel, { size: [2, 1] }).data).toEqual(Uint8Array.of(1, 2, 3, 1, 2, 3));
    expect([...normalize(threaded, pixel, { scale: 1 }).data]).toEqual([1, 2, 3]);
  });
});
