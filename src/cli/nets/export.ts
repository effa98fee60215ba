/** im2row export: a net in a file of the other kind, in another layout, with smaller weights. */
import { readFileSync } from "node:fs";
import { extname, resolve } from "node:path";
import type { OnnxLayout } from "../../onnx/export/index.ts";
import { halveWeights } from "../../onnx/file/halveWeights.ts";
import { tell, withNet, type EngineOptions } from "../engine.ts";
import type { NamedShape } from "./inputs.ts";
import type { Net } from "./net.ts";
import { sessionOf } from "./plan.ts";
import { fileSize } from "../report.ts";
import { checkPlace, save } from "../save.ts";
import { causeOf, UsageError } from "../usage.ts";

export const LAYOUTS = ["nchw", "nhwc"] as const;
export const WEIGHTS = ["float32", "float16"] as const;

export interface ExportOptions extends EngineOptions {
  readonly layout?: (typeof LAYOUTS)[number];
  readonly weights: (typeof WEIGHTS)[number];
  /** Shapes of the inputs whose sizes the file leaves open. */
  readonly shape: readonly NamedShape[];
}

type Format = Net["format"];

/** The kind of file that a name asks for. @throws UsageError */
function formatOf(file: string): Format {
  const extension = extname(file).toLowerCase();
  if (extension === ".onnx") return "ONNX";
  if (extension === ".safetensors") return "safetensors";
  const given = extension === "" ? "none of them" : extension;
  throw new UsageError(`${file}: expected a name that ends in .onnx or .safetensors, got ${given}`);
}

/** Finds out before any work whether the file can be written as the options say. @throws UsageError */
function checkExport(model: string, out: string, { layout, weights }: ExportOptions): Format {
  const format = formatOf(out);
  if (resolve(out) === resolve(model)) {
    throw new UsageError(`${out}: expected another file than the one that is read`);
  }
  if (format === "safetensors" && layout !== undefined) {
    throw new UsageError(
      `--layout: expected a file that ends in .onnx, got ${out}, which keeps the net's layout`,
    );
  }
  if (format === "safetensors" && weights !== "float32") {
    throw new UsageError(
      `--weights: expected a file that ends in .onnx, got ${out}, whose weights are float32`,
    );
  }
  try {
    checkPlace(out);
  } catch (error) {
    throw new UsageError(`${out}: cannot be written (${causeOf(error)})`);
  }
  return format;
}

/** The bytes of the new file. @throws OptionError, FormatError for a net that it cannot hold */
function encode(net: Net, format: Format, { layout, weights, shape }: ExportOptions): Uint8Array {
  const isOpen = net.inputs.some(({ dims }) => dims.slice(1).some((size) => typeof size === "string"));
  // A net of open sizes has layers as soon as it is planned.
  if (shape.length > 0 || (isOpen && format === "safetensors")) sessionOf(net, shape).dispose();
  if (format === "safetensors") return net.toSafetensors();
  const bytes = net.toOnnx(layout && (layout.toUpperCase() as OnnxLayout));
  return weights === "float16" ? halveWeights(bytes) : bytes;
}

/** Writes a net to another file, of the kind that its name says. @throws UsageError */
export async function exportNet(model: string, out: string, options: ExportOptions): Promise<void> {
  const format = checkExport(model, out, options);
  await withNet(model, options, async (net) => {
    const bytes = encode(net, format, options);
    try {
      await save(out, bytes);
    } catch (error) {
      throw new Error(`${out}: cannot be written (${causeOf(error)})`, { cause: error });
    }
    const { weights, quiet, json } = options;
    const before = readFileSync(model).length;
    if (quiet && !json) return;
    tell(
      options,
      () => ({ model, from: net.format, file: out, format, weights, bytes: bytes.length }),
      () =>
        `saved  ${out}, ${format} with weights of ${weights}, ${fileSize(bytes.length)} (${model}: ${net.format}, ${fileSize(before)})`,
    );
  });
}
