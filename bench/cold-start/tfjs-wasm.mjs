/** tfjs on its WebAssembly backend, imported as an ES module imports it. */
import * as tf from "@tensorflow/tfjs-core";
// oxlint-disable-next-line import/no-unassigned-import -- it registers itself
import "@tensorflow/tfjs-backend-wasm";
import { runLenet5 } from "./tfjsLenet5.mjs";

await runLenet5(tf, process.argv[2]);
process.exit();
