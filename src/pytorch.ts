/** `im2row/pytorch`: weights that PyTorch trained, for models of layers. */
export { loadStateDict } from "./pytorch/loadStateDict.ts";
export type { LoadedTensor, StateDictOptions } from "./pytorch/loadStateDict.ts";
