/** A net whose images grow again, and end as sequences. */
import { input, layers, model, type Model } from "im2row";

export function hourglass(seed: number): Model {
  const image = input({ shape: [12, 10, 6] });
  const turned = layers.permute({ dims: [2, 1, 3] }).apply(image);
  const flat = layers.flatten().apply(turned);
  const outputs = layers.dense({ units: 4, name: "kind" }).apply(flat);
  return model({ inputs: image, outputs, seed });
}
