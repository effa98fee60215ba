/** The commands on files that this package saved, which are recognised by what is in them. */
import { copyFileSync, writeFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { layerOperations } from "../../src/cli/nets/modelNet.ts";
import { writeNpy } from "../../src/formats/npy.ts";
import { layers, sequential, tensor, type Shape } from "../../src/index.ts";
import { at, im2row, refused, useFiles } from "./support/onnxFiles.ts";

useFiles();

describe("a file of this package", () => {
  it("is run on images as it says itself, with its names of classes", async () => {
    const args = ["run", at("named.safetensors"), "--input", at("x.png")];
    // Means of 127.5, 0 and 127.5 of 255, less 0.5, 0 and 0.25, over 0.5, 1 and 2.
    const rows = ["    2  0.125000  tres", "    0   0.00000  uno", "    1   0.00000  dos"];
    const { code, stdout, stderr } = await im2row(...args);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout.split("\n").slice(3, 6)).toEqual(rows);
    const { stdout: first } = await im2row(...args, "--top", "1");
    expect(first.split("\n")[3]).toBe(rows[0]);
    const { stdout: json } = await im2row(...args, "--json");
    expect(JSON.parse(json)).toMatchObject({ results: [{ outputs: { y: { data: [0, 0, 0.125] } } }] });
  });

  it("takes grey images where the net has one channel", async () => {
    const grey = sequential({ inputShape: [1, 1, 1], layers: [layers.flatten({ name: "y" })] });
    writeFileSync(at("grey.safetensors"), grey.toSafetensors());
    const { stdout } = await im2row("run", at("grey.safetensors"), at("x.png"));
    // Half red, half blue: bytes of 76 and 29 by Pillow's convert("L"), of which one pixel is made, 53.
    expect(stdout).toBe("y  [1, 1]  0.2078431\n");
  });

  it("is run on the bytes of images where it takes bytes, from ONNX too", async () => {
    const net = sequential({
      inputShape: [2, 2, 3],
      inputDtype: "uint8",
      layers: [layers.rescaling({ scale: 0.5 }), layers.globalAveragePooling2d({ name: "y" })],
    });
    writeFileSync(at("bytes.safetensors"), net.toSafetensors());
    writeFileSync(at("bytes.onnx"), net.toOnnx());
    writeFileSync(
      at("bytes.npy"),
      writeNpy(
        tensor(
          Array.from({ length: 12 }, (_, i) => i),
          [1, 2, 2, 3],
        ),
      ),
    );
    writeFileSync(at("halves.npy"), writeNpy(tensor(Array(12).fill(0.5), [1, 2, 2, 3])));
    // Half red, half blue; and the means of 0, 3, 6, 9 and of those behind them.
    for (const file of ["bytes.safetensors", "bytes.onnx"]) {
      const { stdout, stderr } = await im2row("run", at(file), at("x.png"));
      expect({ stdout, stderr }).toEqual({ stdout: "y  [1, 3]  63.75 0 63.75\n", stderr: "" });
    }
    const { stdout } = await im2row("run", at("bytes.safetensors"), "--input", at("bytes.npy"));
    expect(stdout).toBe("y  [1, 3]  2.25 2.75 3.25\n");
    expect((await im2row("inspect", at("bytes.safetensors"))).stdout).toContain("input: uint8 [n, 2, 2, 3]");
    expect((await im2row("bench", at("bytes.onnx"), "--runs", "2")).code).toBe(0);
    await refused(
      ["run", at("bytes.safetensors"), "--input", at("halves.npy")],
      /halves\.npy: expected integers from 0 to 255, of which the net takes bytes, got 0\.5 at 0$/m,
    );
    await refused(
      ["run", at("bytes.safetensors"), at("x.png"), "--scale", "1"],
      /--scale: expected none for a net that takes the bytes of images \(uint8\)$/m,
    );
  });

  it("may have any name", async () => {
    copyFileSync(at("named.safetensors"), at("named-otherwise.onnx"));
    const { stdout } = await im2row("run", at("named-otherwise.onnx"), at("x.png"));
    expect(stdout.split("\n")[3]).toBe("    2  0.125000  tres");
  });

  it("is inspected", async () => {
    const { stdout, stderr } = await im2row("inspect", at("named.safetensors"));
    expect(stderr).toBe("");
    expect(stdout).toMatch(/^layer +type +output +FLOPs$/m);
    expect(stdout).toContain("y      globalAveragePooling2d  [1, 3]\n");
    expect(stdout).toContain("input       input: float32 [n, 2, 2, 3]\noutputs     y\n");
    expect(stdout).toContain("classes     3: uno, dos, tres\nimages      mean 0.5,0,0.25, std 0.5,1,2\n");
  });

  it("is timed", async () => {
    const { stdout, stderr } = await im2row(
      "bench",
      at("named.safetensors"),
      "--runs",
      "2",
      "--shape",
      "5x2x2x3",
    );
    expect(stderr).toBe("");
    expect(stdout).toMatch(/^y +\d+\.\d{3} /m);
    expect(stdout).toMatch(/, batch 5, 1 thread, median of 2 runs$/m);
  });

  it.each<[string, () => string[], RegExp]>([
    [
      "another shape",
      () => ["bench", at("named.safetensors"), "--shape", "1x3x2x2"],
      /named\.safetensors: --shape: input: expected shape n×2×2×3, got 1×3×2×2$/m,
    ],
    [
      "an array of another shape",
      () => ["run", at("named.safetensors"), at("x.npy")],
      /x\.npy: predict: input: expected shape n×2×2×3, got 1×3×2×2$/m,
    ],
    [
      "weights without a net",
      () => ["inspect", at("weights.safetensors")],
      /weights\.safetensors: loadModel: architecture: expected the architecture of an im2row model/,
    ],
  ])("refuses %s", async (_, args, message) => {
    // A tensor "w" of no elements, and no architecture.
    const header = JSON.stringify({ w: { dtype: "F32", shape: [0], data_offsets: [0, 0] } });
    const length = new Uint8Array(new BigUint64Array([BigInt(header.length)]).buffer);
    writeFileSync(at("weights.safetensors"), Buffer.concat([length, Buffer.from(header)]));
    await refused(args(), message);
  });
});

it("operations of layers are those of convolutions and products", () => {
  const operations = (layer: ReturnType<typeof layers.flatten>, inputShape: Shape): number => {
    const outputShape = layer.outputShape([inputShape], "layer");
    return layerOperations({
      name: "layer",
      layer,
      inputs: [0],
      output: 1,
      inputShapes: [inputShape],
      outputShape,
      owner: 0,
    });
  };
  const image = [8, 8, 4];
  expect(operations(layers.conv2d({ filters: 6, kernelSize: 3, groups: 2 }), image)).toBe(2 * 36 * 6 * 9 * 2);
  expect(operations(layers.depthwiseConv2d({ kernelSize: 3 }), image)).toBe(2 * 36 * 4 * 9);
  // 36 pixels: 9 products for each of 4 channels, then 4 products for each of 5.
  expect(operations(layers.separableConv2d({ filters: 5, kernelSize: 3 }), image)).toBe(
    2 * 36 * (4 * 9 + 5 * 4),
  );
  expect(operations(layers.conv2dTranspose({ filters: 5, kernelSize: 2 }), image)).toBe(2 * 64 * 4 * 4 * 5);
  expect(operations(layers.dense({ units: 3 }), [7])).toBe(2 * 7 * 3);
  expect(operations(layers.dense({ units: 3 }), [5, 7])).toBe(2 * 5 * 7 * 3);
  expect(operations(layers.conv1d({ filters: 2, kernelSize: 3 }), [9, 4])).toBe(2 * 7 * 2 * 3 * 4);
  expect(operations(layers.flatten(), image)).toBe(0);
});
