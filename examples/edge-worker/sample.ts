/** Writes `seven.png`, the digit of the README's curl line: `npx tsx examples/edge-worker/sample.ts`. */
import { writeFileSync } from "node:fs";
import { encode } from "fast-png";
import { drawDigits } from "../../src/cli/digits.ts";
import { SIDE } from "./image.ts";

const { images, labels } = drawDigits(100, 4);
const first = labels.indexOf(7) * SIDE * SIDE;
const data = Uint8Array.from(images.subarray(first, first + SIDE * SIDE), (value) => Math.round(255 * value));
const png = encode({ width: SIDE, height: SIDE, channels: 1, data });
writeFileSync(new URL("seven.png", import.meta.url), png);
