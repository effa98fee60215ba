/** tfjs through `require`: for Node it is CommonJS, and `import` would scan a megabyte of it for names first. */
import { createRequire } from "node:module";
import { runLenet5 } from "./tfjsLenet5.mjs";

const require = createRequire(import.meta.url);
const tf = require("@tensorflow/tfjs-core");
// oxlint-disable-next-line import/no-unassigned-import -- it registers itself
require("@tensorflow/tfjs-backend-wasm");
await runLenet5(tf, process.argv[2]);
process.exit();
