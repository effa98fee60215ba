/** Folders of small pictures, of which each folder is a class. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { encode as encodePng } from "fast-png";
import { encode as encodeJpeg } from "jpeg-js";
import { random } from "../../support/random.ts";

/** The colour of each class; noise of up to 60 comes on top. */
export const COLOURS = {
  blue: [40, 60, 180],
  green: [50, 170, 60],
  red: [190, 40, 50],
} as const satisfies Record<string, readonly number[]>;

/** Writes pictures of noise around a colour for each class, every third a JPEG, of several sizes. */
export function writeColours(folder: string, perClass: number): void {
  for (const [k, [name, colour]] of Object.entries(COLOURS).entries()) {
    mkdirSync(join(folder, name), { recursive: true });
    for (let i = 0; i < perClass; i++) {
      const [width, height] = [20 + (i % 5), 16 + (i % 3) * 4];
      const noise = random(1000 * k + i).uniform(width * height * 3, 0, 60);
      const pixels = Uint8Array.from(noise, (value, at) => Math.min(255, colour[at % 3]! + value));
      const file = join(folder, name, String(i).padStart(3, "0"));
      if (i % 3 === 0) {
        const data = new Uint8Array(width * height * 4).map((_, at) =>
          at % 4 === 3 ? 255 : pixels[(at >> 2) * 3 + (at % 4)]!,
        );
        writeFileSync(`${file}.jpg`, encodeJpeg({ width, height, data }, 95).data);
      } else {
        writeFileSync(`${file}.png`, encodePng({ width, height, data: pixels, channels: 3 }));
      }
    }
  }
}
