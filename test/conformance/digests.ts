/**
 * The digests that every host must agree on: over the results of all eager operators, and over the weights that training
 * makes of every layer, activation and optimizer. `digests.json` holds them; a change that alters one says why
 * (CONTRIBUTING.md, "Same bits"). New layers have digests of their own.
 */
import { layers, optimizers } from "im2row";
import type { Engine } from "im2row";
import { Digest } from "../support/digest.ts";
import type { Case } from "./case.ts";
import golden from "./digests.json" with { type: "json" };
import { same } from "./expect.ts";
import { hourglass } from "./hourglass.ts";
import { DIGESTED, layerDigestCases } from "./layerDigests.ts";
import { branched, everyLayers, generic, normalizedLayers, softmaxLayers } from "./nets.ts";
import { operatorsDigest } from "./operatorsDigest.ts";
import { ownPartsDigest } from "./ownParts.ts";
import { resumedDigest } from "./resumed.ts";
import { streamedDigest } from "./streamed.ts";
import {
  genericDigest,
  importedDigests,
  LATER_OPTIMIZERS,
  OPTIMIZERS,
  optimizersDigest,
  RESIDUAL_STEPS,
  STEPS,
  weightsDigest,
} from "./weightsDigest.ts";

/** Known answers of the hash's authors. */
function expectKnownAnswers(): void {
  for (const [text, expected] of [
    ["", "cbf29ce484222325"],
    ["a", "af63dc4c8601ec8c"],
    ["foobar", "85944171f73967e8"],
  ] as const) {
    const hash = new Digest();
    hash.bytes(new TextEncoder().encode(text));
    same(`"${text}"`, hash.toString(), expected);
  }
  const [words, bytes] = [new Digest(), new Digest()];
  words.elements(Float32Array.of(1, -2));
  bytes.bytes(Uint8Array.of(0, 0, 0x80, 0x3f, 0, 0, 0, 0xc0));
  same("elements", words.toString(), bytes.toString());
  const [double, halves] = [new Digest(), new Digest()];
  double.double(-2);
  halves.integer(0);
  halves.elements(Int32Array.of(-(2 ** 30)));
  same("double", double.toString(), halves.toString());
}

/** Neither an operator nor a layer nor an optimizer is left out. */
function expectComplete(engine: Engine): void {
  const called = new Set<PropertyKey>();
  const watched = new Proxy(engine, {
    get(target, key) {
      called.add(key);
      return Reflect.get(target, key, target) as unknown;
    },
  });
  operatorsDigest(watched);
  const others = ["constructor", "memory", "dispose"];
  const operators = Object.getOwnPropertyNames(Object.getPrototypeOf(engine));
  const missed = operators.filter((name) => !called.has(name) && !others.includes(name));
  same("operators that are in no digest", missed, []);
  // The second column of the graphs' summaries; inputs have none.
  const rows = [branched(1), hourglass(1), generic(1)].flatMap((net) =>
    net.summary().split("\n").slice(2, -2),
  );
  const drawn = rows.map((row) => row.split(/ {2,}/)[1]!).filter((type) => Object.hasOwn(layers, type));
  const listed = [...everyLayers(), ...softmaxLayers(), ...normalizedLayers()];
  const used = new Set([...listed.map(({ type }) => type), ...drawn, ...DIGESTED]);
  same("layers", [...used].sort(), Object.keys(layers).sort());
  const types = new Set<string>([...OPTIMIZERS, ...LATER_OPTIMIZERS].map((optimizer) => optimizer().type));
  same("optimizers", [...types].sort(), Object.keys(optimizers).sort());
}

export const digestCases: readonly Case[] = [
  { name: "the hash has the known answers of FNV-1a", run: expectKnownAnswers },
  {
    name: "the digests leave out no operator, layer or optimizer",
    run: ({ engine }) => expectComplete(engine),
  },
  {
    name: "the results of all operators have the golden digest",
    run: ({ engine }) => same("operators", operatorsDigest(engine), golden.operators),
  },
  {
    name: `the weights after ${STEPS} steps have the golden digest`,
    run: ({ engine }) => same("weights", weightsDigest(engine), golden.weights),
  },
  {
    name: `the weights after ${STEPS} steps of the optimizers that came later have the golden digest`,
    run: ({ engine }) => same("weights", optimizersDigest(engine), golden.optimizers),
  },
  {
    name: `a residual net after ${RESIDUAL_STEPS} steps, and from its ONNX file, has the golden digests`,
    async run({ engine }) {
      const { residual: trained, imported } = await importedDigests(engine);
      same("weights", trained, golden.residual);
      same("outputs", imported, golden.imported);
    },
  },
  {
    name: `a net of the generic layers after ${RESIDUAL_STEPS} steps has the golden digest`,
    run: ({ engine }) => same("weights", genericDigest(engine), golden.generic),
  },
  {
    name: "a run of a layer, an activation, a loss and an optimizer of a user has the golden digest",
    run: ({ engine }) => same("weights", ownPartsDigest(engine), golden.ownParts),
  },
  {
    name: "runs on streams, augmented in the stream and in the net, have the golden digest",
    run: async ({ engine }) => same("histories and weights", await streamedDigest(engine), golden.streamed),
  },
  {
    name: "a run has the golden digest, in one part and in many that go on from each other's checkpoints",
    run: async ({ engine }) => same("history and weights", await resumedDigest(engine), golden.resumed),
  },
  ...layerDigestCases,
];
