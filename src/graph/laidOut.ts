import type { Heap } from "../runtime/heap.ts";
import { KeptRegion, type Region } from "../runtime/region.ts";
import type { Buffer } from "../layers/buffer.ts";
import type { LaidOut } from "../layers/contract.ts";
import type { WeightBlock } from "./weightBlock.ts";

/** Numbers that follow from weights, in a layout of a kernel's, with the plans that read them. */
interface Layout {
  readonly region: Region;
  readonly buffer: Buffer;
  users: number;
  /** The revision of the weights that they were made from. */
  revision: number;
}

/** The layouts of a block's weights, by the weights' addresses, the number of elements and the name of the layout. */
const layouts = new WeakMap<WeightBlock, Map<string, Layout>>();

/** The laid-out weights of one plan. Plans that need the same layout of the same weights share one copy. */
export class PlanLayouts {
  readonly #heap: Heap;
  readonly #releases: (() => void)[] = [];

  constructor(heap: Heap) {
    this.#heap = heap;
  }

  /** The layout of weights that lie at these addresses of blocks, the first of them in the first one. @throws MemoryError */
  of(
    blocks: readonly WeightBlock[],
    pointers: readonly number[],
    name: string,
    elements: number,
    make: (buffer: Buffer) => void,
  ): LaidOut {
    const key = `${pointers.join()} ${elements} ${name}`;
    const known = layouts.get(blocks[0]!) ?? new Map<string, Layout>();
    layouts.set(blocks[0]!, known);
    const found = known.get(key);
    // One on an engine that was disposed went with it.
    const layout = found?.region.heap === this.#heap ? found : this.#add(elements);
    known.set(key, layout);
    layout.users++;
    this.#releases.push(() => {
      if (--layout.users > 0) return;
      layout.region.release();
      if (known.get(key) === layout) known.delete(key);
    });
    return {
      buffer: layout.buffer,
      prepare() {
        let revision = 0;
        for (let i = 0; i < blocks.length; i++) revision += blocks[i]!.revision;
        if (layout.revision === revision) return;
        make(layout.buffer);
        layout.revision = revision;
      },
    };
  }

  #add(elements: number): Layout {
    const region = new KeptRegion(this.#heap, "model: weights as kernels read them");
    const pointer = region.allocate(elements);
    return { region, buffer: { pointer, dtype: "float32" }, users: 0, revision: 0 };
  }

  /** Frees what no other plan reads. */
  release(): void {
    for (const release of this.#releases) release();
    this.#releases.length = 0;
  }
}
