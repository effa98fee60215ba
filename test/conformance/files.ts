/** Models as files: nothing is lost on the way, and broken files are refused whole. */
import { FormatError, loadModel, optimizers, losses, ShapeError, type Model } from "im2row";
import { Digest } from "../support/digest.ts";
import { noise, weightBits } from "../support/model.ts";
import { joinFile, splitFile, type SafetensorsFile } from "../support/safetensors.ts";
import type { Case, Context } from "./case.ts";
import { same, sameBits, throws, type Message } from "./expect.ts";
import { hourglass, rareOptions } from "./hourglass.ts";
import { everyLayer, lenet5, softmaxNet, strided, tinyNet } from "./nets.ts";

/** Weights, architecture, seed and outputs come back, and so does the file. */
function expectRoundTrip({ engine }: Context): void {
  for (const [name, model] of Object.entries({
    everyLayer: everyLayer(4),
    lenet5: lenet5(2),
    softmaxNet: softmaxNet(3),
    strided: strided(),
    hourglass: hourglass(5),
    rareOptions: rareOptions(),
  })) {
    const bytes = model.toSafetensors();
    const again = loadModel(bytes);
    same(`${name}: weights`, weightBits(again), weightBits(model));
    same(`${name}: summary`, again.summary(), model.summary());
    same(`${name}: seed`, again.seed, model.seed);
    same(`${name}: file`, again.toSafetensors(), bytes);
    const images = noise(9, 3, ...model.inputShape);
    model.compile({ engine });
    again.compile({ engine });
    sameBits(`${name}: outputs`, again.predict(images).data, model.predict(images).data);
    model.dispose();
    again.dispose();
  }
}

/** A file of a model that was trained, read into another one and at an odd address. */
function expectTrainedWeights({ engine }: Context): void {
  const model = tinyNet(1);
  model.compile({ engine, optimizer: optimizers.adam(), loss: losses.softmaxCrossEntropy() });
  for (let step = 0; step < 5; step++) model.trainOnBatch(noise(step, 3, 7, 7, 3), [0, 1, 2]);
  const bytes = model.toSafetensors();
  const other = tinyNet(77);
  other.loadSafetensors(bytes);
  same("loadSafetensors", weightBits(other), weightBits(model));
  const larger = new Uint8Array(bytes.length + 9);
  larger.set(bytes, 5);
  const third = loadModel(larger.subarray(5, 5 + bytes.length));
  // The weights are copies.
  larger.fill(0);
  same("at an odd address", weightBits(third), weightBits(model));
  model.dispose();
}

function expectNoCutFiles(): void {
  const bytes = tinyNet(3).toSafetensors();
  const target = tinyNet();
  const before = weightBits(target);
  for (let length = 0; length < bytes.length; length += length < 16 ? 1 : 97) {
    const cut = bytes.subarray(0, length);
    throws(`loadModel of ${length} bytes`, () => loadModel(cut), FormatError, /expected .+, got /);
    throws(
      `loadSafetensors of ${length} bytes`,
      () => target.loadSafetensors(cut),
      FormatError,
      /expected .+, got /,
    );
  }
  same("weights", weightBits(target), before);
}

/** The digest of LeNet-5's file: its weights follow from the seed, and nothing in it from the host. */
function expectOnnxFile(): void {
  const hash = new Digest();
  hash.bytes(lenet5(2).toOnnx());
  same("the file's digest", hash.toString(), "7283152cc5182792");
}

interface Architecture {
  version: number;
  seed: unknown;
  inputShape: unknown;
  nodes: { type: string; name: string; inputs: string[]; config: object }[];
}

/** The architecture is JSON among the metadata. */
function changeArchitecture(file: SafetensorsFile, change: (architecture: Architecture) => void): void {
  const architecture = JSON.parse(file.metadata["architecture"]!) as Architecture;
  change(architecture);
  file.metadata["architecture"] = JSON.stringify(architecture);
}

type Breakage = [what: string, spoil: (file: SafetensorsFile) => void, message: Message];

const architecture = (
  what: string,
  change: (architecture: Architecture) => void,
  message: Message,
): Breakage => [what, (file) => changeArchitecture(file, change), message];

const BREAKAGES: readonly Breakage[] = [
  [
    "no architecture",
    ({ metadata }) => void delete metadata["architecture"],
    "loadModel: architecture: expected the architecture of an im2row model in the metadata, got undefined",
  ],
  [
    "an architecture that is no JSON",
    ({ metadata }) => void (metadata["architecture"] = "{nodes"),
    'loadModel: architecture: expected JSON, got "{nodes"',
  ],
  architecture(
    "another version",
    (a) => void (a.version = 4),
    "loadModel: architecture: expected version 1, 2 or 3, got 4",
  ),
  architecture(
    "a negative seed",
    (a) => void (a.seed = -1),
    "loadModel: architecture: expected a seed, an integer ≥ 0, got -1",
  ),
  architecture(
    "a shape that is none",
    (a) => void (a.inputShape = [7, "7", 3]),
    'loadModel: model: inputShape: expected a shape of positive integers, got [7,"7",3]',
  ),
  architecture("an unknown layer", (a) => void (a.nodes[0]!.type = "conv3d"), /types .+, got "conv3d"$/),
  architecture(
    "an inherited name as a layer",
    (a) => void (a.nodes[0]!.type = "constructor"),
    /types .+, got "constructor"$/,
  ),
  architecture(
    "a layer that reads itself",
    (a) => void (a.nodes[2]!.inputs = ["dense"]),
    'loadModel: architecture: expected the name of an earlier node, got "dense"',
  ),
  architecture(
    "a filter larger than the image",
    (a) => void (a.nodes[0]!.config = { filters: 4, kernelSize: 9 }),
    "loadModel: conv2d: height: expected an image of at least 9 with its padding, got 7 + 0 + 0",
  ),
  architecture(
    "more weights than any memory holds",
    (a) => void (a.nodes[2]!.config = { units: 2 ** 40 }),
    "loadModel: weights: dense.kernel: expected shape 36×1099511627776, got shape 36×3",
  ),
  [
    "another type of numbers",
    ({ tensors }) => void (tensors["dense.bias"]!.dtype = "F64"),
    'tensor "dense.bias": dtype: expected "F32", got "F64"',
  ],
  [
    "a shape that is not the data's",
    ({ tensors }) => void (tensors["dense.bias"]!.shape = [4]),
    'tensor "dense.bias": data_offsets: expected 16 bytes for shape [4], got 12',
  ],
  [
    "a hole in the data",
    ({ tensors }) => void delete tensors["conv2d.bias"],
    /^tensor "dense\.kernel": data_offsets: expected to begin at 432, got 448 \(a hole\)$/,
  ],
  [
    "bytes behind the data",
    (file) => void (file.data = Uint8Array.of(...file.data, 0)),
    /^data: expected \d+ bytes after the header, got \d+$/,
  ],
];

function expectNoBrokenFiles(): void {
  const bytes = tinyNet(3).toSafetensors();
  for (const [what, spoil, message] of BREAKAGES) {
    const file = splitFile(bytes);
    spoil(file);
    throws(what, () => loadModel(joinFile(file)), FormatError, message);
  }
  same("the file itself", weightBits(loadModel(joinFile(splitFile(bytes)))), weightBits(tinyNet(3)));
}

/** Weights of another model: all or none. */
function expectNoOtherWeights(): void {
  const target = tinyNet();
  const before = weightBits(target);
  const refused: [call: (model: Model) => void, message: string][] = [
    [
      (model) => model.loadSafetensors(lenet5(1).toSafetensors()),
      "loadSafetensors: conv2d.kernel: expected shape 3×3×3×4, got shape 5×5×1×6",
    ],
    [
      (model) => {
        const { weights } = model;
        weights.delete("dense.kernel");
        weights.get("conv2d.bias")!.data.fill(9);
        model.setWeights(weights);
      },
      "setWeights: dense.kernel: expected shape 36×3, got no such tensor",
    ],
  ];
  for (const [call, message] of refused) {
    throws("weights", () => call(target), ShapeError, message);
    same("weights", weightBits(target), before);
  }
}

export const fileCases: readonly Case[] = [
  { name: "a model comes back from its file, bit for bit", run: expectRoundTrip },
  { name: "trained weights come back from a file, wherever it lies", run: expectTrainedWeights },
  { name: "a file that was cut is refused at every length", run: expectNoCutFiles },
  { name: "a broken file is refused by what is wrong with it", run: expectNoBrokenFiles },
  { name: "an ONNX file has the same bytes on every host", run: expectOnnxFile },
  { name: "weights of another model are refused whole", run: expectNoOtherWeights },
];
