/** The goals of the benchmark: ratios over lists of shapes, their geometric mean and the worst of them. */
import { IMPORTED } from "./imported/networks.ts";
import { ratioTo, speedOf, type Result } from "./result.ts";

export interface Goal {
  readonly kind?: "network";
  readonly work: string;
  readonly beside: string;
  /** Least geometric mean of the ratios, and least ratio of a case. */
  readonly goal: number;
  readonly floor?: number;
  /** The ratio that counts, above 1 when we are ahead; undefined for cases that are not meant. */
  readonly ratio: (result: Result) => number | undefined;
}

/** A goal with what was measured. */
export interface Outcome extends Omit<Goal, "ratio"> {
  readonly cases: number;
  readonly mean: number;
  readonly worst: { readonly name: string; readonly ratio: number };
  readonly reached: boolean;
  /** Cases below the floor. */
  readonly below: readonly { readonly name: string; readonly ratio: number }[];
}

type Pick = (result: Result) => boolean;

const kinds =
  (...names: string[]): Pick =>
  ({ kind }) =>
    names.includes(kind);
const named =
  (...names: string[]): Pick =>
  ({ name }) =>
    names.includes(name);
const against =
  (pick: Pick, contender: string): Goal["ratio"] =>
  (result) =>
    pick(result) ? ratioTo(result, contender) : undefined;

const GRADIENTS = kinds("filter", "input");
const CONVOLUTIONS = kinds("conv3x3", "conv", "conv small");
const large: Pick = ({ kind, name }) => kind === "gemm" && /^gemm (256|512|1024)×/.test(name);

/** Goals of whole networks, one for each network and peer. */
const networks: readonly Goal[] = IMPORTED.flatMap(({ title, web, native }) => {
  const goal = (beside: string, least: number): Goal => {
    return { kind: "network", work: title, beside, goal: least, ratio: against(named(title), beside) };
  };
  return [goal("onnxruntime-web", web), ...(native === undefined ? [] : [goal("onnxruntime-node", native)])];
});

export const GOALS: readonly Goal[] = [
  {
    work: "GEMM 256–1024",
    beside: "multiply-add peak",
    goal: 0.9,
    floor: 0.8,
    ratio: (result) => (large(result) ? speedOf(result) / result.peak : undefined),
  },
  ...(
    [
      ["conv 3×3 stride 1, c and f ≥ 32", kinds("conv3x3"), "tfjs-wasm", 3.5, 2],
      ["conv 3×3 stride 1, c and f ≥ 32", kinds("conv3x3"), "onnxruntime-node", 1, 0.7],
      ["conv 1×1, 7×7, 5×5, stride 2", kinds("conv"), "tfjs-wasm", 1.3, 1.05],
      ["all conv", CONVOLUTIONS, "onnxruntime-web", 2, 1.2],
      ["depthwise 3×3", kinds("depthwise"), "tfjs-wasm", 1.8, 1.2],
      ["LeNet-5 inference, batch 1", named("LeNet-5 inference b1"), "onnxruntime-node", 1],
      ["filter and input gradients", GRADIENTS, "own forward", 0.8, 0.6],
      ["filter gradient", kinds("filter"), "jax-js", 80],
      ["input gradient", kinds("input"), "tfjs-wasm", 20],
      ["training step, LeNet-5 b64", named("LeNet-5 step b64"), "PyTorch", 1, 1 / 1.3],
      ["training step, CIFAR VGG b32", named("CIFAR VGG step b32"), "PyTorch", 1, 1 / 1.3],
      ["training step, 7×7×3 net b1", named("7×7×3 net step b1"), "PyTorch", 20],
      ["two threads, ResNet 3×3 and a training step", kinds("threads"), "one thread", 1.8, 1.6],
      ["relaxed math, GEMM", kinds("relaxed"), "exact build", 1, 0.97],
    ] as const
  ).map(([work, pick, beside, goal, floor]): Goal => {
    const ratio = against(pick, beside);
    return floor === undefined ? { work, beside, goal, ratio } : { work, beside, goal, floor, ratio };
  }),
  ...networks,
];

/** Compares the results with the goals; goals without a case are left out. */
export function evaluate(results: readonly Result[], goals: readonly Goal[] = GOALS): Outcome[] {
  return goals.flatMap(({ ratio, ...goal }): Outcome[] => {
    const measured = results.flatMap((result) => {
      const value = ratio(result);
      return value === undefined ? [] : [{ name: result.name, ratio: value }];
    });
    if (measured.length === 0) return [];
    const sorted = measured.toSorted((a, b) => a.ratio - b.ratio);
    const mean = Math.exp(
      measured.reduce((sum, { ratio: value }) => sum + Math.log(value), 0) / measured.length,
    );
    const below = sorted.filter((entry) => entry.ratio < (goal.floor ?? 0));
    const reached = mean >= goal.goal && below.length === 0;
    return [{ ...goal, cases: measured.length, mean, worst: sorted[0]!, reached, below }];
  });
}
