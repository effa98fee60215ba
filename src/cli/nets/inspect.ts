/** im2row inspect: what a net consists of, and what it takes. */
import { legible } from "../../errors.ts";
import type { Engine } from "../../index.ts";
import { suggestion } from "../../onnx/import/nearest.ts";
import type { OnnxInput } from "../../onnx.ts";
import { listed, show } from "../../options.ts";
import type { Shape } from "../../tensor.ts";
import { tell, withNet, type EngineOptions } from "../engine.ts";
import type { NamedShape } from "./inputs.ts";
import type { Json } from "../json.ts";
import type { Net, NetValue } from "./net.ts";
import { sessionOf } from "./plan.ts";
import { fileSize, formatTable, quantity, shortName } from "../report.ts";
import { UsageError } from "../usage.ts";

export interface InspectOptions extends EngineOptions {
  /** Shapes of the inputs whose sizes the file leaves open. */
  readonly shape: readonly NamedShape[];
  /** Lists the values inside of the net, and nothing else. */
  readonly values?: boolean;
  /** The name of one of them. */
  readonly value?: string;
}

/** Bytes of memory that a net takes on its engine. */
interface Memory {
  readonly weights: number;
  readonly buffers: number;
  readonly held: number;
}

const shapeText = (shape: Shape | undefined): string => (shape ? `[${shape.join(", ")}]` : "");

const dimsText = ({ dims }: OnnxInput): string =>
  `[${dims.map((size) => shortName(String(size))).join(", ")}]`;

/** Operations of all nodes together. */
const totalOf = (net: Net): number => net.nodes.reduce((sum, { operations }) => sum + operations, 0);

/** What the file tells of classes and images, a line for each. */
function metadataLines({ metadata: { classNames, preprocessing } }: Net): string[] {
  const lines: string[] = [];
  if (classNames) lines.push(`classes     ${classNames.length}: ${listed(classNames.map(shortName))}`);
  if (preprocessing) {
    const entries = Object.entries(preprocessing).filter(([, value]) => value !== undefined);
    lines.push(`images      ${entries.map(([name, value]) => `${name} ${String(value)}`).join(", ")}`);
  }
  return lines;
}

function describe(net: Net, memory: Memory): string {
  const rows = net.nodes.map(({ name, type, output, operations }) => [
    shortName(name),
    shortName(type),
    shapeText(output),
    operations > 0 ? quantity(operations) : "",
  ]);
  const [step, kind] = net.format === "ONNX" ? ["node", "operator"] : ["layer", "type"];
  const batched = net.notBatched === undefined;
  const trains = net.notTrainable === undefined ? "trainable" : `not trainable: ${legible(net.notTrainable)}`;
  const runs = batched
    ? `any number of images, ${trains}`
    : `whole, in these shapes: ${legible(net.notBatched)}`;
  const { weights, buffers, held } = memory;
  return [
    formatTable([[step, kind, "output", "FLOPs"], ...rows], "lllr"),
    ...net.inputs.map((input) => `input       ${shortName(input.name)}: ${input.type} ${dimsText(input)}`),
    `outputs     ${listed(net.outputNames.map(shortName))}`,
    `values      ${net.values.length}, which --values lists`,
    ...metadataLines(net),
    `runs        ${runs}`,
    `parameters  ${net.parameterCount.toLocaleString("en")}`,
    `FLOPs       ${quantity(totalOf(net))} for ${batched ? "one image" : "a run"}, of convolutions and products`,
    `memory      ${fileSize(weights)} of weights, ${fileSize(buffers)} of buffers, ${fileSize(held)} held`,
  ].join("\n");
}

const valueJson = ({ name, type, shape }: NetValue): Json => ({ name, type, shape });

function netJson(model: string, net: Net, memory: Memory): Exclude<Json, undefined> {
  const { format, inputs, outputNames, metadata, notBatched, notTrainable, parameterCount } = net;
  return {
    model,
    format,
    inputs: inputs.map(({ name, type, dims }) => ({ name, type, shape: dims })),
    outputs: outputNames,
    metadata: metadata as Json,
    batched: notBatched === undefined,
    notBatched,
    trainable: notTrainable === undefined,
    notTrainable,
    parameters: parameterCount,
    flops: totalOf(net),
    memory: { ...memory },
    nodes: net.nodes.map(({ name, type, output, operations }) => ({
      name,
      type,
      shape: output,
      flops: operations,
    })),
    values: net.values.map(valueJson),
  };
}

/** The value of a name. @throws UsageError with the name that is most like it */
function valueOf({ values }: Net, name: string): NetValue {
  const value = values.find((each) => each.name === name);
  if (value) return value;
  const hint = suggestion(
    name,
    values.map((each) => each.name),
  );
  throw new UsageError(`--value: expected the name of a value that --values lists, got ${show(name)}${hint}`);
}

function describeValues(values: readonly NetValue[]): string {
  const rows = values.map(({ name, type, shape }) => [shortName(name), type, shapeText(shape)]);
  return formatTable([["value", "type", "shape"], ...rows], "lll");
}

function memoryOf(net: Net, engine: Engine): Memory {
  const weights = 4 * net.parameterCount;
  return { weights, buffers: engine.memory.used - weights, held: engine.memory.bytes };
}

/** Prints a net's nodes, and what it takes: weights, operations, memory; or the values inside of it. */
export async function inspect(model: string, options: InspectOptions): Promise<void> {
  await withNet(model, options, (net, engine) => {
    const session = sessionOf(net, options.shape);
    if (options.value !== undefined) {
      const value = valueOf(net, options.value);
      const { name, type, shape } = value;
      tell(
        options,
        () => ({ model, values: [valueJson(value)] }),
        () => `${shortName(name)}: ${type} ${shapeText(shape)}`,
      );
    } else if (options.values) {
      tell(
        options,
        () => ({ model, values: net.values.map(valueJson) }),
        () => describeValues(net.values),
      );
    } else {
      const memory = memoryOf(net, engine);
      tell(
        options,
        () => netJson(model, net, memory),
        () => describe(net, memory),
      );
    }
    session.dispose();
  });
}
