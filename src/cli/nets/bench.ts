/** im2row bench: how long a net takes, as a whole and by nodes. */
import { Random } from "../../random.ts";
import { threadsText, tell, withNet, type EngineOptions } from "../engine.ts";
import type { NamedShape } from "./inputs.ts";
import type { Net, NetNode, NetSession } from "./net.ts";
import { sessionOf } from "./plan.ts";
import { formatTable, percent, shortName } from "../report.ts";

export interface BenchOptions extends EngineOptions {
  readonly shape: readonly NamedShape[];
  readonly batch?: number;
  readonly runs: number;
}

/** Milliseconds of several runs: the median, between which and whose quartiles half of the runs lie, and the extremes. */
export interface Spread {
  readonly median: number;
  readonly q1: number;
  readonly q3: number;
  readonly min: number;
  readonly max: number;
}

/** Quantiles by linear interpolation between the values in order (type 7 of Hyndman and Fan, as in NumPy). */
export function spreadOf(values: readonly number[]): Spread {
  const sorted = Float64Array.from(values).sort();
  const quantile = (share: number): number => {
    const at = share * (sorted.length - 1);
    const below = sorted[Math.floor(at)]!;
    return below + (at - Math.floor(at)) * (sorted[Math.ceil(at)]! - below);
  };
  const [min, q1, median, q3, max] = [0, 0.25, 0.5, 0.75, 1].map(quantile) as [
    number,
    number,
    number,
    number,
    number,
  ];
  return { median, q1, q3, min, max };
}

/** The times of all runs, and of each node. */
interface Times {
  readonly total: Spread;
  readonly nodes: readonly { readonly name: string; readonly time: Spread; readonly operations: number }[];
  readonly operations: number;
}

/** Some numbers for each input, the same in every run. */
function fill(inputs: NetSession["inputs"]): void {
  const random = new Random(1);
  for (const view of Object.values(inputs)) {
    for (let i = 0; i < view.length; i++) view[i] = view instanceof Float32Array ? random.uniform() : 0;
  }
}

/**
 * Operations for one image by the nodes that have a time. A product whose bias another node adds is computed by that node,
 * the next one of its shape.
 */
export function operationsByNode(nodes: readonly NetNode[], timed: ReadonlySet<string>): Map<string, number> {
  const work = new Map<string, number>();
  for (const [i, { name, output, operations }] of nodes.entries()) {
    const shape = String(output);
    const isOther = (node: NetNode): boolean => timed.has(node.name) && String(node.output) === shape;
    const own = timed.has(name) ? name : operations > 0 ? nodes.slice(i + 1).find(isOther)?.name : undefined;
    if (own !== undefined) work.set(own, (work.get(own) ?? 0) + operations);
  }
  return work;
}

/** Times a session, after a run that counts for nothing: the whole and the nodes by turns. */
function measure(net: Net, session: NetSession, runs: number): Times {
  fill(session.inputs);
  session.run();
  const totals: number[] = [];
  const times = new Map<string, number[]>();
  for (let i = 0; i < runs; i++) {
    const started = performance.now();
    session.run();
    totals.push(performance.now() - started);
    for (const { node, milliseconds } of session.profile()) {
      const known = times.get(node);
      if (known) known.push(milliseconds);
      else times.set(node, [milliseconds]);
    }
  }
  // The shapes of a net that joins images hold all of them, any other's hold one.
  const images = net.notBatched === undefined ? session.batchSize : 1;
  const work = operationsByNode(net.nodes, new Set(times.keys()));
  return {
    total: spreadOf(totals),
    nodes: Array.from(times, ([name, values]) => ({
      name,
      time: spreadOf(values),
      operations: images * (work.get(name) ?? 0),
    })),
    operations: images * net.nodes.reduce((sum, { operations }) => sum + operations, 0),
  };
}

/** Operations in a time in ms as 10⁹ a second. */
const gflops = (operations: number, { median }: Spread): number => operations / median / 1e6;

const rangeText = (low: number, high: number): string => `${low.toFixed(3)}–${high.toFixed(3)}`;

function describe({ total, nodes, operations }: Times, facts: string): string {
  const sum = nodes.reduce((all, { time }) => all + time.median, 0);
  const rows = nodes.map(({ name, time, operations: own }) => [
    shortName(name),
    time.median.toFixed(3),
    rangeText(time.q1, time.q3),
    rangeText(time.min, time.max),
    percent(time.median / sum),
    own > 0 ? gflops(own, time).toFixed(1) : "",
  ]);
  const table = formatTable(
    [["node", "median ms", "quartiles", "min–max", "share", "GFLOP/s"], ...rows],
    "lrrrrr",
  );
  return [
    table,
    `total  ${total.median.toFixed(3)} ms, ${gflops(operations, total).toFixed(1)} GFLOP/s, ${facts}`,
    `       quartiles ${rangeText(total.q1, total.q3)} ms, min–max ${rangeText(total.min, total.max)} ms`,
  ].join("\n");
}

/** Times a net, as a whole and by nodes. */
export async function bench(model: string, options: BenchOptions): Promise<void> {
  const { shape, batch, runs } = options;
  await withNet(model, options, (net, engine) => {
    const session = sessionOf(net, shape, batch);
    const { batchSize } = session;
    const times = measure(net, session, runs);
    const { total, nodes, operations } = times;
    tell(
      options,
      () => ({
        model,
        batch: batchSize,
        threads: engine.threads,
        runs,
        milliseconds: { ...total },
        flops: operations,
        gflops: gflops(operations, total),
        nodes: nodes.map(({ name, time, operations: own }) => ({
          name,
          milliseconds: { ...time },
          flops: own,
        })),
      }),
      () => describe(times, `batch ${batchSize}, ${threadsText(engine)}, median of ${runs} runs`),
    );
    session.dispose();
  });
}
