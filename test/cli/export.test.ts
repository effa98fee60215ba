/** im2row export, judged by onnxruntime. */
import { readFileSync, writeFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { exportNet, type ExportOptions } from "../../src/cli/nets/export.ts";
import { UsageError } from "../../src/cli/usage.ts";
import { readNpy, writeNpy } from "../../src/formats/npy.ts";
import { layers, loadModel, sequential, tensor, type Tensor } from "../../src/index.ts";
import { onnxruntimeIsAbsent, runOnnx } from "../support/onnxruntime.ts";
import { at, im2row, refused, useFiles } from "./support/onnxFiles.ts";

useFiles();

const IMAGES = tensor(
  Float32Array.from({ length: 2 * 8 * 8 * 3 }, (_, i) => ((i * 37) % 101) / 101),
  [2, 8, 8, 3],
);

/** Images in the other order of axes. */
function toNchw({ shape, data }: Tensor): Tensor {
  const [n, h, w, c] = shape as [number, number, number, number];
  const turned = new Float32Array(data.length);
  for (let i = 0; i < data.length; i++) {
    const [image, pixel, channel] = [Math.floor(i / (h * w * c)), Math.floor(i / c) % (h * w), i % c];
    turned[(image * c + channel) * h * w + pixel] = data[i]!;
  }
  return tensor(turned, [n, c, h, w]);
}

function writeNet(name: string): void {
  const net = sequential({
    inputShape: [8, 8, 3],
    layers: [
      layers.conv2d({ filters: 5, kernelSize: 3, activation: "relu" }),
      layers.batchNormalization(),
      layers.maxPooling2d({ poolSize: 2 }),
      layers.flatten(),
      layers.dense({ units: 4, activation: "softmax", name: "y" }),
    ],
    seed: 3,
  });
  net.metadata = { classNames: ["a", "b", "c", "d"], preprocessing: { mean: [0.5], std: [0.25] } };
  writeFileSync(at(name), net.toSafetensors());
}

/** What the command line computes of the images, in the order of axes of the file. */
async function outputOf(file: string, images: Tensor): Promise<Float32Array> {
  writeFileSync(at("images.npy"), writeNpy(images));
  const { stderr } = await im2row("run", file, at("images.npy"), "--output", at("out.npy"), "--quiet");
  expect(stderr).toBe("");
  return readNpy(readFileSync(at("out.npy")), "out").data;
}

const farthest = (a: ArrayLike<number>, b: ArrayLike<number>): number =>
  Array.from(a).reduce((most, value, i) => Math.max(most, Math.abs(value - b[i]!)), 0);

describe("im2row export", () => {
  it.skipIf(onnxruntimeIsAbsent)("writes ONNX in either layout, with weights of either type", async () => {
    writeNet("net.safetensors");
    const own = await outputOf(at("net.safetensors"), IMAGES);
    for (const [name, options, images, bound] of [
      ["nchw.onnx", [], toNchw(IMAGES), 1e-6],
      ["nhwc.onnx", ["--layout", "nhwc"], IMAGES, 1e-6],
      // Weights are off by at most half of 2⁻¹⁰ of their size.
      ["half.onnx", ["--weights", "float16"], toNchw(IMAGES), 1e-3],
    ] as const) {
      const { code, stdout, stderr } = await im2row("export", at("net.safetensors"), at(name), ...options);
      expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
      const type = name === "half.onnx" ? "float16" : "float32";
      expect(stdout).toContain(`saved  ${at(name)}, ONNX with weights of ${type}, `);
      const { y } = await runOnnx(readFileSync(at(name)), { input: images });
      expect(farthest(y!.data, own)).toBeLessThan(bound);
      expect(farthest(await outputOf(at(name), images), y!.data)).toBeLessThan(1e-6);
    }
    expect(readFileSync(at("half.onnx")).length).toBeLessThan(readFileSync(at("nchw.onnx")).length);
  });

  it.skipIf(onnxruntimeIsAbsent)("writes an ONNX file as safetensors, and that as ONNX again", async () => {
    writeNet("net.safetensors");
    await im2row("export", at("net.safetensors"), at("first.onnx"));
    await im2row("export", at("first.onnx"), at("second.safetensors"));
    const images = toNchw(IMAGES);
    const { y } = await runOnnx(readFileSync(at("first.onnx")), { input: images });
    // The net keeps the order of axes that the file had, and what it tells of classes and images.
    expect(farthest(await outputOf(at("second.safetensors"), images), y!.data)).toBeLessThan(1e-6);
    expect(loadModel(readFileSync(at("second.safetensors"))).metadata).toEqual({
      classNames: ["a", "b", "c", "d"],
      preprocessing: { mean: [0.5], std: [0.25] },
    });
    await im2row("export", at("second.safetensors"), at("third.onnx"));
    const again = await runOnnx(readFileSync(at("third.onnx")), { input: images });
    expect(farthest(again["y"]!.data, y!.data)).toBeLessThan(1e-6);
  });

  it("runs images through a net that was an ONNX file, as through the file", async () => {
    await im2row("export", at("named.onnx"), at("renamed.safetensors"));
    const { stdout } = await im2row("run", at("renamed.safetensors"), at("x.png"), "--json");
    expect(JSON.parse(stdout)).toMatchObject({ results: [{ outputs: { y: { data: [0, 0, 0.125] } } }] });
  });

  it("takes the sizes that a file leaves open", async () => {
    await refused(
      ["export", at("open.onnx"), at("open.safetensors")],
      /open\.onnx: --shape: x: expected a size for "h", got none$/m,
    );
    await im2row("export", at("open.onnx"), at("open.safetensors"), "--shape", "1x3x2x2");
    const { stdout } = await im2row("run", at("open.safetensors"), at("x.npy"));
    expect(stdout).toBe("y  [1, 3]  2.5 6.5 3\n");
  });

  it.each<[string, string, string, Partial<ExportOptions>, RegExp]>([
    [
      "names of no kind",
      "means.onnx",
      "net.txt",
      {},
      /net\.txt: expected a name that ends in \.onnx or \.safetensors, got \.txt$/m,
    ],
    [
      "the file itself",
      "means.onnx",
      "means.onnx",
      {},
      /means\.onnx: expected another file than the one that is read$/m,
    ],
    [
      "a place where nothing can be written",
      "means.onnx",
      "none/net.onnx",
      {},
      /none\/net\.onnx: cannot be written \(no such file or directory\)$/m,
    ],
    [
      "a layout for safetensors",
      "means.onnx",
      "net.safetensors",
      { layout: "nhwc" },
      /--layout: expected a file that ends in \.onnx, got .*net\.safetensors, which keeps the net's layout$/m,
    ],
    [
      "float16 for safetensors",
      "means.onnx",
      "net.safetensors",
      { weights: "float16" },
      /--weights: expected a file that ends in \.onnx, got .*net\.safetensors, whose weights are float32$/m,
    ],
    [
      "another layout for an ONNX file",
      "means.onnx",
      "net.onnx",
      { layout: "nhwc" },
      /means\.onnx: --layout: expected a \.safetensors file, .* got an ONNX file, which keeps its own layout$/m,
    ],
    [
      "nets that join the images of a batch",
      "joined.onnx",
      "net.safetensors",
      {},
      /joined\.onnx: model: expected a net that takes any number of images, got one that does not: /,
    ],
  ])("refuses %s", async (_, model, out, options, message) => {
    const work = exportNet(at(model), at(out), { weights: "float32", shape: [], ...options });
    await expect(work).rejects.toThrow(message);
    await expect(work).rejects.toBeInstanceOf(UsageError);
  });
});
