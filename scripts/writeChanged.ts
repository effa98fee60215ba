import { readFileSync, renameSync, writeFileSync } from "node:fs";

/** Writes a file at once or not at all, as others may read it meanwhile; leaves one that has the text already. */
export function writeChanged(file: string, text: string): void {
  try {
    if (readFileSync(file, "utf8") === text) return;
  } catch {
    // There is none yet.
  }
  writeFileSync(`${file}.${process.pid}`, text);
  renameSync(`${file}.${process.pid}`, file);
}
