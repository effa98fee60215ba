/** Loads an ONNX file and runs it twice in a fresh process: `<file>`; prints milliseconds and bytes as JSON. */
import { readFileSync, writeSync } from "node:fs";
import { peakBytes } from "./peak.mjs";

const start = performance.now();
const { load } = await import("../../dist/index.js");
const { loadOnnx } = await import("../../dist/onnx.js");
const engine = await load();
const session = (await loadOnnx(readFileSync(process.argv[2]), { engine })).session();
session.input.fill(0.5);
session.run();
const ready = performance.now() - start;
session.run();
writeSync(1, JSON.stringify({ ms: ready, resident: peakBytes() }));
