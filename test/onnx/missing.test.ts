/** Files whose operators are not here: one error names all of them, wherever they stand. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { FormatError, load, type Engine } from "../../src/index.ts";
import { loadOnnx } from "../../src/onnx.ts";
import { MessageWriter } from "../../src/onnx/file/message.ts";
import { ATTRIBUTE_TYPE, DATA_TYPE, type GraphProto, type NodeProto } from "../../src/onnx/file/proto.ts";
import { constant, node, onnxFile, valueInfo } from "../support/onnxFile.ts";

let engine: Engine;

beforeAll(async () => {
  engine = await load();
});

afterAll(() => engine.dispose());

const graph = (...nodes: NodeProto[]): GraphProto => ({
  name: "",
  nodes,
  initializers: [],
  inputs: [],
  outputs: [],
  sparse: 0,
});

/** A node that runs graphs. */
function running(operator: string, output: string, ...graphs: GraphProto[]): NodeProto {
  const own = node(operator, ["x"], output);
  const empty = { floats: [], ints: [], strings: [] };
  own.attributes = graphs.map((each, i) => ({
    ...empty,
    name: `g${i}`,
    type: ATTRIBUTE_TYPE.graph,
    graphs: [each],
  }));
  return own;
}

const refusal = (file: Uint8Array): Promise<unknown> =>
  loadOnnx(file, { engine }).then(
    () => undefined,
    (error: unknown) => error,
  );

describe("loadOnnx names operators that are missing", () => {
  it("before the types of weights", async () => {
    const weight = { ...constant("w", [1], [0]), dataType: DATA_TYPE.uint8, raw: Uint8Array.of(1) };
    const nodes = [
      node("DynamicQuantizeLinear", ["x"], ["q", "s", "z"]),
      node("ConvInteger", ["q", "w"], "a"),
      node("ConvInteger", ["q", "w"], "y"),
    ];
    const file = onnxFile({
      nodes,
      inputs: [valueInfo("x", ["n", 1])],
      initializers: [weight],
      outputs: ["y"],
    });
    expect(await refusal(file)).toEqual(
      new FormatError(
        "loadOnnx: expected nodes that can be computed, got 3 nodes that are not: " +
          "q (DynamicQuantizeLinear): no such operator here; a (ConvInteger) and 1 more: no such operator here",
      ),
    );
  });

  it("in branches, and in branches of these", async () => {
    const inner = running("Loop", "l", graph(node("LSTM", ["x"], "h"), node("Relu", ["x"], "r")));
    const nodes = [running("If", "y", graph(node("Einsum", ["x"], "e")), graph(inner))];
    const error = (await refusal(
      onnxFile({ nodes, inputs: [valueInfo("x", ["n", 1])], outputs: ["y"] }),
    )) as Error;
    expect(error).toBeInstanceOf(FormatError);
    expect(error.message).toContain("got 4 nodes that are not");
    for (const each of ["y (If)", "e (Einsum)", "l (Loop)", "h (LSTM)"])
      expect(error.message).toContain(each);
    expect(error.message).not.toContain("Relu");
  });

  it("in functions of the file's own", async () => {
    const file = onnxFile({
      nodes: [{ ...node("Own", ["x"], "y"), domain: "local" }],
      inputs: [valueInfo("x", ["n", 1])],
      outputs: ["y"],
    });
    const functions = new MessageWriter();
    functions.message(25, (writer) => {
      writer.text(1, "Own");
      writer.message(7, (inside) => {
        inside.text(2, "f");
        inside.text(4, "Einsum");
      });
    });
    const error = (await refusal(Uint8Array.from([...file, ...functions.join()]))) as Error;
    expect(error.message).toContain(
      "y (local.Own): no such operator here; f (Einsum): no such operator here",
    );
  });

  it("all of them, however many, in less than 1,000 characters", async () => {
    const names = Array.from({ length: 40 }, (_, i) => `Operator${i}`);
    const nodes = [...names, ...names].map((name, i) => node(name, ["x"], `v${i}`));
    const error = (await refusal(
      onnxFile({ nodes, inputs: [valueInfo("x", ["n", 1])], outputs: ["v0"] }),
    )) as Error;
    expect(error.message.length).toBeLessThan(1000);
    for (const name of names) expect(error.message).toContain(`${name} (2)`);
  });
});
