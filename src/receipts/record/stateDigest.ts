/** Digests of the state of a run. */
import type { Tensor } from "../../tensor.ts";
import type { TrainingState } from "../../training/trainer.ts";
import { canonical } from "./canonical.ts";
import { bytesIn, bytesToHex, digestOf, textDigest } from "./sha256.ts";

type Tensors = ReadonlyMap<string, Tensor>;

/** A tensor in a state: what it is, the name of its weight, its shape and the SHA-256 of its numbers. */
type Entry = readonly [kind: string, name: string, shape: readonly number[], digest: string];

export async function entriesOf(kind: string, tensors: Tensors): Promise<Entry[]> {
  const entries = [...tensors].map(async ([name, { shape, data }]): Promise<Entry> => {
    const digest = await digestOf(bytesIn(data));
    return [kind, name, shape, bytesToHex(digest)];
  });
  return Promise.all(entries);
}

/** The digest of weights alone: of the canonical JSON of `["im2row weights", entries]`, in the model's order. */
export async function weightsDigest(weights: Tensors): Promise<string> {
  return bytesToHex(textDigest(canonical(["im2row weights", await entriesOf("weight", weights)])));
}

/** The weights from which training goes on, and their averages, whichever of them the model has as its weights. */
function apart(
  weights: Tensors,
  { averages }: TrainingState,
): readonly [weights: Tensors, averages: Tensors] {
  if (!averages?.inUse) return [weights, averages?.weights ?? new Map()];
  const own = new Map(weights);
  const means = new Map<string, Tensor>();
  for (const [name, tensor] of averages.weights) {
    means.set(name, weights.get(name)!);
    own.set(name, tensor);
  }
  return [own, means];
}

/**
 * The digest of all that a run goes on from: of the canonical JSON of `["im2row state", steps, waiting, entries]`. `waiting` has the
 * batches and images whose gradients wait for others, `[0, 0]` unless they do. Entries are `[kind, name, shape, SHA-256 of the
 * float32 numbers, little endian]`, in this order of kinds: weights, the optimizer's slots, gradients that wait, averages of weights;
 * within a kind in the model's order. The tensors are copies.
 */
export async function stateDigest(weights: Tensors, state: TrainingState): Promise<string> {
  const { steps, slots, accumulated } = state;
  const [own, averages] = apart(weights, state);
  const kinds: (readonly [string, Tensors])[] = [
    ["weight", own],
    ...Object.entries(slots).map(([slot, tensors]) => [`optimizer: ${slot}`, tensors] as const),
    ["gradient", accumulated?.gradients ?? new Map()],
    ["average", averages],
  ];
  const entries = await Promise.all(kinds.map(([kind, tensors]) => entriesOf(kind, tensors)));
  const waiting = [accumulated?.batches ?? 0, accumulated?.images ?? 0];
  return bytesToHex(textDigest(canonical(["im2row state", steps, waiting, entries.flat()])));
}
