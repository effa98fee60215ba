/** Checkpoints that `fit` writes: when, where to, which of them stay, and what a run that is aborted leaves. */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import {
  callbacks,
  defineLayer,
  layers,
  load,
  loadModel,
  losses,
  OptionError,
  optimizers,
  sequential,
  type CheckpointOptions,
  type Engine,
  type FitOptions,
  type History,
  type Model,
} from "../../src/index.ts";
import { tinyNet } from "../conformance/nets.ts";
import { noise } from "../support/model.ts";

const COUNT = 10;
const images = noise(1, COUNT, 7, 7, 3);
const labels = Int32Array.from({ length: COUNT }, (_, i) => (i * 7) % 3);
const validationData = [noise(2, COUNT, 7, 7, 3), labels] as const;

let engine: Engine;
let folder: string;
let model: Model;
beforeAll(async () => {
  engine = await load();
});
afterAll(() => engine.dispose());
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "checkpoints-"));
  model = compiled(tinyNet());
  return () => {
    model.dispose();
    rmSync(folder, { recursive: true, force: true });
  };
});

const compiled = (made: Model): Model =>
  made.compile({
    engine,
    optimizer: optimizers.adam({ learningRate: 0.01 }),
    loss: losses.softmaxCrossEntropy(),
  }) as unknown as Model;

/** Three epochs of three steps. */
const fit = (each: Model, checkpoint: CheckpointOptions, more: FitOptions = {}): Promise<History> =>
  each.fit(images, labels, { epochs: 3, batchSize: 4, checkpoint, ...more });

const fileOf = (step: number): string => `checkpoint-${String(step).padStart(8, "0")}.safetensors`;
const files = (): string[] => readdirSync(folder).sort();

/** Takes up a file, and trains to the end. */
async function finished(bytes: Uint8Array, more?: FitOptions): Promise<[History, Uint8Array]> {
  const again = compiled(loadModel(bytes));
  const history = await fit(again, { save() {} }, more);
  const end = again.toCheckpoint();
  again.dispose();
  return [history, end];
}

describe("fit({ checkpoint })", () => {
  it("writes a file after each epoch, of which three stay, and each is one to go on from", async () => {
    const whole = compiled(tinyNet());
    const history = await whole.fit(images, labels, { epochs: 5, batchSize: 4 });
    await fit(model, { path: join(folder, "new") }, { epochs: 5 });
    folder = join(folder, "new");
    expect(files()).toEqual([9, 12, 15].map(fileOf));
    for (const file of files()) {
      const found = await finished(readFileSync(join(folder, file)), { epochs: 5 });
      expect(found).toEqual([history, whole.toCheckpoint()]);
    }
    expect(Buffer.compare(model.toCheckpoint(), whole.toCheckpoint())).toBe(0);
    whole.dispose();
  });

  it("writes every so many steps of the model, and at the end", async () => {
    const times: object[] = [];
    model.trainOnBatch(images, labels);
    await fit(model, { every: 4, save: (_, time) => times.push(time) });
    expect(times).toEqual([
      { epoch: 1, step: 4 },
      { epoch: 3, step: 8 },
      { epoch: 3, step: 10 },
    ]);
  });

  it("counts steps, not batches whose gradients wait", async () => {
    model.compile({
      engine,
      optimizer: optimizers.adam(),
      loss: losses.softmaxCrossEntropy(),
      gradientAccumulationSteps: 2,
    });
    const steps: number[] = [];
    await fit(model, { every: 1, save: (_, { step }) => steps.push(step) });
    expect(steps).toEqual([1, 2, 3, 4, 4]);
  });

  it("waits for what save returns, and passes on what it rejects with", async () => {
    let pending = 0;
    const save = async (): Promise<void> => {
      pending++;
      await new Promise((resolve) => setTimeout(resolve, 5));
      pending--;
    };
    await fit(model, { every: 1, save }, { onBatchEnd: () => expect(pending).toBe(0) });
    expect(pending).toBe(0);
    await expect(fit(model, { save: () => Promise.reject(new Error("no room")) })).rejects.toThrow("no room");
  });

  it("writes a last one when the run is aborted: between batches, in a callback, in a save", async () => {
    const history = await fit(model, { save() {} });
    const end = model.toCheckpoint();
    for (const where of ["onBatchBegin", "onBatchEnd", "onEpochBegin", "onEpochEnd", "save"]) {
      const controller = new AbortController();
      let event = 0;
      const abort = (): void => {
        if (++event === 2) controller.abort(new Error("enough"));
      };
      let last: Uint8Array | undefined;
      const save = (bytes: Uint8Array): void => {
        last = bytes;
        if (where === "save") abort();
      };
      const each = compiled(tinyNet());
      const more = { signal: controller.signal, callbacks: [{ onTrainEnd() {}, [where]: abort }] };
      await expect(fit(each, { every: where === "save" ? 1 : 100, save }, more)).rejects.toThrow("enough");
      each.dispose();
      expect(await finished(last!, { callbacks: [{ onEpochEnd() {} }] }), where).toEqual([history, end]);
    }
  });

  it("writes none when the model is taken away, nor when nothing has happened", async () => {
    const save = vi.fn();
    const onBatchEnd = (): void => model.dispose();
    await expect(fit(model, { save }, { onBatchEnd })).rejects.toThrow("got one that was disposed");
    compiled(model);
    await expect(fit(model, { save }, { signal: AbortSignal.abort() })).rejects.toThrow("aborted");
    expect(save).not.toHaveBeenCalled();
  });

  it("keeps what it is told to, and leaves other files alone", async () => {
    for (const name of ["notes.txt", "checkpoint-1.safetensors", `${fileOf(4)}.old`]) {
      writeFileSync(join(folder, name), "mine");
    }
    // What a process left that was killed while it wrote, and what one writes now.
    const temporary = (pid: number): string => `.${fileOf(2)}.${pid}-${"0".repeat(32)}.tmp`;
    writeFileSync(join(folder, temporary(2 ** 22 + 7)), "half");
    writeFileSync(join(folder, temporary(process.ppid)), "half");
    const others = files().filter((name) => name !== temporary(2 ** 22 + 7));
    await fit(model, { path: folder, every: 2, keep: 1 });
    expect(files()).toEqual([...others, fileOf(9)].sort());
    await fit(model, { path: folder, every: 2, keep: Infinity });
    expect(files()).toEqual([...others, ...[9, 10, 12, 14, 16, 18].map(fileOf)].sort());
  });

  it("refuses a folder of another run, but not of one that goes on from an earlier step", async () => {
    await fit(model, { path: folder });
    const bytes = readFileSync(join(folder, fileOf(3)));
    const another = compiled(tinyNet());
    await expect(fit(another, { path: folder })).rejects.toThrow(
      `fit: checkpoint: path: expected a folder without checkpoints of another run, with steps above 0, as this run goes on from none, got ${fileOf(3)}, ${fileOf(6)}, ${fileOf(9)} in ${folder}`,
    );
    another.dispose();
    const again = compiled(loadModel(bytes));
    await fit(again, { path: folder, keep: 2 });
    expect(files()).toEqual([6, 9].map(fileOf));
    expect(Buffer.compare(again.toCheckpoint(), model.toCheckpoint())).toBe(0);
    again.dispose();
  });

  it("names a folder that cannot be written to", async () => {
    writeFileSync(join(folder, "file"), "");
    await expect(fit(model, { path: join(folder, "file") })).rejects.toThrow(
      `fit: checkpoint: ${join(folder, "file")}: expected a folder that can be written to, got EEXIST`,
    );
    // A folder stands where the third file is to be.
    const onEpochBegin = (): void => void mkdirSync(join(folder, fileOf(9)), { recursive: true });
    const failing = fit(model, { path: folder }, { callbacks: [{ onEpochBegin }] });
    await expect(failing).rejects.toMatchObject({
      name: "StorageError",
      message: expect.stringContaining(`${folder}: expected a folder that can be written to, got `) as string,
    });
    expect(model.steps).toBe(9);
  });

  it.each<[object, string]>([
    [{}, "fit: checkpoint: expected path or save, got neither"],
    [{ path: "x", save() {} }, "fit: checkpoint: expected path or save, got both"],
    [{ path: "" }, 'fit: checkpoint: path: expected the path of a folder, got ""'],
    [{ save: 1 }, "fit: checkpoint: save: expected a function, got 1"],
    [{ save() {}, every: 0 }, "fit: checkpoint: every: expected a positive integer, got 0"],
    [{ save() {}, keep: 0.5 }, "fit: checkpoint: keep: expected a positive integer, got 0.5"],
    [{ save() {}, step: 1 }, 'fit: checkpoint: expected the options every, path, save, keep; got "step"'],
  ])("refuses %j", async (options, message) => {
    await expect(fit(model, options)).rejects.toThrow(OptionError);
    await expect(fit(model, options)).rejects.toThrow(message);
  });

  it("refuses a model that has no file before the first step", async () => {
    const own = defineLayer({ type: "unknownToFiles", forward: ({ x, y }) => y.set(x) });
    const net = compiled(
      sequential({ inputShape: [7, 7, 3], layers: [own(), layers.flatten(), layers.dense({ units: 3 })] }),
    );
    const refused =
      "fit: checkpoint: unknownToFiles: expected one of layers.*, got a layer of the type unknownToFiles";
    await expect(fit(net, { save() {} })).rejects.toThrow(refused);
    expect(net.steps).toBe(0);
    net.dispose();
  });
});

describe("callbacks.checkpoint", () => {
  it("writes after each epoch, and the run goes on behind it", async () => {
    const saved: [Uint8Array, object][] = [];
    const checkpoint = callbacks.checkpoint({ save: (bytes, time) => saved.push([bytes, time]) });
    const heard: number[] = [];
    const later = { onEpochEnd: ({ epoch }: { epoch: number }) => heard.push(epoch) };
    const history = await model.fit(images, labels, {
      epochs: 3,
      batchSize: 4,
      callbacks: [checkpoint, later],
      validationData,
    });
    expect(saved.map(([, time]) => time)).toEqual([3, 6, 9].map((step, i) => ({ epoch: i + 1, step })));
    heard.length = 0;
    const again = compiled(loadModel(saved[1]![0]));
    const found = await again.fit(images, labels, {
      epochs: 3,
      batchSize: 4,
      callbacks: [callbacks.checkpoint({ save() {} }), later],
      validationData,
    });
    expect(found).toEqual(history);
    expect(heard).toEqual([2, 3]);
    again.dispose();
  });

  it("writes the best alone, by a figure, and remembers it", async () => {
    const figures = [5, 3, 4, 2, 2];
    const run = async (each: Model, epochs: number[], from?: Uint8Array): Promise<Uint8Array[]> => {
      const saved: Uint8Array[] = [];
      const options = { saveBestOnly: true, monitor: "loss", save: (bytes: Uint8Array) => saved.push(bytes) };
      const own = callbacks.checkpoint(options);
      const onEpochEnd: typeof own.onEpochEnd = (state, model_) =>
        own.onEpochEnd!({ ...state, loss: figures[state.epoch - 1]! }, model_);
      const made = from ? compiled(loadModel(from)) : each;
      await made.fit(images, labels, { epochs: 5, batchSize: 4, callbacks: [{ ...own, onEpochEnd }] });
      if (from) made.dispose();
      epochs.push(saved.length);
      return saved;
    };
    const counts: number[] = [];
    const saved = await run(model, counts);
    await run(model, counts, saved[1]);
    expect(counts).toEqual([3, 1]);
    expect(() => callbacks.checkpoint({ save() {}, saveBestOnly: 1 as never })).toThrow(
      "checkpoint: saveBestOnly: expected true or false, got 1",
    );
    await expect(
      model.fit(images, labels, { callbacks: [callbacks.checkpoint({ save() {}, saveBestOnly: true })] }),
    ).rejects.toThrow("checkpoint: monitor: expected validationData");
  });
});
