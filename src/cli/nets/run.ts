/** im2row run: a net on arrays and images. */
import type { Engine } from "../../index.ts";
import { kindOf } from "../../images/files/read.ts";
import { listed } from "../../options.ts";
import { tell, withNet, type EngineOptions } from "../engine.ts";
import { byName, checkPixelOptions, read, readFiles, type NamedFile, type PixelOptions } from "./inputs.ts";
import { isAboutFile, type Net } from "./net.ts";
import { complainOf, print } from "../output.ts";
import {
  checkOutputs,
  describeResults,
  describeSample,
  haveLabels,
  resultsJson,
  resultsOf,
  saveOutput,
  type ClassLabels,
  type Results,
} from "./outputs.ts";
import { shortName } from "../report.ts";
import { samplesOf, type Sample } from "./samples.ts";
import { FileError, messageOf, UsageError } from "../usage.ts";
import type { Json } from "../json.ts";

export interface RunOptions extends PixelOptions, EngineOptions {
  readonly input?: readonly NamedFile[];
  readonly output?: readonly NamedFile[];
  /** The number of classes to print; without it those that the file names, or all numbers. */
  readonly top?: number;
  /** File with a label in each line. */
  readonly labels?: string;
}

/** The lines of a file. @throws UsageError */
function readLabels(file: string): string[] {
  const bytes = read(file);
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes).trimEnd().split(/\r?\n/);
  } catch {
    throw new UsageError(`--labels ${file}: expected lines of text in UTF-8, got ${kindOf(bytes)}`);
  }
}

/** The names of the classes: from `--labels`, else from the net's file. */
function labelsOf(file: string, { labels }: RunOptions, net: Net): ClassLabels | undefined {
  if (labels !== undefined) return { names: readLabels(labels), from: "--labels" };
  const { classNames } = net.metadata;
  return classNames && { names: classNames, from: `${file}: class names` };
}

/** So many classes of an image are printed for people who asked for nothing else, where their names are known. */
const USUAL_TOP = 5;

/** A sample that failed, or that went well. */
type Outcome = { readonly file: string } & ({ readonly error: string } | { readonly results: Results });

/** A run of one net on samples, one after the other. */
class Runner {
  readonly #net: Net;
  readonly #engine: Engine;
  readonly #options: RunOptions;
  readonly #labels: ClassLabels | undefined;
  /** Images among the inputs so far. */
  images = 0;

  constructor(net: Net, engine: Engine, options: RunOptions, labels: ClassLabels | undefined) {
    this.#net = net;
    this.#engine = engine;
    this.#options = options;
    this.#labels = labels;
  }

  #feeds({ files }: Sample): ReturnType<typeof readFiles> {
    const { inputs, layout, metadata } = this.#net;
    const { preprocessing } = metadata;
    const found = readFiles(this.#engine, files, inputs, { options: this.#options, preprocessing, layout });
    this.images += found.images;
    return found;
  }

  /** The number of classes to print; undefined to print all numbers. */
  #top(outputs: Results["outputs"], images: number): number | undefined {
    const { top, json, output } = this.#options;
    const isForScripts = json || output !== undefined;
    if (top !== undefined || isForScripts || images === 0 || !this.#labels) return top;
    return haveLabels(outputs, this.#labels) ? USUAL_TOP : undefined;
  }

  /** The results for a sample. @throws FileError for one that will not do; UsageError for options that will not */
  run(sample: Sample, check = () => {}): Results {
    const { feeds, images } = this.#feeds(sample);
    check();
    let outputs: Results["outputs"];
    try {
      outputs = this.#net.predict(feeds);
    } catch (error) {
      if (!isAboutFile(error)) throw error;
      throw new FileError(`${sample.name}: ${error.message}`, { cause: error });
    }
    return resultsOf(outputs, this.#top(outputs, images), this.#labels);
  }
}

const jsonOf = (outcome: Outcome): Json =>
  "results" in outcome
    ? { file: outcome.file, outputs: resultsJson(outcome.results) }
    : { file: outcome.file, error: outcome.error };

/** Runs the only sample, of which outputs may be saved. */
async function runOne(
  model: string,
  sample: Sample,
  runner: Runner,
  options: RunOptions,
  net: Net,
): Promise<void> {
  const wanted = byName("output", options.output ?? [], net.outputNames);
  checkOutputs(wanted);
  const results = runner.run(sample, () => checkPixelOptions(options, runner.images));
  tell(
    options,
    () => ({ model, results: [jsonOf({ file: sample.name, results })] }),
    () => describeResults(results),
  );
  for (const [name, each] of wanted) await saveOutput(each, name, results.outputs[name]!);
}

/** Runs samples of which some may fail: that is said at once, and again at the end. @throws UsageError if any did */
function runAll(model: string, samples: readonly Sample[], runner: Runner, options: RunOptions): void {
  const names = samples.map(({ name }) => shortName(name));
  const width = Math.max(...names.map(({ length }) => length));
  const outcomes: Outcome[] = [];
  for (const [i, sample] of samples.entries()) {
    const { name: file } = sample;
    try {
      const results = runner.run(sample);
      // Text is printed at once, and the numbers let go.
      if (options.json) outcomes.push({ file, results });
      else print(describeSample(names[i]!, width, results));
    } catch (error) {
      if (!(error instanceof FileError)) throw error;
      complainOf(error);
      outcomes.push({ file, error: messageOf(error) });
    }
  }
  if (options.json) tell(options, () => ({ model, results: outcomes.map(jsonOf) }), String);
  const failed = outcomes.flatMap((outcome) => ("error" in outcome ? [outcome.file] : []));
  if (failed.length > 0) {
    throw new UsageError(`${failed.length} of ${samples.length} files could not be run: ${listed(failed)}`);
  }
  checkPixelOptions(options, runner.images);
}

/** Runs a net on files. @throws UsageError for files and options that will not do */
export async function run(model: string, files: readonly string[], options: RunOptions): Promise<void> {
  if (options.labels !== undefined && options.top === undefined) {
    throw new UsageError("--labels: expected --top besides, got none");
  }
  await withNet(model, options, async (net, engine) => {
    const labels = labelsOf(model, options, net);
    const samples = samplesOf(
      options.input ?? [],
      files,
      net.inputs.map(({ name }) => name),
    );
    const runner = new Runner(net, engine, options, labels);
    if (samples.length === 1) return runOne(model, samples[0]!, runner, options, net);
    if (options.output !== undefined) {
      throw new UsageError(
        `--output: expected one file to run on, got ${samples.length}: --json has all outputs`,
      );
    }
    return runAll(model, samples, runner, options);
  });
}
