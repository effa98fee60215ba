import { appRow } from "./bundlers/app.ts";
import { esbuild } from "./bundlers/esbuild.ts";
import { rollup } from "./bundlers/rollup.ts";
import { scriptTag } from "./bundlers/scriptTag.ts";
import { vites } from "./bundlers/vite.ts";
import { webpack } from "./bundlers/webpack.ts";
import type { Launcher } from "./launcher.ts";
import { bun } from "./launchers/bun.ts";
import { chromium } from "./launchers/chromium.ts";
import { deno, denoSource } from "./launchers/deno.ts";
import { edgeRuntime } from "./launchers/edgeRuntime.ts";
import { firefox } from "./launchers/firefox.ts";
import { moved } from "./launchers/moved.ts";
import { node, nodeArm64, nodeRelease } from "./launchers/node.ts";
import { webkit } from "./launchers/webkit.ts";
import { workerd } from "./launchers/workerd.ts";

/** Groups of runtimes, by what has to be installed for them. */
export const GROUPS: Readonly<Record<string, readonly Launcher[]>> = {
  npm: [node, deno, denoSource, bun, workerd, edgeRuntime],
  node: [nodeRelease(22), nodeRelease(24), nodeRelease(26)],
  browsers: [
    chromium,
    firefox,
    webkit,
    ...[...vites, webpack, esbuild, rollup, scriptTag].map(appRow),
    moved,
  ],
  emulated: [nodeArm64],
};
