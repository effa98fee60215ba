/** A folder for files that are read by their names. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

let folder: string | undefined;

/** Writes the files into a folder of this process, which goes when the process ends. */
export function folderWith(files: Readonly<Record<string, Uint8Array>>): string {
  if (folder === undefined) {
    folder = mkdtempSync(join(tmpdir(), "im2row-fuzz-"));
    process.on("exit", () => rmSync(folder!, { recursive: true, force: true }));
  }
  for (const [name, bytes] of Object.entries(files)) writeFileSync(join(folder, name), bytes);
  return folder;
}
