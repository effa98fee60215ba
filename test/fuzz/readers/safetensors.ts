/** Models in safetensors files: damage to the file and its header, and to the architecture in its metadata. */
import { decodeSafetensors } from "../../../src/formats/safetensors.ts";
import { loadModel, losses, optimizers, tensor, type Model, type Tensor } from "../../../src/index.ts";
import { loadOnnx } from "../../../src/onnx.ts";
import type { Random } from "../../../src/random.ts";
import { sizeOf } from "../../../src/tensor.ts";
import { hourglass } from "../../conformance/hourglass.ts";
import { branched, everyLayer, normalized, residual, softmaxNet, tinyNet } from "../../conformance/nets.ts";
import { randomNet } from "../../support/randomNets.ts";
import { expectSame, type Bench } from "../bench.ts";
import { damage, joined } from "../bytes.ts";
import { damageJson } from "../json.ts";
import { pick, SIZES, type Reader } from "../reader.ts";

const RANDOM_NETS = 30;
const LARGEST_SEED = 50_000;
/** Elements of an input that is given. */
const MOST_ELEMENTS = 2 ** 14;

let seeds: readonly Uint8Array[] | undefined;

function models(): readonly Uint8Array[] {
  const own = [everyLayer, branched, normalized, residual, softmaxNet, tinyNet, hourglass].map((make) =>
    make(1),
  );
  const drawn = Array.from({ length: RANDOM_NETS }, (_, seed) => randomNet(seed).model);
  return [...own, ...drawn]
    .map((model) => model.toSafetensors())
    .filter(({ length }) => length < LARGEST_SEED);
}

/** The header's text and the data behind it; undefined for what is cut short. */
export function partsOf(file: Uint8Array): { text: string; data: Uint8Array } | undefined {
  if (file.length < 8) return undefined;
  const end = 8 + new DataView(file.buffer, file.byteOffset).getUint32(0, true);
  if (end > file.length) return undefined;
  return { text: new TextDecoder().decode(file.subarray(8, end)), data: file.subarray(end) };
}

export function together(text: string, data: Uint8Array): Uint8Array {
  const header = new TextEncoder().encode(text);
  const length = new Uint8Array(8);
  new DataView(length.buffer).setUint32(0, header.length, true);
  return joined(length, header, data);
}

/** Inputs of noise for a batch of two, unless they are large. */
function inputsFor(model: Model, random: Random): Tensor[] | undefined {
  const tensors: Tensor[] = [];
  for (const { shape } of model.inputs) {
    const full = [2, ...shape];
    if (!(sizeOf(full) <= MOST_ELEMENTS)) return undefined;
    tensors.push(
      tensor(
        new Float32Array(sizeOf(full)).map(() => random.uniform() * 2 - 1),
        full,
      ),
    );
  }
  return tensors;
}

function predict(model: Model, inputs: readonly Tensor[]): Tensor[] {
  const named = Object.fromEntries(model.inputs.map(({ name }, i) => [name, inputs[i]!]));
  const given: unknown = model.predict(inputs.length === 1 ? inputs[0]! : (named as never));
  return isTensor(given) ? [given] : Object.values(given as Record<string, Tensor>);
}

const isTensor = (value: unknown): value is Tensor =>
  Array.isArray((value as Tensor).shape) && "data" in (value as Tensor);

function expectSameOutputs(what: string, given: readonly Tensor[], wanted: readonly Tensor[]): void {
  if (given.length !== wanted.length)
    throw new Error(`${what}: expected ${wanted.length} outputs, got ${given.length}`);
  wanted.forEach(({ shape, data }, i) => {
    expectSame(`${what}: shape`, given[i]!.shape, shape);
    expectSame(what, given[i]!.data, data);
  });
}

async function use(bytes: Uint8Array, { plain, guarded }: Bench, random: Random): Promise<void> {
  const way = random.integer(4);
  const model = loadModel(bytes);
  const others: Model[] = [model];
  try {
    const inputs = inputsFor(model, random);
    if (!inputs) return;
    model.compile({ engine: plain });
    const outputs = predict(model, inputs);
    const again = loadModel(way === 0 ? model.toSafetensors() : bytes);
    others.push(again);
    if (way < 2) {
      again.compile({ engine: way === 0 ? plain : guarded });
      expectSameOutputs(way === 0 ? "toSafetensors" : "guarded", predict(again, inputs), outputs);
    }
    if (way === 2) {
      const [only] = outputs;
      if (outputs.length !== 1 || inputs.length !== 1) return;
      const loss = losses.meanSquaredError();
      again.compile({ engine: guarded, optimizer: optimizers.sgd({ learningRate: 1e-3 }), loss });
      again.trainOnBatch(inputs[0]!, tensor(new Float32Array(only!.data.length), only!.shape));
      again.toSafetensors();
    }
    if (way === 3) (await loadOnnx(model.toOnnx(), { engine: plain })).dispose();
  } finally {
    for (const each of others) each.dispose();
  }
}

const drawn = (): readonly Uint8Array[] => (seeds ??= models());

/** The file, its header's JSON and the tensors in it. */
export const safetensors: Reader = {
  name: "safetensors",
  weight: 2,
  seeds: drawn,
  mutate(random, file, other) {
    const given = partsOf(file);
    const how = random.integer(8);
    if (how < 2 || !given) return damage(random, file, other);
    if (how === 2) {
      const copy = file.slice();
      new DataView(copy.buffer).setBigInt64(0, BigInt(pick(random, SIZES)), true);
      return copy;
    }
    if (how < 6) return together(damageJson(random, given.text), given.data);
    // Numbers of the tensors: the file stays whole.
    const data = given.data.slice();
    if (data.length < 4) return file;
    const at = 4 * random.integer(Math.floor(data.length / 4));
    new DataView(data.buffer).setFloat32(at, pick(random, [NaN, Infinity, -Infinity, 3e38, 1e-45, -0]), true);
    return together(given.text, data);
  },
  parse: decodeSafetensors,
  use(bytes, bench, random) {
    const model = tinyNet(1);
    if (random.integer(4) > 0) return use(bytes, bench, random);
    model.loadSafetensors(bytes);
    return undefined;
  },
};

/** The architecture in the metadata. */
export const config: Reader = {
  name: "config",
  weight: 3,
  seeds: drawn,
  mutate(random, file) {
    const given = partsOf(file);
    if (!given) return file;
    const header = JSON.parse(given.text) as Record<string, Record<string, string>>;
    const metadata = header["__metadata__"]!;
    const key = pick(random, Object.keys(metadata));
    metadata[key] = damageJson(random, metadata[key]!);
    return together(JSON.stringify(header), given.data);
  },
  parse: decodeSafetensors,
  use,
};
