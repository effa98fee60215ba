/**
 * The cases of each layer, by its name in `layers`: whatever the files `*.cases.ts` of this folder export. Vite expands
 * `import.meta.glob`; for hosts without it `test/support/globs.ts` does.
 */
import type { LayerCases } from "./support/cases.ts";

declare global {
  interface ImportMeta {
    glob<Module>(pattern: string, options: { eager: true }): Record<string, Module>;
  }
}

const files = import.meta.glob<Record<string, LayerCases>>("./*.cases.ts", { eager: true });

export const LAYER_CASES: Readonly<Record<string, LayerCases>> = Object.assign({}, ...Object.values(files));
