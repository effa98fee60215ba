/** The digests of what each operator of one training step computes, and where two of them part. */
import { bytesOf, type DType } from "../dtype.ts";
import { OptionError } from "../errors.ts";
import { nodeOf } from "../graph/graph.ts";
import type { Named } from "../graph/namedTensors.ts";
import type { Labels } from "../labels.ts";
import type { Model } from "../model/model.ts";
import { positiveInteger, show } from "../options.ts";
import { sizeOf, type InputTensor, type Shape } from "../tensor.ts";
import type { TrainingPlan, WatchedStep } from "../training/plan.ts";
import type { Trainer } from "../training/trainer.ts";
import { refuseRelaxed } from "./record/recorder.ts";
import { bytesIn, bytesToHex, sha256 } from "./record/sha256.ts";

/**
 * The parts of a step, in their order: what it begins with (weights, slots of the optimizer, images, labels), the forward passes, the
 * losses, the backward passes, and what it leaves (weights and slots).
 */
export type TracedPass = "begin" | "forward" | "loss" | "backward" | "update";

/** What one operator computed in a step. */
export interface TraceEntry {
  /** The name of the layer, input or output, as `summary` has it. */
  readonly layer: string;
  readonly pass: TracedPass;
  /**
   * What was computed: `y` of a forward pass; `gradient of x`, or `x1`, `x2` … for further inputs, `gradient of kernel` and the
   * like of a backward pass; `loss` and `gradient of y` of a loss; the name of a weight, or of a slot as `velocity of kernel`.
   */
  readonly of: string;
  readonly shape: readonly number[];
  /** SHA-256 of its bytes, which are little endian, as hexadecimal digits. */
  readonly digest: string;
}

/** The trace of a step: a plain object, which JSON keeps. */
export interface StepTrace {
  readonly format: "im2row trace";
  readonly version: 1;
  /** The number of the step, counted from 1. */
  readonly step: number;
  readonly entries: readonly TraceEntry[];
}

const FORMAT = "im2row trace";
const VERSION = 1;

const hashOf = (bytes: Uint8Array): string => bytesToHex(sha256(bytes));

/** `conv2d.kernel` as the name of its layer and its own. */
function partsOf(weight: string): [layer: string, own: string] {
  const at = weight.lastIndexOf(".");
  return [weight.slice(0, at), weight.slice(at + 1)];
}

/** Watches the steps of a trainer and hashes each result right after its pass, before its memory serves another. */
class Watcher {
  readonly entries: TraceEntry[] = [];
  readonly #model: Model;
  readonly #trainer: Trainer;
  /** Where the mean loss of the batch goes, which is known at its end; 0 when there is no such batch. */
  #lossAt = 0;

  /** Watches the step of a number, counted from 1; without it the next one. */
  constructor(where: string, model: Model, step?: number) {
    this.#model = model;
    const trainer = (this.#trainer = model.trainerToWatch(where));
    const wanted = step ?? trainer.steps + 1;
    trainer.watch = (watched) =>
      trainer.steps + 1 === wanted ? this.#watched(where, watched) : watched.plan;
  }

  /** Adds the loss of a batch that was trained on, if it was watched. */
  endBatch(): void {
    if (this.#lossAt === 0) return;
    const loss = new Uint8Array(Float64Array.of(this.#trainer.loss).buffer);
    this.entries.splice(this.#lossAt, 0, {
      layer: "model",
      pass: "loss",
      of: "loss",
      shape: [],
      digest: hashOf(loss),
    });
    this.#lossAt = 0;
  }

  end(): StepTrace {
    this.release();
    this.#addState("update");
    return { format: FORMAT, version: VERSION, step: this.#trainer.steps, entries: this.entries };
  }

  release(): void {
    this.#trainer.watch = undefined;
  }

  #addState(pass: TracedPass): void {
    for (const [name, tensor] of this.#model.weights) {
      const [layer, of] = partsOf(name);
      this.entries.push({ layer, pass, of, shape: tensor.shape, digest: hashOf(bytesIn(tensor.data)) });
    }
    for (const [slot, tensors] of Object.entries(this.#trainer.state().slots)) {
      for (const [name, tensor] of tensors) {
        const [layer, of] = partsOf(name);
        const digest = hashOf(bytesIn(tensor.data));
        this.entries.push({ layer, pass, of: `${slot} of ${of}`, shape: tensor.shape, digest });
      }
    }
  }

  #watched(where: string, step: WatchedStep): TrainingPlan {
    const { runtime, plan, graph } = step;
    refuseRelaxed(where, runtime);
    if (this.entries.length === 0) this.#addState("begin");
    const add = (
      layer: string,
      pass: TracedPass,
      of: string,
      shape: Shape,
      at: number,
      dtype: DType = "float32",
    ): void => {
      const bytes = runtime.heap.bytes.subarray(at, at + sizeOf(shape) * bytesOf(dtype));
      this.entries.push({ layer, pass, of, shape, digest: hashOf(bytes) });
    };
    const names = [...graph.inputs, ...graph.nodes].map(({ name }) => name);
    const addValue = (n: number, value: number, pass: TracedPass): void => {
      const { pointer, dtype } = plan.values[value]!;
      add(names[value]!, pass, "y", [n, ...graph.shapes[value]!], pointer, dtype);
    };
    return {
      ...plan,
      forward: (n) => {
        graph.inputs.forEach((_, value) => addValue(n, value, "begin"));
        addLabels(step, n, add);
        for (const { index, pass } of plan.passes) {
          pass.forward(n);
          addValue(n, graph.nodes[index]!.output, "forward");
        }
      },
      backward: (n) => {
        this.#lossAt = this.entries.length;
        plan.outputGradients.forEach(({ pointer }, i) => {
          const value = graph.outputs[graph.lossOutputs[i]!]!;
          add(names[value]!, "loss", "gradient of y", [n, ...graph.shapes[value]!], pointer);
        });
        for (const { index, pass } of [...plan.passes].reverse()) {
          if (!pass.backward) continue;
          pass.backward(n);
          addGradients(step, n, index, add);
        }
      },
    };
  }
}

type Add = (layer: string, pass: TracedPass, of: string, shape: Shape, at: number) => void;

/** The labels of a batch, by the layer whose output they are held against. */
function addLabels({ graph, batch, plan: { labels } }: WatchedStep, n: number, add: Add): void {
  batch.targets.forEach(({ size }, i) => {
    const { name } = nodeOf(graph, graph.outputs[graph.lossOutputs[i]!]!);
    add(name, "begin", "labels", [n, size], labels[i]!);
  });
}

/** The gradients that the backward pass of a node wrote, or added to. */
function addGradients(
  { plan, graph, parameters, learning, gradients }: WatchedStep,
  n: number,
  index: number,
  add: Add,
): void {
  const { name, inputs, owner } = graph.nodes[index]!;
  const own = plan.gradients!;
  own.nodes[index]!.dxs.forEach((dx, place) => {
    if (!dx) return;
    const value = inputs[place]!;
    const at = own.values[value]!.pointer;
    add(name, "backward", `gradient of x${place || ""}`, [n, ...graph.shapes[value]!], at);
  });
  for (const parameter of parameters.of(owner)) {
    if (!learning.has(parameter)) continue;
    const at = gradients + parameter.offset * 4;
    add(name, "backward", `gradient of ${partsOf(parameter.name)[1]}`, parameter.shape, at);
  }
}

/**
 * Takes one step of the optimizer on one batch, as `trainOnBatch` does and with the same bits, and returns the digest of what each
 * operator computed in it. Hashing takes some 10 ms a megabyte.
 * @throws as `trainOnBatch`; OptionError for an engine of relaxed math
 */
export function traceStep(
  model: Model,
  images: InputTensor | Named<InputTensor>,
  labels: Labels | Named<Labels>,
): StepTrace {
  const watcher = new Watcher("traceStep", model);
  try {
    model.trainOnBatch(images, labels);
    watcher.endBatch();
    return watcher.end();
  } finally {
    watcher.release();
  }
}

/** Traces one step of a run of `fit`. */
export interface StepTracer {
  /** The option of `fit` by that name: it ends the run after the step. */
  readonly onBatchEnd: (state: { readonly step: number }) => "stop" | undefined;
  /** The trace, once the step was taken. */
  readonly trace: StepTrace | undefined;
}

/**
 * Traces the step of a number, counted from 1, in a run of `fit` of `model`, where it has the images, the order and the random
 * draws of that run. `fit` ends after it. From a checkpoint of an earlier step it comes there sooner.
 * @throws OptionError; Error unless the model was compiled with an optimizer
 */
export function stepTracer(model: Model, step: number): StepTracer {
  positiveInteger("stepTracer: step", step);
  const watcher = new Watcher("stepTracer", model, step);
  let trace: StepTrace | undefined;
  return {
    get trace() {
      return trace;
    },
    onBatchEnd(state) {
      // Several batches may make one step.
      watcher.endBatch();
      if (state.step !== step) return undefined;
      trace = watcher.end();
      return "stop";
    },
  };
}

/** The first place at which two traces differ. */
export interface TraceDifference extends Pick<TraceEntry, "layer" | "pass" | "of" | "shape"> {
  /** Its index among the entries. */
  readonly index: number;
  /** Either's digest. */
  readonly digests: readonly [a: string, b: string];
}

/** @throws OptionError unless it is a trace */
export function checkTrace(where: string, trace: unknown): asserts trace is StepTrace {
  const { format, version, entries } = (trace ?? {}) as Partial<Record<keyof StepTrace, unknown>>;
  if (format !== FORMAT || version !== VERSION || !Array.isArray(entries)) {
    const got = format === FORMAT ? `version ${show(version)}` : show(trace);
    throw new OptionError(`${where}: expected a trace of a step, version ${VERSION}, got ${got}`);
  }
}

const placeOf = ({ layer, pass, of, shape }: TraceEntry): string =>
  `${layer}: ${pass}: ${of} [${shape.join(", ")}]`;

/**
 * The first operator whose result differs in two traces of one step; undefined when all are the same. All that it read was the
 * same, so that it is what computed otherwise; unless its pass is `begin`: then weights, slots, images or labels differed before.
 * @throws OptionError for what is no trace, and for traces of different steps or nets
 */
export function compareTraces(a: StepTrace, b: StepTrace): TraceDifference | undefined {
  const where = "compareTraces";
  checkTrace(where, a);
  checkTrace(where, b);
  if (a.step !== b.step) {
    throw new OptionError(
      `${where}: expected traces of one step, got those of steps ${a.step} and ${b.step}`,
    );
  }
  for (let index = 0; index < Math.max(a.entries.length, b.entries.length); index++) {
    const [one, other] = [a.entries[index], b.entries[index]];
    const places = [one, other].map((entry) => (entry ? placeOf(entry) : "its end"));
    if (places[0] !== places[1]) {
      throw new OptionError(
        `${where}: expected traces of one net, got ${places.join(" and ")} at entry ${index}`,
      );
    }
    if (one!.digest !== other!.digest) {
      const { layer, pass, of, shape } = one!;
      return { index, layer, pass, of, shape, digests: [one!.digest, other!.digest] };
    }
  }
  return undefined;
}
