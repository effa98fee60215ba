/** The table of whole networks in docs/speed.md. */
import type { Result } from "../result.ts";
import { OURS } from "../result.ts";
import type { Starts } from "../suites/imported.ts";

const [WEB, NATIVE] = ["onnxruntime-web", "onnxruntime-node"];
const MB = 1e6;

const row = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
const milliseconds = (ms: number | undefined): string =>
  ms === undefined ? "" : ms.toFixed(ms < 100 ? 1 : 0);

/** A peer's time and how many times ours it is. */
function beside(ours: number, theirs: number | undefined): string {
  return theirs === undefined ? "" : `${milliseconds(theirs)} (${(theirs / ours).toFixed(2)}×)`;
}

/** Milliseconds of a run on one thread and on two beside the peers, then what a fresh process needs; "" without results. */
export function importedTable(
  results: readonly Result[],
  starts: readonly Starts[],
  machine: string,
): string {
  const networks = results.filter(({ kind }) => kind === "network");
  if (networks.length === 0) return "";
  const lines = networks.map(({ name, ms }) => {
    const two = results.find((result) => result.name === `${name} on two threads`);
    const first = starts.find((start) => start.name === name)?.starts;
    const [mine, its] = [first?.[OURS], first?.[WEB!]];
    const both = (of: (start: NonNullable<typeof mine>) => string): string =>
      mine && its ? `${of(mine)} / ${of(its)}` : "";
    return row([
      name,
      milliseconds(ms[OURS]),
      beside(ms[OURS]!, ms[WEB!]),
      beside(ms[OURS]!, ms[NATIVE!]),
      two ? milliseconds(two.ms[OURS]) : "",
      both((start) => milliseconds(start.ms)),
      both((start) => (start.resident / MB).toFixed(0)),
    ]);
  });
  const head = ["network", "im2row", WEB!, NATIVE!, "two threads", "first result", "peak MB"];
  return [`Measured on: ${machine}.`, "", row(head), row(head.map(() => "---")), ...lines].join("\n");
}
