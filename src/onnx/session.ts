import { OptionError } from "../errors.ts";
import { onlyOne } from "../model/inferenceModel.ts";
import { hold, type Session } from "../graph/session.ts";
import type { Named } from "../graph/namedTensors.ts";
import { fromNumbers } from "./import/feeds.ts";
import type { End, Instance } from "./import/instance.ts";
import type { Numbers } from "./file/constant.ts";
import type { Computed } from "./import/values.ts";

/** Views of a session's buffers: float32, int32 for integers and booleans, or bytes. */
type View = Float32Array | Int32Array | Uint8Array;

/** The time that a node took in a run. */
export interface NodeTime {
  readonly node: string;
  readonly milliseconds: number;
}

/**
 * Inference on buffers that were planned once, in the file's layout and by its names. Nothing is copied or allocated.
 */
export class OnnxSession {
  readonly inputs: Named<View>;
  readonly outputs: Named<View>;
  readonly batchSize: number;
  readonly #session: Session | undefined;
  readonly #whole: boolean;
  readonly #nodeOf: ReadonlyMap<string, string>;

  /** Users call `session`. */
  constructor(instance: Instance, batchSize: number) {
    const { model, notBatched, constants, lowered } = instance;
    this.batchSize = batchSize;
    this.#nodeOf = lowered.builder.nodeOf;
    this.#whole = notBatched !== undefined;
    this.#session = model?.session({ batchSize: this.#whole ? 1 : batchSize });
    this.inputs = viewsOf(
      instance.inputs.map((end) => [end.name, () => viewOf(end, this.#session!, "inputs")]),
    );
    const outputs = new Map<string, () => View>();
    for (const { name, type, data } of constants) {
      const view = knownView(name, type, data());
      outputs.set(name, () => view);
    }
    for (const end of instance.outputs) {
      outputs.set(end.name, () => viewOf(end, this.#session!, "outputs"));
    }
    this.outputs = viewsOf([...lowered.outputs.keys()].map((name) => [name, outputs.get(name)!]));
  }

  /** The only input. @throws OptionError when there are several */
  get input(): View {
    return onlyOne("session.input", Object.values(this.inputs));
  }

  /** The only output. @throws OptionError when there are several */
  get output(): View {
    return onlyOne("session.output", Object.values(this.outputs));
  }

  /** Computes the outputs; of the first `n` images where the net takes any number. @throws ShapeError */
  run(n?: number): void {
    this.#session?.run(this.#images(n));
  }

  /** Runs as `run` does, and returns how long each node of the file took, its layers together. @throws ShapeError */
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

function knownView(name: string, type: Computed["type"], data: Numbers): View {
  return fromNumbers(type === "float32" ? "float32" : "int32", data, name) as View;
}

/** The view of an end's elements. */
function viewOf({ key, value }: End, session: Session, side: "inputs" | "outputs"): View {
  const view = session[side][key]!;
  if (value.type === "float32" || value.type === "uint8") return view;
  const floats = view as Float32Array;
  return hold(new Int32Array(floats.buffer, floats.byteOffset, floats.length), session);
}

/** Views by the file's names, taken anew for each use: growth of the memory detaches them. */
function viewsOf(views: Iterable<readonly [name: string, get: () => View]>): Named<View> {
  const record = {};
  for (const [name, get] of views) Object.defineProperty(record, name, { enumerable: true, get });
  return record;
}
