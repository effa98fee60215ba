import { OptionError } from "../../errors.ts";
import type { Session } from "../../model/session.ts";
import type { Named } from "../../model/named.ts";
import { fromNumbers } from "./feeds.ts";
import type { Instance } from "./instance.ts";
import type { Computed, Numbers } from "./values.ts";

/** Views of a session's buffers: float32, or int32 for integers and booleans. */
type View = Float32Array | Int32Array;

/** How long a node took in a run. */
export interface NodeTime {
  readonly node: string;
  readonly milliseconds: number;
}

/** Inference on buffers that were planned once, in the file's layout and by its names. Nothing is copied or allocated. */
export class OnnxSession {
  readonly inputs: Named<View>;
  readonly outputs: Named<View>;
  readonly batchSize: number;
  readonly #session: Session | undefined;
  readonly #whole: boolean;
  readonly #nodeOf: ReadonlyMap<string, string>;

  /** Users call `session`. */
  constructor(instance: Instance, batchSize: number) {
    const { model, notBatched, constants } = instance;
    this.batchSize = batchSize;
    this.#nodeOf = instance.lowered.builder.nodeOf;
    this.#whole = notBatched !== undefined;
    const session = model?.session({ batchSize: this.#whole ? 1 : batchSize });
    this.#session = session;
    this.inputs = viewsOf(instance.inputs, (key) => session!.inputs[key]!);
    const known = constants.map(({ name, type, data }): [string, View] => [name, knownView(type, data())]);
    this.outputs = Object.assign(
      viewsOf(instance.outputs, (key) => session!.outputs[key]!),
      Object.fromEntries(known),
    );
  }

  /** The only input. @throws OptionError when there are several */
  get input(): View {
    return only("input", this.inputs);
  }

  /** The only output. @throws OptionError when there are several */
  get output(): View {
    return only("output", this.outputs);
  }

  /** Computes the outputs; of the first `n` images where the net takes any number. @throws ShapeError */
  run(n?: number): void {
    this.#session?.run(this.#images(n));
  }

  /** As `run`, and tells how long each node of the file took, its layers together. @throws ShapeError */
  profile(n?: number): NodeTime[] {
    const times = new Map<string, number>();
    for (const { layer, milliseconds } of this.#session?.profile(this.#images(n)) ?? []) {
      // A further use of a layer is called name:1.
      const node = this.#nodeOf.get(layer.replace(/:.*/, ""))!;
      times.set(node, (times.get(node) ?? 0) + milliseconds);
    }
    return Array.from(times, ([node, milliseconds]) => ({ node, milliseconds }));
  }

  /** Images as the model counts them. */
  #images(n: number | undefined): number | undefined {
    if (this.#whole && n !== undefined && n !== this.batchSize) {
      throw new OptionError(
        `session.run: expected all ${this.batchSize} images of a net that joins them, got ${n}`,
      );
    }
    return this.#whole ? 1 : n;
  }

  dispose(): void {
    this.#session?.dispose();
  }
}

function knownView(type: Computed["type"], data: Numbers): View {
  return fromNumbers(type === "float32" ? "float32" : "int32", data) as View;
}

function only(what: "input" | "output", views: Named<View>): View {
  const all = Object.keys(views);
  if (all.length === 1) return views[all[0]!]!;
  throw new OptionError(`session.${what}: expected a net with one ${what}, got ${all.length}: use ${what}s`);
}

/** Views by the file's names, taken anew for each use: growth of the memory detaches them. */
function viewsOf(
  ends: readonly { readonly name: string; readonly key: string; readonly value: Computed }[],
  floats: (key: string) => Float32Array,
): Named<View> {
  const views = {};
  for (const { name, key, value } of ends) {
    const get = (): View => {
      const view = floats(key);
      if (value.type === "float32") return view;
      return new Int32Array(view.buffer, view.byteOffset, view.length);
    };
    Object.defineProperty(views, name, { enumerable: true, get });
  }
  return views;
}
