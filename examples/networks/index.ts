/** Networks of the literature, as functions that build them. */
import { cifarVgg } from "./cifarVgg.ts";
import { lenet5 } from "./lenet5.ts";
import { mobileNetV2 } from "./mobileNetV2.ts";
import { resnet18, resnet50 } from "./resnet.ts";
import { squeezeNet } from "./squeezeNet.ts";

export { cifarVgg, lenet5, mobileNetV2, resnet18, resnet50, squeezeNet };
export type { ImageNetworkOptions, NetworkOptions } from "./options.ts";

/** All of them, by name. */
export const networks = { lenet5, cifarVgg, resnet18, resnet50, mobileNetV2, squeezeNet } as const;
