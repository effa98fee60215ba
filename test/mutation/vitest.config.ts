import { defineConfig } from "vitest/config";
import own from "../../vitest.config.ts";

/**
 * The tests that run the sources within their own process, where a mistake can be switched on, and of those the ones that
 * `sources.ts` names.
 */
export default defineConfig({
  ...own,
  test: {
    ...own.test,
    reporters: [],
    testTimeout: 300_000,
    include: process.env["IM2ROW_MUTATION_TESTS"]!.split(" "),
    exclude: [
      // In processes of their own.
      "test/examples.test.ts",
      // These bound memory and time, which Stryker's own take part of.
      "test/model/memory.test.ts",
      "test/onnx/{hostile,bounds}.test.ts",
    ],
  },
});
