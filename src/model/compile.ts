import type { Runtime } from "../engine/runtime.ts";
import { OptionError } from "../errors.ts";
import type { Loss } from "../losses/index.ts";
import type { Engine } from "../ops/engine.ts";
import type { Optimizer } from "../optimizers/index.ts";
import { checkOptions, show } from "../options.ts";

export interface CompileOptions {
  engine: Engine;
  /** Needed for training. */
  optimizer?: Optimizer;
  /** Needed for training and `evaluate`. */
  loss?: Loss;
}

/** The engine's runtime. @throws OptionError unless each option is what its factory gives. */
export function checkCompileOptions(options: CompileOptions): Runtime {
  checkOptions("compile", options, ["engine", "optimizer", "loss"]);
  const { engine, optimizer, loss } = options;
  const runtime = engine?.runtime;
  if (!runtime) throw new OptionError(`compile: engine: expected what load() gives, got ${show(engine)}`);
  if (optimizer !== undefined && typeof optimizer?.start !== "function") {
    throw new OptionError(`compile: optimizer: expected one of optimizers.*, got ${show(optimizer)}`);
  }
  if (loss !== undefined && typeof loss?.run !== "function") {
    throw new OptionError(`compile: loss: expected one of losses.*, got ${show(loss)}`);
  }
  if (optimizer && !loss) {
    throw new OptionError("compile: loss: expected one beside the optimizer, got none");
  }
  return runtime;
}
