/** The networks that are timed whole, from ONNX files that torchvision exports. */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** A network by torchvision's name, and by its own; what it is to reach beside onnxruntime-web and -node. */
export interface Imported {
  readonly name: string;
  readonly title: string;
  readonly web: number;
  readonly native?: number;
}

export const IMPORTED: readonly Imported[] = [
  { name: "squeezenet1_1", title: "SqueezeNet 1.1", web: 2.2 },
  { name: "mobilenet_v2", title: "MobileNetV2", web: 3 },
  { name: "mobilenet_v3_small", title: "MobileNetV3-small", web: 2 },
  { name: "shufflenet_v2_x1_0", title: "ShuffleNetV2", web: 1.5 },
  { name: "efficientnet_b0", title: "EfficientNet-B0", web: 3 },
  { name: "resnet18", title: "ResNet-18", web: 3, native: 1 / 1.3 },
  { name: "resnet50", title: "ResNet-50", web: 1.8 },
];

/** The input of all of them. */
export const IMAGE: readonly number[] = [1, 3, 224, 224];

const FOLDER = fileURLToPath(new URL("../../build/bench/imported/", import.meta.url));

/** Debian's Python, which finds Debian's PyTorch whatever other Python comes first. */
const PYTHON = "/usr/bin/python3";

/** The file of a network. */
export const fileOf = ({ name }: Imported): string => `${FOLDER}${name}.onnx`;

/** Exports the files that are not there yet; returns why it cannot, if so. */
export function exportNetworks(): string | undefined {
  const missing = IMPORTED.filter((network) => !existsSync(fileOf(network)));
  if (missing.length === 0) return undefined;
  mkdirSync(FOLDER, { recursive: true });
  const script = fileURLToPath(new URL("export.py", import.meta.url));
  const { status, stderr, error } = spawnSync(PYTHON, [script, FOLDER, ...missing.map(({ name }) => name)], {
    encoding: "utf8",
  });
  if (status === 0) return undefined;
  const reason = error?.message ?? stderr.trim().split("\n").at(-1);
  return `${reason} (apt-get install python3-torch python3-torchvision)`;
}
