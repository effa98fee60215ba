import { OptionError } from "../errors.ts";
import { checkOptions, listed, positiveInteger } from "../options.ts";
import type { Shape } from "../tensor.ts";
import { fedByShapes, readShapes, sessionImages, type Shapes } from "./import/feedShapes.ts";
import type { OnnxGraph } from "./import/graph.ts";
import type { Fed } from "./import/lowerNet.ts";
import type { Plans } from "./import/plans.ts";
import { OnnxSession } from "./session.ts";

export interface OnnxSessionOptions {
  /** The number of images. Default: that of `shapes`, or 1, or what a net that joins images declares. */
  batchSize?: number | undefined;
  /** The shapes of the inputs, by name. Default: those of the file. */
  shapes?: Shapes | undefined;
}

/** Makes a session of a net; see `OnnxModel.session`. */
export function openSession(graph: OnnxGraph, plans: Plans, options: OnnxSessionOptions): OnnxSession {
  checkOptions("session", options, ["batchSize", "shapes"]);
  const { batchSize, shapes: sizes = {} } = options;
  if (batchSize !== undefined) positiveInteger("session: batchSize", batchSize);
  const { inputs } = graph;
  const shapes = readShapes("session: shapes", inputs, sizes);
  let fed: Fed = new Map();
  const instance = plans.planFor("session", (open) => (fed = fedByShapes(inputs, shapes, batchSize, open)));
  if (!instance) {
    throw new OptionError(
      `session: expected a net that is planned by shapes alone, got one that depends on the numbers of ${listed([...plans.deciding])}: use predict`,
    );
  }
  const batched = plans.notBatched === undefined;
  // The first input of a net that joins images tells their number.
  const sizesOfImages = batched ? shapes : Object.fromEntries([...(fed as Map<string, Shape>)].slice(0, 1));
  const images = sessionImages(inputs, sizesOfImages, batchSize);
  return plans.withMemory(() => new OnnxSession(instance, images), instance);
}
