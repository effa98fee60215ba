import {
  FormatError,
  layers,
  load,
  losses,
  OptionError,
  optimizers,
  sequential,
  tensor,
  type Engine,
} from "im2row";
import relaxed from "im2row/relaxed";
import { verifyReceipt, type TrainingReceipt } from "im2row/receipts";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { chainOf } from "./support.ts";

let engine: Engine;
let receipt: TrainingReceipt;
const images = tensor(
  Float32Array.from({ length: 24 }, (_, i) => i / 24),
  [6, 4],
);
const labels = [0, 1, 0, 1, 0, 1];

beforeAll(async () => {
  engine = await load();
  const net = sequential({ inputShape: [4], layers: [layers.dense({ units: 2 })], seed: 1 });
  net.compile({
    engine,
    optimizer: optimizers.sgd({ learningRate: 0.1 }),
    loss: losses.softmaxCrossEntropy(),
  });
  receipt = (await net.fit(images, labels, { epochs: 2, batchSize: 2, receipt: { every: 2 } })).receipt!;
  net.dispose();
});
afterAll(() => engine.dispose());

/** A copy of the receipt with a value at a path, `links.digests.0`; undefined takes the field away. */
function at(path: string, value: unknown): TrainingReceipt {
  const copy = JSON.parse(JSON.stringify(receipt)) as TrainingReceipt;
  const names = path.split(".");
  const last = names.pop()!;
  let place = copy as unknown as Record<string, unknown>;
  for (const name of names) place = place[name] as Record<string, unknown>;
  place[last] = value;
  return copy;
}

const HEX = "0".repeat(64);

describe("a malformed receipt is a FormatError that names the field", () => {
  it.each<[string, unknown, string]>([
    ["format", "receipt", 'format: expected "im2row receipt", got "receipt"'],
    ["version", 2, "version: expected 1, got 2"],
    ["kind", "run", 'kind: expected "training" or "inference", got "run"'],
    ["numerics", 2, "numerics: expected 1, the version of this package's sums and orders, got 2"],
    ["numerics", "1", 'numerics: expected a positive integer, got "1"'],
    ["binary", "00", 'binary: expected a SHA-256 in 64 hexadecimal digits, got "00"'],
    ["architecture", [], "architecture: expected an object, got []"],
    ["architecture.nodes", {}, "architecture: loadModel: architecture: expected a list of nodes, got {}"],
    [
      "architecture.nodes.0.type",
      "scale",
      "architecture: loadModel: architecture: expected a layer of the types",
    ],
    [
      "architecture.nodes.0.config",
      { units: 0 },
      "architecture: dense: units: expected a positive integer, got 0",
    ],
    ["compile", undefined, "compile: expected an object, got undefined"],
    ["compile.optimizer.type", "toString", "compile: optimizer: type: expected one of"],
    [
      "compile.optimizer.momentum",
      -1,
      "compile: optimizer: sgd: momentum: expected a finite number ≥ 0, got -1",
    ],
    [
      "compile.optimizer.learningRate",
      { type: "adam" },
      "compile: optimizer: learningRate: type: expected one of",
    ],
    [
      "compile.optimizer.learningRate",
      { type: "cosineDecay", learningRate: 1 },
      "compile: optimizer: learningRate: cosineDecay: decaySteps: expected a positive integer, got undefined",
    ],
    ["compile.loss.dense", { type: "no" }, "compile: loss: dense: type: expected one of"],
    ["compile.loss", { other: { type: "huber" } }, "compile: loss: expected"],
    ["compile.algorithm", "fast", "compile: algorithm: expected one of"],
    ["compile.emaMomentum", 1, "compile: emaMomentum: expected a number ≥ 0 and < 1, got 1"],
    ["compile.extra", 1, "compile: extra: expected no such field, got 1"],
    ["options.epochs", 0, "options: epochs: expected a positive integer, got 0"],
    ["options.stream", true, "options: batchSize: expected none for a stream, got 2"],
    ["options.shuffle", undefined, "options: shuffle: expected one, got undefined"],
    ["options.classWeight", { 1: -1 }, "options: classWeight: 1: expected a finite number ≥ 0, got -1"],
    ["needs", "optimizer", 'needs: expected a list, got "optimizer"'],
    ["data.samples", 0, "data: samples: expected a positive integer, got 0"],
    ["data.root", HEX.toUpperCase().replace(/0/g, "A"), "data: root: expected a SHA-256"],
    ["start.steps", 1.5, "start: steps: expected an integer ≥ 0, got 1.5"],
    ["start.steps", 7, "steps: expected at least 7, those of the start, got 6"],
    ["rates", [[0, 1]], "rates[0][0]: expected a positive integer, got 0"],
    [
      "rates",
      [
        [3, 1],
        [3, 2],
      ],
      "rates[1][0]: expected a step from 4 to 6, got 3",
    ],
    ["rates", [3], "rates[0]: expected [step, learningRate], got 3"],
    ["batches", 5, "batches: expected at least 6, one a step, got 5"],
    ["links.every", 1, "links: digests: expected 6 links of 1 steps, got 3"],
    ["links.digests.1", null, "links: digests[1]: expected a SHA-256"],
    ["weights.epoch", 0, "weights: epoch: expected a positive integer, got 0"],
    ["chain", 1, "chain: expected a SHA-256 in 64 hexadecimal digits, got 1"],
    ["note", "", 'note: expected no such field, got ""'],
  ])("%s %j", async (path, value, message) => {
    const own = at(path, value);
    // What is wrong within is found behind a chain that is right.
    if (path.startsWith("architecture.") || path.startsWith("compile.")) {
      Object.assign(own, { chain: chainOf(own) });
    }
    const run = verifyReceipt(own, { engine, images, labels });
    await expect(run).rejects.toThrow(FormatError);
    await expect(verifyReceipt(own, { engine, images, labels })).rejects.toThrow(`verifyReceipt: ${message}`);
  });

  it.each<[string, unknown]>([
    ["receipt: expected what JSON can say, got undefined", undefined],
    ['receipt: expected an object, as JSON.parse returns it, got "{}"', "{}"],
    ["receipt: expected an object, as JSON.parse returns it, got []", []],
    ['kind: expected "training" or "inference", got undefined', {}],
  ])("%s", async (message, own) => {
    await expect(verifyReceipt(own, { engine, images, labels })).rejects.toThrow(`verifyReceipt: ${message}`);
  });

  it("however deep or circular it is", async () => {
    let deep: unknown = {};
    for (let i = 0; i < 100_000; i++) deep = [deep];
    const own = { ...receipt, architecture: { deep } };
    await expect(verifyReceipt(own, { engine, images, labels })).rejects.toThrow(FormatError);
    const shallow = { ...receipt, architecture: JSON.parse(`${"[".repeat(99)}${"]".repeat(99)}`) as never };
    await expect(verifyReceipt(shallow, { engine, images, labels })).rejects.toThrow(
      "verifyReceipt: receipt: expected values at most 64 deep",
    );
    const circle: Record<string, unknown> = {};
    circle["circle"] = circle;
    await expect(verifyReceipt(circle, { engine, images, labels })).rejects.toThrow(FormatError);
  });
});

describe("verifyReceipt refuses", () => {
  it.each<[string, object]>([
    ["verifyReceipt: expected images and labels, got no data", { images: undefined, labels: undefined }],
    ["verifyReceipt: expected images and labels, got images", { labels: undefined }],
    ["verifyReceipt: expected images and labels, got images, labels, batches", { batches: [] }],
    ["verifyReceipt: from: expected 1, the step after the checkpoint, got 2", { from: 2 }],
    ["verifyReceipt: to: expected a step from 1 to 6, got 7", { to: 7 }],
    ["verifyReceipt: engine: expected what load() gives, got undefined", { engine: undefined }],
    ["verifyReceipt: expected the options engine, images, labels", { data: 1 }],
  ])("%s", async (message, options) => {
    const run = verifyReceipt(receipt, { engine, images, labels, ...options });
    await expect(run).rejects.toThrow(OptionError);
    await expect(verifyReceipt(receipt, { engine, images, labels, ...options })).rejects.toThrow(message);
  });

  it("relaxed math", async () => {
    const other = await load({ math: relaxed });
    if (other.math === "relaxed") {
      await expect(verifyReceipt(receipt, { engine: other, images, labels })).rejects.toThrow(
        "verifyReceipt: engine: expected an engine of exact math, which has the same bits everywhere, got relaxed",
      );
    }
    other.dispose();
  });

  it("to go on when it is aborted, and frees its memory", async () => {
    const used = engine.memory.used;
    const stop = new AbortController();
    const onProgress = ({ step }: { step: number }): void => {
      if (step === 3) stop.abort(new Error("enough"));
    };
    const run = verifyReceipt(receipt, { engine, images, labels, signal: stop.signal, onProgress });
    await expect(run).rejects.toThrow("enough");
    expect(engine.memory.used).toBe(used);
  });
});
