import { readdirSync, readFileSync } from "node:fs";
import { dirname } from "node:path";
import type { Plugin } from "esbuild";

const CALL = /import\.meta\.glob<[^(]*>\("\.\/\*([^"*]+)", \{ eager: true \}\)/;

/** Expands `import.meta.glob("./*<ending>", { eager: true })` to the modules of the file's folder, as Vite does. */
export const globs: Plugin = {
  name: "globs",
  setup({ onLoad }) {
    onLoad({ filter: /[/\\]layers[/\\]all\.ts$/ }, ({ path }) => {
      const text = readFileSync(path, "utf8");
      const [call, ending] = CALL.exec(text)!;
      const files = readdirSync(dirname(path)).filter((name) => name.endsWith(ending!));
      const imports = files.map((name, i) => `import * as module${i} from "./${name}";\n`);
      const modules = files.map((name, i) => `"./${name}": module${i}`);
      const contents = imports.join("") + text.replace(call, `{ ${modules.join(", ")} }`);
      return { contents, loader: "ts" };
    });
  },
};
