/** jsr.json beside package.json, and what publishing there would check. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
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
  });

  it("leads to sources that a Deno program elsewhere runs and checks, without any configuration", () => {
    const folder = mkdtempSync(join(tmpdir(), "im2row-deno-"));
    try {
      const program = `import { load, tensor } from "${pathToFileURL(`${root}/src/index.ts`).href}";
        const engine = await load();
        console.log(String(engine.matMul(tensor([2], [1, 1]), tensor([3], [1, 1])).data));`;
      writeFileSync(join(folder, "program.ts"), program);
      const { stdout, stderr, status } = spawnSync(
        `${root}/test/node_modules/.bin/deno`,
        ["run", "--check", "--no-remote", "--quiet", "program.ts"],
        { cwd: folder, encoding: "utf8", env: { ...process.env, NO_COLOR: "1" } },
      );
      expect({ stdout, stderr, status }).toEqual({ stdout: "6\n", stderr: "", status: 0 });
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it("would be accepted: every file is there, types are explicit", () => {
    const { stdout, stderr, status } = spawnSync(
      `${root}/test/node_modules/.bin/deno`,
      ["publish", "--dry-run", "--allow-dirty"],
      { cwd: root, encoding: "utf8", env: { ...process.env, NO_COLOR: "1" } },
    );
    expect({ output: status === 0 ? "" : stdout + stderr, status }).toEqual({ output: "", status: 0 });
    const published = [...stderr.matchAll(/^ +file:\S*?\/([\w./-]+) \(/gm)].map(([, file]) => file);
    for (const build of ["wasm.js", "wasm.relaxed.js"]) {
      expect(published.some((file) => file!.endsWith(`build/${build}`))).toBe(true);
    }
    expect(published.some((file) => file!.includes("src/cli/"))).toBe(false);
  });
});
