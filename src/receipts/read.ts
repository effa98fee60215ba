/** Reads receipts, which come from anywhere: each field is checked before anything is computed from it. */
import { FormatError, OptionError } from "../errors.ts";
import { isCount, isPlainObject, show } from "../options.ts";
import type { TrainingReceipt } from "../training/receipt.ts";
import { NUMERICS } from "../version.ts";
import type { InferenceReceipt } from "./inference.ts";
import { MOST_LINKS } from "./record/links.ts";

/** Values that lie deeper in each other are refused: what is written down of a net lies ten deep. */
const MOST_DEPTH = 64;

/** @throws FormatError naming the field */
function expect(holds: boolean, field: string, expected: string, got: unknown): asserts holds {
  if (!holds) throw new FormatError(`verifyReceipt: ${field}: expected ${expected}, got ${show(got)}`);
}

type Check = (field: string, value: unknown) => void;

const count: Check = (field, value) => expect(isCount(value), field, "an integer ≥ 0", value);
const positive: Check = (field, value) =>
  expect(isCount(value) && value > 0, field, "a positive integer", value);
const text: Check = (field, value) => expect(typeof value === "string", field, "a text", value);
const flag: Check = (field, value) => expect(typeof value === "boolean", field, "true or false", value);
const object: Check = (field, value) => expect(isPlainObject(value), field, "an object", value);
const digest: Check = (field, value) =>
  expect(
    typeof value === "string" && /^[0-9a-f]{64}$/.test(value),
    field,
    "a SHA-256 in 64 hexadecimal digits",
    value,
  );
const exactly =
  (wanted: string | number): Check =>
  (field, value) =>
    expect(value === wanted, field, show(wanted), value);
const share: Check = (field, value) =>
  expect(typeof value === "number" && value >= 0 && value < 1, field, "a number ≥ 0 and < 1", value);
const amount: Check = (field, value) =>
  expect(typeof value === "number" && value >= 0 && value < Infinity, field, "a finite number ≥ 0", value);

const listOf =
  (check: Check): Check =>
  (field, value) => {
    expect(Array.isArray(value), field, "a list", value);
    value.forEach((each, i) => check(`${field}[${i}]`, each));
  };

/** A record of values that `check` accepts. */
const recordOf =
  (check: Check): Check =>
  (field, value) => {
    object(field, value);
    for (const [name, each] of Object.entries(value as object)) check(`${field}: ${name}`, each);
  };

/** An object with these fields, of which those that end with `?` may be absent, and no others. */
const fields =
  (checks: Readonly<Record<string, Check>>): Check =>
  (field, value) => {
    const place = (name: string): string => (field === "" ? name : `${field}: ${name}`);
    expect(isPlainObject(value), field === "" ? "receipt" : field, "an object", value);
    const names = Object.keys(checks).map((name) => name.replace("?", ""));
    const other = Object.keys(value).find((name) => !names.includes(name));
    if (other !== undefined) expect(false, place(other), "no such field", value[other]);
    for (const [name, check] of Object.entries(checks)) {
      const own = name.replace("?", "");
      if (name === own || value[own] !== undefined) check(place(own), value[own]);
    }
  };

const part: Check = (field, value) => {
  object(field, value);
  text(`${field}: type`, (value as { type?: unknown }).type);
};

const rateEvent: Check = (field, value) => {
  expect(Array.isArray(value) && value.length === 2, field, "[step, learningRate]", value);
  positive(`${field}[0]`, value[0]);
  amount(`${field}[1]`, value[1]);
};

const HEADER = {
  format: exactly("im2row receipt"),
  version: exactly(1),
  numerics: positive,
  package: text,
  binary: digest,
};

const TRAINING = fields({
  ...HEADER,
  kind: exactly("training"),
  architecture: object,
  compile: fields({
    optimizer: part,
    loss: recordOf(part),
    algorithm: text,
    gradientAccumulationSteps: positive,
    "emaMomentum?": share,
  }),
  options: fields({
    epochs: positive,
    "initialEpoch?": count,
    stream: flag,
    "batchSize?": positive,
    "shuffle?": flag,
    "validationSplit?": share,
    "classWeight?": recordOf(amount),
  }),
  needs: listOf(text),
  data: fields({ samples: positive, root: digest }),
  start: fields({ steps: count, epochs: count, digest }),
  rates: listOf(rateEvent),
  batches: count,
  steps: count,
  links: fields({ every: positive, digests: listOf(digest) }),
  digest,
  weights: fields({ digest, "epoch?": positive }),
  chain: digest,
});

const INFERENCE = fields({
  ...HEADER,
  kind: exactly("inference"),
  model: digest,
  inputs: recordOf(digest),
  outputs: recordOf(digest),
});

/** @throws FormatError when values lie too deep in each other for what follows */
function checkDepth(value: unknown): void {
  let level: unknown[] = [value];
  for (let depth = 0; level.length > 0; depth++) {
    expect(depth <= MOST_DEPTH, "receipt", `values at most ${MOST_DEPTH} deep`, "deeper ones");
    level = level.flatMap((each) => (typeof each === "object" && each !== null ? Object.values(each) : []));
  }
}

/** Checks what does not stand in one field. */
function checkSteps({ start, steps, batches, links, rates, options, compile }: TrainingReceipt): void {
  expect(steps >= start.steps, "steps", `at least ${start.steps}, those of the start`, steps);
  const own = steps - start.steps;
  expect(batches >= own, "batches", `at least ${own}, one a step`, batches);
  const { every, digests } = links;
  const number = Math.floor(own / every);
  expect(number <= MOST_LINKS, "links: every", `at most ${MOST_LINKS} links`, every);
  expect(digests.length === number, "links: digests", `${number} links of ${every} steps`, digests.length);
  rates.forEach(([step], i) => {
    const after = rates[i - 1]?.[0] ?? start.steps;
    expect(step > after && step <= steps, `rates[${i}][0]`, `a step from ${after + 1} to ${steps}`, step);
  });
  const { epochs, initialEpoch = 0 } = options;
  expect(initialEpoch <= epochs, "options: initialEpoch", `at most ${epochs}, the epochs`, initialEpoch);
  const rate = compile.optimizer["learningRate"];
  expect(rates.length === 0 || !isPlainObject(rate), "rates", "none beside a schedule", rates);
  for (const name of ["batchSize", "shuffle"] as const) {
    if ((options[name] === undefined) === options.stream) continue;
    const expected = options.stream ? "none for a stream" : "one";
    expect(false, `options: ${name}`, expected, options[name]);
  }
}

/** A copy of what JSON keeps of a value, which no getter changes any more. @throws FormatError */
function copyOf(receipt: unknown): unknown {
  try {
    return JSON.parse(JSON.stringify(receipt));
  } catch (cause) {
    throw new FormatError(`verifyReceipt: receipt: expected what JSON can say, got ${show(receipt)}`, {
      cause,
    });
  }
}

/** A receipt of either kind. @throws FormatError naming the field that is none of one, or of another version of the numerics */
export function readReceipt(given: unknown): TrainingReceipt | InferenceReceipt {
  const value = copyOf(given);
  expect(isPlainObject(value), "receipt", "an object, as JSON.parse returns it", value);
  checkDepth(value);
  const { kind } = value;
  expect(kind === "training" || kind === "inference", "kind", '"training" or "inference"', kind);
  (kind === "training" ? TRAINING : INFERENCE)("", value);
  const receipt = value as unknown as TrainingReceipt | InferenceReceipt;
  if (receipt.kind === "training") checkSteps(receipt);
  expect(
    receipt.numerics === NUMERICS,
    "numerics",
    `${NUMERICS}, the version of this package's sums and orders`,
    receipt.numerics,
  );
  return receipt;
}

/** The receipt of a run. @throws OptionError for one of an output; as `readReceipt` */
export function readTrainingReceipt(where: string, given: unknown): TrainingReceipt {
  const receipt = readReceipt(given);
  if (receipt.kind === "training") return receipt;
  throw new OptionError(`${where}: expected the receipt of a run, got that of an output`);
}
