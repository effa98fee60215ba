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
    ],
  },
  test: {
    include: ["test/**/*.test.ts"],
    testTimeout: 60_000,
    reporters: ["default", new ClosingLine()],
  },
});
