/** The format of receipts once more, by Node's own hash and as docs/receipts.md says it: what the package writes is held against it. */
import { createHash } from "node:crypto";
import {
  layers,
  losses,
  optimizers,
  sequential,
  type CompileOptions,
  type Engine,
  type Model,
  type Tensor,
} from "im2row";
import type { TrainingReceipt } from "../../src/training/receipt.ts";

type Bytes = Uint8Array | string;

export function sha256(...parts: readonly Bytes[]): Buffer {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(part);
  return hash.digest();
}

/** JSON with sorted names and without spaces. */
export function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join()}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${entries.map(([name, each]) => `${JSON.stringify(name)}:${canonical(each)}`).join()}}`;
}

/** The tree head of RFC 6962, section 2.1, by its definition. */
export function treeHead(leaves: readonly Bytes[]): Buffer {
  if (leaves.length === 1) return sha256(Uint8Array.of(0), leaves[0]!);
  let k = 1;
  while (k * 2 < leaves.length) k *= 2;
  return sha256(Uint8Array.of(1), treeHead(leaves.slice(0, k)), treeHead(leaves.slice(k)));
}

const bytes = ({ buffer, byteOffset, byteLength }: ArrayBufferView): Buffer =>
  Buffer.from(buffer as ArrayBuffer, byteOffset, byteLength);

/** The root over images of one input with class numbers, and weights if there are any. */
export function dataRoot(
  images: { readonly shape: readonly number[]; readonly data: Float32Array | Uint8Array },
  labels: Int32Array,
  weights?: Float32Array,
): string {
  const type = images.data instanceof Uint8Array ? "uint8" : "float32";
  const layout = canonical({
    images: [[type, images.shape.slice(1)]],
    labels: [["int32", 1]],
    weights: weights !== undefined,
  });
  const length = Buffer.alloc(4);
  length.writeUInt32LE(layout.length);
  const size = images.data.length / labels.length;
  const samples = Array.from(labels, (_, i) =>
    Buffer.concat([
      bytes(images.data.subarray(i * size, (i + 1) * size)),
      bytes(labels.subarray(i, i + 1)),
      ...(weights ? [bytes(weights.subarray(i, i + 1))] : []),
    ]),
  );
  const most = Math.max(1, Math.floor(65_536 / samples[0]!.length));
  const leaves = [];
  for (let i = 0; i < samples.length; i += most) {
    leaves.push(Buffer.concat([length, Buffer.from(layout), ...samples.slice(i, i + most)]));
  }
  return treeHead(leaves).toString("hex");
}

/** The digest of the state of a run whose optimizer has these slots, by kind. */
export function stateOf(
  model: Model,
  slots: Readonly<Record<string, ReadonlyMap<string, Tensor>>> = {},
): string {
  const entries = Object.entries<ReadonlyMap<string, Tensor>>({ weight: model.weights, ...slots }).flatMap(
    ([kind, tensors]) =>
      [...tensors].map(([name, { shape, data }]) => [kind, name, shape, sha256(bytes(data)).toString("hex")]),
  );
  return sha256(canonical(["im2row state", 0, [0, 0], entries])).toString("hex");
}

/** The end of the chain. */
export function chainOf(receipt: TrainingReceipt): string {
  const { package: _p, binary: _b, chain: _c, links, digest, ...header } = receipt;
  const start = sha256(canonical({ ...header, links: { every: links.every } }));
  return [...links.digests, digest]
    .reduce((chain, each) => sha256(Uint8Array.of(2), chain, Buffer.from(each, "hex")), start)
    .toString("hex");
}

/** A small net for digits of 28×28, compiled. */
export function smallNet(engine: Engine, options: Partial<CompileOptions> = {}, seed = 3): Model {
  const net = sequential({
    inputShape: [28, 28, 1],
    layers: [
      layers.conv2d({ filters: 4, kernelSize: 5, strides: 2, activation: "relu" }),
      layers.batchNormalization(),
      layers.maxPooling2d({ poolSize: 2 }),
      layers.flatten(),
      layers.dropout({ rate: 0.25 }),
      layers.dense({ units: 10 }),
    ],
    seed,
  });
  net.compile({
    engine,
    optimizer: optimizers.adam({ learningRate: 0.01 }),
    loss: losses.softmaxCrossEntropy(),
    ...options,
  });
  return net;
}
