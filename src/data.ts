/** `im2row/data`: streams of batches for `fit`, from tensors and folders of pictures. */
import { readFolder, type FolderOptions, type FolderSamples } from "./data/folder.ts";
import { decodeImage } from "./images.ts";

/**
 * A data set of the pictures (`.png`, `.jpg`, `.jpeg`) in a folder, each of whose folders is a class, by the order of their
 * names' characters; `classes` has the names. A picture is read and decoded when its sample is: bytes `[h, w, channels]` of the
 * file's own size. Other files are left alone.
 * @throws OptionError when there are no classes, or one without pictures; the host's error for what cannot be read
 */
export function fromFolder(path: string, options: FolderOptions = {}): Promise<FolderSamples> {
  return readFolder(path, options, (bytes, channels) => decodeImage(bytes, { channels }));
}

export type { BatchedData, Batches } from "./data/batch.ts";
export { cutout, mixup, type CutoutOptions, type MixupOptions } from "./data/augment.ts";
export type { FolderEntry, FolderOptions, FolderSamples, FolderSystem } from "./data/folder.ts";
export type { Sample, SampleImage, SampleLabel } from "./data/origin.ts";
export type { Change, SampleContext, Samples } from "./data/samples.ts";
export { fromTensors } from "./data/tensors.ts";
