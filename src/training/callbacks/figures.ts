import { OptionError } from "../../errors.ts";
import { listed, oneOf, show } from "../../options.ts";
import type { EpochEnd } from "../history.ts";
import type { LossOutput } from "../objective.ts";
import type { TrainBegin } from "./callback.ts";

/**
 * The figures of an epoch by name: `loss`, `accuracy`, `validationLoss`, `validationAccuracy`, and of the validation data each
 * metric under its name, of one output of several as `output.figure`.
 */
export function figuresOf(state: EpochEnd): Map<string, number> {
  const { epoch: _, validation = {}, ...own } = state;
  const figures = new Map<string, number>();
  const add = (entries: object, prefix = ""): void => {
    for (const [name, value] of Object.entries(entries)) {
      if (typeof value === "number" && !figures.has(prefix + name)) figures.set(prefix + name, value);
    }
  };
  add(own);
  const { outputs = {}, loss: _loss, accuracy: _accuracy, ...metrics } = validation as Record<string, object>;
  add(metrics);
  for (const [output, entries] of Object.entries(outputs)) add(entries as object, `${output}.`);
  return figures;
}

/** The names of the figures of each epoch, those of metrics with them, whether they are single numbers or not. */
export function figureNames(outputs: readonly LossOutput[], validated: boolean): string[] {
  const own = ["loss", "accuracy"];
  if (!validated) return own;
  const several = outputs.length > 1;
  const measured = outputs.flatMap(({ name: output, metrics }) => {
    const names = metrics.map(({ name }) => name);
    return several ? [...own, ...names].map((name) => `${output}.${name}`) : names;
  });
  return [...own, "validationLoss", "validationAccuracy", ...measured];
}

export interface MonitorOptions {
  /**
   * The name of a figure: `loss`, `accuracy`, `validationLoss`, `validationAccuracy`, or a metric of the validation data, of one
   * output of several as `output.figure`. Default: `"validationLoss"`.
   */
  monitor?: string | undefined;
  /** Whether the figure is better when it is smaller. Default: `"auto"`: `"min"` for names with loss or error, else `"max"`. */
  mode?: "auto" | "min" | "max" | undefined;
}

/** Reads the figure that a callback watches, negated if smaller is better. */
export class Monitor {
  readonly #where: string;
  readonly name: string;
  readonly #sign: number;

  /** @throws OptionError */
  constructor(where: string, { monitor = "validationLoss", mode = "auto" }: MonitorOptions) {
    if (typeof monitor !== "string") {
      throw new OptionError(`${where}: monitor: expected the name of a figure, got ${show(monitor)}`);
    }
    const known = oneOf(`${where}: mode`, mode, ["auto", "min", "max"]);
    const smaller = known === "auto" ? /loss|error/i.test(monitor) : known === "min";
    this.#where = where;
    this.name = monitor;
    this.#sign = smaller ? -1 : 1;
  }

  /** @throws OptionError for a figure that the epochs will not have: of validation data when there are none, or of no name */
  begin({ validated, figures }: TrainBegin): void {
    if (!validated && this.name.startsWith("validation")) {
      throw new OptionError(`${this.#where}: monitor: expected validationData for "${this.name}", got none`);
    }
    if (!figures.includes(this.name)) this.#refuse(figures);
  }

  #refuse(figures: readonly string[]): never {
    throw new OptionError(
      `${this.#where}: monitor: expected one of ${listed(figures)}, got ${show(this.name)}`,
    );
  }

  /** @throws OptionError for what is no single number */
  read(state: EpochEnd): number {
    const figures = figuresOf(state);
    const figure = figures.get(this.name);
    if (figure !== undefined) return this.#sign * figure;
    this.#refuse([...figures.keys()]);
  }
}
