/**
 * jax-js on its WebAssembly backend, which compiles at run time. It runs on one thread where there is no global `Worker`,
 * and looks again for each kernel that it compiles; other peers define one in Node.
 */
import { readFileSync } from "node:fs";
import type { Job } from "../contest.ts";
import { fromOihw, toNchw, toOihw } from "../layout.ts";
import { outputSize } from "../shapes.ts";
import type { ConvOperands, Peer } from "./peer.ts";

/** Runs `body` without a global `Worker`. */
async function withoutWorkers<T>(body: () => Promise<T>): Promise<T> {
  const descriptor = Object.getOwnPropertyDescriptor(globalThis, "Worker");
  if (!descriptor) return body();
  Reflect.deleteProperty(globalThis, "Worker");
  try {
    return await body();
  } finally {
    Object.defineProperty(globalThis, "Worker", descriptor);
  }
}

export async function openJax(): Promise<Peer> {
  const jax = await import("@jax-js/jax");
  await withoutWorkers(() => jax.init("wasm"));
  jax.defaultDevice("wasm");
  const { lax, numpy: np } = jax;
  const file = new URL("../node_modules/@jax-js/jax/package.json", import.meta.url);
  const { version } = JSON.parse(readFileSync(file, "utf8")) as { version: string };
  const array = (data: Float32Array, shape: number[]) => np.array(data as never).reshape(shape);
  return {
    name: "jax-js",
    version,
    async filterGradient({ shape, x, w, dy }: ConvOperands): Promise<Job> {
      const { n, h, w: width, c, kernelSize: k, filters: f, strides, padding, groups } = shape;
      if (groups > 1) throw new Error("jax-js: groups are not compared");
      const [oh, ow] = outputSize(shape);
      const tx = array(toNchw(x, [n, h, width, c]), [n, c, h, width]);
      const tw = array(toOihw(w, [k, k, c, f]), [f, c, k, k]);
      const tdy = array(toNchw(dy, [n, oh, ow, f]), [n, f, oh, ow]);
      type Value = typeof tx;
      const pads: [number, number][] = [
        [padding, padding],
        [padding, padding],
      ];
      const product = (filters: Value, image: Value, gradient: Value): Value =>
        lax.convGeneralDilated(image, filters, [strides, strides], pads).mul(gradient).sum();
      const gradient = jax.jit(jax.grad(product as never) as never) as unknown as (
        ...given: Value[]
      ) => Value;
      let result: Value | undefined;
      return {
        run: () =>
          withoutWorkers(async () => {
            result?.dispose();
            result = gradient(tw.ref, tx.ref, tdy.ref);
            await jax.blockUntilReady(result);
          }),
        read: async () => fromOihw((await result!.ref.data()) as Float32Array, [k, k, c, f]),
        dispose() {
          for (const value of [tx, tw, tdy, result]) value?.dispose();
        },
      };
    },
  };
}
