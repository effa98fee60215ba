import type { KernelEngine } from "../engine/engine.ts";
import { Runtime } from "../engine/runtime.ts";
import { OptionError } from "../errors.ts";
import type { Loss } from "../losses/index.ts";
import type { Optimizer } from "../optimizers/index.ts";
import { checkOptions, show } from "../options.ts";
import type { Graph } from "./graph.ts";

export interface CompileOptions {
  engine: KernelEngine;
  /** Needed for training. */
  optimizer?: Optimizer;
  /** Needed for training and `evaluate`. */
  loss?: Loss;
}

/** The engine's runtime. @throws OptionError unless it is an engine, and lives. */
export function checkEngine(engine: KernelEngine): Runtime {
  const runtime = engine?.runtime;
  if (!(runtime instanceof Runtime)) {
    throw new OptionError(`compile: engine: expected what load() gives, got ${show(engine)}`);
  }
  if (runtime.disposed) {
    throw new OptionError("compile: engine: expected a live engine, got one that was disposed");
  }
  return runtime;
}

/** The engine's runtime. @throws OptionError unless each option is what its factory gives and fits the graph. */
export function checkCompileOptions(options: CompileOptions, graph: Graph): Runtime {
  checkOptions("compile", options, ["engine", "optimizer", "loss"]);
  const { optimizer, loss } = options;
  const runtime = checkEngine(options.engine);
  if (optimizer !== undefined && typeof optimizer?.start !== "function") {
    throw new OptionError(`compile: optimizer: expected one of optimizers.*, got ${show(optimizer)}`);
  }
  if (loss !== undefined && typeof loss?.run !== "function") {
    throw new OptionError(`compile: loss: expected one of losses.*, got ${show(loss)}`);
  }
  if (optimizer && !loss) {
    throw new OptionError("compile: loss: expected one beside the optimizer, got none");
  }
  const last = graph.nodes.at(-1)!;
  const { activation } = last.layer.config as { activation?: unknown };
  if (loss?.type === "softmaxCrossEntropy" && activation === "softmax") {
    throw new OptionError(
      `compile: loss: expected a linear last layer, since softmaxCrossEntropy holds the softmax, ` +
        `got softmax in ${last.name}`,
    );
  }
  return runtime;
}
