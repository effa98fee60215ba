/** The receipt that every runtime verifies is that of its run in Node. `UPDATE=1` writes it down again. */
import { readFileSync, writeFileSync } from "node:fs";
import { load } from "im2row";
import type { TrainingReceipt } from "im2row/receipts";
import { expect, it } from "vitest";
import { receiptModel, receiptRun } from "../conformance/receipts.ts";

const FILE = new URL("../conformance/receipt.json", import.meta.url);

it("test/conformance/receipt.json is the receipt of its run, in any build of the same numerics", async () => {
  const engine = await load();
  const model = receiptModel(engine);
  const { receipt } = await receiptRun(model);
  engine.dispose();
  if (process.env["UPDATE"]) writeFileSync(FILE, `${JSON.stringify(receipt, undefined, 2)}\n`);
  const { package: _p, binary: _b, ...golden } = JSON.parse(readFileSync(FILE, "utf8")) as TrainingReceipt;
  expect(receipt).toMatchObject(golden);
  expect(Object.keys(receipt!).sort()).toEqual([...Object.keys(golden), "package", "binary"].sort());
});
