/** A net from an ONNX file as the start of another: its input, and the features that a new last layer reads. */
import { input, layers, type Engine } from "../../index.ts";
import { SymbolicTensor } from "../../layers/contract.ts";
import type { Preprocessing } from "../../metadata.ts";
import { loadOnnx, type OnnxModel } from "../../onnx.ts";
import type { OnnxLayout } from "../../onnx/export/index.ts";
import { listed } from "../../options.ts";
import { imageInput, read, type PixelOptions } from "../nets/inputs.ts";
import { telling } from "../nets/net.ts";
import { isSafetensors } from "../nets/openNet.ts";
import { shortName } from "../report.ts";
import { UsageError } from "../usage.ts";

export interface BackboneOptions extends PixelOptions {
  /** The name of the value that the new layer reads; without it what the last layer with a matrix or filters reads. */
  readonly features?: string;
}

export interface Backbone {
  readonly input: SymbolicTensor;
  /** A row of numbers for each image, computed of the value that `source` names. */
  readonly features: SymbolicTensor;
  readonly source: string;
  readonly channels: 1 | 3;
  readonly layout: OnnxLayout;
  readonly preprocessing: Preprocessing & { readonly size: readonly [height: number, width: number] };
}

/** Whether a layer has a weight along two axes at least: filters or a matrix, and not the scales or shifts of channels. */
function mixes({ layer, inputs }: SymbolicTensor): boolean {
  const weights = layer?.weights(inputs.map(({ shape }) => shape)) ?? [];
  return weights.some(({ shape }) => shape.filter((size) => size > 1).length > 1);
}

/** What the classifier of a net reads: the last layer with filters or a matrix. */
function beforeClassifier(net: OnnxModel, file: string): SymbolicTensor {
  let at = net.value(net.outputNames[0]!);
  while (!mixes(at)) {
    if (!at.layer)
      throw new UsageError(`${file}: expected a net with a layer that classifies, got one without`);
    at = at.inputs[0]!;
  }
  return at.inputs[0]!;
}

/** A row of each image's features: of images `[c, h, w]` the mean of each channel. */
function asRow(value: SymbolicTensor): SymbolicTensor {
  if (value.shape.length === 1) return value;
  if (value.shape.length !== 3) return layers.flatten().apply(value);
  return layers.globalAveragePooling2d().apply(layers.permute({ dims: [2, 3, 1] }).apply(value));
}

function featuresOf(
  net: OnnxModel,
  file: string,
  name: string | undefined,
): Pick<Backbone, "features" | "source"> {
  if (name !== undefined) return { features: asRow(net.value(name)), source: shortName(name) };
  const value = beforeClassifier(net, file);
  const { origin } = value;
  // In the order of the file the channels of images come first.
  if (origin) return { features: asRow(net.value(origin.name)), source: shortName(origin.name) };
  return { features: layers.flatten().apply(value), source: "the input of its last layer" };
}

/**
 * The net in an ONNX file, planned for the size of its images.
 * @throws UsageError for a file that is none, or whose net takes something else than one image
 */
export async function openBackbone(
  file: string,
  engine: Engine,
  options: BackboneOptions,
): Promise<Backbone> {
  const bytes = read(file);
  if (isSafetensors(bytes)) throw new UsageError(`${file}: expected an ONNX file, got a .safetensors file`);
  return telling(file, async () => {
    const net = await loadOnnx(bytes, { engine });
    const [only, ...more] = net.inputs;
    if (!only || more.length > 0) {
      throw new UsageError(`${file}: expected a net with one input, got ${listed(net.inputNames)}`);
    }
    const image = imageInput(file, only, { options, preprocessing: net.metadata.preprocessing });
    const { channels, layout, declared, preprocessing } = image;
    if (channels !== 1 && channels !== 3) {
      throw new UsageError(`${file}: expected a net for images of 1 or 3 channels, got one for ${channels}`);
    }
    if (only.type !== "float32") {
      throw new UsageError(`${file}: expected a net for images of float32, got one for ${only.type}`);
    }
    const { size } = preprocessing;
    if (!size)
      throw new UsageError(`--size: expected one, as ${file} leaves the size of images open; got none`);
    if (declared && declared.join() !== size.join()) {
      throw new UsageError(
        `--size: expected ${declared.join("x")}, which ${file} declares, got ${size.join("x")}`,
      );
    }
    if (!declared) {
      const shape = layout === "NCHW" ? [1, channels, ...size] : [1, ...size, channels];
      net.session({ batchSize: 1, shapes: { [only.name]: shape } }).dispose();
    }
    return {
      input: net.value(only.name),
      ...featuresOf(net, file, options.features),
      channels,
      layout,
      preprocessing: { ...preprocessing, size },
    };
  });
}

/** The value that is computed as `value` is, of others in the place of those that `known` has. */
function recomputed(value: SymbolicTensor, known: Map<SymbolicTensor, SymbolicTensor>): SymbolicTensor {
  const found = new Set([value]);
  // Iteration over a set includes the elements that are added meanwhile.
  for (const each of found) if (!known.has(each)) for (const from of each.inputs) found.add(from);
  for (const each of [...found].sort((a, b) => a.order - b.order)) {
    if (known.has(each) || each.inputs.every((from) => (known.get(from) ?? from) === from)) continue;
    const own = each.layer!.apply(each.inputs.map((from) => known.get(from) ?? from));
    own.origin = each.origin;
    known.set(each, own);
  }
  return known.get(value) ?? value;
}

/** The net up to `output`, with an input whose images are flipped and shifted at random in training. */
export function augmented(
  { input: own, layout }: Backbone,
  output: SymbolicTensor,
): { inputs: SymbolicTensor; outputs: SymbolicTensor } {
  const inputs = input({ shape: own.shape, ...(own.name !== undefined && { name: own.name }) });
  inputs.origin = own.origin;
  const turned = layout === "NCHW" ? layers.permute({ dims: [2, 3, 1] }).apply(inputs) : inputs;
  const flipped = layers.randomFlip({ mode: "horizontal" }).apply(turned);
  const shifted = layers.randomTranslation({ heightFactor: 0.1, widthFactor: 0.1 }).apply(flipped);
  const images = layout === "NCHW" ? layers.permute({ dims: [3, 1, 2] }).apply(shifted) : shifted;
  return { inputs, outputs: recomputed(output, new Map([[own, images]])) };
}
