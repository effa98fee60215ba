/** A stream of images that nobody could hold, through `im2row/data` and `fit`, with the memory measured on the way. */
import { layers, load, losses, optimizers, sequential, type Engine, type Model } from "../../src/index.ts";
import { fromTensors, type Batches } from "../../src/data.ts";
import { judge, type Measure, type Verdict } from "./slope.ts";
import { collect } from "./soak.ts";

const MEGABYTE = 2 ** 20;
const IMAGE = [224, 224, 3] as const;
const IMAGE_BYTES = IMAGE[0] * IMAGE[1] * IMAGE[2];
const CLASSES = 10;
const BATCH = 64;
const PREFETCH = 2;
const SAMPLES = 60;

export const BATCH_BYTES = BATCH * IMAGE_BYTES;
/** The batches that may be alive at a time: the one that is trained on, and those that were made ahead. */
export const MOST_ALIVE = 1 + PREFETCH;

/** The engine's own figures and the buffers that are held are exact; code is compiled late, and pages stay with the allocator. */
const MEASURES: readonly Measure[] = [
  { name: "linear, used", tolerance: 0 },
  { name: "linear, held", tolerance: 0 },
  { name: "array buffers", tolerance: MEGABYTE },
  { name: "JS heap", tolerance: 2 * MEGABYTE },
  { name: "RSS", tolerance: 24 * MEGABYTE },
].map((measure) => ({ unit: "B", per: "batch", drift: 0, ...measure }));

export interface StreamSoakOptions {
  /** The bytes of all images together. */
  readonly bytes: number;
  /** Holds every batch. */
  readonly leak?: boolean;
  readonly onSample?: (bytes: number) => void;
}

export interface StreamSoakResult {
  /** The bytes of the images that `fit` has trained on. */
  readonly bytes: number;
  /** The most bytes of array buffers at a time, beyond those before the run, in batches. */
  readonly alive: number;
  /** The resident memory before the first batch, and the most that it was at the end of a batch, garbage and all. */
  readonly rss: { readonly before: number; readonly most: number };
  readonly verdicts: readonly Verdict[];
}

/** Batches of images that are made when they are asked for, from their numbers. */
function generated(count: number): Batches {
  const numbers = { shape: [count, 1], data: new Uint8Array(count) };
  const classes = Uint8Array.from({ length: count }, (_, i) => i % CLASSES);
  return fromTensors(numbers, classes)
    .map(({ label }, { index, epoch }) => {
      const data = new Uint8Array(IMAGE_BYTES).fill((25 * (label as number) + epoch) & 0xff);
      // No two are alike.
      new DataView(data.buffer).setUint32(0, index);
      return { image: { shape: IMAGE, data }, label };
    })
    .shuffle(1000, 1)
    .batch(BATCH)
    .prefetch(PREFETCH);
}

/** A net that is cheap for a byte. */
function pooled(engine: Engine): Model {
  const model = sequential({
    inputShape: IMAGE,
    inputDtype: "uint8",
    layers: [
      layers.rescaling({ scale: 1 / 255 }),
      layers.averagePooling2d({ poolSize: 32 }),
      layers.flatten(),
      layers.dense({ units: CLASSES }),
    ],
  });
  const optimizer = optimizers.sgd({ learningRate: 0.001 });
  model.compile({ engine, optimizer, loss: losses.softmaxCrossEntropy() });
  return model;
}

/** Trains on one epoch of a stream. */
export async function soakStream(options: StreamSoakOptions): Promise<StreamSoakResult> {
  const { leak = false, onSample } = options;
  const engine = await load();
  const model = pooled(engine);
  const batches = Math.ceil(options.bytes / BATCH_BYTES);
  const every = Math.max(1, Math.floor(batches / SAMPLES));
  const source = generated(batches * BATCH);
  const held: unknown[] = [];
  const samples: number[][] = [];
  async function* stream(epoch: number): AsyncGenerator<unknown, void> {
    for await (const batch of source(epoch)) yield held.push(batch) && batch;
  }
  await collect();
  const before = process.memoryUsage();
  let most = before.rss;
  await model.fit((leak ? stream : source) as Batches, {
    async onBatchEnd({ batch }) {
      const { rss } = process.memoryUsage();
      most = Math.max(most, rss);
      if (batch % every !== 0) return;
      // What a first collection frees, a thread of the host gives back a little later.
      await collect();
      await new Promise((done) => setTimeout(done, 5));
      await collect();
      const { arrayBuffers, heapUsed, external, rss: least } = process.memoryUsage();
      const { used, bytes } = engine.memory;
      samples.push([batch, used, bytes, arrayBuffers - before.arrayBuffers, heapUsed + external, least]);
      onSample?.(batch * BATCH_BYTES);
    },
  });
  model.dispose();
  engine.dispose();
  const column = (i: number): number[] => samples.map((sample) => sample[i]!);
  return {
    bytes: batches * BATCH_BYTES,
    alive: Math.max(...column(3)) / BATCH_BYTES,
    rss: { before: before.rss, most },
    verdicts: MEASURES.map((measure, i) => judge(measure, column(0), column(i + 1))),
  };
}
