/**
 * A net that PyTorch trained on MNIST learns digits that lie on their side: it is loaded from its ONNX file, gets another
 * last layer, is trained, saved, and written as an ONNX file again.
 *
 *   npm run example examples/fine-tune.ts -- --model <file.onnx> --data <folder with MNIST> [--out <file.onnx>]
 *
 * `--features` names the value that the new layer reads, `18` in the file that PyTorch's MNIST example makes.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import {
  layers,
  load,
  loadModel,
  losses,
  metrics,
  model,
  optimizers,
  tensor,
  type Engine,
  type Tensor,
} from "im2row";
import { loadOnnx } from "im2row/onnx";
import { loadFolder, type Split } from "../src/cli/data.ts";

const SEED = 1;
const TRAIN = 10_000;
const EPOCHS = 2;
const BATCH = 32;
const LEARNING_RATE = 0.002;

/** At most `most` images, `[n, h, w, 1]` with h = w, turned by 90° and under the shape of the file, `[n, 1, h, w]`. */
export function turned({ images, labels }: Split, most: number): Split {
  const [all, side] = images.shape as [number, number];
  const count = Math.min(most, all);
  const data = new Float32Array(count * side * side);
  for (let image = 0; image < count; image++) {
    for (let y = 0; y < side; y++) {
      for (let x = 0; x < side; x++) {
        data[(image * side + y) * side + x] = images.data[(image * side + x) * side + (side - 1 - y)]!;
      }
    }
  }
  return { images: tensor(data, [count, 1, side, side]), labels: labels.slice(0, count) };
}

/** The results of a run. */
export interface FineTuned {
  /** Accuracy on turned digits: of the file's net, and of the trained one. */
  readonly before: number;
  readonly after: number;
  /** The trained net in both formats. */
  readonly safetensors: Uint8Array;
  readonly onnx: Uint8Array;
}

/** Trains the net in `file` on turned digits, with a new layer of ten classes behind its value `features`. */
export async function fineTune(
  file: Uint8Array,
  features: string,
  train: Split,
  test: Split,
  print: (line: string) => void,
): Promise<FineTuned> {
  const engine = await load();
  try {
    return await fineTuneOn(engine, file, features, train, test, print);
  } finally {
    engine.dispose();
  }
}

async function fineTuneOn(
  engine: Engine,
  file: Uint8Array,
  features: string,
  train: Split,
  test: Split,
  print: (line: string) => void,
): Promise<FineTuned> {
  const net = await loadOnnx(file, { engine });
  const [input, output] = [net.inputNames[0]!, net.outputNames[0]!];
  const before = metrics.accuracy(net.predict({ [input]: test.images })[output] as Tensor, test.labels);
  print(`the file's net: ${(100 * before).toFixed(2)} % of ${test.labels.length} turned digits`);

  const classes = layers.dense({ units: 10, name: "classes" });
  const tuned = model({ inputs: net.value(input), outputs: classes.apply(net.value(features)), seed: SEED });
  const optimizer = optimizers.adam({ learningRate: LEARNING_RATE });
  tuned.compile({ engine, optimizer, loss: losses.softmaxCrossEntropy() });
  await tuned.fit(train.images, train.labels, {
    epochs: EPOCHS,
    batchSize: BATCH,
    onEpochEnd: ({ epoch, loss }) => print(`epoch ${epoch} of ${EPOCHS}: loss ${loss.toFixed(4)}`),
  });
  const { accuracy: after } = tuned.evaluate(test.images, test.labels);
  print(`the trained net: ${(100 * after).toFixed(2)} %`);

  const safetensors = tuned.toSafetensors();
  const saved = loadModel(safetensors);
  saved.compile({ engine });
  const outputs = tuned.predict(test.images).data;
  const same = saved.predict(test.images).data.every((value, i) => Object.is(value, outputs[i]));
  if (!same) throw new Error("expected the saved net to give the same outputs, got others");
  return { before, after, safetensors, onnx: tuned.toOnnx() };
}

/** Runs the example as the command line says. */
async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      model: { type: "string" },
      data: { type: "string" },
      features: { type: "string", default: "18" },
      out: { type: "string", default: "turned.onnx" },
    },
  });
  if (values.model === undefined || values.data === undefined) {
    throw new Error("expected --model <file.onnx> and --data <folder with MNIST>");
  }
  const { train, test } = loadFolder(values.data);
  const digits = [turned(train, TRAIN), turned(test, test.labels.length)] as const;
  const { onnx } = await fineTune(readFileSync(values.model), values.features, ...digits, console.log);
  writeFileSync(values.out, onnx);
  console.log(`${values.out}: ${onnx.length} bytes`);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main();
