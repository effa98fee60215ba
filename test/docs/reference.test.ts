/** The pages of reference name everything that users can call. */
import { describe, expect, it } from "vitest";
import { layers, losses, metrics, optimizers, schedules } from "../../src/index.ts";
import { ACTIVATION } from "../../src/kernels/kernels.ts";
import { Engine } from "../../src/ops/engine.ts";
import { readPage } from "./pages.ts";

/** The names that a page does not have in code, by themselves or called. */
function missing(page: string, names: readonly string[]): string[] {
  const code = [...readPage(page).matchAll(/`([^`\n]+)`/g)].map(([, text]) => text!);
  return names.filter((name) => !code.some((text) => new RegExp(`^"?${name}"?(\\(|$)`).test(text)));
}

const operators = Object.getOwnPropertyNames(Engine.prototype).filter((name) => name !== "constructor");

describe("the reference names all", () => {
  it.each([
    ["layers", "docs/layers.md", Object.keys(layers)],
    ["activations", "docs/layers.md", Object.keys(ACTIVATION)],
    ["operators", "docs/operators.md", operators],
    ["losses", "docs/models.md", Object.keys(losses)],
    ["optimizers", "docs/models.md", Object.keys(optimizers)],
    ["schedules", "docs/models.md", Object.keys(schedules)],
    ["metrics", "docs/models.md", Object.keys(metrics)],
  ])("%s on %s", (_, page, names) => {
    expect(names.length).toBeGreaterThan(2);
    expect(missing(page, names)).toEqual([]);
  });

  it("and finds what is not there", () => {
    expect(missing("docs/layers.md", ["conv2d", "conv9d"])).toEqual(["conv9d"]);
  });
});
