import type { load } from "im2row";
import type { Context } from "../../conformance/case.ts";
import hourglass from "../../goldens/hourglass.safetensors";
import rearranged from "../../goldens/rearranged.safetensors";
import lenet5 from "../../goldens/lenet5.safetensors";
import normalized from "../../goldens/normalized.safetensors";
import strided from "../../goldens/strided.safetensors";

/** The context of the conformance suite, with the goldens inside the bundle: not every host has files. */
export async function createContext(loader: typeof load): Promise<Context> {
  const goldens = { lenet5, strided, hourglass, normalized, rearranged };
  return { load: loader, engine: await loader(), goldens };
}
