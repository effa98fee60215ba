import { availableParallelism } from "node:os";
import { defineConfig } from "vitest/config";
import { ClosingLine } from "./test/support/closingLine.ts";

/** The package's own name means its sources here. */
const source = (entry: string): string => new URL(`./src/${entry}.ts`, import.meta.url).pathname;

const LONG = "test/**/*.long.test.ts";
const PACKAGE = "test/**/*.package.test.ts";

const project = (name: string, include: string[], besides: string[] = []) => ({
  extends: true as const,
  test: { name, include, exclude: ["**/node_modules/**", ...besides] },
});

export default defineConfig({
  resolve: {
    alias: [
      { find: /^im2row$/, replacement: source("index") },
      { find: /^im2row\/inference$/, replacement: source("inference") },
      { find: /^im2row\/onnx$/, replacement: source("onnx") },
      { find: /^im2row\/onnx\/core$/, replacement: source("onnxCore") },
      { find: /^im2row\/images$/, replacement: source("images") },
      { find: /^im2row\/kernels$/, replacement: source("kernels") },
      { find: /^im2row\/pytorch$/, replacement: source("pytorch") },
      { find: /^im2row\/relaxed$/, replacement: source("relaxed") },
      { find: /^im2row\/data$/, replacement: source("data") },
      { find: /^im2row\/receipts$/, replacement: source("receipts") },
      { find: /^im2row\/storage$/, replacement: source("storage") },
    ],
  },
  test: {
    globalSetup: ["scripts/abi.ts"],
    // Every heap with bands around its buffers, and NaN in what has no content yet.
    setupFiles: process.env["IM2ROW_GUARDED"] ? ["test/guards/setup.ts"] : [],
    // Without it one processor is left for the process that reports, which has little to do.
    maxWorkers: availableParallelism(),
    testTimeout: 60_000,
    hookTimeout: 120_000,
    reporters: ["default", new ClosingLine()],
    // The ending of a file's name says which command runs it: npm test, npm run test:long, npm run test:package.
    projects: [
      project("quick", ["test/**/*.test.ts"], [LONG, PACKAGE]),
      project("long", [LONG]),
      project("package", [PACKAGE]),
    ],
  },
});
