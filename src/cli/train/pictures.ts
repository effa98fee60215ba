/** A folder of pictures as the command line trains on it: in one size, as bytes, each decoded when it is needed. */
import { createHash } from "node:crypto";
import { readFileSync, statSync } from "node:fs";
import type { Samples } from "../../data.ts";
import { readFolder, type FolderSamples } from "../../data/folder.ts";
import { FormatError, OptionError, OwnError } from "../../errors.ts";
import { readImage } from "../../images/files/read.ts";
import { imageOf, type ImageTensor } from "../../images/image.ts";
import { sized } from "../../images/preprocess.ts";
import type { Engine } from "../../index.ts";
import type { Preprocessing } from "../../metadata.ts";
import type { Tensor } from "../../tensor.ts";
import type { Picture } from "../htmlReport/trainingReport.ts";
import { causeOf, UsageError } from "../usage.ts";

/** Pictures in the net's size are kept up to so many bytes together; those beyond are decoded anew in each epoch. */
const MOST_KEPT = 2 ** 28;

/** What pictures become, and which of them are held out. */
export interface PictureOptions {
  /** Of which the parts count that lead to a size. */
  readonly preprocessing: Preprocessing;
  readonly channels: 1 | 3;
  readonly validationSplit: number;
  readonly seed: number;
}

/** The pictures of a folder, whose samples are bytes `[h, w, channels]`. */
export interface Pictures {
  readonly classes: readonly string[];
  readonly files: readonly string[];
  readonly train: Samples;
  readonly heldOut: Samples;
  /** The picture in a file as the net sees it. */
  picture(file: string): Picture;
  /** SHA-256 of all files and their names below the folder. */
  identity(): string;
}

const decode = (bytes: Uint8Array, channels: 1 | 3 | 4): ImageTensor => imageOf(readImage(bytes), channels);

/** The pictures below a folder. @throws UsageError */
async function filesOf(folder: string, channels: 1 | 3): Promise<FolderSamples> {
  try {
    if (!statSync(folder).isDirectory()) throw new UsageError(`${folder}: expected a folder, got a file`);
    const samples = await readFolder(folder, { channels }, decode);
    if (samples.classes.length > 1) return samples;
    throw new UsageError(
      `${folder}: expected a folder for each of two or more classes, got ${samples.classes[0]} alone`,
    );
  } catch (error) {
    if (error instanceof UsageError) throw error;
    if (error instanceof OptionError) throw new UsageError(error.message.replace(/^fromFolder: /, ""));
    throw new UsageError(`${folder}: expected a folder of pictures, got none (${causeOf(error)})`);
  }
}

function identityOf(folder: string, files: readonly string[]): string {
  const hash = createHash("sha256");
  for (const file of files) {
    const bytes = readFileSync(file);
    hash.update(`${file.slice(folder.length)} ${bytes.length} `).update(bytes);
  }
  return `sha256 ${hash.digest("hex")}`;
}

/** @throws UsageError for a share that leaves nothing on one side */
function split(samples: Samples, { validationSplit, seed }: PictureOptions): [Samples, Samples] {
  const { size } = samples;
  const count = Math.floor((1 - validationSplit) * size);
  if (count > 0 && count < size) return samples.split(1 - validationSplit, seed);
  throw new UsageError(
    `--validation-split ${validationSplit}: expected a share that leaves pictures on either side, got ${count} of ${size} to train on`,
  );
}

/**
 * Opens a folder in which each folder is a class. Pictures are decoded when their batch is made.
 * @throws UsageError for a folder or a share that will not do
 */
export async function openPictures(
  folder: string,
  engine: Engine,
  options: PictureOptions,
): Promise<Pictures> {
  const { preprocessing, channels } = options;
  const samples = await filesOf(folder, channels);
  const { classes, files } = samples;
  const [train, heldOut] = split(
    samples
      .map((sample) => ({
        ...sample,
        image: sized(engine, sample.image as Tensor<Uint8Array>, preprocessing),
      }))
      .cache(MOST_KEPT),
    options,
  );
  return {
    classes,
    files,
    train,
    heldOut,
    picture(file) {
      const { shape, data } = sized(engine, decode(readFileSync(file), channels), preprocessing);
      const [height, width] = shape as [number, number];
      return { height, width, channels, pixels: data };
    },
    identity: () => identityOf(folder.replace(/(?<=.)[/\\]+$/, ""), files),
  };
}

/**
 * The error about a picture that cannot be read among the causes of an error of a stream, as a mistake of the user's, who
 * named the folder; other errors as they are.
 */
export function pictureFault(error: unknown): unknown {
  for (let at = error; at instanceof OwnError; at = at.cause) {
    const { cause } = at;
    const isSystem = cause instanceof Error && "errno" in cause;
    if (cause instanceof FormatError) return new UsageError(at.message, { cause });
    if (isSystem && at.message.endsWith(cause.message)) {
      const file = at.message.slice(0, -cause.message.length);
      return new UsageError(`${file}cannot be read (${causeOf(cause)})`, { cause });
    }
  }
  return error;
}
