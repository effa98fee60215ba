/** LeNet-5 of tfjs's core operators, without its layers package, which would take time to load. */
import { readFileSync, writeSync } from "node:fs";
import { readSafetensors } from "./safetensors.mjs";

/** The first inference, from choosing the backend to the logits on standard output. */
export async function runLenet5(tf, folder) {
  tf.env().set("WASM_HAS_MULTITHREAD_SUPPORT", false);
  await tf.setBackend("wasm");
  if (!(await tf.env().getAsync("WASM_HAS_SIMD_SUPPORT"))) throw new Error("tfjs: expected its SIMD build");
  const weights = readSafetensors(`${folder}/lenet5.safetensors`);
  const tensor = (name) => tf.tensor(weights.get(name).data, weights.get(name).shape);
  const conv2d = (x, name, pad) => {
    const [filter, bias] = [tensor(`${name}.kernel`), tensor(`${name}.bias`)];
    return tf.fused.conv2d({ x, filter, bias, strides: 1, pad, activation: "relu" });
  };
  const dense = (a, name, activation) =>
    tf.fused.matMul({ a, b: tensor(`${name}.kernel`), bias: tensor(`${name}.bias`), activation });

  const image = new Float32Array(Uint8Array.from(readFileSync(`${folder}/image.f32`)).buffer);
  let x = tf.tensor(image, [1, 28, 28, 1]);
  x = tf.maxPool(conv2d(x, "conv2d", "same"), 2, 2, "valid");
  x = tf.maxPool(conv2d(x, "conv2d_1", "valid"), 2, 2, "valid");
  x = dense(tf.reshape(x, [1, 400]), "dense", "relu");
  x = dense(dense(x, "dense_1", "relu"), "dense_2", "linear");
  writeSync(1, JSON.stringify([...x.dataSync()]));
}
