/** jsr.json beside package.json, and what publishing there would check. */
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { root } from "../support/tarball.ts";

const read = (file: string) => JSON.parse(readFileSync(`${root}/${file}`, "utf8"));
const [jsr, npm] = [read("jsr.json"), read("package.json")];

describe("jsr.json", () => {
  it("has the name, version and licence of package.json", () => {
    expect(jsr.name).toBe(`@${npm.name}/${npm.name}`);
    expect([jsr.version, jsr.license]).toEqual([npm.version, npm.license]);
  });

  it("exports the sources of what package.json exports", () => {
    const entries = Object.entries<{ types: string; default: string }>(npm.exports).filter(([, target]) =>
      /^\.\/dist\/\w+\.js$/.test(target.default),
    );
    const sources = entries.map(([name, target]) => [
      name,
      target.default.replace("./dist", "./src").replace(/js$/, "ts"),
    ]);
    expect(sources.length).toBeGreaterThan(1);
    expect(jsr.exports).toEqual(Object.fromEntries(sources));
    expect(jsr.imports).toEqual(npm.imports);
  });

  it("would be accepted: every file is there, types are explicit", () => {
    const { stdout, stderr, status } = spawnSync(
      `${root}/node_modules/.bin/deno`,
      ["publish", "--dry-run", "--allow-dirty"],
      { cwd: root, encoding: "utf8", env: { ...process.env, NO_COLOR: "1" } },
    );
    expect({ output: status === 0 ? "" : stdout + stderr, status }).toEqual({ output: "", status: 0 });
    const published = [...stderr.matchAll(/^ +file:\S*?\/([\w./-]+) \(/gm)].map(([, file]) => file);
    expect(published.some((file) => file!.endsWith("build/wasm.js"))).toBe(true);
    expect(published.some((file) => file!.includes("src/cli/"))).toBe(false);
  });
});
