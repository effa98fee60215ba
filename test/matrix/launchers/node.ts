import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Launcher } from "../launcher.ts";
import { absentCommand, INSTALLED } from "../paths.ts";
import { firstLine, processHost, v8 } from "../processes.ts";

function versionOf(command: readonly string[]): string {
  const [node, engine] = firstLine(
    ...(command as [string, ...string[]]),
    "-p",
    "`${process.versions.node} ${process.versions.v8}`",
  ).split(" ") as [string, string];
  return `${node} (${v8(engine)})`;
}

/** The Node that runs the matrix. */
export const node: Launcher = {
  name: "Node",
  kind: "suite",
  absent: () => undefined,
  open: async () => processHost(versionOf([process.execPath]), (file) => [process.execPath, file]),
};

function binary(folder: string): string {
  return join(INSTALLED, folder, "bin/node");
}

function absent(folder: string): string | undefined {
  return existsSync(binary(folder)) ? undefined : "npm ci --prefix test";
}

/** A Node of another version. */
export function nodeRelease(major: number): Launcher {
  const command = binary(`node${major}`);
  return {
    name: `Node ${major}`,
    kind: "suite",
    absent: () => absent(`node${major}`),
    open: async () => processHost(versionOf([command]), (file) => [command, file]),
  };
}

/** The folder in which Debian puts the libraries of the other processor. */
const LIBRARIES = "/usr/aarch64-linux-gnu";
const QEMU = ["qemu-aarch64-static", "-L", LIBRARIES, binary("node24-arm64")];

function absentEmulator(): string | undefined {
  const packages = "qemu-user-static libc6-arm64-cross libstdc++6-arm64-cross libgcc-s1-arm64-cross";
  if (!existsSync(join(LIBRARIES, "lib/libstdc++.so.6"))) return `apt-get install ${packages}`;
  return absentCommand(packages, QEMU[0]!);
}

/** A Node for another processor, emulated. */
export const nodeArm64: Launcher = {
  name: "Node 24, arm64 (QEMU)",
  kind: "digests",
  limit: 600,
  absent: () => absentEmulator() ?? absent("node24-arm64"),
  open: async () => processHost(versionOf(QEMU), (file) => [...QEMU, file]),
};
