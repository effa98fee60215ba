/**
 * Prints a network layer by layer, or what each of them takes.
 *
 *   npm run example examples/networks/summary.ts              a line a network
 *   npm run example examples/networks/summary.ts resnet18     one of them
 */
import { fileURLToPath } from "node:url";
import type { Model } from "im2row";
import { networks } from "./index.ts";

/** Weights that training changes: all but the moving statistics of batch normalization. */
export function trainableWeights(model: Model): number {
  return [...model.weights]
    .filter(([name]) => !name.includes(".moving"))
    .reduce((sum, [, { data }]) => sum + data.length, 0);
}

/**
 * Products of the convolutions and dense layers in one image's forward pass: each weight of a kernel counts once a pixel.
 * By the summary's table, for nets that use each of these layers once and transpose no convolution.
 */
export function multiplyAdds(model: Model): number {
  const { weights } = model;
  let sum = 0;
  for (const row of model.summary().split("\n")) {
    const [name, , output] = row.split(/ {2,}/);
    const kernel = weights.get(`${name}.kernel`);
    if (!kernel) continue;
    const pixels = output!.split("×").slice(0, -1);
    sum += pixels.reduce((product, size) => product * Number(size), kernel.data.length);
  }
  return sum;
}

/** Weights, multiply-adds and the image of a model. */
export function figures(model: Model): string[] {
  const products = multiplyAdds(model);
  const work = products < 1e8 ? `${(products / 1e6).toFixed(2)} M` : `${(products / 1e9).toFixed(2)} G`;
  return [trainableWeights(model).toLocaleString("en"), work, model.inputShape.join("×")];
}

function main(name: string | undefined): void {
  if (name === undefined) {
    for (const [each, build] of Object.entries(networks)) {
      const [weights, work, image] = figures(build());
      console.log(
        `${each.padEnd(12)} ${weights!.padStart(10)} weights  ${work!.padStart(8)} multiply-adds  ${image}`,
      );
    }
    return;
  }
  if (!Object.hasOwn(networks, name)) {
    console.error(`summary.ts: expected one of ${Object.keys(networks).join(", ")}; got ${name}`);
    process.exitCode = 1;
    return;
  }
  console.log(networks[name as keyof typeof networks]().summary());
}

if (process.argv[1] === fileURLToPath(import.meta.url)) main(process.argv[2]);
