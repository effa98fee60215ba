import { defineConfig } from "vitest/config";
import { ClosingLine } from "./test/support/closingLine.ts";

/** The package's own name means its sources here. */
const source = (entry: string): string => new URL(`./src/${entry}.ts`, import.meta.url).pathname;

export default defineConfig({
  resolve: {
    alias: [
      { find: /^im2row$/, replacement: source("index") },
      { find: /^im2row\/inference$/, replacement: source("inference") },
      { find: /^im2row\/onnx$/, replacement: source("onnx") },
      { find: /^im2row\/kernels$/, replacement: source("kernels") },
      { find: /^im2row\/relaxed$/, replacement: source("relaxed") },
    ],
  },
  test: {
    include: ["test/**/*.test.ts"],
    globalSetup: ["scripts/abi.ts"],
    // Every heap with bands around its buffers, and NaN in what has no content yet.
    setupFiles: process.env["IM2ROW_GUARDED"] ? ["test/guards/setup.ts"] : [],
    testTimeout: 60_000,
    reporters: ["default", new ClosingLine()],
  },
});
