/** The files that a net is run on: each by itself, from names, patterns and folders. */
import { existsSync, readdirSync, statSync } from "node:fs";
import { isAbsolute, join } from "node:path";
import { globSync, isDynamicPattern } from "tinyglobby";
import { byName, type NamedFile } from "./inputs.ts";
import { listed } from "../../options.ts";
import { UsageError } from "../usage.ts";

/** Names of files in a folder that are taken for inputs. */
const INPUT_NAME = /\.(png|jpe?g|npy)$/i;

/** What one run of the net is fed. */
export interface Sample {
  /** The file that tells this sample from others. */
  readonly name: string;
  /** By the names of inputs. */
  readonly files: ReadonlyMap<string, NamedFile>;
}

function filesOfFolder(folder: string): string[] {
  const names = readdirSync(folder)
    .filter((name) => INPUT_NAME.test(name))
    .sort();
  const files = names.map((name) => join(folder, name)).filter((file) => statSync(file).isFile());
  if (files.length > 0) return files;
  throw new UsageError(`${folder}: expected a folder with .png, .jpg or .npy files, got one without`);
}

function filesOfPattern(pattern: string): string[] {
  const files = globSync(pattern, { absolute: isAbsolute(pattern), expandDirectories: false }).sort();
  if (files.length > 0) return files;
  throw new UsageError(`${pattern}: expected a pattern of files, got one that fits none`);
}

/** The files that arguments name, each once: folders and patterns stand for what is in them. @throws UsageError */
export function expandFiles(names: readonly string[]): string[] {
  const files = names.flatMap((name) => {
    // What is there is meant, whatever characters its name has.
    if (existsSync(name)) return statSync(name).isDirectory() ? filesOfFolder(name) : [name];
    return isDynamicPattern(name) ? filesOfPattern(name) : [name];
  });
  return [...new Set(files)];
}

/**
 * The samples that a net with these inputs is run on: one of `--input` alone, or one for each further file, which goes to
 * the input that `--input` leaves over. @throws UsageError
 */
export function samplesOf(
  input: readonly NamedFile[],
  names: readonly string[],
  inputs: readonly string[],
): Sample[] {
  if (names.length === 0) {
    const files = byName("input", input, inputs);
    return [{ name: [...files.values()].map(({ file }) => file).join(", "), files }];
  }
  const given = input.length === 0 ? new Map<string, NamedFile>() : byName("input", input, inputs);
  const left = inputs.filter((name) => !given.has(name));
  if (left.length !== 1) {
    const expected =
      left.length === 0 ? "none, as --input has all" : `--input for all but one of ${listed(left)}`;
    throw new UsageError(`files: expected ${expected}; got ${listed(names)}`);
  }
  return expandFiles(names).map((file) => ({ name: file, files: new Map([...given, [left[0]!, { file }]]) }));
}
