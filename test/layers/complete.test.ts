/** Each layer has its tests here. */
import { readdirSync, readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { layers } from "../../src/index.ts";

it("each layer is described by one file of this folder", () => {
  const folder = new URL("./", import.meta.url);
  const described = readdirSync(folder)
    .filter((name) => name.endsWith(".test.ts"))
    .flatMap((name) => [...readFileSync(new URL(name, folder), "utf8").matchAll(/^describeLayer\("(\w+)"/gm)])
    .map(([, type]) => type);
  expect(described.sort()).toEqual(Object.keys(layers).sort());
});
